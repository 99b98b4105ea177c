package engine_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/config"
	"github.com/unsilo/unsilo/core/engine"
	"github.com/unsilo/unsilo/core/plan"
	"github.com/unsilo/unsilo/core/warehouse/memory"
)

// bench is an engine on the memory warehouse with one scripted source per name.
type bench struct {
	t *testing.T
	w core.Warehouse
	e *engine.Engine
}

func newBench(t *testing.T, block config.Stream, silos map[string]*silo) *bench {
	t.Helper()
	p := &config.Project{Dir: t.TempDir()}
	for name := range silos {
		b := block
		b.Name = "things"
		if b.Means == nil {
			b.Means = map[string]core.Means{"name": core.NotPersonal}
		}
		p.Sources = append(p.Sources, config.Source{Kind: "scripted", Name: name, Streams: []config.Stream{b}})
	}
	b := &bench{t: t, w: memory.New()}
	b.e = &engine.Engine{Project: p, Warehouse: b.w, Retry: engine.Retry{Initial: time.Millisecond, Max: 2 * time.Millisecond},
		Limits: engine.Limits{Rows: 20},
		Connect: func(_ context.Context, src config.Source) (core.Source, error) {
			return silos[src.Name], nil
		}}
	t.Cleanup(func() {
		if err := errors.Join(b.e.Close(), b.w.Close()); err != nil {
			t.Error(err)
		}
	})
	return b
}

