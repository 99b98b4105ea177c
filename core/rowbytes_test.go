package core_test

import (
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
)

// TestRowBytes: a batch and the pieces it is cut into take the same memory, to a few
// bytes each, and an array takes about what it was built from.
func TestRowBytes(t *testing.T) {
	const rows = 1000
	int64s, text := arrow.PrimitiveTypes.Int64, arrow.BinaryTypes.String
	for _, c := range []struct {
		typ  arrow.DataType
		json string // a value
		want int64  // bytes of it
	}{
		{int64s, `7`, 8}, {arrow.FixedWidthTypes.Boolean, `true`, 0}, {text, `"12345678"`, 12}, {arrow.BinaryTypes.LargeString, `"1234"`, 12},
		{arrow.BinaryTypes.Binary, `"MTIz"`, 7}, {&arrow.Decimal128Type{Precision: 18, Scale: 2}, `"1.25"`, 16},
		{arrow.ListOf(int64s), `[1,2,3]`, 28}, {arrow.FixedSizeListOf(2, int64s), `[1,2]`, 16},
		{arrow.MapOf(text, int64s), `[{"key":"a","value":1}]`, 17}, {arrow.StructOf(arrow.Field{Name: "a", Type: int64s, Nullable: true}), `{"a":1}`, 8},
		{&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: text}, `"x"`, 1}, {arrow.Null, `null`, 0},
	} {
		t.Run(c.typ.String(), func(t *testing.T) {
			values, _, err := array.FromJSON(memory.DefaultAllocator, c.typ, strings.NewReader("["+strings.Repeat(c.json+",", rows-1)+c.json+"]"))
			if err != nil {
				t.Fatal(err)
			}
			defer values.Release()
			all := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "c", Type: c.typ, Nullable: true}}, nil), []arrow.Array{values}, rows)
			defer all.Release()
			whole := core.RowBytes(all)
			if low, high := c.want*rows, (c.want+1)*rows; whole < low || whole > high {
				t.Errorf("%d rows take %d bytes, want %d to %d", rows, whole, low, high)
			}
			var sum int64
			for from := int64(0); from < rows; from += 100 {
				piece := all.NewSlice(from, from+100)
				sum += core.RowBytes(piece)
				piece.Release()
			}
			if diff := sum - whole; diff < 0 || diff > 200 {
				t.Errorf("the whole takes %d bytes, its ten pieces %d", whole, sum)
			}
			empty := all.NewSlice(5, 5)
			defer empty.Release()
			if n := core.RowBytes(empty); n != 0 {
				t.Errorf("no rows take %d bytes", n)
			}
		})
	}
}
