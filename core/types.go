package core

import (
	"github.com/apache/arrow-go/v18/arrow"
)

// Canonical gives the type a warehouse keeps for an Arrow type: encodings that differ
// only in layout or unit become one. Values keep their meaning; zoned timestamps are
// kept in UTC to the microsecond.
func Canonical(t arrow.DataType) arrow.DataType {
	switch t := t.(type) {
	case *arrow.DictionaryType:
		return Canonical(t.ValueType)
	case *arrow.RunEndEncodedType:
		return Canonical(t.Encoded())
	case arrow.ExtensionType:
		return Canonical(t.StorageType())
	case *arrow.Decimal32Type, *arrow.Decimal64Type, *arrow.Decimal256Type:
		if d := t.(arrow.DecimalType); d.GetPrecision() <= 38 {
			return &arrow.Decimal128Type{Precision: d.GetPrecision(), Scale: d.GetScale()}
		}
	case *arrow.LargeStringType, *arrow.StringViewType:
		return arrow.BinaryTypes.String
	case *arrow.LargeBinaryType, *arrow.BinaryViewType, *arrow.FixedSizeBinaryType:
		return arrow.BinaryTypes.Binary
	case *arrow.Float16Type:
		return arrow.PrimitiveTypes.Float32
	case *arrow.Date64Type:
		return arrow.FixedWidthTypes.Date32
	case *arrow.Time32Type, *arrow.Time64Type:
		return arrow.FixedWidthTypes.Time64us
	case *arrow.TimestampType:
		return canonicalTimestamp(t)
	case arrow.ListLikeType:
		if _, isMap := t.(*arrow.MapType); !isMap {
			return arrow.ListOf(Canonical(t.Elem()))
		}
	case *arrow.StructType:
		fields := make([]arrow.Field, t.NumFields())
		for i, f := range t.Fields() {
			fields[i] = arrow.Field{Name: f.Name, Type: Canonical(f.Type), Nullable: true}
		}
		return arrow.StructOf(fields...)
	}
	return t
}

func canonicalTimestamp(t *arrow.TimestampType) arrow.DataType {
	switch {
	case t.TimeZone != "":
		return &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
	case t.Unit == arrow.Nanosecond:
		return &arrow.TimestampType{Unit: arrow.Nanosecond}
	}
	return &arrow.TimestampType{Unit: arrow.Microsecond}
}

// Holds reports whether a column of canonical type wide takes every value of canonical
// type narrow without loss, and so can be widened to in place.
func Holds(wide, narrow arrow.DataType) bool {
	if arrow.TypeEqual(wide, narrow) || narrow.ID() == arrow.NULL {
		return true
	}
	w, n := integerOf(wide), integerOf(narrow)
	switch wide := wide.(type) {
	case *arrow.Float64Type:
		return narrow.ID() == arrow.FLOAT32 || n.bits > 0 && n.bits <= 32
	case *arrow.Float32Type:
		return n.bits > 0 && n.bits <= 16
	case *arrow.Decimal128Type:
		whole := wide.Precision - wide.Scale
		if d, ok := narrow.(*arrow.Decimal128Type); ok {
			return wide.Scale >= d.Scale && whole >= d.Precision-d.Scale
		}
		return n.bits > 0 && whole >= n.digits()
	case *arrow.TimestampType:
		if ts, ok := narrow.(*arrow.TimestampType); ok {
			return wide.TimeZone == ts.TimeZone && wide.Unit >= ts.Unit
		}
		return narrow.ID() == arrow.DATE32 && wide.TimeZone == ""
	}
	return w.bits > 0 && n.bits > 0 && (w.signed == n.signed && w.bits >= n.bits || w.signed && w.bits > n.bits)
}

// Numeric reports whether t is an integer, a float or a decimal.
func Numeric(t arrow.DataType) bool {
	return integerOf(t).bits > 0 || t.ID() == arrow.FLOAT32 || t.ID() == arrow.FLOAT64 || t.ID() == arrow.DECIMAL128
}

type integer struct {
	bits   int
	signed bool
}

// digits is the number of decimal digits the widest value needs.
func (i integer) digits() int32 {
	return map[int]int32{8: 3, 16: 5, 32: 10, 64: 20}[i.bits]
}

func integerOf(t arrow.DataType) integer {
	switch t.ID() {
	case arrow.INT8:
		return integer{8, true}
	case arrow.INT16:
		return integer{16, true}
	case arrow.INT32:
		return integer{32, true}
	case arrow.INT64:
		return integer{64, true}
	case arrow.UINT8:
		return integer{8, false}
	case arrow.UINT16:
		return integer{16, false}
	case arrow.UINT32:
		return integer{32, false}
	case arrow.UINT64:
		return integer{64, false}
	}
	return integer{}
}