func (b *bench) plan() (*plan.Plan, core.Diagnostics) {
	b.t.Helper()
	p, ds, err := b.e.Plan(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return p, ds
}

func (b *bench) run(opts ...engine.Options) *engine.Result {
	b.t.Helper()
	p, ds := b.plan()
	if ds.HasErrors() {
		b.t.Fatalf("plan: %v", ds)
	}
	var o engine.Options
	if len(opts) > 0 {
		o = opts[0]
	}
	res, err := b.e.Run(b.t.Context(), p, o)
	if err != nil {
		b.t.Fatal(err)
	}
	return res
}

// mustRun runs and demands that every stream is done.
func (b *bench) mustRun(opts ...engine.Options) engine.StreamResult {
	b.t.Helper()
	res := b.run(opts...)
	for _, s := range res.Streams {
		if s.Status != engine.StatusDone {
			b.t.Fatalf("stream %s ended %s: %v", s.Stream, s.Status, s.Err)
		}
	}
	return res.Streams[0]
}

// landed reads id to name of a table; with dup it fails on an id that is there twice.
func (b *bench) landed(source string) map[int64]string {
	b.t.Helper()
	out := map[int64]string{}
	for _, r := range b.rows(source, "id", "name") {
		id := r[0].(int64)
		if _, twice := out[id]; twice {
			b.t.Errorf("row %d is in the table twice", id)
		}
		out[id], _ = r[1].(string)
	}
	return out
}

func (b *bench) rows(source string, columns ...string) [][]any {
	b.t.Helper()
	return b.table(core.RawTable(source, "things"), columns...)
}

func (b *bench) table(name core.TableName, columns ...string) [][]any {
	b.t.Helper()
	rows, err := b.w.Scan(b.t.Context(), core.ScanRequest{Table: name, Columns: columns})
	if err != nil {
		b.t.Fatal(err)
	}
	defer rows.Release()
	var out [][]any
	for rows.Next() {
		rec := rows.RecordBatch()
		for i := range int(rec.NumRows()) {
			var r []any
			for c := range columns {
				switch col := rec.Column(c).(type) {
				case *array.Int64:
					if col.IsNull(i) {
						r = append(r, nil)
					} else {
						r = append(r, col.Value(i))
					}
				default:
					if col.IsNull(i) {
						r = append(r, nil)
					} else {
						r = append(r, strings.Clone(col.ValueStr(i)))
					}
				}
			}
			out = append(out, r)
		}
	}
	return out
}

func (b *bench) same(source string, want map[int64]string) {
	b.t.Helper()
	if got := b.landed(source); !maps.Equal(got, want) {
		b.t.Errorf("%s has %d rows, want %d; got %v want %v", source, len(got), len(want), got, want)
	}
}

func TestIncremental(t *testing.T) {
	s := newSilo(53)
	b := newBench(t, config.Stream{}, map[string]*silo{"crm": s})
	if r := b.mustRun(); r.New != 53 || r.Read != 53 {
		t.Errorf("first run: read %d new %d, want 53 and 53", r.Read, r.New)
	}
	b.same("crm", s.expect())

	if r := b.mustRun(); r.Landed() != 0 || r.Before != r.After {
		t.Errorf("second run landed %d rows, position %s -> %s; nothing had changed", r.Landed(), r.Before, r.After)
	}
	s.change(3, 40, "changed")
	s.change(100, 40, "new")
	s.change(99, 10, "committed late, at the boundary") // the position is at 10
	if r := b.mustRun(); r.New != 2 || r.Changed != 1 {
		t.Errorf("third run: new %d changed %d, want 2 and 1", r.New, r.Changed)
	}
	b.same("crm", s.expect())
}

func TestLookbackReadsLateRows(t *testing.T) {
	s := newSilo(50)
	b := newBench(t, config.Stream{Lookback: 5 * time.Second}, map[string]*silo{"crm": s})
	b.mustRun()
	s.change(200, 5, "late") // position is 9; 9-5 <= 5
	b.mustRun()
	b.same("crm", s.expect())
}

func TestFull(t *testing.T) {
	s := newSilo(40)
	b := newBench(t, config.Stream{Mode: "full"}, map[string]*silo{"crm": s})
	b.mustRun()
	b.same("crm", s.expect())
	if r := b.mustRun(); r.Landed() != 0 {
		t.Errorf("an unchanged full read landed %d rows", r.Landed())
	}
	delete(s.rows, 7)
	s.change(8, 0, "changed")
	if r := b.mustRun(); r.Deleted != 1 || r.Changed != 1 || r.New != 0 {
		t.Errorf("got new %d changed %d deleted %d, want 0 1 1", r.New, r.Changed, r.Deleted)
	}
	b.same("crm", s.expect())
}

func TestFullKeepsTheOldTableWhenTheReadFails(t *testing.T) {
	s := newSilo(40)
	b := newBench(t, config.Stream{Mode: "full"}, map[string]*silo{"crm": s})
	b.mustRun()
	want := s.expect()
	s.change(1, 0, "changed")
	s.fail = func(_, batch int) error {
		if batch == 3 {
			return &core.Error{Kind: core.KindData, Err: errors.New("broken")}
		}
		return nil
	}
	if res := b.run(); res.Status != engine.StatusFailed {
		t.Errorf("status %s, want failed", res.Status)
	}
	b.same("crm", want)
	s.fail = nil
	b.mustRun()
	b.same("crm", s.expect())
}

func TestFullWithoutKeyReplacesOnlyWhatChanged(t *testing.T) {
	s := newSilo(30)
	s.stream.PrimaryKey, s.stream.Cursor = nil, core.Cursor{}
	b := newBench(t, config.Stream{}, map[string]*silo{"crm": s})
	b.mustRun()
	if r := b.mustRun(); r.Landed() != 0 || r.Unchanged != 30 {
		t.Errorf("landed %d unchanged %d, want 0 and 30", r.Landed(), r.Unchanged)
	}
	s.change(1, 0, "changed")
	b.mustRun()
	b.same("crm", s.expect())
}

func TestBrakeOnShrinkingSource(t *testing.T) {
	for _, keyed := range []bool{true, false} {
		s := newSilo(40)
		if !keyed {
			s.stream.PrimaryKey, s.stream.Cursor = nil, core.Cursor{}
		}
		b := newBench(t, config.Stream{Mode: "full"}, map[string]*silo{"crm": s})
		b.mustRun()
		want := s.expect()
		for id := range int64(20) {
			delete(s.rows, id)
		}
		res := b.run()
		var e *core.Error
		if !errors.As(res.Streams[0].Err, &e) || e.Kind != core.KindData || !strings.Contains(e.Try, "--allow-deletes crm.things") {
			t.Errorf("keyed=%v: a read that lost half the rows ended with %v", keyed, res.Streams[0].Err)
		}
		b.same("crm", want)
		b.mustRun(engine.Options{AllowDeletes: []string{"crm.things"}})
		b.same("crm", s.expect())
	}
}

func TestDeletes(t *testing.T) {
	t.Run("flag", func(t *testing.T) {
		s := newSilo(20)
		b := newBench(t, config.Stream{Deletes: core.DeleteFlag, DeleteField: "gone"}, map[string]*silo{"crm": s})
		b.mustRun()
		s.rows[4] = row{id: 4, updated: 90, name: "x", gone: true}
		if r := b.mustRun(); r.Deleted != 1 {
			t.Errorf("deleted %d, want 1", r.Deleted)
		}
		b.same("crm", s.expect())
	})
	t.Run("feed", func(t *testing.T) {
		s := newSilo(20)
		b := newBench(t, config.Stream{Deletes: core.DeleteFeed}, map[string]*silo{"crm": s})
		b.mustRun()
		s.deleted = []int64{3, 5}
		delete(s.rows, 3)
		delete(s.rows, 5)
		if r := b.mustRun(); r.Deleted != 2 {
			t.Errorf("deleted %d, want 2", r.Deleted)
		}
		b.same("crm", s.expect())
	})
	t.Run("reconcile", func(t *testing.T) {
		s := newSilo(20)
		b := newBench(t, config.Stream{Deletes: core.DeleteReconcile}, map[string]*silo{"crm": s})
		b.mustRun()
		delete(s.rows, 2)
		if r := b.mustRun(); r.Deleted != 1 {
			t.Errorf("deleted %d, want 1", r.Deleted)
		}
		b.same("crm", s.expect())
		want := s.expect()
		sweeps := 0
		s.fail = func(read, batch int) error {
			if s.asked[read-1].KeysOnly && batch == 1 {
				sweeps++
				return &core.Error{Kind: core.KindData, Err: errors.New("cut")}
			}
			return nil
		}
		b.run()
		if sweeps != 1 {
			t.Fatalf("the sweep ran %d times, want 1", sweeps)
		}
		b.same("crm", want) // a failed sweep deletes nothing
	})
}

func TestAppendLandsOnceThoughThereIsNoKey(t *testing.T) {
	s := newSilo(60)
	s.stream.PrimaryKey = nil
	s.noState = true // rows wait in the pending table until the read ends
	fails := 0
	s.fail = func(read, batch int) error {
		if read == 2 && batch == 5 { // read 1 is the sample
			fails++
			return &core.Error{Kind: core.KindUnavailable, Err: errors.New("cut")}
		}
		return nil
	}
	b := newBench(t, config.Stream{Mode: "append"}, map[string]*silo{"crm": s})
	b.mustRun()
	if fails != 1 {
		t.Fatalf("the fault fired %d times", fails)
	}
	b.same("crm", s.expect())
}

func TestHistory(t *testing.T) {
	s := newSilo(10)
	b := newBench(t, config.Stream{Write: "history", Deletes: core.DeleteReconcile}, map[string]*silo{"crm": s})
	b.mustRun()
	s.change(1, 50, "second version")
	delete(s.rows, 2)
	if r := b.mustRun(); r.Changed != 1 || r.Deleted != 1 {
		t.Errorf("changed %d deleted %d, want 1 and 1", r.Changed, r.Deleted)
	}
	current, versions := map[int64]string{}, 0
	for _, r := range b.rows("crm", "id", "name", core.HistoryTo) {
		versions++
		if r[2] == nil {
			current[r[0].(int64)] = r[1].(string)
		}
	}
	if versions != 11 || !maps.Equal(current, s.expect()) {
		t.Errorf("%d versions, current %v; want 11 and %v", versions, current, s.expect())
	}
}

func TestBackfillLeavesThePosition(t *testing.T) {
	s := newSilo(50)
	b := newBench(t, config.Stream{}, map[string]*silo{"crm": s})
	before := b.mustRun().After
	s.rows[3] = row{id: 3, updated: 0, name: "silently changed"}
	r := b.mustRun(engine.Options{From: time.Unix(0, 0), Until: time.Unix(2, 0)})
	if r.Changed != 1 || r.After != before {
		t.Errorf("changed %d, position %s -> %s; want one change and the same position", r.Changed, before, r.After)
	}
	b.same("crm", s.expect())
}

func TestQuarantine(t *testing.T) {
	s := newSilo(5)
	s.rejects = 3
	b := newBench(t, config.Stream{}, map[string]*silo{"crm": s})
	if r := b.mustRun(); r.Quarantined != 3 || r.New != 5 {
		t.Errorf("quarantined %d new %d, want 3 and 5", r.Quarantined, r.New)
	}
	rows := b.table(core.TableName{Schema: "unsilo", Name: "quarantine"}, "stream", "reason", "path", "record")
	if len(rows) != 3 || rows[0][1] != "id is not a number" || rows[0][2] != "$.id" || !strings.Contains(rows[0][3].(string), "x0") {
		t.Errorf("quarantine holds %v", rows)
	}
}
