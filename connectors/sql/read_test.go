package sql_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/coretest"
)

func TestConformance(t *testing.T) {
	eachSilo(t, func(t *testing.T, s silo) {
		s.items(t, 3000)
		s.exec(t, "UPDATE item SET changed = NULL WHERE id % 100 = 0")
		s.exec(t, "CREATE TABLE plain (a int, b varchar(20)); INSERT INTO plain VALUES (1, 'x'), (1, 'x'), (2, NULL)")
		s.exec(t, "CREATE TABLE log (at "+s.clock+" NOT NULL, what varchar(20))")
		s.exec(t, s.big(500, "INSERT INTO log (at, what) SELECT "+s.at("i / 9")+", 'w' #FROM"))
		bad := map[string]any{"url": "not a url", "path": "/no/such/file"}
		coretest.TestConnector(t, coretest.ConnectorCase{
			Connector: connector(t, s.kind),
			Config: core.Config{Source: "erp", Values: s.values, Streams: []core.StreamConfig{
				itemConfig(), {Name: "log", CursorField: "at"},
			}},
			BadConfigs: []core.Config{{Source: "erp", Values: bad}},
			Rows:       map[string]int64{"item": 3000, "plain": 3, "log": 500},
			Mutate: func(context.Context) error {
				s.exec(t, "DELETE FROM item WHERE id = 7")
				s.exec(t, "UPDATE item SET name = 'changed', changed = "+s.at("5000")+" WHERE id = 8")
				s.exec(t, "INSERT INTO item VALUES (100000, 'new', 1, "+s.at("1000")+")")
				s.exec(t, "INSERT INTO log VALUES ("+s.at("55")+", 'late'), ("+s.at("55")+", 'w'), ("+s.at("56")+", 'new')")
				return nil
			},
		})
	})
}

// TestManyRowsOnOneTime reads 5,000 rows of one cursor value in small steps, with rows that
// come in behind the position meanwhile.
func TestManyRowsOnOneTime(t *testing.T) {
	eachSilo(t, func(t *testing.T, s silo) {
		s.items(t, 30)
		src := s.open(t, itemConfig())
		st := stream(t, src, "item")
		l := newLanding()
		l.mustRead(t, src, st)
		s.exec(t, s.big(5000, "INSERT INTO item (id, name, amount, changed) SELECT 2 * i + 1000, 'tie', 1, "+s.at("100")+" #FROM"))
		s.exec(t, s.big(100, "INSERT INTO item (id, name, amount, changed) SELECT i + 50000, 'after', 1, "+s.at("200")+" #FROM"))
		for step := range 8 {
			if err := l.next(t.Context(), src, core.ReadRequest{Stream: st, Limit: 700}); err != nil {
				t.Fatal(err)
			}
			if step == 3 {
				s.exec(t, "INSERT INTO item VALUES (1001, 'late', 1, "+s.at("100")+")")
			}
		}
		if len(l.rows) != 5130 {
			t.Errorf("after eight steps of 700: got %d rows, want 5130", len(l.rows))
		}
		l.mustRead(t, src, st)
		if len(l.rows) != 5131 || l.column("name")["1001"] != "late" {
			t.Errorf("got %d rows, the late one is %q", len(l.rows), l.column("name")["1001"])
		}
		before := l.read
		l.mustRead(t, src, st)
		if again := l.read - before; again > 100 {
			t.Errorf("an idle read gave %d rows", again)
		}
	})
}

var errBroken = errors.New("broken off")

// TestFirstReadGoesOn breaks the first read off again and again while rows change, come and
// go, and compares the end with the table.
func TestFirstReadGoesOn(t *testing.T) {
	eachSilo(t, func(t *testing.T, s silo) {
		const rows = 70_000
		s.items(t, rows)
		src := s.open(t, itemConfig())
		st := stream(t, src, "item")
		l := newLanding()
		for round := range 2 {
			batches := 0
			err := src.Read(t.Context(), core.ReadRequest{Stream: st, After: l.state}, func(b core.Batch) error {
				if batches++; batches > 1 {
					return errBroken
				}
				return l.store(st, b)
			})
			if err != errBroken {
				t.Fatalf("round %d: got error %v", round, err)
			}
			s.exec(t, fmt.Sprintf("UPDATE item SET name = 'changed %d', changed = %s WHERE id IN (%d, %d)", round, s.at("90000"), round+1, rows-round))
			s.exec(t, fmt.Sprintf("INSERT INTO item VALUES (%d, 'new', 1, %s)", -round-1, s.at("90001")))
		}
		l.mustRead(t, src, st) // to the end of the first pass
		l.mustRead(t, src, st) // what changed meanwhile
		whole := newLanding()
		whole.mustRead(t, src, st)
		if got, want := l.column("name"), whole.column("name"); !maps.Equal(got, want) {
			t.Errorf("got %d rows, want %d, or values differ", len(got), len(want))
		}
		if l.read > rows+rows/10 {
			t.Errorf("%d rows were read of %d: the read does not go on where it was", l.read, rows)
		}
	})
}

