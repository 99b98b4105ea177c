package sql_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/unsilo/unsilo/connectors/sql"
	"github.com/unsilo/unsilo/core"
)

// connector finds one of the package's connectors.
func connector(tb testing.TB, name string) core.Connector {
	tb.Helper()
	for _, c := range sql.Connectors() {
		if c.Spec().Name == name {
			return c
		}
	}
	tb.Fatalf("no connector %q", name)
	return nil
}

// open opens a source that is closed when the test ends.
func open(tb testing.TB, kind string, values map[string]any, streams ...core.StreamConfig) core.Source {
	tb.Helper()
	src, err := connector(tb, kind).Open(tb.Context(), core.Config{Source: "erp", Values: values, Streams: streams})
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

// stream finds a stream by name.
func stream(tb testing.TB, src core.Source, name string) core.Stream {
	tb.Helper()
	streams, err := src.Streams(tb.Context())
	if err != nil {
		tb.Fatalf("streams: %v", err)
	}
	var have []string
	for _, s := range streams {
		if s.Name == name {
			return s
		}
		have = append(have, s.Name)
	}
	tb.Fatalf("no stream %q among %v", name, have)
	return core.Stream{}
}

// landing is a little warehouse: rows by key, the last one wins.
type landing struct {
	rows    map[string]map[string]any
	rejects []reject
	state   core.State
	// read counts rows as they came; batches counts those with rows.
	read, batches int
}

type reject struct{ record, reason, path string }

func newLanding() *landing { return &landing{rows: map[string]map[string]any{}} }

// read reads the stream from where the landing stands.
func (l *landing) next(ctx context.Context, src core.Source, req core.ReadRequest) error {
	req.After = l.state
	return src.Read(ctx, req, func(b core.Batch) error { return l.store(req.Stream, b) })
}

func (l *landing) store(s core.Stream, b core.Batch) error {
	if b.Rows != nil && b.Rows.NumRows() > 0 {
		data, err := b.Rows.MarshalJSON()
		if err != nil {
			return fmt.Errorf("marshal batch: %w", err)
		}
		dec := json.NewDecoder(strings.NewReader(string(data)))
		dec.UseNumber()
		var rows []map[string]any
		if err := dec.Decode(&rows); err != nil {
			return fmt.Errorf("decode batch: %w", err)
		}
		if b.Op == core.OpReject {
			for _, r := range rows {
				l.rejects = append(l.rejects, reject{fmt.Sprint(r["record"]), fmt.Sprint(r["reason"]), fmt.Sprint(r["path"])})
			}
		} else {
			l.batches++
			l.read += len(rows)
			for i, r := range rows {
				l.rows[keyOf(s, r, l.read+i)] = r
			}
		}
	}
	if b.After != nil {
		l.state = append(core.State(nil), b.After...)
	}
	return nil
}

func keyOf(s core.Stream, row map[string]any, n int) string {
	if len(s.PrimaryKey) == 0 {
		return fmt.Sprint(n)
	}
	var parts []string
	for _, k := range s.PrimaryKey {
		parts = append(parts, fmt.Sprint(row[k]))
	}
	return strings.Join(parts, "|")
}

// column gives the values of one column by key.
func (l *landing) column(name string) map[string]string {
	out := map[string]string{}
	for k, r := range l.rows {
		out[k] = fmt.Sprint(r[name])
	}
	return out
}

// mustRead reads the stream once from where the landing stands.
func (l *landing) mustRead(tb testing.TB, src core.Source, s core.Stream) {
	tb.Helper()
	if err := l.next(tb.Context(), src, core.ReadRequest{Stream: s}); err != nil {
		tb.Fatalf("read %s: %v", s.Name, err)
	}
}
