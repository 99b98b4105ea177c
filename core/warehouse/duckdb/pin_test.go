//go:build duckdb_arrow

package duckdb

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
)

// sparse is a table of several row groups of which most rows are deleted: the next
// checkpoint packs what is left.
func sparse(t *testing.T, w *Warehouse) core.Table {
	t.Helper()
	table := core.Table{Name: core.TableName{Schema: "raw_crm", Name: "sparse"}, Key: []string{"id"},
		Schema: arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64}, {Name: "v", Type: arrow.PrimitiveTypes.Int64}}, nil)}
	tx, err := w.Begin(t.Context())
	if err == nil {
		err = tx.Drop(t.Context(), table.Name)
	}
	if err == nil {
		err = tx.Define(t.Context(), table)
	}
	if err == nil {
		err = tx.End(t.Context(), true)
	}
	if err != nil {
		t.Fatal(err)
	}
	exec(t, w, "INSERT INTO "+place(table.Name)+" SELECT i, 0 FROM range(0, 400000) r(i)", "CHECKPOINT "+catalog,
		"DELETE FROM "+place(table.Name)+" WHERE id % 10 <> 0")
	return table
}

func exec(t *testing.T, w *Warehouse, statements ...string) {
	t.Helper()
	c, err := w.connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer w.release(c)
	for _, s := range statements {
		if _, err := c.exec(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// testWarehouse is one to look into, which is closed at the end.
func testWarehouse(t *testing.T) *Warehouse {
	t.Helper()
	w, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "w.duckdb"), MemoryLimit: "512MiB", Threads: 2, NoSnapshot: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// TestPinKeepsRowIDs: without the pin this DuckDB gives a row another id in the middle of a
// transaction. When it does not any more, the pin can go.
func TestPinKeepsRowIDs(t *testing.T) {
	for _, pinned := range []bool{true, false} {
		w := testWarehouse(t)
		table := sparse(t, w)
		begun, err := w.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		tx := begun.(*tx)
		if err := tx.begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		if pinned {
			if err := tx.pin(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		id := func() int64 {
			n, err := tx.c.number(t.Context(), "SELECT rowid FROM "+place(table.Name)+" WHERE id = 390000")
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		before := id()
		other, err := w.connect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_ = w.checkpoint(t.Context(), other) // refused beside a pin
		w.release(other)
		if after := id(); (before == after) != pinned {
			t.Errorf("pinned %v: the row was %d and is %d", pinned, before, after)
		}
		if err := tx.End(t.Context(), true); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWritesBesideCheckpoints changes and deletes rows by key while checkpoints start at any
// moment: just these rows change.
func TestWritesBesideCheckpoints(t *testing.T) {
	w := testWarehouse(t)
	for round := range 12 {
		table := sparse(t, w)
		done := make(chan struct{})
		go func() {
			defer close(done)
			c, err := w.connect(context.WithoutCancel(t.Context()))
			if err != nil {
				return
			}
			defer w.release(c)
			time.Sleep(time.Duration(round) * 500 * time.Microsecond)
			for range 5 {
				_ = w.checkpoint(context.WithoutCancel(t.Context()), c)
			}
		}()
		write := func(mode core.WriteMode, id int64) {
			b := array.NewRecordBuilder(memory.DefaultAllocator, table.Schema)
			defer b.Release()
			b.Field(0).(*array.Int64Builder).Append(id)
			b.Field(1).(*array.Int64Builder).Append(7)
			batch := b.NewRecordBatch()
			defer batch.Release()
			rows, err := array.NewRecordReader(table.Schema, []arrow.RecordBatch{batch})
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Release()
			tx, err := w.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Write(t.Context(), core.WriteRequest{Table: table.Name, Mode: mode, Key: table.Key, Rows: rows}); err != nil {
				t.Fatal(err)
			}
			if err := tx.End(t.Context(), true); err != nil {
				t.Fatal(err)
			}
		}
		write(core.WriteDelete, 390000)
		write(core.WriteMerge, 380000)
		<-done
		c, err := w.connect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for query, want := range map[string]int64{"count(*)": 39999, "count(*) FILTER (id = 390000)": 0, "count(*) FILTER (v = 7)": 1, "max(id) FILTER (v = 7)": 380000} {
			if got, err := c.number(t.Context(), "SELECT "+query+" FROM "+place(table.Name)); err != nil || got != want {
				t.Errorf("round %d: %s is %d, want %d (%v)", round, query, got, want, err)
			}
		}
		w.release(c)
	}
}
