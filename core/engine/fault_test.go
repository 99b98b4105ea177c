package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/config"
	"github.com/unsilo/unsilo/core/engine"
	"github.com/unsilo/unsilo/core/plan"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRetryByKind(t *testing.T) {
	for kind, wantReads := range map[core.Kind]int{
		core.KindConfig: 1, core.KindAuth: 1, core.KindPermission: 1, core.KindQuota: 1, core.KindData: 1,
		core.KindInternal: 1, core.KindUnavailable: 5,
	} {
		s := newSilo(5)
		b := newBench(t, config.Stream{}, map[string]*silo{"crm": s})
		b.mustRun()
		start := s.reads
		s.fail = func(int, int) error { return &core.Error{Kind: kind, Err: errors.New("no")} }
		res := b.run()
		if got := s.reads - start; got != wantReads {
			t.Errorf("%s: read %d times, want %d", kind, got, wantReads)
		}
		if core.KindOf(res.Streams[0].Err) != kind {
			t.Errorf("%s: ended with %v", kind, res.Streams[0].Err)
		}
	}
}

func TestProgressRenewsTheAttempts(t *testing.T) {
	s := newSilo(100)
	s.fail = func(_, batch int) error {
		if batch == 4 { // every read gets 4 batches further
			return &core.Error{Kind: core.KindUnavailable, Err: errors.New("cut")}
		}
		return nil
	}
	b := newBench(t, config.Stream{}, map[string]*silo{"crm": s})
	b.e.Limits.Rows = 7
	if r := b.run().Streams[0]; r.Status != engine.StatusDone && r.New < 90 {
		t.Errorf("ended %s with %d new rows: %v", r.Status, r.New, r.Err)
	}
}

// A silo that asks to wait is waited for, however often, and that is no failed attempt.
func TestWaitsWhenTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSilo(5)
		b := newBench(t, config.Stream{}, map[string]*silo{"crm": s})
		var waits []time.Duration
		b.e.Emit = func(e core.Event) {
			if e.Kind == core.EventRetry {
				waits = append(waits, e.Wait)
			}
		}
		b.mustRun()
		first := s.reads
		s.fail = func(read, _ int) error {
			if read <= first+8 {
				return &core.Error{Kind: core.KindLimited, RetryAfter: 30 * time.Second, Err: errors.New("slow down")}
			}
			return nil
		}
		began := time.Now()
		b.mustRun()
		if waited := time.Since(began); waited < 8*30*time.Second {
			t.Errorf("waited %s for eight times 30s", waited)
		}
		if len(waits) != 8 || slices.Min(waits) < 30*time.Second {
			t.Errorf("waits were %v", waits)
		}
		s.fail = func(int, int) error {
			return &core.Error{Kind: core.KindLimited, RetryAfter: time.Hour, Err: errors.New("slow down")}
		}
		if r := b.run().Streams[0]; core.KindOf(r.Err) != core.KindQuota || r.Status != engine.StatusPartial {
			t.Errorf("an hour's wait ended %s with %v, want partial and quota", r.Status, r.Err)
		}
	})
}

func TestOneFailingStreamDoesNotStopTheOthers(t *testing.T) {
	good, bad := newSilo(30), newSilo(30)
	b := newBench(t, config.Stream{}, map[string]*silo{"good": good, "bad": bad})
	b.mustRun()
	good.change(1, 99, "changed")
	bad.fail = func(int, int) error { return &core.Error{Kind: core.KindPermission, Err: errors.New("not yours")} }
	res := b.run()
	if res.Status != engine.StatusPartial {
		t.Errorf("status %s, want partial", res.Status)
	}
	b.same("good", good.expect())
}

