package file_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/unsilo/unsilo/connectors/file"
	"github.com/unsilo/unsilo/core"
)

// open opens a source with one stream, "s".
func open(tb testing.TB, values map[string]any, key ...string) core.Source {
	tb.Helper()
	src, err := tryOpen(tb, values, key...)
	if err != nil {
		tb.Fatalf("open: %v", err)
	}
	tb.Cleanup(func() {
		if err := src.Close(); err != nil {
			tb.Errorf("close: %v", err)
		}
	})
	return src
}

func tryOpen(tb testing.TB, values map[string]any, key ...string) (core.Source, error) {
	tb.Helper()
	return file.Connector().Open(tb.Context(), core.Config{Source: "logs", Values: map[string]any{"timezone": "UTC"},
		Streams: []core.StreamConfig{{Name: "s", Values: values, PrimaryKey: key}}})
}

func onlyStream(tb testing.TB, src core.Source) core.Stream {
	tb.Helper()
	streams, err := src.Streams(tb.Context())
	if err != nil {
		tb.Fatalf("streams: %v", err)
	}
	return streams[0]
}

// landing is a little warehouse: rows by key, the last one wins.
type landing struct {
	src     core.Source
	stream  core.Stream
	state   core.State
	rows    map[string]map[string]any
	order   []string
	rejects []string // reason at place
	read    int
	batches int
}

func land(tb testing.TB, src core.Source) *landing {
	tb.Helper()
	return &landing{src: src, stream: onlyStream(tb, src), rows: map[string]map[string]any{}}
}

// next reads what is new, and returns how many rows came.
func (l *landing) next(tb testing.TB) int {
	tb.Helper()
	n, err := l.tryNext(tb, core.ReadRequest{})
	if err != nil {
		tb.Fatalf("read: %v", err)
	}
	return n
}

func (l *landing) tryNext(tb testing.TB, req core.ReadRequest) (int, error) {
	tb.Helper()
	before := l.read
	req.Stream, req.After = l.stream, l.state
	err := l.src.Read(tb.Context(), req, l.store)
	return l.read - before, err
}

func (l *landing) store(b core.Batch) error {
	if b.After != nil {
		l.state = append(core.State(nil), b.After...)
	}
	if b.Rows == nil || b.Rows.NumRows() == 0 {
		return nil
	}
	data, err := b.Rows.MarshalJSON()
	if err != nil {
		return err
	}
	dec := json.NewDecoder(strings.NewReader(string(data)))
	dec.UseNumber()
	var rows []map[string]any
	if err := dec.Decode(&rows); err != nil {
		return err
	}
	l.batches++
	for _, r := range rows {
		if b.Op == core.OpReject {
			l.rejects = append(l.rejects, fmt.Sprintf("%v at %v", r["reason"], r["path"]))
			continue
		}
		var key []string
		for _, k := range l.stream.PrimaryKey {
			key = append(key, fmt.Sprint(r[k]))
		}
		id := strings.Join(key, "|")
		if l.rows[id] == nil {
			l.order = append(l.order, id)
		}
		l.rows[id] = r
		l.read++
	}
	return nil
}

// column gives the values of a column, in the order in which rows came first.
func (l *landing) column(name string) []string {
	var out []string
	for _, id := range l.order {
		out = append(out, fmt.Sprint(l.rows[id][name]))
	}
	return out
}

// write writes a file that was last changed an hour ago, so that it counts as left alone.
func write(tb testing.TB, dir, name, text string) string {
	tb.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		tb.Fatal(err)
	}
	old(tb, path)
	return path
}

func old(tb testing.TB, path string) {
	tb.Helper()
	at := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, at, at); err != nil {
		tb.Fatal(err)
	}
}

// grow appends to a file, just now.
func grow(tb testing.TB, path, text string) {
	tb.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		tb.Fatal(err)
	}
	if err := f.Close(); err != nil {
		tb.Fatal(err)
	}
}
