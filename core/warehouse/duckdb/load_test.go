//go:build duckdb_arrow

package duckdb

import (
	"fmt"
	"os"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
)

// TestRowGroupIsWrittenOnce lands row groups in small batches: one thread takes all of
// them, in order, and they go straight to the file, the log only tells where they are. A
// checkpoint finds nothing to rewrite.
func TestRowGroupIsWrittenOnce(t *testing.T) {
	w := testWarehouse(t)
	schema := arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64},
		{Name: "text", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)
	table := core.Table{Name: core.TableName{Schema: "raw_crm", Name: "things"}, Schema: schema, Key: []string{"id"}}
	const groups, size = 3, rowGroup / 60
	for group := range groups {
		batches := textBatches(schema, group*rowGroup, rowGroup, size)
		rows, err := array.NewRecordReader(schema, batches)
		if err != nil {
			t.Fatal(err)
		}
		tx, err := w.Begin(t.Context())
		if err == nil {
			err = tx.Define(t.Context(), table)
		}
		if err == nil {
			_, err = tx.Write(t.Context(), core.WriteRequest{Table: table.Name, Mode: core.WriteMerge, Key: table.Key, Rows: rows})
		}
		if err == nil {
			err = tx.End(t.Context(), true)
		}
		rows.Release()
		for _, b := range batches {
			b.Release()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	c, err := w.connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer w.release(c)
	for query, want := range map[string]int64{
		"SELECT count(*) FROM " + place(table.Name) + " WHERE rowid = id AND text IS NOT DISTINCT FROM CASE WHEN id % 3 <> 0 THEN 'row ' || id END": groups * rowGroup,
		"SELECT count(DISTINCT row_group_id) FROM pragma_storage_info(" + literal(place(table.Name)) + ")":                                          groups,
	} {
		if n, err := c.number(t.Context(), query); err != nil || n != want {
			t.Errorf("%s: %d, want %d (%v)", query, n, want, err)
		}
	}
	if info, err := os.Stat(w.config.Path + ".wal"); err != nil || info.Size() > 100_000 {
		t.Errorf("the log holds rows: %v (%v)", info, err)
	}
}

// textBatches has n rows from a number on, every third without a text.
func textBatches(schema *arrow.Schema, from, n, size int) (out []arrow.RecordBatch) {
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for i := range n {
		b.Field(0).(*array.Int64Builder).Append(int64(from + i))
		if (from+i)%3 == 0 {
			b.Field(1).AppendNull()
		} else {
			b.Field(1).(*array.StringBuilder).Append(fmt.Sprint("row ", from+i))
		}
		if (i+1)%size == 0 || i == n-1 {
			out = append(out, b.NewRecordBatch())
		}
	}
	return out
}
