package core

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// RowBytes is the memory that the rows of a batch take. A batch may be a piece of bigger
// buffers that it shares with others: what they hold beside its rows is not counted.
func RowBytes(batch arrow.RecordBatch) int64 {
	var sum int64
	for _, col := range batch.Columns() {
		sum += arrayBytes(col)
	}
	return sum
}

func arrayBytes(a arrow.Array) int64 {
	n := int64(a.Len())
	if n == 0 {
		return 0
	}
	sum := (n + 7) / 8 // which are null
	switch a := a.(type) {
	case array.ExtensionArray:
		return arrayBytes(a.Storage())
	case *array.Dictionary:
		return sum + arrayBytes(a.Indices()) + arrayBytes(a.Dictionary())
	case *array.Struct:
		for i := range a.NumField() { // fields are cut to the rows of the struct
			sum += arrayBytes(a.Field(i))
		}
		return sum
	case array.BinaryLike:
		return sum + offsetBytes(a.DataType(), n) + int64(len(a.ValueBytes()))
	case *array.List, *array.LargeList, *array.Map:
		list := a.(array.ListLike)
		from, _ := list.ValueOffsets(0)
		_, to := list.ValueOffsets(int(n) - 1)
		return sum + offsetBytes(a.DataType(), n) + itemBytes(list, from, to)
	case *array.FixedSizeList:
		each, from := int64(a.DataType().(*arrow.FixedSizeListType).Len()), int64(a.Data().Offset())
		return sum + itemBytes(a, from*each, (from+n)*each)
	}
	if t, ok := a.DataType().(arrow.FixedWidthDataType); ok {
		return sum + (n*int64(t.BitWidth())+7)/8
	}
	return bufferBytes(a.Data())
}

func itemBytes(a array.ListLike, from, to int64) int64 {
	items := array.NewSlice(a.ListValues(), from, to)
	defer items.Release()
	return arrayBytes(items)
}

// offsetBytes is what the places of n values of different length take.
func offsetBytes(t arrow.DataType, n int64) int64 {
	if t, ok := t.(arrow.OffsetsDataType); ok {
		return n * int64(t.OffsetTypeTraits().BytesRequired(1))
	}
	return 0
}

// bufferBytes is all that an array refers to: the values of a row may lie anywhere in it.
func bufferBytes(d arrow.ArrayData) int64 {
	var sum int64
	for _, b := range d.Buffers() {
		if b != nil {
			sum += int64(b.Len())
		}
	}
	for _, child := range d.Children() {
		sum += bufferBytes(child)
	}
	return sum
}
