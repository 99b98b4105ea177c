package wire

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// plainSchema gives the schema with plain types, s itself when it has no others.
func plainSchema(s *arrow.Schema) *arrow.Schema {
	same := true
	for _, f := range s.Fields() {
		same = same && isPlain(f.Type)
	}
	if same {
		return s
	}
	meta := s.Metadata()
	return arrow.NewSchema(plainFields(s.Fields()), &meta)
}

// isPlain reports whether t holds no dictionary and no view.
func isPlain(t arrow.DataType) bool {
	switch t := t.(type) {
	case *arrow.DictionaryType, *arrow.StringViewType, *arrow.BinaryViewType:
		return false
	case *arrow.MapType:
		return isPlain(t.KeyType()) && isPlain(t.ItemType())
	case arrow.ListLikeType:
		return isPlain(t.Elem())
	case *arrow.StructType:
		for _, f := range t.Fields() {
			if !isPlain(f.Type) {
				return false
			}
		}
	}
	return true
}

// plainRecord writes dictionaries and views out as plain values. The caller releases
// the result.
func plainRecord(mem memory.Allocator, schema *arrow.Schema, rec arrow.RecordBatch) (arrow.RecordBatch, error) {
	cols := make([]arrow.Array, 0, rec.NumCols())
	defer func() {
		for _, c := range cols {
			c.Release()
		}
	}()
	for i, c := range rec.Columns() {
		data, err := plainData(mem, c.Data())
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", rec.ColumnName(i), err)
		}
		cols = append(cols, array.MakeFromData(data))
		data.Release()
	}
	return array.NewRecordBatch(schema, cols, rec.NumRows()), nil
}

// plainData returns data itself, retained, when it is plain already.
func plainData(mem memory.Allocator, data arrow.ArrayData) (arrow.ArrayData, error) {
	if isPlain(data.DataType()) {
		data.Retain()
		return data, nil
	}
	switch t := data.DataType().(type) {
	case *arrow.DictionaryType:
		return plainDictionary(mem, data)
	case *arrow.StringViewType, *arrow.BinaryViewType:
		return plainView(mem, data)
	case *arrow.FixedSizeListType, *arrow.StructType, *arrow.ListType, *arrow.LargeListType, *arrow.MapType:
		return plainChildren(mem, data, plain(t))
	}
	return nil, fmt.Errorf("type %s cannot leave a plugin", data.DataType())
}

// plainChildren keeps the outer buffers and offset, which stay true for children of the
// same length.
func plainChildren(mem memory.Allocator, data arrow.ArrayData, t arrow.DataType) (arrow.ArrayData, error) {
	var children []arrow.ArrayData
	defer func() {
		for _, c := range children {
			c.Release()
		}
	}()
	for _, c := range data.Children() {
		p, err := plainData(mem, c)
		if err != nil {
			return nil, err
		}
		children = append(children, p)
	}
	return array.NewData(t, data.Len(), data.Buffers(), children, data.NullN(), data.Offset()), nil
}

func plainView(mem memory.Allocator, data arrow.ArrayData) (arrow.ArrayData, error) {
	arr := array.MakeFromData(data)
	defer arr.Release()
	b := array.NewBinaryBuilder(mem, plain(data.DataType()).(arrow.BinaryDataType))
	defer b.Release()
	b.Reserve(arr.Len())
	for i := range arr.Len() {
		if arr.IsNull(i) {
			b.AppendNull()
			continue
		}
		switch arr := arr.(type) {
		case *array.StringView:
			b.AppendString(arr.Value(i))
		case *array.BinaryView:
			b.Append(arr.Value(i))
		}
	}
	return takeData(b)
}

// plainDictionary looks every index up.
func plainDictionary(mem memory.Allocator, data arrow.ArrayData) (arrow.ArrayData, error) {
	dict := array.NewDictionaryData(data)
	defer dict.Release()
	values := dict.Dictionary()
	if !isPlain(values.DataType()) {
		inner, err := plainData(mem, values.Data())
		if err != nil {
			return nil, err
		}
		defer inner.Release()
		values = array.MakeFromData(inner)
		defer values.Release()
	}
	index := func(i int) (int, bool) {
		if dict.IsNull(i) {
			return 0, false
		}
		at := dict.GetValueIndex(i)
		return at, values.IsValid(at)
	}
	switch v := values.(type) {
	case interface{ Value(int) string }:
		return lookUpBinary(mem, values.DataType(), dict.Len(), index, func(b *array.BinaryBuilder, i int) { b.AppendString(v.Value(i)) })
	case array.BinaryLike:
		bytes := v.(interface{ Value(int) []byte })
		return lookUpBinary(mem, values.DataType(), dict.Len(), index, func(b *array.BinaryBuilder, i int) { b.Append(bytes.Value(i)) })
	}
	t, ok := values.DataType().(arrow.FixedWidthDataType)
	if !ok || t.BitWidth()%8 != 0 {
		return nil, fmt.Errorf("a dictionary of %s cannot leave a plugin", values.DataType())
	}
	return lookUpFixed(mem, values.Data(), t.BitWidth()/8, dict.Len(), index)
}

func lookUpBinary(mem memory.Allocator, t arrow.DataType, n int, index func(int) (int, bool),
	add func(*array.BinaryBuilder, int)) (arrow.ArrayData, error) {
	bt, ok := t.(arrow.BinaryDataType)
	if !ok {
		return nil, fmt.Errorf("a dictionary of %s cannot leave a plugin", t)
	}
	b := array.NewBinaryBuilder(mem, bt)
	defer b.Release()
	b.Reserve(n)
	for i := range n {
		if at, ok := index(i); ok {
			add(b, at)
		} else {
			b.AppendNull()
		}
	}
	return takeData(b)
}

// lookUpFixed copies values of width bytes.
func lookUpFixed(mem memory.Allocator, values arrow.ArrayData, width, n int, index func(int) (int, bool)) (arrow.ArrayData, error) {
	out, valid := memory.NewResizableBuffer(mem), memory.NewResizableBuffer(mem)
	defer out.Release()
	defer valid.Release()
	out.Resize(n * width)
	valid.Resize(int(bitutil.BytesForBits(int64(n))))
	clear(valid.Bytes())
	src := values.Buffers()[1].Bytes()[values.Offset()*width:]
	nulls := 0
	for i := range n {
		at, ok := index(i)
		if !ok {
			nulls++
			clear(out.Bytes()[i*width : (i+1)*width])
			continue
		}
		bitutil.SetBit(valid.Bytes(), i)
		copy(out.Bytes()[i*width:(i+1)*width], src[at*width:(at+1)*width])
	}
	return array.NewData(values.DataType(), n, []*memory.Buffer{valid, out}, nil, nulls, 0), nil
}

// takeData gives the data of what a builder holds.
func takeData(b array.Builder) (arrow.ArrayData, error) {
	arr := b.NewArray()
	defer arr.Release()
	data := arr.Data()
	data.Retain()
	return data, nil
}
