package rest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/hashicorp/hcl/v2"
	"go.uber.org/goleak"

	"github.com/unsilo/unsilo/connectors/rest"
	"github.com/unsilo/unsilo/core"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// define parses a definition; %s in it is not needed: base_url is a field.
func define(t *testing.T, text string) *rest.Definition {
	t.Helper()
	def, diags := rest.Parse([]byte(text), "test.hcl", hcl.Pos{})
	if diags.HasErrors() {
		t.Fatalf("parse: %v", diags)
	}
	return def
}

// api wraps streams into a connector without pauses worth mentioning.
func api(parts ...string) string {
	return `connector "rest" "acme" {
  field "base_url" { required = true }
  field "token" { secret = true }
  client {
    base_url = config.base_url
    timeout  = "2s"
  }
  auth "bearer" { token = config.token }
` + strings.Join(parts, "\n") + "\n}\n"
}

const quickRetry = `
  retry {
    initial = "1ms"
    max     = "5ms"
  }
`

func openAt(t *testing.T, def *rest.Definition, server *httptest.Server, values map[string]any) core.Source {
	t.Helper()
	cfg := core.Config{Source: "test", Values: map[string]any{"base_url": server.URL, "token": "s3cr3t-token"}}
	maps.Copy(cfg.Values, values)
	src, err := rest.New(def).Open(context.Background(), cfg)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { _ = src.Close() })
	return src
}

// table is what a warehouse would hold: rows by key, and the position.
type table struct {
	mu      sync.Mutex
	rows    map[string]map[string]any
	sent    int // upserted rows
	rejects int
	deleted int
	after   core.State
	states  []core.State
	batches int
}

func newTable() *table { return &table{rows: map[string]map[string]any{}} }

// store merges a batch.
func (tb *table) store(key []string) func(core.Batch) error {
	return func(b core.Batch) error {
		tb.mu.Lock()
		defer tb.mu.Unlock()
		tb.batches++
		if b.Rows != nil {
			for i := range int(b.Rows.NumRows()) {
				row := map[string]any{}
				for c := range int(b.Rows.NumCols()) {
					if col := b.Rows.Column(c); col.IsValid(i) {
						row[b.Rows.ColumnName(c)] = col.ValueStr(i)
					}
				}
				id := ""
				for _, k := range key {
					id += fmt.Sprint(row[k]) + "/"
				}
				switch b.Op {
				case core.OpUpsert:
					if len(key) == 0 {
						id = fmt.Sprint(tb.sent)
					}
					tb.rows[id] = row
					tb.sent++
				case core.OpDelete:
					delete(tb.rows, id)
					tb.deleted++
				case core.OpReject:
					tb.rejects++
					_ = b.Rows.Column(0).(*array.String)
				}
			}
		}
		if b.After != nil {
			if !json.Valid(b.After) {
				return fmt.Errorf("position is not JSON: %s", b.After)
			}
			tb.after = b.After
			tb.states = append(tb.states, b.After)
		}
		return nil
	}
}

func (tb *table) ids() []string { return slices.Sorted(maps.Keys(tb.rows)) }

// pull reads a stream into the table, from the table's position.
func pull(t *testing.T, src core.Source, name string, tb *table, change func(*core.ReadRequest)) error {
	t.Helper()
	st := streamOf(t, src, name)
	req := core.ReadRequest{Stream: st, After: tb.after}
	if change != nil {
		change(&req)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	return src.Read(ctx, req, tb.store(st.PrimaryKey))
}

func streamOf(t *testing.T, src core.Source, name string) core.Stream {
	t.Helper()
	streams, err := src.Streams(context.Background())
	if err != nil {
		t.Fatalf("streams: %v", err)
	}
	for _, s := range streams {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no stream %q", name)
	return core.Stream{}
}

// serve starts a loopback server that counts requests.
func serve(t *testing.T, h http.HandlerFunc) (*httptest.Server, *requests) {
	t.Helper()
	log := &requests{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		log.add(r)
		h(w, r)
	}))
	t.Cleanup(server.Close)
	return server, log
}

// requests logs what a server was asked, and when.
type requests struct {
	mu    sync.Mutex
	urls  []string
	times []time.Time
	heads []http.Header
}

func (l *requests) add(r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.urls, l.times, l.heads = append(l.urls, r.URL.String()), append(l.times, time.Now()), append(l.heads, r.Header.Clone())
}

func (l *requests) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.urls)
}

// people makes rows 0 to n-1.
func people(from, to int) []map[string]any {
	out := []map[string]any{}
	for i := from; i < to; i++ {
		out = append(out, map[string]any{"id": i, "name": fmt.Sprintf("person %d", i),
			"updated_at": time.Date(2026, 1, 1, 0, 0, i, 0, time.UTC).Format(time.RFC3339)})
	}
	return out
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}
