package main

import (
	"encoding/json"
	"math"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/unsilo/unsilo/core"
)

func isNumber(t arrow.DataType) bool { return core.Numeric(t) || t.ID() == arrow.DECIMAL128 }

// cell gives a value in the form that is written: integers as int64, which keeps all
// digits in JSON, times in RFC 3339, what is nested as JSON, and the numbers that JSON
// cannot say as "NaN", "Infinity" and "-Infinity".
func cell(col arrow.Array, i int) any {
	if col.IsNull(i) {
		return nil
	}
	switch c := col.(type) {
	case *array.String:
		return strings.Clone(c.Value(i)) // the batch is released before the row is shown
	case *array.Boolean:
		return c.Value(i)
	case *array.Int64:
		return c.Value(i)
	case *array.Int32:
		return int64(c.Value(i))
	case *array.Int16:
		return int64(c.Value(i))
	case *array.Int8:
		return int64(c.Value(i))
	case *array.Float64:
		return finite(c.Value(i), c.Value(i))
	case *array.Float32:
		return finite(float64(c.Value(i)), c.Value(i))
	case *array.Decimal128:
		return c.Value(i).ToString(c.DataType().(*arrow.Decimal128Type).Scale)
	case *array.Timestamp:
		return timestamp(c, i)
	case *array.Date32:
		return c.Value(i).ToTime().Format(time.DateOnly)
	case *array.List, *array.Struct, *array.Map:
		if text, err := json.Marshal(col.GetOneForMarshal(i)); err == nil {
			return string(text)
		}
	}
	return strings.Clone(col.ValueStr(i))
}

// finite gives the value, or the name of a number that is none.
func finite(f float64, value any) any {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	return value
}

func timestamp(c *array.Timestamp, i int) string {
	t := c.DataType().(*arrow.TimestampType)
	at := c.Value(i).ToTime(t.Unit)
	if t.TimeZone == "" {
		return at.Format("2006-01-02T15:04:05.999999999")
	}
	return at.UTC().Format(time.RFC3339Nano)
}
