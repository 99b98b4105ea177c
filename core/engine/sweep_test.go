package engine_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/config"
	"github.com/unsilo/unsilo/core/engine"
)

// leftover names the tables of work under way that are still there.
func (b *bench) leftover(source string) []string {
	b.t.Helper()
	tables, err := b.w.Tables(b.t.Context(), "raw_"+source)
	if err != nil {
		b.t.Fatal(err)
	}
	var names []string
	for _, t := range tables {
		if strings.HasPrefix(t.Name.Name, "_unsilo_") {
			names = append(names, t.Name.Name)
		}
	}
	return names
}

// A sweep of more keys than a chunk holds keeps them in a table, which is gone afterwards,
// whether the sweep ended well or not.
func TestSweepOfManyKeys(t *testing.T) {
	for _, write := range []string{"merge", "history"} {
		s := newSilo(300)
		b := newBench(t, config.Stream{Write: write, Deletes: core.DeleteReconcile}, map[string]*silo{"crm": s})
		b.mustRun()
		for id := int64(3); id < 300; id += 30 {
			delete(s.rows, id)
		}
		if r := b.mustRun(); r.Deleted != 10 {
			t.Errorf("%s: deleted %d, want 10", write, r.Deleted)
		}
		if left := b.leftover("crm"); len(left) > 0 {
			t.Errorf("%s: left behind %v", write, left)
		}
		if write == "merge" {
			b.same("crm", s.expect())
		}
		before := len(b.rows("crm", "id"))
		s.fail = func(read, batch int) error {
			if s.asked[read-1].KeysOnly && batch == 20 {
				return &core.Error{Kind: core.KindData, Err: errors.New("cut")}
			}
			return nil
		}
		delete(s.rows, 1)
		if r := b.run().Streams[0]; r.Deleted != 0 || !strings.Contains(r.Err.Error(), "nothing was deleted") {
			t.Errorf("%s: a sweep that broke off deleted %d rows: %v", write, r.Deleted, r.Err)
		}
		s.fail = nil
		for id := range int64(150) {
			delete(s.rows, id)
		}
		if r := b.run().Streams[0]; r.Deleted != 0 || core.KindOf(r.Err) != core.KindData || !strings.Contains(r.Err.Error(), "145 of 290 rows") {
			t.Errorf("%s: the brake gave %d deleted, %v", write, r.Deleted, r.Err)
		}
		if left := b.leftover("crm"); len(left) > 0 || len(b.rows("crm", "id")) != before {
			t.Errorf("%s: left behind %v, %d rows of %d", write, left, len(b.rows("crm", "id")), before)
		}
	}
}

// A table for rows that wait is made when there are rows, and is gone at the end also when
// none of them changed anything; so is the shadow of a full read that was refused.
func TestWorkTablesAreDropped(t *testing.T) {
	s := newSilo(0)
	s.stream.PrimaryKey, s.noState, s.rejects = nil, true, 2
	b := newBench(t, config.Stream{Mode: "append"}, map[string]*silo{"crm": s})
	b.mustRun()
	if left := b.leftover("crm"); len(left) > 0 {
		t.Errorf("after a read of nothing but rejects: %v", left)
	}
	s = newSilo(40)
	b = newBench(t, config.Stream{Mode: "full"}, map[string]*silo{"crm": s})
	b.mustRun()
	for id := range int64(30) {
		delete(s.rows, id)
	}
	if res := b.run(); res.Status != engine.StatusFailed {
		t.Errorf("status %s, want failed", res.Status)
	}
	if left := b.leftover("crm"); len(left) > 0 {
		t.Errorf("after a refused full read: %v", left)
	}
}
