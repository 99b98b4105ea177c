package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

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
