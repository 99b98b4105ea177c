package engine_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/config"
	"github.com/unsilo/unsilo/core/engine"
)

// Lag leaves the newest rows, which may still change places, to a later run.
func TestLagLeavesTheNewest(t *testing.T) {
	s := newSilo(50) // updated from 0 to 9
	b := newBench(t, config.Stream{Lag: 4 * time.Second}, map[string]*silo{"crm": s})
	now := time.Unix(10, 0)
	b.e.Now = func() time.Time { return now }
	if r := b.mustRun(); r.New != 30 { // those before 6
		t.Errorf("%d rows landed, want 30", r.New)
	}
	now = now.Add(time.Minute)
	if r := b.mustRun(); r.New != 20 {
		t.Errorf("%d rows landed later, want 20", r.New)
	}
	b.same("crm", s.expect())
}

func TestReplaceOfAFullRead(t *testing.T) {
	for _, keyed := range []bool{true, false} {
		s := newSilo(30)
		if !keyed {
			s.stream.PrimaryKey, s.stream.Cursor = nil, core.Cursor{}
		}
		b := newBench(t, config.Stream{Mode: "full", Write: "replace"}, map[string]*silo{"crm": s})
		b.mustRun()
		delete(s.rows, 4)
		s.change(5, 0, "changed")
		s.change(40, 0, "new")
		b.mustRun()
		b.same("crm", s.expect())
	}
}

// gate counts how many reads are under way.
type gate struct {
	*silo
	now, most *atomic.Int64
}

func (g gate) Read(ctx context.Context, req core.ReadRequest, emit func(core.Batch) error) error {
	n := g.now.Add(1)
	defer g.now.Add(-1)
	for {
		most := g.most.Load()
		if n <= most || g.most.CompareAndSwap(most, n) {
			break
		}
	}
	time.Sleep(time.Second) // of a clock that only moves when all wait
	return g.silo.Read(ctx, req, emit)
}

// Streams are read at once, as many as the one bound says and no more.
func TestStreamsAreReadAtOnceWithOneBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silos := map[string]*silo{}
		for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
			silos[name] = newSilo(10)
		}
		b := newBench(t, config.Stream{}, silos)
		b.e.Limits.Streams = 3
		var now, most atomic.Int64
		b.e.Connect = func(_ context.Context, src config.Source) (core.Source, error) {
			return gate{silos[src.Name], &now, &most}, nil
		}
		p, _ := b.plan()
		most.Store(0)
		if res, err := b.e.Run(t.Context(), p, engine.Options{}); err != nil || res.Status != engine.StatusDone {
			t.Fatal(err, res.Errors())
		}
		if most.Load() != 3 {
			t.Errorf("%d streams were read at once, want 3", most.Load())
		}
		for name, s := range silos {
			b.same(name, s.expect())
		}
	})
}

// Small batches are stored together, and a warehouse that is slow slows the source down:
// what has been read and is not stored is bounded.
func TestBatchesAreJoinedAndHeldBack(t *testing.T) {
	const chunk = 50
	s := newSilo(1000)
	s.batch = 1
	b := newBench(t, config.Stream{}, map[string]*silo{"crm": s})
	b.e.Limits.Rows, b.e.Limits.Age = chunk, time.Hour
	p, _ := b.plan()
	var sent, stored, most, commits int64
	s.fail = func(_, batch int) error {
		atomic.StoreInt64(&sent, int64(batch))
		return nil
	}
	b.e.Fail = func(point string) error {
		switch point {
		case "write_before":
			time.Sleep(5 * time.Millisecond)
			most = max(most, atomic.LoadInt64(&sent)-stored)
		case "write_after":
			stored += chunk
			commits++
		}
		return nil
	}
	if res, err := b.e.Run(t.Context(), p, engine.Options{}); err != nil || res.Status != engine.StatusDone {
		t.Fatal(err, res.Errors())
	}
	if commits != 1000/chunk {
		t.Errorf("1000 batches of a row were stored in %d commits, want %d", commits, 1000/chunk)
	}
	if most > 3*chunk+2 {
		t.Errorf("%d rows were on their way at once; three chunks of %d may be", most, chunk)
	}
	b.same("crm", s.expect())
}

// A commit takes just as many rows as it may, also of batches that do not fit or are bigger.
// The position of a batch is stored with its last row: what a divided one has stored before
// the end of the run is read again.
func TestBatchesAreDivided(t *testing.T) {
	for _, batch := range []int{3, 7, 45} {
		s := newSilo(100)
		s.batch = batch
		b := newBench(t, config.Stream{}, map[string]*silo{"crm": s})
		b.e.Limits.Rows = 10
		p, _ := b.plan()
		var stored []int64
		b.e.Emit = func(e core.Event) {
			if e.Kind == core.EventCommitted {
				stored = append(stored, e.Committed)
			}
		}
		b.e.Fail = func(point string) error {
			if point == "write_before" && len(stored) == 5 {
				return errors.New("stopped")
			}
			return nil
		}
		if res, err := b.e.Run(t.Context(), p, engine.Options{}); err != nil || res.Status == engine.StatusDone {
			t.Fatal(err, res.Status)
		}
		if want := []int64{10, 20, 30, 40, 50}; !slices.Equal(stored, want) {
			t.Errorf("batches of %d rows: %v rows were stored, want %v", batch, stored, want)
		}
		b.e.Fail = nil
		res := b.mustRun()
		last := 50/batch*batch - 1 // of the last whole batch; five rows have one cursor
		if again := int64(50 - last/5*5); res.Counts.New != 50 || res.Counts.Unchanged != again {
			t.Errorf("batches of %d rows: the second run stored %+v, want 50 new rows and %d that were there", batch, res.Counts, again)
		}
		b.same("crm", s.expect())
	}
}

// A chunk that is old enough is stored, however small.
func TestOldChunksAreStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSilo(14)
		b := newBench(t, config.Stream{}, map[string]*silo{"crm": s})
		b.e.Limits = engine.Limits{Rows: 1000, Age: time.Second}
		p, _ := b.plan()
		var early int64
		b.e.Emit = func(e core.Event) {
			if e.Kind == core.EventCommitted && early == 0 {
				early = e.Committed
			}
		}
		s.fail = func(_, batch int) error {
			if batch == 1 {
				time.Sleep(10 * time.Second)
			}
			return nil
		}
		if _, err := b.e.Run(t.Context(), p, engine.Options{}); err != nil {
			t.Fatal(err)
		}
		if early != 7 {
			t.Errorf("%d rows were stored first, want the 7 of the first batch", early)
		}
	})
}

// A lock names who holds it, and is free again when it is released.
func TestLockNamesItsHolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.lock")
	lock, err := engine.AcquireLock(path)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	_, err = engine.AcquireLock(path)
	var locked *engine.LockedError
	if !errors.As(err, &locked) || locked.Holder.PID != os.Getpid() || locked.Holder.Since.IsZero() {
		t.Errorf("a second lock gave %v", err)
	}
	if host, _ := os.Hostname(); locked != nil && locked.Holder.Host != host {
		t.Errorf("the holder is on %q", locked.Holder.Host)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %s to say so", took)
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	if lock, err = engine.AcquireLock(path); err != nil {
		t.Fatal(err)
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
}
