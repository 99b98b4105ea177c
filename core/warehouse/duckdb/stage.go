//go:build duckdb_arrow

package duckdb

import (
	"context"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
)

const stageTable = "temp.main.stage"

// stage puts the rest of the rows, beginning with first, into a temporary table with
// columns c0, c1, ... of the table's types and ord, their order of arrival; of rows with
// one key it keeps the last, unless they are to be removed. It gives the number of rows left. The caller calls unstage.
func (w *writing) stage(ctx context.Context, first *chunk, last bool) (int64, error) {
	if err := w.tx.pin(ctx); err != nil {
		return 0, err
	}
	w.tx.reads = true
	types, err := w.stageTypes()
	if err != nil {
		return 0, err
	}
	if _, err := w.tx.run(ctx, "CREATE TEMP TABLE "+stageTable+" ("+types+", ord BIGINT)"); err != nil {
		return 0, err
	}
	// What is removed is removed once, however often its key comes.
	removes := w.req.Mode == core.WriteDelete || w.req.Mode == core.WritePrune
	total, unique := int64(0), removes || w.src.unique(first) && last
	for c := first; ; {
		ordered := c.numbered(total)
		err := w.load(ctx, ordered, stageTable, "")
		total += c.rows
		ordered.release()
		if c != first {
			c.release()
		}
		if err != nil || last {
			if err == nil && !unique {
				var dropped int64
				dropped, err = w.tx.run(ctx, w.keepLast())
				total -= dropped
			}
			return total, err
		}
		if c, last, err = w.chunk(ctx); err != nil {
			return 0, err
		}
	}
}

// stageTypes defines the columns c0, c1, ... with the types of the table.
func (w *writing) stageTypes() (string, error) {
	types := make([]string, len(w.src.columns))
	for i, f := range w.src.columns {
		name, err := columnType(f.Type)
		if err != nil {
			return "", err
		}
		types[i] = "c" + strconv.Itoa(i) + " " + name
	}
	return strings.Join(types, ", "), nil
}

// unstage drops the temporary tables of a write.
func (w *writing) unstage(ctx context.Context) error {
	_, err := w.tx.run(ctx, "DROP TABLE IF EXISTS "+stageTable+"; DROP TABLE IF EXISTS "+hitsTable+"; DROP TABLE IF EXISTS "+foundTable)
	return err
}

// keepLast removes staged rows that a later one with the same key replaces.
func (w *writing) keepLast() string {
	keys, same := make([]string, len(w.src.key)), make([]string, len(w.src.key))
	for i, k := range w.src.key {
		keys[i] = "c" + strconv.Itoa(k)
		same[i] = "stage." + keys[i] + " = l." + keys[i]
	}
	list := strings.Join(keys, ", ")
	return "DELETE FROM " + stageTable + " USING (SELECT " + list + ", max(ord) AS last FROM " + stageTable + " GROUP BY " +
		list + ") l WHERE " + strings.Join(same, " AND ") + " AND stage.ord < l.last"
}

// numbered adds the column ord, which counts from start.
func (c *chunk) numbered(start int64) *chunk {
	fields := append(c.schema.Fields(), arrow.Field{Name: "ord", Type: arrow.PrimitiveTypes.Int64})
	out := &chunk{schema: arrow.NewSchema(fields, nil), rows: c.rows, bytes: c.bytes}
	for _, b := range c.batches {
		ord := array.NewInt64Builder(memory.DefaultAllocator)
		ord.Reserve(int(b.NumRows()))
		for range b.NumRows() {
			ord.UnsafeAppend(start)
			start++
		}
		numbers := ord.NewArray()
		columns := append(append([]arrow.Array{}, b.Columns()...), numbers)
		out.batches = append(out.batches, array.NewRecordBatch(out.schema, columns, b.NumRows()))
		numbers.Release()
		ord.Release()
	}
	return out
}
