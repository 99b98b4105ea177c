//go:build duckdb_arrow

package duckdb_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/warehouse/duckdb"
)

// Rows and the position that produced them are stored in one transaction, and read back
// with SQL.
func Example() {
	ctx := context.Background()
	w, err := duckdb.Open(ctx, duckdb.Config{}) // in memory; Path names a file
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()

	table := core.Table{Name: core.RawTable("crm", "people"), Key: []string{"id"},
		Schema: arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64}, {Name: "name", Type: arrow.BinaryTypes.String}}, nil)}
	batch, _, err := array.RecordFromJSON(memory.DefaultAllocator, table.Schema, strings.NewReader(`[{"id":1,"name":"Ada"},{"id":2,"name":"Bo"}]`))
	if err != nil {
		log.Fatal(err)
	}
	rows, err := array.NewRecordReader(table.Schema, []arrow.RecordBatch{batch})
	if err != nil {
		log.Fatal(err)
	}

	tx, err := w.Begin(ctx)
	if err != nil {
		log.Fatal(err)
	}
	err = tx.Define(ctx, table)
	var counts core.Counts
	if err == nil {
		counts, err = tx.Write(ctx, core.WriteRequest{Table: table.Name, Mode: core.WriteMerge, Key: table.Key, Rows: rows})
	}
	if err == nil {
		err = tx.SetState(ctx, core.StateRow{Source: "crm", Stream: "people", State: core.State(`{"after":2}`)})
	}
	if end := tx.End(ctx, err == nil); err != nil || end != nil {
		log.Fatal(err, end)
	}
	fmt.Printf("%+v\n", counts)

	result, err := w.Info().SQL.Query(ctx, "SELECT name FROM raw_crm.people ORDER BY id DESC")
	if err != nil {
		log.Fatal(err)
	}
	defer result.Release()
	for result.Next() {
		fmt.Println(result.RecordBatch().Column(0))
	}
	// Output:
	// {New:2 Changed:0 Unchanged:0 Deleted:0}
	// ["Bo" "Ada"]
}
