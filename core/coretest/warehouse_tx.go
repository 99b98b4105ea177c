package coretest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"golang.org/x/sync/errgroup"

	"github.com/unsilo/unsilo/core"
)

func transactionRules() []warehouseRule {
	return []warehouseRule{
		{name: "StateRoundTrip", reopens: true, why: "positions come back as they were stored, also when the warehouse is opened again; null and empty differ", run: stateRoundTrip},
		{name: "CommitTogether", reopens: true, why: "rows, table and position commit together", run: commitTogether},
		{name: "RollbackLeavesNothing", why: "after a rollback neither rows nor tables nor positions are there", run: rollbackNothing},
		{name: "OnlyCommittedVisible", why: "Scan, Tables and States see the last committed state while a transaction is open", run: onlyCommitted},
		{name: "ScanIsStable", why: "a reader that is open goes on with what was committed when Scan was called", run: scanStable},
		{name: "EndTwice", why: "a second End does nothing, and a spent transaction takes nothing more", run: endTwice},
		{name: "CloseRollsBack", why: "Close rolls back what is open; after it every method fails", run: closeRollsBack},
		{name: "Cancelled", why: "a context that has ended stops a call, and what it was part of can be rolled back", run: cancelled},
		{name: "Parallel", why: "transactions from several goroutines on different tables all commit, while others read", run: parallel},
	}
}

func stateRoundTrip(s *warehouseSuite) {
	at := time.Date(2026, 3, 1, 10, 11, 12, 123456000, time.FixedZone("EET", 7200))
	rows := []core.StateRow{
		{Source: "crm", Stream: "deals", State: core.State(`{"cursor":"it's \"here\"","n":9007199254740993}`), Fingerprint: "f1", RunID: "r1", At: at},
		{Source: "crm", Stream: "people", State: nil, At: at},
		{Source: "erp", Stream: `o"dd; --`, State: core.State(`null`), Fingerprint: "日本", RunID: "r'2", At: at},
		{Source: "erp", Stream: "big", State: core.State(`"` + strings.Repeat("x", 300000) + `"`), At: at},
	}
	s.within(true, func(tx core.Tx) {
		for _, r := range append([]core.StateRow{{Source: "crm", Stream: "deals", State: core.State(`1`), At: day(1)}}, rows...) {
			if err := tx.SetState(s.Context(), r); err != nil {
				s.Fatal(err)
			}
		}
	})
	rows[2], rows[3] = rows[3], rows[2] // sorted by source and stream
	s.states(rows...)
	s.w = s.reopen(s.T, s.w)
	s.states(rows...)
}

func (s *warehouseSuite) states(want ...core.StateRow) {
	s.Helper()
	got, err := s.w.States(s.Context())
	if err != nil || len(got) != len(want) {
		s.Fatalf("States gives %d rows, %v; want %d", len(got), err, len(want))
	}
	for i, g := range got {
		w := want[i]
		if !g.At.Equal(w.At) || string(g.State) != string(w.State) || (g.State == nil) != (w.State == nil) ||
			g.Source != w.Source || g.Stream != w.Stream || g.Fingerprint != w.Fingerprint || g.RunID != w.RunID {
			s.Errorf("state %d is %.200v, want %.200v", i, g, w)
		}
	}
}

// work defines people, writes a row and stores a position.
func (s *warehouseSuite) work(tx core.Tx, id int) error {
	if err := tx.Define(s.Context(), core.Table{Name: people(), Schema: peopleSchema(), Key: []string{"id"}}); err != nil {
		return err
	}
	rows := s.rows(peopleSchema(), fmt.Sprintf(`{"id":%d,"name":"n"}`, id))
	defer rows.Release()
	if _, err := tx.Write(s.Context(), core.WriteRequest{Table: people(), Mode: core.WriteMerge, Key: []string{"id"}, Rows: rows}); err != nil {
		return err
	}
	return tx.SetState(s.Context(), core.StateRow{Source: "crm", Stream: "people", State: core.State(fmt.Sprint(id)), At: day(1)})
}

