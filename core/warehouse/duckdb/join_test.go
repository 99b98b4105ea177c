//go:build duckdb_arrow

package duckdb

import (
	"fmt"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
)

// TestJoinedBatches writes more than a row group in many batches, with nulls, and reads all
// of it back.
func TestJoinedBatches(t *testing.T) {
	w := testWarehouse(t)
	schema := arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64}, {Name: "text", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	b := array.NewRecordBuilder(mem, schema)
	defer b.Release()
	const rows, size = rowGroup + 5000, 7000
	var batches []arrow.RecordBatch
	for n := 0; n < rows; {
		for ; n < rows && b.Field(0).Len() < size; n++ {
			b.Field(0).(*array.Int64Builder).Append(int64(n))
			if n%3 == 0 {
				b.Field(1).AppendNull()
				continue
			}
			b.Field(1).(*array.StringBuilder).Append(fmt.Sprint("row ", n))
		}
		batch := b.NewRecordBatch()
		defer batch.Release()
		batches = append(batches, batch)
	}
	reader, err := array.NewRecordReader(schema, batches)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Release()
	table := core.Table{Name: core.TableName{Schema: "raw_crm", Name: "joined"}, Schema: schema, Key: []string{"id"}}
	tx, err := w.Begin(t.Context())
	if err == nil {
		err = tx.Define(t.Context(), table)
	}
	if err == nil {
		_, err = tx.Write(t.Context(), core.WriteRequest{Table: table.Name, Mode: core.WriteMerge, Key: table.Key, Rows: reader})
	}
	if err == nil {
		err = tx.End(t.Context(), true)
	}
	if err != nil {
		t.Fatal(err)
	}
	c, err := w.connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer w.release(c)
	right, err := c.number(t.Context(), "SELECT count(*) FROM (SELECT DISTINCT id, text FROM "+place(table.Name)+
		") WHERE text IS NOT DISTINCT FROM CASE WHEN id % 3 = 0 THEN NULL ELSE 'row ' || id END")
	if err != nil || right != rows {
		t.Errorf("%d of %d rows are right (%v)", right, rows, err)
	}
}
