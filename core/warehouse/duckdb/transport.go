//go:build duckdb_arrow

package duckdb

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// transportType is the Arrow type in which a column of type t is handed to DuckDB, which
// reads most of Arrow by itself but no wide decimals, half floats or extensions.
func transportType(t arrow.DataType) arrow.DataType {
	switch t := t.(type) {
	case arrow.ExtensionType:
		return transportType(t.StorageType())
	case *arrow.Decimal256Type:
		return &arrow.Decimal128Type{Precision: t.Precision, Scale: t.Scale}
	case *arrow.Float16Type:
		return arrow.PrimitiveTypes.Float32
	}
	return t
}

// transport converts a column. The caller releases what it gets.
func transport(col arrow.Array, want arrow.DataType) (arrow.Array, error) {
	switch a := col.(type) {
	case array.ExtensionArray:
		return transport(a.Storage(), want)
	case *array.Decimal256:
		return narrowDecimal(a, want.(*arrow.Decimal128Type))
	case *array.Float16:
		b := array.NewFloat32Builder(memory.DefaultAllocator)
		defer b.Release()
		for i := range a.Len() {
			if a.IsNull(i) {
				b.AppendNull()
			} else {
				b.Append(a.Value(i).Float32())
			}
		}
		return b.NewArray(), nil
	}
	col.Retain()
	return col, nil
}

func narrowDecimal(a *array.Decimal256, want *arrow.Decimal128Type) (arrow.Array, error) {
	b := array.NewDecimal128Builder(memory.DefaultAllocator, want)
	defer b.Release()
	for i := range a.Len() {
		if a.IsNull(i) {
			b.AppendNull()
			continue
		}
		words := a.Value(i).Array()
		n := decimal128.New(int64(words[1]), words[0])
		if sign := uint64(int64(words[1]) >> 63); words[2] != sign || words[3] != sign {
			return nil, fmt.Errorf("a value has more than 38 digits")
		}
		b.Append(n)
	}
	return b.NewArray(), nil
}
