package coretest

import (
	"fmt"
	"math/rand/v2"
	"reflect"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/decimal256"
	"github.com/apache/arrow-go/v18/arrow/float16"
)

// everyType lists the Arrow types that a batch can hold.
func everyType() []arrow.DataType {
	types := []arrow.DataType{
		arrow.Null, arrow.FixedWidthTypes.Boolean, arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Int32,
		arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Uint32,
		arrow.PrimitiveTypes.Uint64, arrow.FixedWidthTypes.Float16, arrow.PrimitiveTypes.Float32, arrow.PrimitiveTypes.Float64,
		arrow.BinaryTypes.String, arrow.BinaryTypes.LargeString, arrow.BinaryTypes.StringView, arrow.BinaryTypes.Binary,
		arrow.BinaryTypes.LargeBinary, arrow.BinaryTypes.BinaryView, &arrow.FixedSizeBinaryType{ByteWidth: 3},
		arrow.FixedWidthTypes.Date32, arrow.FixedWidthTypes.Date64, arrow.FixedWidthTypes.Time32s, arrow.FixedWidthTypes.Time64us,
		arrow.FixedWidthTypes.Timestamp_s, arrow.FixedWidthTypes.Timestamp_us, &arrow.TimestampType{Unit: arrow.Nanosecond},
		arrow.FixedWidthTypes.Duration_ms, arrow.FixedWidthTypes.MonthInterval, arrow.FixedWidthTypes.DayTimeInterval,
		arrow.FixedWidthTypes.MonthDayNanoInterval, &arrow.Decimal128Type{Precision: 18, Scale: 4}, &arrow.Decimal256Type{Precision: 50, Scale: 2},
		&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int16, ValueType: arrow.BinaryTypes.String},
	}
	return append(types, arrow.ListOf(arrow.BinaryTypes.String), arrow.LargeListOf(arrow.PrimitiveTypes.Int64),
		arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Int8), arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Float64),
		arrow.StructOf(arrow.Field{Name: "a", Type: arrow.BinaryTypes.String, Nullable: true},
			arrow.Field{Name: "b", Type: arrow.ListOf(arrow.PrimitiveTypes.Int32), Nullable: true}),
		arrow.RunEndEncodedOf(arrow.PrimitiveTypes.Int32, arrow.BinaryTypes.String))
}

// filler makes random values.
type filler struct {
	*rand.Rand
	nulls float64
	texts []string
}

// append adds one value, or a null at the rate asked for.
func (f filler) append(b array.Builder) {
	if f.Float64() < f.nulls {
		b.AppendNull()
		return
	}
	switch b := b.(type) {
	case *array.NullBuilder:
		b.AppendNull()
	case *array.BooleanBuilder:
		b.Append(f.IntN(2) == 0)
	case *array.StringBuilder:
		b.Append(f.text())
	case *array.LargeStringBuilder:
		b.Append(f.text())
	case *array.StringViewBuilder:
		b.Append(f.text())
	case *array.BinaryBuilder:
		b.Append([]byte(f.text()))
	case *array.BinaryViewBuilder:
		b.Append([]byte(f.text()))
	case *array.FixedSizeBinaryBuilder:
		b.Append([]byte{byte(f.IntN(256)), 0, byte(f.IntN(256))})
	case *array.BinaryDictionaryBuilder:
		if err := b.AppendString(f.text()); err != nil {
			b.AppendNull()
		}
	case *array.RunEndEncodedBuilder:
		b.Append(1)
		f.append(b.ValueBuilder())
	default:
		f.appendNested(b)
	}
}

func (f filler) appendNested(b array.Builder) {
	switch b := b.(type) {
	case *array.MapBuilder:
		b.Append(true)
		for range f.IntN(3) {
			filler{f.Rand, 0, f.texts}.append(b.KeyBuilder())
			f.append(b.ItemBuilder())
		}
	case *array.ListBuilder:
		b.Append(true)
		f.appendItems(b.ValueBuilder(), f.IntN(4))
	case *array.LargeListBuilder:
		b.Append(true)
		f.appendItems(b.ValueBuilder(), f.IntN(4))
	case *array.FixedSizeListBuilder:
		b.Append(true)
		f.appendItems(b.ValueBuilder(), 2)
	case *array.StructBuilder:
		b.Append(true)
		for i := range b.NumField() {
			f.append(b.FieldBuilder(i))
		}
	default:
		f.appendNumber(b)
	}
}

func (f filler) appendItems(b array.Builder, n int) {
	for range n {
		f.append(b)
	}
}

// appendNumber adds a value to one of the many builders of numbers and times, whose
// Append takes a number under some name.
func (f filler) appendNumber(b array.Builder) {
	switch b := b.(type) {
	case *array.Float16Builder:
		b.Append(float16.New(float32(f.IntN(100))))
	case *array.Decimal128Builder:
		b.Append(decimal128.FromI64(f.Int64N(1e9)))
	case *array.Decimal256Builder:
		b.Append(decimal256.FromI64(f.Int64N(1e9)))
	case *array.DayTimeIntervalBuilder:
		b.Append(arrow.DayTimeInterval{Days: int32(f.IntN(9)), Milliseconds: int32(f.IntN(9))})
	case *array.MonthDayNanoIntervalBuilder:
		b.Append(arrow.MonthDayNanoInterval{Months: int32(f.IntN(9)), Days: int32(f.IntN(9)), Nanoseconds: f.Int64N(9)})
	case *array.Date64Builder:
		b.Append(arrow.Date64(f.Int64N(20000) * 86_400_000))
	default:
		add := reflect.ValueOf(b).MethodByName("Append")
		add.Call([]reflect.Value{reflect.ValueOf(f.IntN(100)).Convert(add.Type().In(0))})
	}
}

func (f filler) text() string {
	if n := len(f.texts); n > 0 && f.IntN(4) > 0 {
		return f.texts[f.IntN(n)]
	}
	return fmt.Sprintf("text %d ä", f.IntN(1000))
}
