package wire

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	wirev1 "github.com/unsilo/unsilo/plugins/wire/v1"
)

// maxFixedLength bounds the bytes of a fixed-size binary and the elements of a
// fixed-size list.
const maxFixedLength = 1 << 20

func typeFromWire(w *wirev1.Type, depth int, budget *int) (arrow.DataType, error) {
	storage, err := storageFromWire(w, depth, budget)
	if err != nil || w.GetExtension() == "" {
		return storage, err
	}
	return extensionFromWire(w, storage), nil
}

// extensionFromWire falls back to the storage type when the extension is unknown here
// or refuses what it is given.
func extensionFromWire(w *wirev1.Type, storage arrow.DataType) (t arrow.DataType) {
	defer func() {
		if recover() != nil {
			t = storage
		}
	}()
	ext := arrow.GetExtensionType(w.GetExtension())
	if ext == nil {
		return storage
	}
	made, err := ext.Deserialize(storage, w.GetExtensionMetadata())
	if err != nil || !arrow.TypeEqual(made.StorageType(), storage) {
		return storage
	}
	return made
}

func storageFromWire(w *wirev1.Type, depth int, budget *int) (arrow.DataType, error) {
	switch w.GetId() {
	case wirev1.Type_LIST, wirev1.Type_LARGE_LIST, wirev1.Type_FIXED_LIST, wirev1.Type_STRUCT, wirev1.Type_MAP:
		return nestedFromWire(w, depth, budget)
	case wirev1.Type_DECIMAL:
		return decimalFromWire(w)
	case wirev1.Type_FIXED_BINARY:
		if n := w.GetLength(); n >= 0 && n <= maxFixedLength {
			return &arrow.FixedSizeBinaryType{ByteWidth: int(n)}, nil
		}
	case wirev1.Type_TIME, wirev1.Type_TIMESTAMP, wirev1.Type_DURATION:
		return timeFromWire(w)
	default:
		if t, ok := simpleType(w.GetId(), w.GetBits()); ok {
			return t, nil
		}
	}
	return nil, fmt.Errorf("type %s with %d bits and length %d does not exist", w.GetId(), w.GetBits(), w.GetLength())
}

// simpleType covers the types that an id and a width make complete.
func simpleType(id wirev1.Type_Id, bits int32) (arrow.DataType, bool) {
	type key struct {
		id   wirev1.Type_Id
		bits int32
	}
	t, ok := map[key]arrow.DataType{
		{wirev1.Type_NULL, 0}:                    arrow.Null,
		{wirev1.Type_BOOL, 0}:                    arrow.FixedWidthTypes.Boolean,
		{wirev1.Type_INT, 8}:                     arrow.PrimitiveTypes.Int8,
		{wirev1.Type_INT, 16}:                    arrow.PrimitiveTypes.Int16,
		{wirev1.Type_INT, 32}:                    arrow.PrimitiveTypes.Int32,
		{wirev1.Type_INT, 64}:                    arrow.PrimitiveTypes.Int64,
		{wirev1.Type_UINT, 8}:                    arrow.PrimitiveTypes.Uint8,
		{wirev1.Type_UINT, 16}:                   arrow.PrimitiveTypes.Uint16,
		{wirev1.Type_UINT, 32}:                   arrow.PrimitiveTypes.Uint32,
		{wirev1.Type_UINT, 64}:                   arrow.PrimitiveTypes.Uint64,
		{wirev1.Type_FLOAT, 16}:                  arrow.FixedWidthTypes.Float16,
		{wirev1.Type_FLOAT, 32}:                  arrow.PrimitiveTypes.Float32,
		{wirev1.Type_FLOAT, 64}:                  arrow.PrimitiveTypes.Float64,
		{wirev1.Type_DATE, 32}:                   arrow.FixedWidthTypes.Date32,
		{wirev1.Type_DATE, 64}:                   arrow.FixedWidthTypes.Date64,
		{wirev1.Type_INTERVAL_MONTHS, 0}:         arrow.FixedWidthTypes.MonthInterval,
		{wirev1.Type_INTERVAL_DAY_TIME, 0}:       arrow.FixedWidthTypes.DayTimeInterval,
		{wirev1.Type_INTERVAL_MONTH_DAY_NANO, 0}: arrow.FixedWidthTypes.MonthDayNanoInterval,
		{wirev1.Type_BINARY, 0}:                  arrow.BinaryTypes.Binary,
		{wirev1.Type_LARGE_BINARY, 0}:            arrow.BinaryTypes.LargeBinary,
		{wirev1.Type_STRING, 0}:                  arrow.BinaryTypes.String,
		{wirev1.Type_LARGE_STRING, 0}:            arrow.BinaryTypes.LargeString,
	}[key{id, bits}]
	return t, ok
}

