package wire

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	wirev1 "github.com/unsilo/unsilo/plugins/wire/v1"
)

// plain gives the type that crosses the border in the place of t: dictionaries and
// views become what they stand for, at every depth.
func plain(t arrow.DataType) arrow.DataType {
	switch t := t.(type) {
	case *arrow.DictionaryType:
		return plain(t.ValueType)
	case *arrow.StringViewType:
		return arrow.BinaryTypes.String
	case *arrow.BinaryViewType:
		return arrow.BinaryTypes.Binary
	case *arrow.ListType:
		return arrow.ListOfField(plainField(t.ElemField()))
	case *arrow.LargeListType:
		return arrow.LargeListOfField(plainField(t.ElemField()))
	case *arrow.FixedSizeListType:
		return arrow.FixedSizeListOfField(t.Len(), plainField(t.ElemField()))
	case *arrow.StructType:
		return arrow.StructOf(plainFields(t.Fields())...)
	case *arrow.MapType:
		m := arrow.MapOfFields(plainField(t.KeyField()), plainField(t.ItemField()))
		m.KeysSorted = t.KeysSorted
		return m
	}
	return t
}

func plainField(f arrow.Field) arrow.Field {
	f.Type = plain(f.Type)
	return f
}

func plainFields(fields []arrow.Field) []arrow.Field {
	out := make([]arrow.Field, len(fields))
	for i, f := range fields {
		out[i] = plainField(f)
	}
	return out
}

func typeToWire(t arrow.DataType) (*wirev1.Type, error) {
	t = plain(t)
	if ext, ok := t.(arrow.ExtensionType); ok {
		w, err := typeToWire(ext.StorageType())
		if err == nil {
			w.Extension, w.ExtensionMetadata = ext.ExtensionName(), ext.Serialize()
		}
		return w, err
	}
	if w := scalarToWire(t); w != nil {
		return w, nil
	}
	w := &wirev1.Type{}
	var children []arrow.Field
	switch t := t.(type) {
	case *arrow.ListType:
		w.Id, children = wirev1.Type_LIST, []arrow.Field{t.ElemField()}
	case *arrow.LargeListType:
		w.Id, children = wirev1.Type_LARGE_LIST, []arrow.Field{t.ElemField()}
	case *arrow.FixedSizeListType:
		w.Id, w.Length, children = wirev1.Type_FIXED_LIST, t.Len(), []arrow.Field{t.ElemField()}
	case *arrow.StructType:
		w.Id, children = wirev1.Type_STRUCT, t.Fields()
	case *arrow.MapType:
		w.Id, w.KeysSorted, children = wirev1.Type_MAP, t.KeysSorted, []arrow.Field{t.KeyField(), t.ItemField()}
	default:
		return nil, fmt.Errorf("type %s cannot leave a plugin", t)
	}
	var err error
	w.Children, err = fieldsToWire(children)
	return w, err
}

// scalarToWire returns nil for a type with children and for an unknown one.
func scalarToWire(t arrow.DataType) *wirev1.Type {
	of := func(id wirev1.Type_Id, bits int) *wirev1.Type { return &wirev1.Type{Id: id, Bits: int32(bits)} }
	switch t := t.(type) {
	case *arrow.NullType:
		return of(wirev1.Type_NULL, 0)
	case *arrow.BooleanType:
		return of(wirev1.Type_BOOL, 0)
	case *arrow.Int8Type, *arrow.Int16Type, *arrow.Int32Type, *arrow.Int64Type:
		return of(wirev1.Type_INT, t.(arrow.FixedWidthDataType).BitWidth())
	case *arrow.Uint8Type, *arrow.Uint16Type, *arrow.Uint32Type, *arrow.Uint64Type:
		return of(wirev1.Type_UINT, t.(arrow.FixedWidthDataType).BitWidth())
	case *arrow.Float16Type, *arrow.Float32Type, *arrow.Float64Type:
		return of(wirev1.Type_FLOAT, t.(arrow.FixedWidthDataType).BitWidth())
	case arrow.DecimalType:
		w := of(wirev1.Type_DECIMAL, t.BitWidth())
		w.Precision, w.Scale = t.GetPrecision(), t.GetScale()
		return w
	case *arrow.Date32Type, *arrow.Date64Type:
		return of(wirev1.Type_DATE, t.(arrow.FixedWidthDataType).BitWidth())
	case *arrow.Time32Type:
		return &wirev1.Type{Id: wirev1.Type_TIME, Bits: 32, Unit: wirev1.Type_Unit(t.Unit)}
	case *arrow.Time64Type:
		return &wirev1.Type{Id: wirev1.Type_TIME, Bits: 64, Unit: wirev1.Type_Unit(t.Unit)}
	case *arrow.TimestampType:
		return &wirev1.Type{Id: wirev1.Type_TIMESTAMP, Unit: wirev1.Type_Unit(t.Unit), Timezone: t.TimeZone}
	case *arrow.DurationType:
		return &wirev1.Type{Id: wirev1.Type_DURATION, Unit: wirev1.Type_Unit(t.Unit)}
	case *arrow.MonthIntervalType:
		return of(wirev1.Type_INTERVAL_MONTHS, 0)
	case *arrow.DayTimeIntervalType:
		return of(wirev1.Type_INTERVAL_DAY_TIME, 0)
	case *arrow.MonthDayNanoIntervalType:
		return of(wirev1.Type_INTERVAL_MONTH_DAY_NANO, 0)
	case *arrow.BinaryType:
		return of(wirev1.Type_BINARY, 0)
	case *arrow.LargeBinaryType:
		return of(wirev1.Type_LARGE_BINARY, 0)
	case *arrow.FixedSizeBinaryType:
		return &wirev1.Type{Id: wirev1.Type_FIXED_BINARY, Length: int32(t.ByteWidth)}
	case *arrow.StringType:
		return of(wirev1.Type_STRING, 0)
	case *arrow.LargeStringType:
		return of(wirev1.Type_LARGE_STRING, 0)
	}
	return nil
}
