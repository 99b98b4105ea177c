package sql

import (
	"database/sql/driver"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

// sqliteReader gives the reader of a column into its builder. A value whose storage class
// does not fit the declared type is a reason, never a guess.
func sqliteReader(c column, into array.Builder) cellReader {
	r := cellReader{null: into.AppendNull, position: func(v driver.Value) (string, bool) { return sqlitePosition(v) }}
	add := sqliteAdder(c, into)
	r.add = func(v driver.Value) string {
		reason := add(v)
		if reason != "" {
			into.AppendNull()
		}
		return reason
	}
	return r
}

// sqliteAdder gives the appender of a form; it appends nothing when it returns a reason.
func sqliteAdder(c column, into array.Builder) func(driver.Value) string {
	switch c.form {
	case sqliteInteger:
		b := into.(*array.Int64Builder)
		return func(v driver.Value) string {
			n, ok := v.(int64)
			if !ok {
				return "the column is declared integer and holds " + sqliteKind(v)
			}
			b.Append(n)
			return ""
		}
	case sqliteReal, sqliteNumeric:
		b := into.(*array.Float64Builder)
		return func(v driver.Value) string {
			f, reason := sqliteFloat(v)
			if reason == "" {
				b.Append(f)
			}
			return reason
		}
	case sqliteBool:
		b := into.(*array.BooleanBuilder)
		return func(v driver.Value) string {
			truth, ok := sqliteTruth(v)
			if !ok {
				return "the column is declared boolean and holds something else"
			}
			b.Append(truth)
			return ""
		}
	case sqliteDecimal:
		b := into.(*array.Decimal128Builder)
		t := c.arrow.(*arrow.Decimal128Type)
		return func(v driver.Value) string {
			d, reason := sqliteDecimalOf(v, t)
			if reason == "" {
				b.Append(d)
			}
			return reason
		}
	case sqliteDate, sqliteDatetime, sqliteInstant:
		return sqliteTimeAdder(c.form, into)
	case sqliteBlob:
		b := into.(*array.BinaryBuilder)
		return func(v driver.Value) string {
			switch v := v.(type) {
			case []byte:
				b.Append(v)
			case string:
				b.Append([]byte(v))
			default:
				return "the column is declared blob and holds " + sqliteKind(v)
			}
			return ""
		}
	}
	return sqliteTextAdder(into.(*array.StringBuilder))
}

func sqliteTextAdder(b *array.StringBuilder) func(driver.Value) string {
	return func(v driver.Value) string {
		var text string
		switch v := v.(type) {
		case string:
			text = v
		case int64:
			text = strconv.FormatInt(v, 10)
		case float64:
			text = strconv.FormatFloat(v, 'g', -1, 64)
		case []byte:
			text = string(v)
		}
		if !utf8.ValidString(text) {
			return reasonUTF8
		}
		b.Append(text)
		return ""
	}
}

func sqliteTimeAdder(form string, into array.Builder) func(driver.Value) string {
	date, _ := into.(*array.Date32Builder)
	stamp, _ := into.(*array.TimestampBuilder)
	return func(v driver.Value) string {
		t, ok := sqliteMoment(v)
		switch {
		case !ok:
			return "the column is declared " + form + " and holds something else"
		case date == nil:
			stamp.Append(arrow.Timestamp(t.UnixMicro()))
		case t.Hour() != 0 || t.Minute() != 0 || t.Second() != 0 || t.Nanosecond() != 0:
			return "the column is declared date and holds a time of day; read it as text with as_text"
		default:
			date.Append(arrow.Date32(days(t)))
		}
		return ""
	}
}

// sqliteMoment reads ISO text, seconds or milliseconds since 1970, or a Julian day.
func sqliteMoment(v driver.Value) (time.Time, bool) {
	switch v := v.(type) {
	case string:
		t, _, ok := parseDateTime(v)
		return t, ok
	case int64:
		if v > sqliteMillisFrom || v < -sqliteMillisFrom {
			return time.UnixMilli(v).UTC(), true
		}
		if v >= 0 && float64(v) < maxJulianDay {
			return julian(float64(v)), true
		}
		return time.Unix(v, 0).UTC(), true
	case float64:
		if v >= 0 && v < maxJulianDay {
			return julian(v), true
		}
		whole, part := math.Modf(v)
		return time.Unix(int64(whole), int64(part*1e9)).UTC(), !math.IsNaN(v) && math.Abs(v) < 1e12
	}
	return time.Time{}, false
}

// maxJulianDay is the last day SQLite knows; greater numbers are seconds since 1970.
const maxJulianDay = 5373484.5

// julian turns a Julian day into a time, to the millisecond as SQLite does.
func julian(day float64) time.Time {
	const unixEpoch = 2440587.5
	return time.UnixMilli(int64(math.Round((day - unixEpoch) * 86400_000))).UTC()
}

func sqliteFloat(v driver.Value) (float64, string) {
	const exact = 1 << 53
	switch v := v.(type) {
	case float64:
		return v, ""
	case int64:
		if v > exact || v < -exact {
			return 0, "the integer is too large for a floating-point column"
		}
		return float64(v), ""
	}
	return 0, "the column is declared as a number and holds " + sqliteKind(v)
}

func sqliteTruth(v driver.Value) (truth, ok bool) {
	switch v := v.(type) {
	case int64:
		return v == 1, v == 0 || v == 1
	case string:
		t, err := strconv.ParseBool(strings.ToLower(v))
		return t, err == nil
	}
	return false, false
}

// sqliteDecimalOf reads a number as a decimal. SQLite keeps fractions in binary, so a
// value that differs from a decimal of the scale by no more than its own rounding is that
// decimal.
func sqliteDecimalOf(v driver.Value, t *arrow.Decimal128Type) (decimal128.Num, string) {
	var text string
	switch v := v.(type) {
	case int64:
		text = strconv.FormatInt(v, 10)
	case string:
		text = v
	case float64:
		text = strconv.FormatFloat(v, 'f', int(t.Scale), 64)
		if near, err := strconv.ParseFloat(text, 64); err != nil || math.Abs(near-v) > 1e-9*max(1, math.Abs(v)) {
			return decimal128.Num{}, reasonDecimals
		}
	default:
		return decimal128.Num{}, "the column is declared decimal and holds " + sqliteKind(v)
	}
	return parseDecimal([]byte(text), t)
}

func sqliteKind(v driver.Value) string {
	switch v.(type) {
	case int64:
		return "an integer"
	case float64:
		return "a real"
	case string:
		return "text"
	}
	return "a blob"
}
