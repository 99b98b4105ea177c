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
