package wire_test

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/decimal256"
	"github.com/apache/arrow-go/v18/arrow/float16"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
)

// plainTypes are all types that cross the border as they are.
func plainTypes() []arrow.DataType {
	dec32, _ := arrow.NewDecimalType(arrow.DECIMAL32, 7, 2)
	dec64, _ := arrow.NewDecimalType(arrow.DECIMAL64, 15, 3)
	point := arrow.StructOf(
		arrow.Field{Name: "x", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
		arrow.Field{Name: "tags", Type: arrow.ListOf(arrow.BinaryTypes.String), Nullable: true})
	return []arrow.DataType{
		arrow.Null, arrow.FixedWidthTypes.Boolean,
		arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int64,
		arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Uint64,
		arrow.FixedWidthTypes.Float16, arrow.PrimitiveTypes.Float32, arrow.PrimitiveTypes.Float64,
		dec32, dec64, &arrow.Decimal128Type{Precision: 38, Scale: 10}, &arrow.Decimal256Type{Precision: 76, Scale: 0},
		arrow.FixedWidthTypes.Date32, arrow.FixedWidthTypes.Date64,
		arrow.FixedWidthTypes.Time32s, arrow.FixedWidthTypes.Time32ms, arrow.FixedWidthTypes.Time64us, arrow.FixedWidthTypes.Time64ns,
		arrow.FixedWidthTypes.Timestamp_us, &arrow.TimestampType{Unit: arrow.Nanosecond},
		&arrow.TimestampType{Unit: arrow.Second, TimeZone: "Europe/Helsinki"},
		arrow.FixedWidthTypes.Duration_ms, arrow.FixedWidthTypes.MonthInterval, arrow.FixedWidthTypes.DayTimeInterval,
		arrow.FixedWidthTypes.MonthDayNanoInterval,
		arrow.BinaryTypes.Binary, arrow.BinaryTypes.LargeBinary, &arrow.FixedSizeBinaryType{ByteWidth: 5},
		arrow.BinaryTypes.String, arrow.BinaryTypes.LargeString,
		arrow.ListOf(arrow.PrimitiveTypes.Int32), arrow.LargeListOf(arrow.BinaryTypes.String),
		arrow.FixedSizeListOf(3, arrow.PrimitiveTypes.Int16), point, arrow.ListOf(point),
		arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int64),
	}
}

// allTypesSchema has a column of every type.
func allTypesSchema() *arrow.Schema {
	var fields []arrow.Field
	for i, t := range plainTypes() {
		f := arrow.Field{Name: fmt.Sprintf("c%02d", i), Type: t, Nullable: true}
		if i%3 == 0 {
			f = core.WithMeans(f, core.PersonEmail)
		}
		fields = append(fields, f)
	}
	meta := arrow.MetadataFrom(map[string]string{"made": "for a test"})
	return arrow.NewSchema(fields, &meta)
}

// randomRecord fills n rows of the schema; every fifth value is null.
func randomRecord(rng *rand.Rand, mem memory.Allocator, schema *arrow.Schema, n int) arrow.RecordBatch {
	b := array.NewRecordBuilder(mem, schema)
	defer b.Release()
	for range n {
		for i, f := range schema.Fields() {
			appendRandom(rng, b.Field(i), f.Nullable)
		}
	}
	return b.NewRecordBatch()
}

func appendRandom(rng *rand.Rand, b array.Builder, nullable bool) {
	if nullable && rng.IntN(5) == 0 {
		b.AppendNull()
		return
	}
	text := func() string { return strings.Repeat("aé日𝛑"[:[]int{1, 3, 6, 10}[rng.IntN(4)]], rng.IntN(4)) }
	n := rng.Int64N(1 << 20)
	switch b := b.(type) {
	case *array.NullBuilder:
		b.AppendNull()
	case *array.BooleanBuilder:
		b.Append(n%2 == 0)
	case *array.Int8Builder:
		b.Append(int8(n))
	case *array.Int16Builder:
		b.Append(int16(n))
	case *array.Int32Builder:
		b.Append(int32(n))
	case *array.Int64Builder:
		b.Append(n << 40)
	case *array.Uint8Builder:
		b.Append(uint8(n))
	case *array.Uint16Builder:
		b.Append(uint16(n))
	case *array.Uint32Builder:
		b.Append(uint32(n))
	case *array.Uint64Builder:
		b.Append(uint64(n) << 44)
	case *array.Float16Builder:
		b.Append(float16.New(float32(n % 1000)))
	case *array.Float32Builder:
		b.Append(float32(n) / 3)
	case *array.Float64Builder:
		b.Append(float64(n) / 7)
	case *array.Decimal32Builder:
		b.Append(decimal.Decimal32(n % 9999999))
	case *array.Decimal64Builder:
		b.Append(decimal.Decimal64(-n))
	case *array.Decimal128Builder:
		b.Append(decimal128.FromI64(-n))
	case *array.Decimal256Builder:
		b.Append(decimal256.FromI64(n))
	case *array.Date32Builder:
		b.Append(arrow.Date32(n))
	case *array.Date64Builder:
		b.Append(arrow.Date64(n * 86_400_000))
	case *array.Time32Builder:
		b.Append(arrow.Time32(n % 86_400))
	case *array.Time64Builder:
		b.Append(arrow.Time64(n))
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(n << 12))
	case *array.DurationBuilder:
		b.Append(arrow.Duration(n))
	case *array.MonthIntervalBuilder:
		b.Append(arrow.MonthInterval(n))
	case *array.DayTimeIntervalBuilder:
		b.Append(arrow.DayTimeInterval{Days: int32(n), Milliseconds: 7})
	case *array.MonthDayNanoIntervalBuilder:
		b.Append(arrow.MonthDayNanoInterval{Months: 1, Days: int32(n), Nanoseconds: n})
	case *array.BinaryDictionaryBuilder:
		_ = b.AppendString(text())
	case *array.Int64DictionaryBuilder:
		_ = b.Append(n % 5)
	case *array.StringViewBuilder:
		b.Append(strings.Repeat(text(), 5))
	case *array.StringBuilder:
		b.Append(text())
	case *array.LargeStringBuilder:
		b.Append(text())
	case *array.BinaryBuilder:
		b.Append([]byte{byte(n), 0, 0xff}[:n%4])
	case *array.FixedSizeBinaryBuilder:
		b.Append([]byte{1, 2, 3, 4, byte(n)})
	case *array.ListBuilder:
		b.Append(true)
		appendSome(rng, b.ValueBuilder(), int(n%4))
	case *array.LargeListBuilder:
		b.Append(true)
		appendSome(rng, b.ValueBuilder(), int(n%4))
	case *array.FixedSizeListBuilder:
		b.Append(true)
		appendSome(rng, b.ValueBuilder(), 3)
	case *array.MapBuilder:
		b.Append(true)
		for range n % 3 {
			appendRandom(rng, b.KeyBuilder(), false)
			appendRandom(rng, b.ItemBuilder(), true)
		}
	case *array.StructBuilder:
		b.Append(true)
		for i := range b.NumField() {
			appendRandom(rng, b.FieldBuilder(i), true)
		}
	default:
		panic(fmt.Sprintf("no random value for %T", b))
	}
}

func appendSome(rng *rand.Rand, b array.Builder, n int) {
	for range n {
		appendRandom(rng, b, true)
	}
}