func commitTogether(s *warehouseSuite) {
	s.within(true, func(tx core.Tx) {
		if err := s.work(tx, 1); err != nil {
			s.Fatal(err)
		}
	})
	for range 2 {
		s.expect(people(), "1 | n | null")
		s.states(core.StateRow{Source: "crm", Stream: "people", State: core.State("1"), At: day(1)})
		s.w = s.reopen(s.T, s.w)
	}
}

func rollbackNothing(s *warehouseSuite) {
	s.within(false, func(tx core.Tx) {
		if err := s.work(tx, 1); err != nil {
			s.Fatal(err)
		}
	})
	tables, err := s.w.Tables(s.Context(), "")
	s.same("tables", tableNames(tables), "[]")
	if err != nil {
		s.Error(err)
	}
	s.states()
	s.within(true, func(tx core.Tx) {
		if err := s.work(tx, 2); err != nil {
			s.Fatal(err)
		}
	})
	s.within(false, func(tx core.Tx) {
		wide := schemaOf(field("id", &arrow.Decimal128Type{Precision: 38}), field("new", arrow.BinaryTypes.String))
		if err := tx.Define(s.Context(), core.Table{Name: people(), Schema: wide}); err != nil {
			s.Fatal(err)
		}
		if err := tx.Swap(s.Context(), people(), core.TableName{Schema: "raw_crm", Name: "moved"}); err != nil {
			s.Fatal(err)
		}
	})
	s.expect(people(), "2 | n | null")
	if t := s.table(people()); !t.Schema.Equal(peopleSchema()) || len(t.Key) != 1 {
		s.Errorf("after a rollback the table is %v", t)
	}
}

func onlyCommitted(s *warehouseSuite) {
	s.within(true, func(tx core.Tx) {
		if err := s.work(tx, 1); err != nil {
			s.Fatal(err)
		}
	})
	s.within(true, func(tx core.Tx) {
		if err := s.work(tx, 2); err != nil {
			s.Fatal(err)
		}
		if err := tx.Define(s.Context(), core.Table{Name: core.TableName{Schema: "raw_crm", Name: "other"}, Schema: peopleSchema()}); err != nil {
			s.Fatal(err)
		}
		s.expect(people(), "1 | n | null")
		s.states(core.StateRow{Source: "crm", Stream: "people", State: core.State("1"), At: day(1)})
		tables, err := s.w.Tables(s.Context(), "raw_crm")
		if err != nil || len(tables) != 1 || tables[0].Rows != 1 {
			s.Errorf("Tables shows %v, %v while a transaction is open; want people with 1 row", tables, err)
		}
	})
	s.expect(people(), "1 | n | null", "2 | n | null")
}

func scanStable(s *warehouseSuite) {
	s.three()
	r, err := s.w.Scan(s.Context(), core.ScanRequest{Table: people(), Columns: []string{"id"}})
	if err != nil {
		s.Fatal(err)
	}
	defer r.Release()
	s.put(core.WriteMerge, `{"id":1,"name":"changed"}`, `{"id":4}`)
	s.write(core.WriteRequest{Table: people(), Mode: core.WriteDelete, Key: []string{"id"}, Rows: s.rows(ids(), `{"id":2}`)})
	s.same("the open reader", s.texts(r), "[1 2 3]")
	s.same("a new one", s.scan(people(), "id"), "[1 3 4]")
}

