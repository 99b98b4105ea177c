package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// pluginBins are the bundled plugins, built once for all scripts: those in bin/ if
// `make build` has run.
type pluginBins struct {
	dir  string
	once sync.Once
	err  error
}

func (p *pluginBins) built() (string, error) {
	if dir, err := filepath.Abs("../../bin"); err == nil {
		if _, err := os.Stat(filepath.Join(dir, "unsilo-plugin-file")); err == nil {
			return dir, nil
		}
	}
	p.once.Do(func() {
		cmd := exec.Command("go", "build", "-o", p.dir, "../../plugins/unsilo-plugin-file", "../../plugins/unsilo-plugin-sql")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			p.err = fmt.Errorf("build plugins: %w\n%s", err, out)
		}
	})
	return p.dir, p.err
}

// plugins puts the program and its plugins into $WORK/bin, as an installation has them,
// and sets $PLUGIN_DIR.
func (p *pluginBins) command(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: plugins")
	}
	from, err := p.built()
	ts.Check(err)
	to := filepath.Join(ts.Getenv("WORK"), "bin")
	ts.Check(os.MkdirAll(to, 0o755))
	for name, file := range map[string]string{
		"unsilo":             findIn(ts.Getenv("PATH"), "unsilo"),
		"unsilo-plugin-file": filepath.Join(from, "unsilo-plugin-file"),
		"unsilo-plugin-sql":  filepath.Join(from, "unsilo-plugin-sql"),
	} {
		text, err := os.ReadFile(file)
		ts.Check(err)
		ts.Check(os.WriteFile(filepath.Join(to, name), text, 0o755))
	}
	ts.Setenv("PLUGIN_DIR", to)
	ts.Setenv("PATH", to+string(filepath.ListSeparator)+ts.Getenv("PATH"))
}

// weather FOLDER puts a plugin that is not the program's own into a folder.
func (p *pluginBins) weather(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: weather FOLDER")
	}
	ts.Check(p.putWeather(ts.MkAbs(args[0])))
}

func (p *pluginBins) putWeather(dir string) error {
	const name = "unsilo-plugin-weather"
	from := filepath.Join(p.dir, name)
	if _, err := os.Stat(from); err != nil {
		cmd := exec.Command("go", "build", "-ldflags", "-s -w", "-o", from, "./testdata/"+name)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", name, err, out)
		}
	}
	text, err := os.ReadFile(from)
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name), text, 0o755)
	}
	return err
}

// TestVerbsEndTheirPlugins: a verb that only asks a plugin what it takes ends it too.
func TestVerbsEndTheirPlugins(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("looks at processes in /proc")
	}
	dir := t.TempDir()
	plugins := filepath.Join(dir, "plugins")
	if err := (&pluginBins{dir: t.TempDir()}).putWeather(plugins); err != nil {
		t.Fatal(err)
	}
	project := "source \"weather\" \"sky\" {\n  city = \"Oulu\"\n}\n"
	if err := os.WriteFile(filepath.Join(dir, "project.hcl"), []byte(project), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("UNSILO_TRUST_FILE", filepath.Join(t.TempDir(), "trusted"))
	for _, line := range []string{"plugin trust weather", "validate", "status", "history", "connector list", "connector docs weather", "plugin list",
		"plugin lock", "query SELECT", "preview sky.now", "check", "db verify", "plugin test weather --set city=Oulu"} {
		_ = os.Remove(filepath.Join(plugins, "unsilo-plugin-weather.started"))
		var out bytes.Buffer
		code := Main(append([]string{"-C", dir}, strings.Fields(line)...), strings.NewReader(""), &out, &out, os.Getenv)
		if left := processesOf(plugins); len(left) > 0 {
			t.Errorf("%s leaves %v", line, left)
		}
		if code == exitConfig && !strings.HasPrefix(line, "query") {
			t.Errorf("%s: exit code %d\n%s", line, code, out.String())
		}
		if _, err := os.Stat(filepath.Join(plugins, "unsilo-plugin-weather.started")); (err == nil) == (line == "plugin trust weather") {
			t.Errorf("%s: whether it was started: %v", line, err)
		}
	}
}
