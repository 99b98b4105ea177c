package identity

import (
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// appendText writes cell i as text, the same for every warehouse: integers in decimal,
// dates as yyyy-mm-dd, times in UTC. It reports whether the cell holds a value.
func appendText(dst []byte, column arrow.Array, i int) ([]byte, bool) {
	if column.IsNull(i) {
		return dst, false
	}
	switch c := column.(type) {
	case *array.String:
		return append(dst, c.Value(i)...), true
	case *array.LargeString:
		return append(dst, c.Value(i)...), true
	case *array.StringView:
		return append(dst, c.Value(i)...), true
	case *array.Binary:
		return append(dst, c.Value(i)...), true
	case *array.Int64:
		return strconv.AppendInt(dst, c.Value(i), 10), true
	case *array.Int32:
		return strconv.AppendInt(dst, int64(c.Value(i)), 10), true
	case *array.Int16:
		return strconv.AppendInt(dst, int64(c.Value(i)), 10), true
	case *array.Float64:
		return strconv.AppendFloat(dst, c.Value(i), 'f', -1, 64), true
	case *array.Boolean:
		return strconv.AppendBool(dst, c.Value(i)), true
	case *array.Date32:
		return c.Value(i).ToTime().AppendFormat(dst, time.DateOnly), true
	case *array.Timestamp:
		return appendTime(dst, timestampMicros(c, i)), true
	case *array.Dictionary:
		return appendText(dst, c.Dictionary(), c.GetValueIndex(i))
	}
	return append(dst, column.ValueStr(i)...), true
}

func appendTime(dst []byte, micros int64) []byte {
	t := time.UnixMicro(micros).UTC()
	if micros%(24*3600*1e6) == 0 {
		return t.AppendFormat(dst, time.DateOnly)
	}
	return t.AppendFormat(dst, "2006-01-02T15:04:05.999999Z")
}

func timestampMicros(c *array.Timestamp, i int) int64 {
	unit := c.DataType().(*arrow.TimestampType).Unit
	return c.Value(i).ToTime(unit).UnixMicro()
}

// micros reads cell i as a time in microseconds; 0 when it is none.
func micros(column arrow.Array, i int) int64 {
	if column.IsNull(i) {
		return 0
	}
	switch c := column.(type) {
	case *array.Timestamp:
		return timestampMicros(c, i)
	case *array.Date32:
		return c.Value(i).ToTime().UnixMicro()
	}
	text, _ := appendText(nil, column, i)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999", time.DateOnly} {
		if t, err := time.Parse(layout, string(text)); err == nil {
			return t.UnixMicro()
		}
	}
	return 0
}

// eachValue calls f with the text of cell i, or of each element of a list.
func eachValue(column arrow.Array, i int, buf []byte, f func([]byte)) []byte {
	if column.IsNull(i) {
		return buf
	}
	if list, ok := column.(array.ListLike); ok {
		from, to := list.ValueOffsets(i)
		values := list.ListValues()
		for k := from; k < to; k++ {
			buf = eachValue(values, int(k), buf, f)
		}
		return buf
	}
	buf, ok := appendText(buf[:0], column, i)
	if ok && len(buf) > 0 {
		f(buf)
	}
	return buf
}
