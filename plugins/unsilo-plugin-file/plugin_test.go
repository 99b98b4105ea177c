package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/coretest"
	"github.com/unsilo/unsilo/plugins/host"
)

// TestContractThroughThePlugin holds the built plugin to the contract on streams with and
// without a key.
func TestContractThroughThePlugin(t *testing.T) {
	bin, dir := t.TempDir(), t.TempDir()
	binary := filepath.Join(bin, "unsilo-plugin-file")
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the plugin: %v\n%s", err, out)
	}
	var csv, jsonl strings.Builder
	csv.WriteString("id,name,amount\n")
	for i := range 3000 {
		fmt.Fprintf(&csv, "%d,Name %d,%d.%02d\n", i, i, i, i%100)
		fmt.Fprintf(&jsonl, "{\"id\": %d, \"tags\": [\"a\", null], \"who\": {\"email\": \"p%d@example.com\"}}\n", i, i)
	}
	for name, text := range map[string]string{"people.csv": csv.String(), "events.jsonl": jsonl.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h := host.New(host.Options{Dirs: []string{bin}, Log: func(l host.LogLine) { t.Log(l.Message) }})
	t.Cleanup(func() { _ = h.Close() })
	c, err := h.Connector(t.Context(), "file", "file")
	if err != nil {
		t.Fatal(err)
	}
	stream := func(name, file, format string, key ...string) core.StreamConfig {
		return core.StreamConfig{Name: name, PrimaryKey: key, Values: map[string]any{"path": filepath.Join(dir, file), "format": format}}
	}
	coretest.TestConnector(t, coretest.ConnectorCase{
		Connector: c,
		Config: core.Config{Source: "files", Dir: dir, Values: map[string]any{"timezone": "UTC"},
			Streams: []core.StreamConfig{stream("people", "people.csv", "csv", "id"), stream("events", "*.jsonl", "jsonl")}},
		BadConfigs: []core.Config{{Streams: []core.StreamConfig{{Name: "x", Values: map[string]any{}}}}},
		Rows:       map[string]int64{"people": 3000, "events": 3000},
		Mutate: func(context.Context) error {
			f, err := os.OpenFile(filepath.Join(dir, "events.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = f.WriteString("{\"id\": -1, \"more\": 1.5}\n")
			return err
		},
	})
}
