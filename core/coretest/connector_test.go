package coretest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/coretest"
)

// shelf is a connector over rows in memory, with one defect at a time.
type shelf struct {
	defect string
	mem    memory.Allocator
	rows   *[]item
	mu     *sync.Mutex
	reads  *atomic.Int32 // batches so far
}

type item struct {
	id int64
	at time.Time
	v  string
}

var day0 = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// newShelf has 40 rows, four on each day.
func newShelf(defect string, mem memory.Allocator) shelf {
	var rows []item
	for i := range int64(40) {
		rows = append(rows, item{i, day0.AddDate(0, 0, int(i/4)), fmt.Sprint("v", i)})
	}
	return shelf{defect, mem, &rows, &sync.Mutex{}, &atomic.Int32{}}
}

// change adds a row, changes one and deletes one.
func (c shelf) change(context.Context) error {
	last := (*c.rows)[len(*c.rows)-1].at
	rows := append((*c.rows)[1:], item{100, last, "new, on the last cursor value"})
	rows[3].at, rows[3].v = last.AddDate(0, 0, 1), "changed"
	slices.SortStableFunc(rows, func(a, b item) int { return a.at.Compare(b.at) })
	*c.rows = rows
	return nil
}

func (c shelf) Spec() core.Spec {
	s := core.Spec{Name: "shelf", Version: "1", Summary: "Rows in memory.", Fields: []core.Field{
		{Name: "token", Type: core.TypeString, Help: "any but wrong", Secret: true, Required: true},
		{Name: "size", Type: core.TypeInt, Help: "not negative", Default: int64(4)},
	}}
	switch c.defect {
	case "spec.valid":
		s.Fields[1].Default = "four"
	case "spec.stable":
		s.Version = time.Now().String()
	}
	return s
}

func (c shelf) Open(_ context.Context, cfg core.Config) (core.Source, error) {
	if cfg.Int("size") < 0 {
		if c.defect == "config.refused" {
			return nil, errors.New("size is negative")
		}
		return nil, &core.Error{Kind: core.KindConfig, Path: "size", Err: errors.New("it is negative")}
	}
	src := &shelfSource{shelf: c, token: cfg.String("token"), closed: make(chan struct{})}
	if c.defect == "close.goroutines" {
		go func() { select {} }()
	}
	return src, nil
}

type shelfSource struct {
	shelf
	token  string
	closed chan struct{}
	busy   atomic.Int32
}

func (s *shelfSource) Check(context.Context) error {
	if s.token == "good token" && s.defect != "check.accepts" {
		return nil
	}
	switch s.defect {
	case "secrets.hidden":
		return &core.Error{Kind: core.KindAuth, Err: errors.New("refused " + s.token)}
	case "errors.typed":
		return errors.New("refused")
	}
	return &core.Error{Kind: core.KindAuth, Err: errors.New("refused")}
}

func (s *shelfSource) schema() *arrow.Schema {
	return arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64},
		{Name: "at", Type: arrow.FixedWidthTypes.Timestamp_us}, {Name: "v", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)
}

func (s *shelfSource) Streams(context.Context) ([]core.Stream, error) {
	stream := core.Stream{Name: "items", Schema: s.schema(), PrimaryKey: []string{"id"},
		Cursor: core.Cursor{Field: "at", TieBreak: []string{"id"}}, Deletes: core.DeleteReconcile}
	switch s.defect {
	case "streams.valid":
		stream.Cursor.Field = "changed"
	case "streams.stable":
		stream.Help = time.Now().String()
	}
	return []core.Stream{stream}, nil
}

func (s *shelfSource) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.closed:
	default:
		close(s.closed)
	}
	if s.defect == "close.isolated" {
		*s.rows = (*s.rows)[:len(*s.rows)-1]
	}
	return nil
}

// wanted are the rows a request asks for.
func (s *shelfSource) wanted(req core.ReadRequest, from time.Time) []item {
	var out []item
	for _, it := range *s.rows {
		late := !req.Until.IsZero() && !it.at.Before(req.Until)
		if late && s.defect == "request.until" {
			late = it.at.After(req.Until)
		}
		early := it.at.Before(from)
		if s.defect == "state.resume" || s.defect == "change.incremental" {
			early = !it.at.After(from) && !from.IsZero()
		}
		if req.KeysOnly {
			late, early = false, s.defect == "request.keys_only" && it.id%2 == 0
		}
		if !late && !early {
			out = append(out, it)
		}
	}
	if req.Limit > 0 && s.defect != "request.limit" {
		out = out[:min(len(out), int(req.Limit))]
	}
	return out
}

func (s *shelfSource) Read(ctx context.Context, req core.ReadRequest, emit func(core.Batch) error) error {
	if req.Stream.Name != "items" && s.defect != "read.declared" {
		return &core.Error{Kind: core.KindConfig, Err: errors.New("no such stream")}
	}
	var from time.Time
	if req.After != nil && s.defect != "state.idle" {
		if err := json.Unmarshal([]byte(strings.TrimPrefix(string(req.After), "~")), &from); err != nil {
			return err
		}
	}
	if !req.From.IsZero() {
		from = req.From
		if s.defect == "request.from" {
			from = from.AddDate(0, 0, 1)
		}
	}
	s.mu.Lock()
	rows := s.wanted(req, from)
	s.mu.Unlock()
	s.busy.Add(1)
	defer s.busy.Add(-1)
	for len(rows) > 0 {
		n := min(len(rows), 3)
		if err := s.emit(ctx, req, rows[:n], emit); err != nil {
			return err
		}
		rows = rows[n:]
		if s.defect == "read.deterministic" && s.reads.Add(1) > 20 || s.defect == "read.concurrent" && s.busy.Load() > 1 {
			return nil
		}
	}
	return nil
}