func TestCancelEndsARunSoon(t *testing.T) {
	s := newSilo(1000)
	ctx, cancel := context.WithCancel(t.Context())
	b := newBench(t, config.Stream{}, map[string]*silo{"crm": s})
	p, _ := b.plan()
	s.fail = func(_, batch int) error {
		if batch == 30 {
			cancel()
		}
		return nil
	}
	began := time.Now()
	res, err := b.e.Run(ctx, p, engine.Options{})
	if !errors.Is(err, context.Canceled) || res.Status != engine.StatusInterrupted {
		t.Errorf("ended %s with %v", res.Status, err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("took %s to end", took)
	}
	s.fail = nil
	b.mustRun()
	b.same("crm", s.expect())
}

// Whatever batch the source breaks at, however chunks are cut, and whichever failpoint
// the program stops at: the next run ends in the same table as one that was never
// interrupted.
func TestResumeEqualsUninterrupted(t *testing.T) {
	blocks := map[string]config.Stream{
		"incremental": {}, "full": {Mode: "full"}, "reconcile": {Deletes: core.DeleteReconcile},
		"flag": {Deletes: core.DeleteFlag, DeleteField: "gone"}, "history": {Write: "history"},
	}
	for name, block := range blocks {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				s := newSilo(rapid.Int64Range(0, 60).Draw(rt, "rows"))
				s.batch = rapid.IntRange(1, 20).Draw(rt, "batch")
				b := newBench(t, block, map[string]*silo{"crm": s})
				b.e.Limits.Rows = rapid.Int64Range(1, 40).Draw(rt, "chunk")
				clock := int64(100)
				for range rapid.IntRange(1, 4).Draw(rt, "runs") {
					point := rapid.SampledFrom(engine.Failpoints()).Draw(rt, "point")
					nth := rapid.Int64Range(1, 5).Draw(rt, "nth")
					var passed atomic.Int64
					b.e.Fail = func(p string) error {
						if p == point && passed.Add(1) == nth {
							return fmt.Errorf("stopped at %s", p)
						}
						return nil
					}
					interrupt(rt, b)
					b.e.Fail = nil
					for range rapid.IntRange(0, 3).Draw(rt, "changes") {
						clock++
						s.change(rapid.Int64Range(0, 70).Draw(rt, "id"), clock, fmt.Sprint("v", clock))
					}
				}
				b.mustRun(engine.Options{AllowDeletes: []string{"crm.things"}})
				if block.Write == "history" {
					return // versions differ by when runs happened; currency is TestHistory's
				}
				b.same("crm", s.expect())
			})
		})
	}
}

func interrupt(rt *rapid.T, b *bench) {
	p, ds, err := b.e.Plan(context.Background())
	if err != nil || ds.HasErrors() {
		rt.Fatalf("plan: %v %v", err, ds)
	}
	if _, err := b.e.Run(context.Background(), p, engine.Options{}); err != nil && !strings.Contains(err.Error(), "stopped at") {
		rt.Fatal(err)
	}
}

