package memory

import (
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

// Values of canonical types are kept as: bool, int64 (signed integers, dates, times,
// timestamps), uint64, float64, decimal128.Num, string (text and binary), and []any for
// lists, structs and maps (a map is a list of pairs); nil is null.

// storable reports whether values of a canonical type can be kept.
func storable(t arrow.DataType) bool {
	switch t := t.(type) {
	case *arrow.Decimal128Type:
		return t.Scale >= 0 && t.Scale <= t.Precision && t.Precision <= 38
	case *arrow.StructType:
		for _, f := range t.Fields() {
			if !storable(f.Type) {
				return false
			}
		}
		return t.NumFields() > 0
	case *arrow.ListType:
		return storable(t.Elem())
	case *arrow.MapType:
		return storable(t.KeyType()) && storable(t.ItemType())
	}
	switch t.ID() {
	case arrow.BOOL, arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64, arrow.UINT8, arrow.UINT16, arrow.UINT32,
		arrow.UINT64, arrow.FLOAT32, arrow.FLOAT64, arrow.STRING, arrow.BINARY, arrow.DATE32, arrow.TIME64, arrow.TIMESTAMP:
		return true
	}
	return false
}

// valueAt reads a cell as the value of a column of type want, which holds every value of
// the array's type.
func valueAt(a arrow.Array, i int, want arrow.DataType) any {
	if a.IsNull(i) {
		return nil
	}
	switch a := a.(type) {
	case *array.Dictionary:
		return valueAt(a.Dictionary(), a.GetValueIndex(i), want)
	case *array.RunEndEncoded:
		return valueAt(a.Values(), a.GetPhysicalIndex(i), want)
	case array.ExtensionArray:
		return valueAt(a.Storage(), i, want)
	case *array.Null:
		return nil
	case *array.Boolean:
		return a.Value(i)
	case *array.Struct:
		out := make([]any, a.NumField())
		for f := range out {
			out[f] = valueAt(a.Field(f), i, want.(*arrow.StructType).Field(f).Type)
		}
		return out
	case *array.Map:
		from, to := a.ValueOffsets(i)
		t := want.(*arrow.MapType)
		out := make([]any, 0, to-from)
		for j := int(from); j < int(to); j++ {
			out = append(out, []any{valueAt(a.Keys(), j, t.KeyType()), valueAt(a.Items(), j, t.ItemType())})
		}
		return out
	case array.ListLike:
		from, to := a.ValueOffsets(i)
		out := make([]any, 0, to-from)
		for j := int(from); j < int(to); j++ {
			out = append(out, valueAt(a.ListValues(), j, want.(*arrow.ListType).Elem()))
		}
		return out
	}
	if s, ok := textAt(a, i); ok {
		return s
	}
	return numberAt(a, i, want)
}

func textAt(a arrow.Array, i int) (string, bool) {
	switch a := a.(type) {
	case *array.String:
		return strings.Clone(a.Value(i)), true
	case *array.LargeString:
		return strings.Clone(a.Value(i)), true
	case *array.StringView:
		return strings.Clone(a.Value(i)), true
	case *array.Binary:
		return string(a.Value(i)), true
	case *array.LargeBinary:
		return string(a.Value(i)), true
	case *array.BinaryView:
		return string(a.Value(i)), true
	case *array.FixedSizeBinary:
		return string(a.Value(i)), true
	}
	return "", false
}

// numberAt reads numbers and times.
func numberAt(a arrow.Array, i int, want arrow.DataType) any {
	switch a := a.(type) {
	case *array.Int8:
		return integer(int64(a.Value(i)), want)
	case *array.Int16:
		return integer(int64(a.Value(i)), want)
	case *array.Int32:
		return integer(int64(a.Value(i)), want)
	case *array.Int64:
		return integer(a.Value(i), want)
	case *array.Uint8:
		return integer(int64(a.Value(i)), want)
	case *array.Uint16:
		return integer(int64(a.Value(i)), want)
	case *array.Uint32:
		return integer(int64(a.Value(i)), want)
	case *array.Uint64:
		return unsigned(a.Value(i), want)
	case *array.Float16:
		return float64(a.Value(i).Float32())
	case *array.Float32:
		return float64(a.Value(i))
	case *array.Float64:
		return a.Value(i)
	case *array.Decimal32:
		return rescale(big.NewInt(int64(a.Value(i))), a.DataType(), want)
	case *array.Decimal64:
		return rescale(big.NewInt(int64(a.Value(i))), a.DataType(), want)
	case *array.Decimal128:
		return rescale(a.Value(i).BigInt(), a.DataType(), want)
	case *array.Decimal256:
		return rescale(a.Value(i).BigInt(), a.DataType(), want)
	}
	return timeAt(a, i, want)
}

const microsPerDay = 24 * 60 * 60 * 1_000_000

func timeAt(a arrow.Array, i int, want arrow.DataType) any {
	switch a := a.(type) {
	case *array.Date32:
		return days(int64(a.Value(i)), want)
	case *array.Date64:
		return days(int64(a.Value(i))/(microsPerDay/1000), want)
	case *array.Time32:
		return int64(a.Value(i)) * int64(a.DataType().(*arrow.Time32Type).Unit.Multiplier()/1000)
	case *array.Time64:
		return int64(a.Value(i)) * int64(a.DataType().(*arrow.Time64Type).Unit.Multiplier()) / 1000
	case *array.Timestamp:
		have, to := a.DataType().(*arrow.TimestampType).Unit.Multiplier(), want.(*arrow.TimestampType).Unit.Multiplier()
		if have >= to {
			return int64(a.Value(i)) * int64(have/to)
		}
		return int64(a.Value(i)) / int64(to/have)
	}
	return nil
}

func days(n int64, want arrow.DataType) any {
	if t, ok := want.(*arrow.TimestampType); ok {
		return n * microsPerDay * 1000 / int64(t.Unit.Multiplier())
	}
	return n
}

func integer(n int64, want arrow.DataType) any {
	switch t := want.(type) {
	case *arrow.Uint8Type, *arrow.Uint16Type, *arrow.Uint32Type, *arrow.Uint64Type:
		return uint64(n)
	case *arrow.Float32Type, *arrow.Float64Type:
		return float64(n)
	case *arrow.Decimal128Type:
		return rescale(big.NewInt(n), &arrow.Decimal128Type{Precision: 38}, t)
	}
	return n
}

func unsigned(n uint64, want arrow.DataType) any {
	if t, ok := want.(*arrow.Decimal128Type); ok {
		return rescale(new(big.Int).SetUint64(n), &arrow.Decimal128Type{Precision: 38}, t)
	}
	return n
}

func rescale(n *big.Int, have, want arrow.DataType) any {
	by := want.(*arrow.Decimal128Type).Scale - have.(arrow.DecimalType).GetScale()
	if by > 0 {
		n = new(big.Int).Mul(n, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(by)), nil))
	}
	return decimal128.FromBigInt(n)
}

