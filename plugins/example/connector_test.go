package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/coretest"
	"github.com/unsilo/unsilo/plugins/host"
)

// ledger writes 120 entries, ten a day, with two lines that are none.
func ledger(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for i := range 120 {
		at := time.Date(2026, 1, 1+i/10, 8, 0, 0, 0, time.UTC)
		fmt.Fprintf(&b, `{"seq": %d, "at": %q, "account": "rent", "amount": "-%d.%02d"}`+"\n", i+1, at.Format(time.RFC3339), i*7, i%100)
		if i == 40 || i == 77 {
			b.WriteString("{\"seq\": \"forty\"\n")
		}
	}
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func add(path, text string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(text)
	return err
}

func config(path string) core.Config {
	return core.Config{Source: "books", Values: map[string]any{"path": path, "batch_rows": int64(9)}}
}

func journalCase(t *testing.T, c core.Connector) coretest.ConnectorCase {
	path := ledger(t)
	return coretest.ConnectorCase{
		Connector: c, Config: config(path), Rows: map[string]int64{"entries": 120},
		BadConfigs: []core.Config{config(""), config(path + ".missing"), config(filepath.Dir(path))},
		Mutate: func(context.Context) error {
			return add(path, `{"seq": 121, "at": "2026-01-12T08:00:00Z", "amount": "1.00", "note": "late"}`+"\n")
		},
	}
}

func TestContract(t *testing.T) { coretest.TestConnector(t, journalCase(t, Connector())) }

// TestContractThroughThePlugin holds the built plugin to the same contract.
func TestContractThroughThePlugin(t *testing.T) {
	dir := t.TempDir()
	binary := filepath.Join(dir, "unsilo-plugin-journal")
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("build the plugin: %v\n%s", err, out)
	}
	h := host.New(host.Options{Dirs: []string{dir}, Log: func(l host.LogLine) { t.Log(l.Message) }})
	t.Cleanup(func() { _ = h.Close() })
	c, err := h.Connector(t.Context(), "journal", "journal")
	if err != nil {
		t.Fatal(err)
	}
	coretest.TestConnector(t, journalCase(t, c))
}

// TestLineThatIsStillWritten: half a line is left for the next read, bad lines are kept.
func TestLineThatIsStillWritten(t *testing.T) {
	path := ledger(t)
	src, err := Connector().Open(t.Context(), config(path))
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	read := func(after core.State) (rows, rejects int64, last core.State) {
		last = after
		err := src.Read(t.Context(), core.ReadRequest{Stream: core.Stream{Name: "entries"}, After: after}, func(b core.Batch) error {
			if b.Op == core.OpReject {
				rejects += b.Rows.NumRows()
			} else {
				rows += b.Rows.NumRows()
			}
			last = b.After
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return rows, rejects, last
	}
	if err := add(path, `{"seq": 121, "at": "2026-01-13T08`); err != nil {
		t.Fatal(err)
	}
	rows, rejects, after := read(nil)
	if rows != 120 || rejects != 2 {
		t.Errorf("%d rows and %d rejects, want 120 and 2", rows, rejects)
	}
	if err := add(path, `:00:00Z", "amount": "3.10"}`+"\n"); err != nil {
		t.Fatal(err)
	}
	rows, _, after = read(after)
	var pos position
	if err := json.Unmarshal(after, &pos); err != nil || rows != 1 || pos.Line != 123 {
		t.Errorf("then %d rows, position %s", rows, after)
	}
	if err := os.Truncate(path, 10); err != nil {
		t.Fatal(err)
	}
	err = src.Read(t.Context(), core.ReadRequest{Stream: core.Stream{Name: "entries"}, After: after}, func(core.Batch) error { return nil })
	if core.KindOf(err) != core.KindData {
		t.Errorf("a ledger that was cut off: %v", err)
	}
}
