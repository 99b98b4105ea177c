//go:build duckdb_arrow

package duckdb

import (
	"context"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/unsilo/unsilo/core"
)

// merge stores rows by key. Most writes bring keys that the table has not seen, or go to
// an empty table: then a chunk whose keys are all different is inserted as it is. Other
// rows take the way over a temporary table and MERGE.
func (w *writing) merge(ctx context.Context) (counts core.Counts, err error) {
	before, err := w.size(ctx)
	if err != nil {
		return counts, err
	}
	w.keys = w.filter(before == 0)
	if before == 0 {
		return w.fill(ctx)
	}
	c, last, err := w.chunk(ctx)
	if err != nil {
		return counts, err
	}
	defer c.release()
	if c.rows == 0 {
		return counts, nil
	}
	fresh := false
	if last {
		if fresh, err = w.allNew(ctx, c); err != nil {
			return counts, err
		}
	}
	if fresh {
		return core.Counts{New: c.rows}, w.insert(ctx, c)
	}
	return w.mergeStaged(ctx, c, last, before)
}

// allNew reports whether all keys of a chunk are new and different.
func (w *writing) allNew(ctx context.Context, c *chunk) (bool, error) {
	if w.keys != nil {
		return c.fresh, nil
	}
	if !w.src.unique(c) {
		return false, nil
	}
	known, err := w.knows(ctx, c)
	return !known, err
}

// fill merges into an empty table: whatever the rows hold, every key is new.
func (w *writing) fill(ctx context.Context) (core.Counts, error) {
	for first, last := true, false; !last; first = false {
		var c *chunk
		var err error
		if c, last, err = w.chunk(ctx); err != nil {
			return core.Counts{}, w.undo(!first, err)
		}
		fresh := c.rows == 0
		if !fresh {
			fresh, err = w.allNew(ctx, c)
		}
		switch {
		case err != nil:
		case fresh:
			err = w.insert(ctx, c)
		default:
			_, err = w.mergeStaged(ctx, c, true, 0)
		}
		c.release()
		if err != nil {
			return core.Counts{}, w.undo(!first, err)
		}
	}
	n, err := w.size(ctx)
	return core.Counts{New: n}, err
}

func (w *writing) size(ctx context.Context) (int64, error) {
	if err := w.tx.begin(ctx); err != nil {
		return 0, err
	}
	return w.tx.c.number(ctx, "SELECT count(*) FROM "+place(w.table.Name))
}

// knows reports whether the table holds a key of the chunk.
func (w *writing) knows(ctx context.Context, c *chunk) (known bool, err error) {
	fields := make([]arrow.Field, len(w.src.key))
	for i, k := range w.src.key {
		fields[i] = c.schema.Field(k)
	}
	keys := &chunk{schema: arrow.NewSchema(fields, nil)}
	defer keys.release()
	for _, b := range c.batches {
		columns := make([]arrow.Array, len(w.src.key))
		for i, k := range w.src.key {
			columns[i] = b.Column(k)
		}
		keys.batches = append(keys.batches, array.NewRecordBatch(keys.schema, columns, b.NumRows()))
	}
	w.tx.reads = true
	rows, err := keys.reader()
	if err != nil {
		return false, err
	}
	defer rows.Release()
	err = w.tx.helper.with(ctx, rows, func(view string) error {
		n, err := w.tx.c.number(ctx, "SELECT count(*) FROM "+place(w.table.Name)+" t SEMI JOIN (SELECT * FROM "+view+
			") s ON "+w.sameKey()+w.current())
		known = n > 0
		return err
	})
	return known, err
}

func (w *writing) mergeStaged(ctx context.Context, first *chunk, last bool, before int64) (counts core.Counts, err error) {
	staged, err := w.stage(ctx, first, last)
	if err != nil {
		return counts, err
	}
	if staged*w.tx.w.fewShare < before && w.hasRowID() {
		counts, err = w.mergeFew(ctx, staged)
	} else {
		counts, err = w.mergeMany(ctx, staged, before)
	}
	if err != nil {
		return counts, err
	}
	return counts, w.unstage(ctx)
}

// mergeMany merges staged rows by one statement that reads the whole table.
func (w *writing) mergeMany(ctx context.Context, staged, before int64) (counts core.Counts, err error) {
	affected, err := w.tx.run(ctx, w.mergeSQL())
	if err != nil {
		return counts, err
	}
	after, err := w.size(ctx)
	counts.New = after - before
	counts.Changed = affected - counts.New
	counts.Unchanged = staged - affected
	return counts, err
}

func (w *writing) mergeSQL() string {
	sql := "MERGE INTO " + place(w.table.Name) + " t USING " + stageTable + " s ON " + w.sameKey()
	if set := w.assignments(); len(set) > 0 {
		sql += " WHEN MATCHED AND " + w.differs() + " THEN UPDATE SET " + strings.Join(set, ", ")
	}
	return sql + " WHEN NOT MATCHED THEN INSERT (" + w.names("") + ") VALUES (" + w.stagedColumns() + ")"
}