// widen brings a kept value into a wider type.
func widen(v any, have, want arrow.DataType) any {
	if v == nil || arrow.TypeEqual(have, want) {
		return v
	}
	switch v := v.(type) {
	case int64:
		if ts, ok := want.(*arrow.TimestampType); ok {
			if have.ID() == arrow.DATE32 {
				return days(v, ts)
			}
			return v * int64(have.(*arrow.TimestampType).Unit.Multiplier()/ts.Unit.Multiplier())
		}
		return integer(v, want)
	case uint64:
		if v <= math.MaxInt64 {
			return integer(int64(v), want)
		}
		return unsigned(v, want)
	case decimal128.Num:
		return rescale(v.BigInt(), have, want)
	}
	return v
}

// appendValue adds a kept value to a builder of its column's type.
func appendValue(b array.Builder, v any) {
	if v == nil {
		b.AppendNull()
		return
	}
	switch b := b.(type) {
	case *array.BooleanBuilder:
		b.Append(v.(bool))
	case *array.Int8Builder:
		b.Append(int8(v.(int64)))
	case *array.Int16Builder:
		b.Append(int16(v.(int64)))
	case *array.Int32Builder:
		b.Append(int32(v.(int64)))
	case *array.Int64Builder:
		b.Append(v.(int64))
	case *array.Uint8Builder:
		b.Append(uint8(v.(uint64)))
	case *array.Uint16Builder:
		b.Append(uint16(v.(uint64)))
	case *array.Uint32Builder:
		b.Append(uint32(v.(uint64)))
	case *array.Uint64Builder:
		b.Append(v.(uint64))
	case *array.Float32Builder:
		b.Append(float32(v.(float64)))
	case *array.Float64Builder:
		b.Append(v.(float64))
	case *array.Decimal128Builder:
		b.Append(v.(decimal128.Num))
	case *array.StringBuilder:
		b.Append(v.(string))
	case *array.BinaryBuilder:
		b.Append([]byte(v.(string)))
	case *array.Date32Builder:
		b.Append(arrow.Date32(v.(int64)))
	case *array.Time64Builder:
		b.Append(arrow.Time64(v.(int64)))
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(v.(int64)))
	default:
		appendNested(b, v.([]any))
	}
}

func appendNested(b array.Builder, values []any) {
	switch b := b.(type) {
	case *array.MapBuilder:
		b.Append(true)
		for _, pair := range values {
			appendValue(b.KeyBuilder(), pair.([]any)[0])
			appendValue(b.ItemBuilder(), pair.([]any)[1])
		}
	case *array.ListBuilder:
		b.Append(true)
		for _, v := range values {
			appendValue(b.ValueBuilder(), v)
		}
	case *array.StructBuilder:
		b.Append(true)
		for i, v := range values {
			appendValue(b.FieldBuilder(i), v)
		}
	}
}

// identify appends a text that two values share only if they are equal; null equals null,
// NaN equals NaN, and zero has one sign.
func identify(to []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(to, 'n')
	case bool:
		return strconv.AppendBool(to, v)
	case int64:
		return append(strconv.AppendInt(append(to, 'i'), v, 10), ';')
	case uint64:
		return append(strconv.AppendUint(append(to, 'u'), v, 10), ';')
	case float64:
		return append(strconv.AppendFloat(append(to, 'f'), v+0, 'g', -1, 64), ';')
	case decimal128.Num:
		return append(append(append(to, 'd'), decimal.Decimal128(v).BigInt().String()...), ';')
	case string:
		return append(append(strconv.AppendInt(append(to, 's'), int64(len(v)), 10), ':'), v...)
	case []any:
		to = append(to, '[')
		for _, item := range v {
			to = identify(to, item)
		}
		return append(to, ']')
	}
	return to
}
