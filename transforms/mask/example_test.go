package mask_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/mask"
)

func ExampleNew() {
	schema := arrow.NewSchema([]arrow.Field{
		core.WithMeans(arrow.Field{Name: "email", Type: arrow.BinaryTypes.String}, core.PersonEmail),
		core.WithMeans(arrow.Field{Name: "phone", Type: arrow.BinaryTypes.String}, core.PersonPhone),
		{Name: "note", Type: arrow.BinaryTypes.String},
	}, nil)
	rows, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(
		`[{"email": "anna@acme.fi", "phone": "+358 40 123 4567", "note": "x"}, {"email": "ANNA@acme.fi ", "phone": "12", "note": "y"}]`))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer rows.Release()
	t, err := mask.New(mask.Options{
		Columns: map[string]string{"email": mask.HMAC, "phone": mask.Partial, "note": mask.Drop},
		Key:     []byte("0123456789abcdef0123456789abcdef"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	masked, err := t.Apply(context.Background(), rows)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer masked.Release()
	fmt.Println(masked.NumCols(), "columns")
	fmt.Println(masked.Column(0).ValueStr(0) == masked.Column(0).ValueStr(1), masked.Column(1))
	// Output:
	// 2 columns
	// true ["***567" "***"]
}