func (s *shelfSource) emit(ctx context.Context, req core.ReadRequest, rows []item, emit func(core.Batch) error) error {
	if err := ctx.Err(); err != nil && s.defect != "cancel.before" {
		if s.defect == "cancel.read" {
			time.Sleep(2500 * time.Millisecond)
		}
		return err
	} else if err != nil {
		return nil
	}
	batch := core.Batch{Rows: s.record(req, rows)}
	if req.From.IsZero() && !req.KeysOnly || s.defect == "request.from" {
		batch.After, _ = json.Marshal(rows[len(rows)-1].at)
	}
	switch s.defect {
	case "state.json":
		batch.After = append([]byte("~"), batch.After...)
	case "state.emitted":
		batch.After = nil
	}
	if s.defect == "batch.rejects" && rows[0].id == 3 {
		batch.Op = core.OpReject
	}
	if s.defect == "read.concurrent" {
		time.Sleep(5 * time.Millisecond)
	}
	err := emit(batch)
	if s.defect == "batch.immutable" {
		batch.Rows.Column(0).(*array.Int64).Int64Values()[0] = -5
	}
	if s.defect != "close.memory" {
		batch.Rows.Release()
	}
	switch {
	case err != nil && s.defect == "emit.error":
		return fmt.Errorf("emit: %w", err)
	case err != nil && s.defect == "cancel.blocked":
		time.Sleep(4 * time.Second)
	}
	return err
}

func (s *shelfSource) record(req core.ReadRequest, rows []item) arrow.RecordBatch {
	schema := s.schema()
	switch {
	case s.defect == "batch.schema":
		fields := schema.Fields()
		fields[0].Type = arrow.PrimitiveTypes.Int32
		schema = arrow.NewSchema(fields, nil)
	case s.defect == "request.columns" && len(req.Columns) > 0:
		schema = arrow.NewSchema(schema.Fields()[2:], nil)
	}
	b := array.NewRecordBuilder(s.mem, schema)
	defer b.Release()
	for i, it := range rows {
		if s.defect == "read.keys" && it.id == 7 {
			it.id = 8
		}
		if s.defect == "read.rows" && it.id == 7 {
			continue
		}
		for j, f := range schema.Fields() {
			switch col := b.Field(j).(type) {
			case *array.Int64Builder:
				col.Append(it.id)
			case *array.Int32Builder:
				col.Append(int32(it.id))
			case *array.TimestampBuilder:
				col.AppendTime(it.at)
			case *array.StringBuilder:
				if s.defect == "batch.arrow" && i == 0 {
					it.v = "\xff"
				}
				col.Append(it.v)
			default:
				panic(f.Name)
			}
		}
	}
	return b.NewRecordBatch()
}

func shelfCase(defect string) coretest.ConnectorCase {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	c := newShelf(defect, mem)
	values := map[string]any{"token": "good token", "size": int64(4)}
	return coretest.ConnectorCase{
		Connector: c, Config: core.Config{Values: values},
		BadConfigs: []core.Config{{Values: map[string]any{"token": "good token", "size": int64(-1)}}},
		Rows:       map[string]int64{"items": 40}, Mutate: c.change, Memory: mem,
	}
}

func TestGoodConnectorPasses(t *testing.T) { coretest.TestConnector(t, shelfCase("")) }

// TestEveryRuleFindsItsDefect breaks one rule at a time.
func TestEveryRuleFindsItsDefect(t *testing.T) {
	all := coretest.Conformance(t.Context(), shelfCase("")).Results
	for _, rule := range all {
		t.Run(rule.ID, func(t *testing.T) {
			if rule.Outcome != coretest.Pass {
				t.Fatalf("the good connector: %s %s", rule.Outcome, rule.Detail)
			}
			c := shelfCase(rule.ID)
			c.Skip = map[string]string{}
			for _, other := range all {
				if other.ID != rule.ID && (rule.ID != "close.memory" || other.ID != "read.rows") {
					c.Skip[other.ID] = "not now"
				}
			}
			report := coretest.Conformance(t.Context(), c)
			for _, res := range report.Results {
				if res.ID == rule.ID && res.Outcome != coretest.Fail {
					t.Errorf("a connector with this defect got %s %s\nthe rule: %s", res.Outcome, res.Detail, res.Rule)
				}
				if strings.Contains(res.Detail, "good token") {
					t.Errorf("rule %s shows the secret: %s", res.ID, res.Detail)
				}
			}
			if report.Failed() == 0 {
				t.Error("the report counts no failure")
			}
		})
	}
}

func TestSkippedRulesSayWhy(t *testing.T) {
	c := shelfCase("")
	c.Mutate, c.Memory = nil, nil
	c.Skip = map[string]string{"emit.error": "known, see the changelog"}
	want := map[string]bool{"change.incremental": true, "close.memory": true, "emit.error": true}
	for _, res := range coretest.Conformance(t.Context(), c).Results {
		if (res.Outcome == coretest.Skip) != want[res.ID] || (res.Outcome == coretest.Skip && res.Detail == "") {
			t.Errorf("%s: %s %q", res.ID, res.Outcome, res.Detail)
		}
	}
}
