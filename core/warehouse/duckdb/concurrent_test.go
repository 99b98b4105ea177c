//go:build duckdb_arrow

package duckdb_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/warehouse/duckdb"
)

// TestSnapshotBesideCommits publishes while several streams commit and change their
// tables: in every snapshot the rows of each stream are those of its position.
func TestSnapshotBesideCommits(t *testing.T) {
	const streams, commits = 3, 25
	path := filepath.Join(t.TempDir(), "w.duckdb")
	w := open(t, duckdb.Config{Path: path, MemoryLimit: "1GiB", Threads: 2})
	ctx, cancel := context.WithCancel(t.Context())
	group, ctx := errgroup.WithContext(ctx)
	for s := range streams {
		group.Go(func() error {
			table := core.TableName{Schema: "raw_crm", Name: "t" + strconv.Itoa(s)}
			for n := range commits {
				if err := commitStream(ctx, t, w, table, n); err != nil {
					return fmt.Errorf("%s, commit %d: %w", table, n, err)
				}
			}
			return nil
		})
	}
	done := make(chan error, 1)
	go func() { done <- group.Wait(); cancel() }()
	for checks := 0; ; checks++ {
		if err := w.PublishSnapshot(t.Context()); err != nil {
			t.Fatal(err)
		}
		checkStreams(t, path)
		if t.Failed() {
			break
		}
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d snapshots", checks+1)
			return
		default:
		}
	}
	<-done
}

// commitStream adds 50 rows, a column now and then, and the position.
func commitStream(ctx context.Context, t *testing.T, w *duckdb.Warehouse, table core.TableName, n int) error {
	tx, err := w.Begin(ctx)
	if err != nil {
		return err
	}
	schema := driftSchema(n, true)
	rows := driftRows(schema, n*50, (n+1)*50)
	defer rows.Release()
	err = tx.Define(ctx, core.Table{Name: table, Schema: schema, Key: []string{"id"}})
	if err == nil {
		_, err = tx.Write(ctx, core.WriteRequest{Table: table, Mode: core.WriteMerge, Key: []string{"id"}, Rows: rows})
	}
	if err == nil {
		err = tx.SetState(ctx, core.StateRow{Source: "crm", Stream: table.Name, State: core.State(strconv.Itoa(n))})
	}
	return errors.Join(err, tx.End(ctx, err == nil))
}

func checkStreams(t *testing.T, path string) {
	t.Helper()
	r := reading(t, path)
	defer r.Close()
	if filepath.Base(r.Info().Location) != "w.duckdb.snapshot" {
		t.Fatalf("reading from %s", r.Info().Location)
	}
	reports, err := r.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]int64{}
	for _, report := range reports {
		rows[report.Name.Name] = report.Rows
	}
	states, err := r.States(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range states {
		if n, _ := strconv.Atoi(string(s.State)); rows[s.Stream] != int64(n+1)*50 {
			t.Errorf("a snapshot has %d rows of %s at position %d", rows[s.Stream], s.Stream, n)
		}
	}
}

// TestOneTransactionWritesATableByKey: of two that are open at once, or of which one began
// before the other had committed, only one may merge into a table; a key that is new to both
// would be there twice.
func TestOneTransactionWritesATableByKey(t *testing.T) {
	w := open(t, duckdb.Config{Path: filepath.Join(t.TempDir(), "w.duckdb"), MemoryLimit: "256MB", Threads: 1, NoSnapshot: true})
	table := core.TableName{Schema: "raw_crm", Name: "t"}
	begin := func() core.Tx {
		tx, err := w.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return tx
	}
	merge := func(tx core.Tx, from int) error {
		rows := driftRows(driftSchema(0, false), from, from+10)
		defer rows.Release()
		_, err := tx.Write(t.Context(), core.WriteRequest{Table: table, Mode: core.WriteMerge, Key: []string{"id"}, Rows: rows})
		return err
	}
	end := func(tx core.Tx, commit bool) {
		t.Helper()
		if err := tx.End(t.Context(), commit); err != nil {
			t.Fatal(err)
		}
	}
	tx := begin()
	if err := tx.Define(t.Context(), core.Table{Name: table, Schema: driftSchema(0, false), Key: []string{"id"}}); err != nil {
		t.Fatal(err)
	}
	end(tx, true)

	first, second := begin(), begin()
	if err := merge(first, 0); err != nil {
		t.Fatal(err)
	}
	if err := merge(second, 0); core.KindOf(err) != core.KindUnavailable {
		t.Errorf("a second open transaction merged the same new keys: %v", err)
	}
	end(second, false)
	early := begin()
	other := core.Table{Name: core.TableName{Schema: "raw_crm", Name: "other"}, Schema: driftSchema(0, false)}
	if err := early.Define(t.Context(), other); err != nil { // it has begun, and sees what was committed until now
		t.Fatal(err)
	}
	if _, err := w.Tables(t.Context(), "raw_crm"); err != nil {
		t.Fatal(err)
	}
	end(first, true)
	if err := merge(early, 0); core.KindOf(err) != core.KindUnavailable {
		t.Errorf("a transaction that cannot see the keys merged them: %v", err)
	}
	end(early, false)
	last := begin()
	if err := merge(last, 5); err != nil {
		t.Fatal(err)
	}
	end(last, true)
	reports, err := w.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range reports {
		if r.Name == table && r.Rows != 15 {
			t.Errorf("the table has %d rows, want 15", r.Rows)
		}
	}
}
