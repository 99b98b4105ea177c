package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/coretest"
	"github.com/unsilo/unsilo/plugins/host"
)

// TestContractThroughThePlugin holds the built plugin to the contract, deletes, rejects
// and all.
func TestContractThroughThePlugin(t *testing.T) {
	dir := t.TempDir()
	binary := filepath.Join(dir, "unsilo-plugin-sim")
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the plugin: %v\n%s", err, out)
	}
	day := filepath.Join(dir, "day")
	write := func(n string) error { return os.WriteFile(day, []byte(n), 0o600) }
	if err := write("3"); err != nil {
		t.Fatal(err)
	}
	h := host.New(host.Options{Dirs: []string{dir}, Log: func(l host.LogLine) { t.Log(l.Message) }})
	t.Cleanup(func() { _ = h.Close() })
	c, err := h.Connector(t.Context(), "sim", "sim")
	if err != nil {
		t.Fatal(err)
	}
	for _, deletes := range []string{"feed", "flag", "reconcile"} {
		t.Run(deletes, func(t *testing.T) {
			if err := write("3"); err != nil {
				t.Fatal(err)
			}
			values := map[string]any{}
			for _, f := range c.Spec().Fields {
				if f.Default != nil {
					values[f.Name] = f.Default
				}
			}
			for k, v := range map[string]any{"rows": int64(600), "streams": int64(2), "batch": int64(60), "day_file": day, "deletes": deletes,
				"tie": int64(30), "change_per_mille": int64(40), "delete_per_mille": int64(20), "reject_every": int64(97)} {
				values[k] = v
			}
			coretest.TestConnector(t, coretest.ConnectorCase{Connector: c, Config: core.Config{Source: "sim", Values: values},
				Mutate: func(context.Context) error { return write("9") }})
		})
	}
}
