package mask

import (
	"fmt"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/transforms/normalize"
)

// redacted is what the redact mask writes for text.
const redacted = "[redacted]"

// isText reports columns of text, however they are laid out.
func isText(t arrow.DataType) bool {
	switch t := t.(type) {
	case *arrow.StringType, *arrow.LargeStringType, *arrow.StringViewType:
		return true
	case *arrow.DictionaryType:
		return isText(t.ValueType)
	}
	return false
}

// isPlain reports text and whole numbers: values with one written form.
func isPlain(t arrow.DataType) bool {
	switch t := t.(type) {
	case *arrow.BinaryType, *arrow.LargeBinaryType:
		return true
	case arrow.DecimalType:
		return t.GetScale() == 0
	}
	return isText(t) || arrow.IsInteger(t.ID())
}

// isDay reports dates and timestamps.
func isDay(t arrow.DataType) bool {
	return t.ID() == arrow.DATE32 || t.ID() == arrow.DATE64 || t.ID() == arrow.TIMESTAMP
}

// reader gives the values of a column as text; it is not called for nulls. text is for
// values that are stored as text and costs no allocation.
type reader func(i int) string

func readerOf(in arrow.Array) (reader, error) {
	switch in := in.(type) {
	case *array.String:
		return in.Value, nil
	case *array.LargeString:
		return in.Value, nil
	case *array.StringView:
		return in.Value, nil
	case *array.Binary:
		return in.ValueString, nil
	case *array.LargeBinary:
		return in.ValueString, nil
	case *array.Int64:
		return func(i int) string { return strconv.FormatInt(in.Value(i), 10) }, nil
	case *array.Int32:
		return func(i int) string { return strconv.FormatInt(int64(in.Value(i)), 10) }, nil
	case *array.Dictionary:
		values, err := readerOf(in.Dictionary())
		if err != nil {
			return nil, err
		}
		return func(i int) string { return values(in.GetValueIndex(i)) }, nil
	case *array.Timestamp:
		unit := in.DataType().(*arrow.TimestampType).Unit
		return func(i int) string { return in.Value(i).ToTime(unit).Format("2006-01-02") }, nil
	}
	if isPlain(in.DataType()) || isDay(in.DataType()) {
		return in.ValueStr, nil
	}
	return nil, fmt.Errorf("type %s has no text", in.DataType())
}

// textColumn makes a column of text, value by value.
func textColumn(mem memory.Allocator, in arrow.Array, width int, change func(dst []byte, s string) []byte) (arrow.Array, error) {
	value, err := readerOf(in)
	if err != nil {
		return nil, err
	}
	b := array.NewStringBuilder(mem)
	defer b.Release()
	b.Reserve(in.Len())
	b.ReserveData(in.Len() * width)
	var buf []byte
	for i := range in.Len() {
		if isNull(in, i) {
			b.AppendNull()
			continue
		}
		buf = change(buf[:0], value(i))
		b.BinaryBuilder.Append(buf)
	}
	return b.NewArray(), nil
}

// isNull also sees the nulls inside a dictionary.
func isNull(in arrow.Array, i int) bool {
	if in.IsNull(i) {
		return true
	}
	d, ok := in.(*array.Dictionary)
	return ok && isNull(d.Dictionary(), d.GetValueIndex(i))
}

// redactColumn writes a fixed text, or nulls where the column is not text.
func redactColumn(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if !isText(in.DataType()) {
		return array.MakeArrayOfNull(mem, in.DataType(), in.Len()), nil
	}
	return textColumn(mem, in, len(redacted), func(dst []byte, _ string) []byte { return append(dst, redacted...) })
}

// yearColumn writes the years of dates; text that holds none becomes null.
func yearColumn(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	value, err := readerOf(in)
	if err != nil {
		return nil, err
	}
	b := array.NewInt32Builder(mem)
	defer b.Release()
	b.Reserve(in.Len())
	date := normalize.Date(normalize.DayFirst)
	var buf []byte
	for i := range in.Len() {
		if isNull(in, i) {
			b.AppendNull()
			continue
		}
		var ok bool
		if buf, ok = date(buf[:0], value(i)); !ok {
			b.AppendNull()
			continue
		}
		year := int32(0)
		for _, c := range buf[:4] {
			year = year*10 + int32(c-'0')
		}
		b.Append(year)
	}
	return b.NewArray(), nil
}