func endTwice(s *warehouseSuite) {
	tx, err := s.w.Begin(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	if err := s.work(tx, 1); err != nil {
		s.Fatal(err)
	}
	for i, commit := range []bool{true, true, false} {
		if err := tx.End(s.Context(), commit); err != nil {
			s.Errorf("End number %d: %v", i+1, err)
		}
	}
	if err := s.work(tx, 2); err == nil {
		s.Error("a spent transaction takes more work")
	}
	s.expect(people(), "1 | n | null")
}

func closeRollsBack(s *warehouseSuite) {
	tx, err := s.w.Begin(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	if err := s.work(tx, 1); err != nil {
		s.Fatal(err)
	}
	for range 2 {
		if err := s.w.Close(); err != nil {
			s.Errorf("Close: %v", err)
		}
	}
	if err := s.work(tx, 2); err == nil {
		s.Error("a transaction of a closed warehouse takes more work")
	}
	if err := tx.End(s.Context(), false); err != nil {
		s.Errorf("End after Close: %v", err)
	}
	if _, err := s.w.Begin(s.Context()); err == nil {
		s.Error("Begin works after Close")
	}
	if _, err := s.w.Tables(s.Context(), ""); err == nil {
		s.Error("Tables works after Close")
	}
	if _, err := s.w.States(s.Context()); err == nil {
		s.Error("States works after Close")
	}
	if _, err := s.w.Scan(s.Context(), core.ScanRequest{Table: people()}); err == nil {
		s.Error("Scan works after Close")
	}
}

func cancelled(s *warehouseSuite) {
	s.define(people(), peopleSchema(), "id")
	ctx, cancel := context.WithCancel(s.Context())
	tx, err := s.w.Begin(ctx)
	if err != nil {
		s.Fatal(err)
	}
	cancel()
	rows := s.rows(peopleSchema(), `{"id":1}`)
	defer rows.Release()
	if _, err := tx.Write(ctx, core.WriteRequest{Table: people(), Mode: core.WriteAppend, Rows: rows}); err == nil {
		s.Error("Write works with a context that has ended")
	}
	if err := tx.End(ctx, false); err != nil {
		s.Errorf("End(false): %v", err)
	}
	if _, err := s.w.Begin(ctx); err == nil {
		s.Error("Begin works with a context that has ended")
	}
	s.expect(people())
}

func parallel(s *warehouseSuite) {
	const streams, commits = 6, 4
	var mu sync.Mutex // the checked allocator's rows are made by one goroutine at a time
	group, ctx := errgroup.WithContext(s.Context())
	for n := range streams {
		name := core.TableName{Schema: fmt.Sprintf("raw_%d", n%2), Name: fmt.Sprintf("t%d", n)}
		group.Go(func() error {
			for i := range commits {
				mu.Lock()
				rows := s.rows(peopleSchema(), fmt.Sprintf(`{"id":%d,"name":"n"}`, i), fmt.Sprintf(`{"id":%d,"name":"n"}`, i+1))
				mu.Unlock()
				err := commitOne(ctx, s.w, name, i, core.WriteRequest{Table: name, Mode: core.WriteMerge, Key: []string{"id"}, Rows: rows})
				rows.Release()
				if err != nil {
					return fmt.Errorf("%s, commit %d: %w", name, i, err)
				}
			}
			return nil
		})
	}
	group.Go(func() error {
		for range 10 {
			tables, err := s.w.Tables(ctx, "")
			if err != nil {
				return err
			}
			for _, t := range tables {
				r, err := s.w.Scan(ctx, core.ScanRequest{Table: t.Name})
				if err != nil {
					return err
				}
				for r.Next() {
				}
				err = r.Err()
				r.Release()
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		s.Fatal(err)
	}
	tables, err := s.w.Tables(s.Context(), "")
	if err != nil || len(tables) != streams {
		s.Fatalf("Tables gives %v, %v; want %d", tableNames(tables), err, streams)
	}
	for _, t := range tables {
		s.same("rows of "+t.Name.String(), t.Rows, commits+1)
	}
	states, err := s.w.States(s.Context())
	if err != nil || len(states) != streams || string(states[0].State) != fmt.Sprint(commits-1) {
		s.Errorf("States gives %v, %v", states, err)
	}
}

// commitOne stores rows and a position, and tries again when told to, as the engine does.
func commitOne(ctx context.Context, w core.Warehouse, name core.TableName, state int, req core.WriteRequest) error {
	tx, err := w.Begin(ctx)
	if err != nil {
		return err
	}
	err = tx.Define(ctx, core.Table{Name: name, Schema: req.Rows.Schema(), Key: req.Key})
	if err == nil {
		_, err = tx.Write(ctx, req)
	}
	if err == nil {
		err = tx.SetState(ctx, core.StateRow{Source: name.Schema, Stream: name.Name, State: core.State(fmt.Sprint(state)), At: day(1)})
	}
	if endErr := tx.End(ctx, err == nil); err == nil {
		err = endErr
	}
	return err
}
