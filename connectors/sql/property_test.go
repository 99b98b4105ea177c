package sql_test

import (
	"errors"
	"fmt"
	"maps"
	"testing"

	"pgregory.net/rapid"

	"github.com/unsilo/unsilo/core"
)

// A writer changes a table at random and stamps what it touches with a clock that only goes
// on, many rows with the same time.
type writer struct {
	t     *rapid.T
	s     silo
	clock int
	next  int
}

func (w *writer) change(tb testing.TB) {
	if rapid.Bool().Draw(w.t, "tick") {
		w.clock++
	}
	at := w.s.at(fmt.Sprint(w.clock))
	switch rapid.SampledFrom([]string{"insert", "insert", "update", "delete", "stamp off"}).Draw(w.t, "change") {
	case "insert":
		for range rapid.IntRange(1, 30).Draw(w.t, "rows") {
			w.next++
			// Keys do not come in the order of time.
			w.s.exec(tb, fmt.Sprintf("INSERT INTO item VALUES (%d, 'new %d', 1, %s)", w.next*7919%10007, w.next, at))
		}
	case "update":
		w.s.exec(tb, fmt.Sprintf("UPDATE item SET name = 'changed %d', changed = %s WHERE id %% %d = 0", w.clock, at, rapid.IntRange(2, 9).Draw(w.t, "every")))
	case "delete":
		w.s.exec(tb, fmt.Sprintf("DELETE FROM item WHERE id %% %d = 1", rapid.IntRange(5, 20).Draw(w.t, "every")))
	case "stamp off":
		w.s.exec(tb, "INSERT INTO item VALUES ("+fmt.Sprint(-w.next-1)+", 'timeless', 1, NULL) ON CONFLICT DO NOTHING")
	}
}

// sweep removes what is gone at the source.
func (l *landing) sweep(tb testing.TB, src core.Source, st core.Stream) {
	tb.Helper()
	keys := newLanding()
	if err := keys.next(tb.Context(), src, core.ReadRequest{Stream: st, KeysOnly: true}); err != nil {
		tb.Fatal(err)
	}
	maps.DeleteFunc(l.rows, func(key string, _ map[string]any) bool { return keys.rows[key] == nil })
}

// TestReadsFollowChanges changes a table between reads, some of them limited, some broken
// off, some undone, and compares what landed with the table.
func TestReadsFollowChanges(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := &writer{t: rt, s: sqliteSilo(t), next: 1, clock: 13}
		w.s.items(t, 40)
		src := w.s.open(t, itemConfig())
		st := stream(t, src, "item")
		l := newLanding()
		l.mustRead(t, src, st) // the first pass also sees rows without a time
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			req := core.ReadRequest{Stream: st, After: l.state}
			switch rapid.SampledFrom([]string{"change", "change", "read", "limited", "broken off", "undone"}).Draw(rt, "step") {
			case "change":
				w.change(t)
			case "read":
				l.mustRead(t, src, st)
			case "limited":
				if err := l.next(t.Context(), src, core.ReadRequest{Stream: st, Limit: 7}); err != nil {
					rt.Fatal(err)
				}
			case "broken off":
				if err := src.Read(t.Context(), req, func(core.Batch) error { return errBroken }); !errors.Is(err, errBroken) && err != nil {
					rt.Fatal(err)
				}
			case "undone":
				before := landing{rows: maps.Clone(l.rows), state: l.state}
				l.mustRead(t, src, st)
				l.rows, l.state = before.rows, before.state
			}
		}
		// A read that was cut short leaves ties for the next pass.
		l.mustRead(t, src, st)
		l.mustRead(t, src, st)
		l.sweep(t, src, st)
		whole := newLanding()
		whole.mustRead(t, src, st)
		for key, row := range whole.rows {
			if row["changed"] == nil {
				delete(whole.rows, key) // only the first pass finds those
				delete(l.rows, key)
			}
		}
		if got, want := l.column("name"), whole.column("name"); !maps.Equal(got, want) {
			rt.Fatalf("got %d rows, want %d, or values differ", len(got), len(want))
		}
	})
}