func TestDrift(t *testing.T) {
	for policy, want := range map[plan.SchemaPolicy]func(t *testing.T, b *bench, res *engine.Result){
		plan.Evolve: func(t *testing.T, b *bench, res *engine.Result) {
			if got := b.rows("crm", "id", "size"); len(got) != 11 || got[10][1] != "7" && got[10][1] != int64(7) {
				t.Errorf("evolved table holds %v", got)
			}
		},
		plan.Freeze: func(t *testing.T, b *bench, res *engine.Result) {
			err := res.Streams[0].Err
			if core.KindOf(err) != core.KindData || !strings.Contains(err.Error(), "size") {
				t.Errorf("frozen columns gave %v", err)
			}
		},
		plan.Quarantine: func(t *testing.T, b *bench, res *engine.Result) {
			if r := res.Streams[0]; r.Quarantined < 1 || r.New != 0 {
				t.Errorf("quarantined %d new %d", r.Quarantined, r.New)
			}
		},
		plan.DropValue: func(t *testing.T, b *bench, res *engine.Result) {
			if r := res.Streams[0]; r.New != 1 {
				t.Errorf("new %d, want 1", r.New)
			}
		},
	} {
		t.Run(string(policy), func(t *testing.T) {
			s := newSilo(10)
			b := newBench(t, config.Stream{OnSchemaChange: string(policy)}, map[string]*silo{"crm": s})
			b.mustRun()
			s.stream.Schema = s.schema() // the source declares what it did before, and sends more
			s.extra = []arrow.Field{{Name: "size", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}
			s.value = func(r row) any {
				if r.id == 50 {
					return int64(7)
				}
				return nil
			}
			s.change(50, 60, "with a size")
			want(t, b, b.run())
		})
	}
}

func TestDriftToAnotherTypeKeepsValues(t *testing.T) {
	s := newSilo(20) // row 1 lies behind the position and is not read again
	s.extra = []arrow.Field{{Name: "size", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}
	s.value = func(r row) any { return r.id * 10 }
	b := newBench(t, config.Stream{}, map[string]*silo{"crm": s})
	b.mustRun()
	s.extra[0].Type = arrow.BinaryTypes.String
	s.value = func(row) any { return "large" }
	s.change(9, 50, "text now")
	b.mustRun()
	got := map[int64]any{}
	for _, r := range b.rows("crm", "id", "size") {
		got[r[0].(int64)] = r[1]
	}
	if got[1] != "10" || got[9] != "large" {
		t.Errorf("after the change of type the table holds %v", got)
	}
}

// A row that is marked as gone and comes back in the same batch is there in the end, and
// the other way round.
func TestFlaggedRowsKeepTheirOrder(t *testing.T) {
	s := newSilo(5)
	b := newBench(t, config.Stream{Deletes: core.DeleteFlag, DeleteField: "gone"}, map[string]*silo{"crm": s})
	b.mustRun()
	s.repeat = []row{{id: 1, updated: 90, name: "x", gone: true}, {id: 1, updated: 91, name: "back"},
		{id: 2, updated: 92, name: "changed"}, {id: 2, updated: 93, name: "y", gone: true}}
	b.mustRun()
	want := s.expect()
	want[1] = "back"
	delete(want, 2)
	b.same("crm", want)
}

func TestIntegersThatBecomeFloats(t *testing.T) {
	s := newSilo(20)
	s.extra = []arrow.Field{{Name: "size", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}
	s.value = func(r row) any { return r.id * 10 }
	b := newBench(t, config.Stream{}, map[string]*silo{"crm": s})
	b.mustRun()
	s.extra[0].Type = arrow.PrimitiveTypes.Float64
	s.value = func(r row) any { return float64(r.id) * 10.5 }
	s.change(50, 60, "with a fraction")
	b.mustRun()
	got := map[int64]any{}
	for _, r := range b.rows("crm", "id", "size") {
		got[r[0].(int64)] = r[1]
	}
	if got[1] != "10" || got[50] != "525" {
		t.Errorf("after the change the table holds %v", got)
	}
}

func TestBackfillWithoutAKeyIsRefused(t *testing.T) {
	s := newSilo(5)
	b := newBench(t, config.Stream{Mode: "append"}, map[string]*silo{"crm": s})
	b.mustRun()
	res := b.run(engine.Options{From: time.Unix(1, 0)})
	if core.KindOf(res.Streams[0].Err) != core.KindConfig || res.Streams[0].Landed() != 0 {
		t.Errorf("a backfill of an append stream landed %d rows: %v", res.Streams[0].Landed(), res.Streams[0].Err)
	}
}

// A disk that is full takes a few rows at every attempt: that is no progress.
func TestAWarehouseThatFailsIsGivenUp(t *testing.T) {
	s := newSilo(400)
	b := newBench(t, config.Stream{}, map[string]*silo{"crm": s})
	b.e.Limits.Rows = 7
	b.mustRun()
	for id := range int64(400) {
		s.change(id, 1000+id, "changed")
	}
	commits := 0
	b.e.Fail = func(point string) error {
		if point != "commit_before" {
			return nil
		}
		if commits++; commits%2 == 0 {
			return &core.Error{Kind: core.KindUnavailable, Err: errors.New("no space left")}
		}
		return nil
	}
	start := s.reads
	r := b.run().Streams[0]
	if r.Status != engine.StatusFailed || s.reads-start > 5 {
		t.Errorf("ended %s after %d attempts with %d rows, want failed after 5", r.Status, s.reads-start, r.Changed)
	}
	b.e.Fail = nil
	b.mustRun()
	b.same("crm", s.expect())
}

// History from full reads: the shadow of a first read has no versions.
func TestHistoryOfFullReads(t *testing.T) {
	s := newSilo(30)
	b := newBench(t, config.Stream{Mode: "full", Write: "history", MaxDeleteShare: ptr(1.0)}, map[string]*silo{"crm": s})
	if r := b.mustRun(); r.New != 30 {
		t.Errorf("first run: %d new rows, want 30", r.New)
	}
	s.change(3, 99, "changed")
	delete(s.rows, 4)
	if r := b.mustRun(); r.Changed != 1 || r.Deleted != 1 {
		t.Errorf("second run: %d changed, %d deleted, want 1 and 1", r.Changed, r.Deleted)
	}
	if rows := b.rows("crm", "id"); len(rows) != 31 {
		t.Errorf("%d versions, want 31", len(rows))
	}
}

// A record that is refused again, in every full read, is in the quarantine once.
func TestQuarantineHoldsARecordOnce(t *testing.T) {
	s := newSilo(5)
	s.rejects = 3
	b := newBench(t, config.Stream{Mode: "full"}, map[string]*silo{"crm": s})
	b.mustRun()
	b.mustRun()
	if rows := b.table(core.TableName{Schema: core.SchemaSystem, Name: "quarantine"}, "record"); len(rows) != 3 {
		t.Errorf("%d records in the quarantine, want 3", len(rows))
	}
}

// A run that was killed leaves a record of itself as running; the next one puts it right.
func TestRunsThatNeverEndedWereInterrupted(t *testing.T) {
	b := newBench(t, config.Stream{}, map[string]*silo{"crm": newSilo(5)})
	ended := false
	b.e.Emit = func(e core.Event) { ended = ended || e.Kind == core.EventStreamEnded }
	b.e.Fail = func(string) error {
		if ended {
			return errors.New("killed before the end was recorded")
		}
		return nil
	}
	p, _ := b.plan()
	if _, err := b.e.Run(t.Context(), p, engine.Options{}); err == nil {
		t.Fatal("a run whose end could not be recorded succeeded")
	}
	b.e.Fail, b.e.Emit = nil, nil
	b.mustRun()
	got := map[any]int{}
	for _, r := range b.table(core.TableName{Schema: core.SchemaSystem, Name: "runs"}, "status") {
		got[r[0]]++
	}
	if got["interrupted"] != 1 || got["done"] != 1 || len(got) != 2 {
		t.Errorf("statuses are %v, want one interrupted and one done", got)
	}
}

func ptr[T any](v T) *T { return &v }
