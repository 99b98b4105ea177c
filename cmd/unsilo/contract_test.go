package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

const contractProject = `
unsilo {
  isolation = "none"
}
source "file" "lists" {
  stream "people" {
    path        = "people.csv"
    primary_key = ["id"]
    means       = { email = "person.email" }
    settle      = "0s"
  }
}
identity "person" {
  record "lists" {
    from = source.lists.people
  }
}
model "n" {
  sql = "SELECT count(*) AS n FROM ${source.lists.people}"
}
`

// arguments are a command line for each verb that succeeds on the project above.
func arguments(dir string) map[string][]string {
	return map[string][]string{
		"check": nil, "fmt": nil, "history": nil, "init": {"-C", filepath.Join(dir, "new")}, "plan": nil, "preview": {"lists.people"},
		"query": {"SELECT * FROM raw_lists.people"}, "run": nil, "status": nil, "validate": nil,
		"connector list": nil, "connector docs": {"file"},
		"db verify": nil, "db repair": nil,
		"identity explain": {"lists.people:1"},
		"plugin list":      nil, "plugin lock": nil, "plugin new": {"weather"}, "plugin test": {"nothing"},
	}
}

// Verbs whose result is not data: shell code, and a company that answers.
func withoutFormats(path string) bool {
	return strings.HasPrefix(path, "completion") || strings.HasPrefix(path, "help") || path == "demo"
}

// leaves calls do for every verb.
func leaves(c *cobra.Command, path string, do func(path string, c *cobra.Command)) {
	for _, sub := range c.Commands() {
		if !sub.IsAvailableCommand() {
			continue
		}
		p := strings.TrimSpace(path + " " + sub.Name())
		if sub.HasSubCommands() {
			leaves(sub, p, do)
		} else {
			do(p, sub)
		}
	}
}

// TestEveryVerbInEveryFormat demands that standard output parses in the format asked for,
// and that JSON carries format_version, whatever the outcome.
func TestEveryVerbInEveryFormat(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"project.hcl": strings.TrimSpace(contractProject) + "\n", "people.csv": "id,email\n1,a@example.com\n2,a@example.com\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, errs, code := inProcess(dir, "run"); code != exitDone {
		t.Fatalf("run: exit code %d\n%s%s", code, out, errs)
	}
	known := arguments(dir)
	// Verbs whose result may be no rows at all.
	quiet := []string{"fmt", "validate", "plugin list", "plugin lock", "plugin test"}
	backups := 0
	leaves((&app{getenv: os.Getenv}).root(), "", func(path string, _ *cobra.Command) {
		if withoutFormats(path) {
			return
		}
		args, ok := known[path]
		for _, format := range formats[1:] {
			line := append(strings.Fields(path), "-o", format)
			switch path {
			case "plugin new":
				line = append(line, "-C", t.TempDir())
			case "db backup":
				backups++
				line = append(line, filepath.Join(dir, fmt.Sprintf("copy%d.duckdb", backups)))
			}
			out, errs, code := inProcess(dir, append(line, args...)...)
			if ok && code != exitDone && path != "plugin test" && path != "plugin lock" && !strings.HasPrefix(path, "init") {
				t.Errorf("%s -o %s: exit code %d\n%s%s", path, format, code, out, errs)
			}
			if ok && code == exitDone && out == "" && !slices.Contains(quiet, path) {
				t.Errorf("%s -o %s writes nothing", path, format)
			}
			if out != "" {
				if err := parses(format, out); err != nil {
					t.Errorf("%s: standard output is not %s: %v\n%s", path, format, err, out)
				}
			}
			if errs != "" && format != "csv" {
				if err := parses("json", errs); err != nil {
					t.Errorf("%s -o %s: standard error is not JSON: %v\n%s", path, format, err, errs)
				}
			}
		}
	})
}

// inProcess runs a command line of the program without a process of its own.
func inProcess(dir string, args ...string) (out, errs string, code int) {
	var o, e bytes.Buffer
	code = Main(append([]string{"-C", dir}, args...), io.NopCloser(strings.NewReader("")), &o, &e, func(string) string { return "" })
	return o.String(), e.String(), code
}

// TestHelp demands of every verb a line of what it does, an example, and a line for each
// flag.
func TestHelp(t *testing.T) {
	leaves((&app{getenv: os.Getenv}).root(), "", func(path string, c *cobra.Command) {
		if strings.HasPrefix(path, "completion") || path == "help" {
			return
		}
		if c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: the summary is %q", path, c.Short)
		}
		if takes := strings.Contains(c.Use, " "); takes && c.Example == "" && !strings.HasPrefix(path, "identity") {
			t.Errorf("%s takes arguments and shows no example", path)
		}
		for line := range strings.Lines(c.LocalFlags().FlagUsages()) {
			if len(strings.Fields(line)) < 3 {
				t.Errorf("%s: a flag says nothing: %q", path, line)
			}
		}
	})
}
