package memory_test

import (
	"context"
	"fmt"
	"log"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/warehouse/memory"
)

// A test takes a warehouse from New and uses it like any other.
func Example() {
	ctx := context.Background()
	w := memory.New()
	defer w.Close()
	tx, err := w.Begin(ctx)
	if err != nil {
		log.Fatal(err)
	}
	schema := arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64}}, nil)
	err = tx.Define(ctx, core.Table{Name: core.RawTable("crm", "people"), Schema: schema, Key: []string{"id"}})
	if end := tx.End(ctx, err == nil); err != nil || end != nil {
		log.Fatal(err, end)
	}
	tables, err := w.Tables(ctx, "raw_crm")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(tables[0].Name, tables[0].Key, tables[0].Rows)
	// Output: raw_crm.people [id] 0
}
