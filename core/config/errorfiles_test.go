package config_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/config"
)

var expectation = regexp.MustCompile(`# (ERROR|WARNING): (.*?)(?: \||$)`)

// TestErrorFiles loads each file of testdata/error-files and compares the diagnostics,
// line by line, with the comments that expect them: # ERROR: summary.
func TestErrorFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/error-files/*.hcl")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	cases := 0
	for _, path := range files {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(path), ".hcl"), func(t *testing.T) {
			want := map[string]int{}
			for i, line := range strings.Split(string(src), "\n") {
				for _, m := range expectation.FindAllStringSubmatch(line, -1) {
					want[fmt.Sprintf("%d %s: %s", i+1, strings.ToLower(m[1]), strings.TrimSpace(m[2]))]++
					cases++
				}
			}
			_, ds := load(t, string(src), nil)
			got := map[string]int{}
			for _, d := range ds {
				checkShape(t, d)
				if d.Range != nil && d.Snippet == "" {
					t.Errorf("%q at %s has no snippet", d.Summary, d.Range)
				}
				line := 0
				if d.Range != nil {
					line = d.Range.Line
				}
				got[fmt.Sprintf("%d %s: %s", line, d.Severity, d.Summary)]++
			}
			for _, k := range slices.Sorted(maps.Keys(want)) {
				if got[k] != want[k] {
					t.Errorf("expected %d times, got %d: line %s", want[k], got[k], k)
				}
			}
			for _, k := range slices.Sorted(maps.Keys(got)) {
				if want[k] == 0 {
					t.Errorf("not expected: line %s", k)
				}
			}
			if text := rendered(ds); strings.Contains(text, "hidden-") {
				t.Errorf("a secret is shown:\n%s", text)
			}
			golden(t, strings.TrimSuffix(path, ".hcl")+".txt", rendered(ds))
		})
	}
	if cases < 45 {
		t.Errorf("only %d cases, want at least 45", cases)
	}
}

// checkShape checks what every diagnostic must have.
func checkShape(t *testing.T, d core.Diagnostic) {
	t.Helper()
	if d.Summary == "" || strings.Contains(d.Summary, "\n") {
		t.Errorf("summary %q is not one line", d.Summary)
	}
	if d.Try == "" {
		t.Errorf("%q has nothing to try", d.Summary)
	}
	if d.Range != nil && (d.Range.Line < 1 || d.Range.Column < 1 || d.Range.EndLine < d.Range.Line) {
		t.Errorf("%q has the range %+v", d.Summary, *d.Range)
	}
	text, err := json.Marshal(d)
	if err != nil {
		t.Errorf("%q is not JSON: %v", d.Summary, err)
	}
	var back core.Diagnostic
	if err := json.Unmarshal(text, &back); err != nil || rendered(core.Diagnostics{back}) != rendered(core.Diagnostics{d}) {
		t.Errorf("%q reads differently after JSON: %v\n%q\n%q", d.Summary, err, d, back)
	}
}

// golden compares text with a file, or writes it with -update.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("read golden file: %v; write it with go test -update", err)
	}
	if got != string(want) {
		t.Errorf("%s differs.\n--- got\n%s\n--- want\n%s", path, got, want)
	}
}

// TestValidFiles loads each project of testdata/valid-files and compares it, as JSON,
// with the golden file beside it.
func TestValidFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/valid-files/*.hcl")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".hcl"), func(t *testing.T) {
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			p := good(t, string(src), map[string]string{"UNSILO_VAR_region": "eu", "UNSILO_VAR_pin": "canary-4711"})
			dir := p.Dir
			got, err := json.MarshalIndent(p, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			text := strings.ReplaceAll(string(got), dir, "/project")
			if strings.Contains(text, "canary-") {
				t.Errorf("a secret is in the JSON:\n%s", text)
			}
			golden(t, strings.TrimSuffix(path, ".hcl")+".json", text+"\n")
			formatted, err := config.Format(src)
			if err != nil {
				t.Fatal(err)
			}
			if string(formatted) != string(src) {
				t.Errorf("%s is not in the standard layout", path)
			}
		})
	}
}