func nestedFromWire(w *wirev1.Type, depth int, budget *int) (arrow.DataType, error) {
	children, err := fieldsFromWire(w.GetChildren(), depth+1, budget)
	if err != nil {
		return nil, err
	}
	want := map[wirev1.Type_Id]int{wirev1.Type_STRUCT: len(children), wirev1.Type_MAP: 2}[w.GetId()]
	if w.GetId() != wirev1.Type_STRUCT && w.GetId() != wirev1.Type_MAP {
		want = 1
	}
	if len(children) != want {
		return nil, fmt.Errorf("type %s has %d children, not %d", w.GetId(), len(children), want)
	}
	switch w.GetId() {
	case wirev1.Type_LIST:
		return arrow.ListOfField(children[0]), nil
	case wirev1.Type_LARGE_LIST:
		return arrow.LargeListOfField(children[0]), nil
	case wirev1.Type_FIXED_LIST:
		if n := w.GetLength(); n <= 0 || n > maxFixedLength {
			return nil, fmt.Errorf("a fixed-size list of %d elements does not exist", n)
		}
		return arrow.FixedSizeListOfField(w.GetLength(), children[0]), nil
	case wirev1.Type_STRUCT:
		return arrow.StructOf(children...), nil
	}
	if children[0].Nullable {
		return nil, fmt.Errorf("the keys of a map cannot be nullable")
	}
	m := arrow.MapOfFields(children[0], children[1])
	m.KeysSorted = w.GetKeysSorted()
	return m, nil
}

func decimalFromWire(w *wirev1.Type) (arrow.DataType, error) {
	ids := map[int32]struct {
		id  arrow.Type
		max int32
	}{
		32: {arrow.DECIMAL32, 9}, 64: {arrow.DECIMAL64, 18}, 128: {arrow.DECIMAL128, 38}, 256: {arrow.DECIMAL256, 76},
	}
	d, ok := ids[w.GetBits()]
	p, s := w.GetPrecision(), w.GetScale()
	if !ok || p < 1 || p > d.max || s < -d.max || s > d.max {
		return nil, fmt.Errorf("a decimal of %d bits, precision %d, scale %d does not exist", w.GetBits(), p, s)
	}
	return arrow.NewDecimalType(d.id, p, s)
}

func timeFromWire(w *wirev1.Type) (arrow.DataType, error) {
	unit := arrow.TimeUnit(w.GetUnit())
	if unit < arrow.Second || unit > arrow.Nanosecond {
		return nil, fmt.Errorf("time unit %d does not exist", w.GetUnit())
	}
	fine := unit == arrow.Microsecond || unit == arrow.Nanosecond
	switch {
	case w.GetId() == wirev1.Type_TIMESTAMP:
		return &arrow.TimestampType{Unit: unit, TimeZone: w.GetTimezone()}, nil
	case w.GetId() == wirev1.Type_DURATION:
		return &arrow.DurationType{Unit: unit}, nil
	case w.GetBits() == 32 && !fine:
		return &arrow.Time32Type{Unit: unit}, nil
	case w.GetBits() == 64 && fine:
		return &arrow.Time64Type{Unit: unit}, nil
	}
	return nil, fmt.Errorf("a time of %d bits in %s does not exist", w.GetBits(), unit)
}