func TestKeysOnlyIsComplete(t *testing.T) {
	eachSilo(t, func(t *testing.T, s silo) {
		s.items(t, 50)
		s.exec(t, "UPDATE item SET changed = NULL WHERE id = 3")
		src := s.open(t, itemConfig())
		st := stream(t, src, "item")
		l := newLanding()
		if err := l.next(t.Context(), src, core.ReadRequest{Stream: st, KeysOnly: true, Until: time.Unix(0, 0), Limit: 0}); err != nil {
			t.Fatal(err)
		}
		if len(l.rows) != 50 || len(l.rows["3"]) != 1 || l.state != nil {
			t.Errorf("got %d keys, row %v, state %s", len(l.rows), l.rows["3"], l.state)
		}
	})
}

func TestShardsMakeTheWhole(t *testing.T) {
	eachSilo(t, func(t *testing.T, s silo) {
		s.items(t, 1000)
		s.exec(t, "CREATE TABLE pair (a varchar(20) NOT NULL, b int NOT NULL, PRIMARY KEY (a, b)); INSERT INTO pair VALUES ('x', 1), ('x', 2), ('y', 1)")
		s.exec(t, "CREATE TABLE plain (a int); INSERT INTO plain VALUES (1), (1)")
		src := s.open(t)
		for name, want := range map[string]int{"item": 1000, "pair": 3, "plain": 2} {
			st := stream(t, src, name)
			l := newLanding()
			for i := range 4 {
				l.state = nil
				if err := l.next(t.Context(), src, core.ReadRequest{Stream: st, Shard: core.Shard{Index: i, Count: 4}}); err != nil {
					t.Fatal(err)
				}
			}
			if l.read != want || len(st.PrimaryKey) > 0 && len(l.rows) != want {
				t.Errorf("%s: parts have %d rows, %d different, want %d", name, l.read, len(l.rows), want)
			}
		}
	})
}

func TestLookbackAndFallback(t *testing.T) {
	eachSilo(t, func(t *testing.T, s silo) {
		s.exec(t, "CREATE TABLE doc (id bigint NOT NULL PRIMARY KEY, made "+s.clock+" NOT NULL, changed "+s.clock+" NULL)")
		s.exec(t, "INSERT INTO doc VALUES (1, "+s.at("0")+", NULL), (2, "+s.at("10")+", "+s.at("100")+"), (3, "+s.at("200")+", NULL)")
		src := s.open(t, core.StreamConfig{Name: "doc", Values: map[string]any{"cursor_fallback": "made"}, CursorField: "changed"})
		st := stream(t, src, "doc")
		st.Cursor.Lookback = 90 * time.Second
		l := newLanding()
		l.mustRead(t, src, st)
		s.exec(t, "INSERT INTO doc VALUES (4, "+s.at("120")+", NULL), (5, "+s.at("90")+", NULL), (6, "+s.at("0")+", "+s.at("201")+")")
		l.mustRead(t, src, st)
		got := slices.Sorted(maps.Keys(l.rows))
		if want := []string{"1", "2", "3", "4", "6"}; !slices.Equal(got, want) {
			t.Errorf("got rows %v, want %v: 5 is before the lookback", got, want)
		}
	})
}

func TestQueryAndWhere(t *testing.T) {
	eachSilo(t, func(t *testing.T, s silo) {
		s.items(t, 20)
		src := s.open(t,
			core.StreamConfig{Name: "sums", Values: map[string]any{"query": "SELECT name AS who, sum(amount) AS total, count(*) AS n FROM item GROUP BY name -- all of it\n;"}, PrimaryKey: []string{"who"}},
			core.StreamConfig{Name: "few", Values: map[string]any{"table": "item", "where": "id <= 5 OR id = 7 -- some"}, CursorField: "changed"},
		)
		sums, few := newLanding(), newLanding()
		sums.mustRead(t, src, stream(t, src, "sums"))
		few.mustRead(t, src, stream(t, src, "few"))
		if sums.column("total")["n3"] != "0.75" || sums.column("n")["n3"] != "1" {
			t.Errorf("sum: got %v", sums.rows["n3"])
		}
		if got := slices.Sorted(maps.Keys(few.rows)); !slices.Equal(got, []string{"1", "2", "3", "4", "5", "7"}) {
			t.Errorf("where: got %v", got)
		}
	})
}

// TestMemoryStaysBounded reads 80 MB in rows of 100 kB.
func TestMemoryStaysBounded(t *testing.T) {
	eachSilo(t, func(t *testing.T, s silo) {
		s.exec(t, "CREATE TABLE doc (id bigint NOT NULL PRIMARY KEY, body "+map[string]string{"mysql": "mediumtext"}[s.kind]+map[string]string{"postgres": "text", "sqlite": "text"}[s.kind]+")")
		body := map[string]string{"sqlite": "printf('%.*c', 100000, 'x')"}[s.kind]
		if body == "" {
			body = "repeat('x', 100000)"
		}
		s.exec(t, s.big(800, "INSERT INTO doc SELECT i, "+body+" #FROM"))
		src := s.open(t)
		st := stream(t, src, "doc")
		var before, now runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		rows, peak := int64(0), uint64(0)
		err := src.Read(t.Context(), core.ReadRequest{Stream: st}, func(b core.Batch) error {
			rows += batchLen(b)
			runtime.GC()
			runtime.ReadMemStats(&now)
			peak = max(peak, now.HeapAlloc)
			return nil
		})
		if err != nil || rows != 800 {
			t.Fatalf("%d rows, error %v", rows, err)
		}
		if grown := int64(peak) - int64(before.HeapAlloc); grown > 40<<20 {
			t.Errorf("the heap grew by %d MiB", grown>>20)
		}
	})
}
