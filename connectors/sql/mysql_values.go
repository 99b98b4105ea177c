package sql

import (
	"database/sql/driver"
	"encoding/hex"
	"strconv"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// reader gives the reader of a column into its builder.
func (db *mysqlDB) reader(c column, into array.Builder) cellReader {
	add := mysqlAdder(c, into)
	return cellReader{
		null: into.AppendNull, position: mysqlPosition(c),
		add: func(v driver.Value) string {
			reason := add(v)
			if reason == "" {
				return ""
			}
			into.AppendNull()
			if reason == reasonZeroDate && db.zeroAsNull {
				return ""
			}
			return reason
		},
	}
}

const (
	reasonZeroDate = "the date has a month or a day 0"
	reasonForm     = "the server sent a value of another type than the column's"
)

// mysqlAdder gives the appender of a form; it appends nothing when it returns a reason.
func mysqlAdder(c column, into array.Builder) func(driver.Value) string {
	switch c.form {
	case mysqlInt, mysqlUint:
		return mysqlIntAdder(into)
	case mysqlBool:
		b := into.(*array.BooleanBuilder)
		return func(v driver.Value) string {
			n, ok := v.(int64)
			if !ok || n != 0 && n != 1 {
				return "the column is a boolean and holds another number; read it as text with as_text"
			}
			b.Append(n == 1)
			return ""
		}
	case mysqlBit:
		return mysqlBitAdder(into)
	case mysqlFloat:
		b := into.(*array.Float32Builder)
		return func(v driver.Value) string {
			f, ok := v.(float32)
			if !ok {
				return reasonForm
			}
			b.Append(f)
			return ""
		}
	case mysqlDouble:
		b := into.(*array.Float64Builder)
		return func(v driver.Value) string {
			f, ok := v.(float64)
			if !ok {
				return reasonForm
			}
			b.Append(f)
			return ""
		}
	case mysqlDecimal:
		b := into.(*array.Decimal128Builder)
		t := c.arrow.(*arrow.Decimal128Type)
		return bytesAdder(func(v []byte) string {
			d, reason := parseDecimal(v, t)
			if reason == "" {
				b.Append(d)
			}
			return reason
		})
	case mysqlDate, mysqlDatetime, mysqlTimestamp:
		return mysqlTimeAdder(into)
	case mysqlBytes:
		b := into.(*array.BinaryBuilder)
		return bytesAdder(func(v []byte) string { b.Append(v); return "" })
	}
	b := into.(*array.StringBuilder)
	return bytesAdder(func(v []byte) string {
		if !utf8.Valid(v) {
			return reasonUTF8
		}
		b.BinaryBuilder.Append(v)
		return ""
	})
}

func bytesAdder(add func([]byte) string) func(driver.Value) string {
	return func(v driver.Value) string {
		switch v := v.(type) {
		case []byte:
			return add(v)
		case string:
			return add([]byte(v))
		}
		return reasonForm
	}
}

func mysqlIntAdder(into array.Builder) func(driver.Value) string {
	switch b := into.(type) {
	case *array.Int8Builder:
		return intAdder(func(n int64) { b.Append(int8(n)) })
	case *array.Int16Builder:
		return intAdder(func(n int64) { b.Append(int16(n)) })
	case *array.Int32Builder:
		return intAdder(func(n int64) { b.Append(int32(n)) })
	case *array.Int64Builder:
		return intAdder(b.Append)
	case *array.Uint8Builder:
		return intAdder(func(n int64) { b.Append(uint8(n)) })
	case *array.Uint16Builder:
		return intAdder(func(n int64) { b.Append(uint16(n)) })
	case *array.Uint32Builder:
		return intAdder(func(n int64) { b.Append(uint32(n)) })
	case *array.Uint64Builder:
		return func(v driver.Value) string {
			switch v := v.(type) {
			case int64:
				b.Append(uint64(v))
			case uint64:
				b.Append(v)
			case []byte:
				n, err := strconv.ParseUint(string(v), 10, 64)
				if err != nil {
					return reasonForm
				}
				b.Append(n)
			default:
				return reasonForm
			}
			return ""
		}
	}
	return func(driver.Value) string { return reasonForm }
}

func intAdder(add func(int64)) func(driver.Value) string {
	return func(v driver.Value) string {
		n, ok := v.(int64)
		if !ok {
			return reasonForm
		}
		add(n)
		return ""
	}
}

// mysqlBitAdder reads bit(1) as a boolean and longer ones as text of zeros and ones.
func mysqlBitAdder(into array.Builder) func(driver.Value) string {
	truth, _ := into.(*array.BooleanBuilder)
	text, _ := into.(*array.StringBuilder)
	return bytesAdder(func(v []byte) string {
		if len(v) == 0 || len(v) > 8 {
			return reasonForm
		}
		if truth != nil {
			truth.Append(v[len(v)-1]&1 == 1)
		} else {
			text.Append(bitText(v))
		}
		return ""
	})
}

func bitText(v []byte) string {
	n := uint64(0)
	for _, b := range v {
		n = n<<8 | uint64(b)
	}
	return strconv.FormatUint(n, 2)
}

func mysqlTimeAdder(into array.Builder) func(driver.Value) string {
	date, _ := into.(*array.Date32Builder)
	stamp, _ := into.(*array.TimestampBuilder)
	return bytesAdder(func(v []byte) string {
		if len(v) >= 10 && (string(v[5:7]) == "00" || string(v[8:10]) == "00") {
			return reasonZeroDate
		}
		micros, ok := parsePlain(v)
		switch {
		case !ok:
			return "the value is not a date"
		case date != nil:
			date.Append(arrow.Date32(micros / (86400 * 1_000_000)))
		default:
			stamp.Append(arrow.Timestamp(micros))
		}
		return ""
	})
}

// mysqlPosition gives the function that writes values of a column as positions.
func mysqlPosition(c column) func(driver.Value) (string, bool) {
	return func(v driver.Value) (string, bool) {
		switch v := v.(type) {
		case int64:
			return strconv.FormatInt(v, 10), true
		case uint64:
			return strconv.FormatUint(v, 10), true
		case float32:
			return strconv.FormatFloat(float64(v), 'g', -1, 64), true
		case float64:
			return strconv.FormatFloat(v, 'g', -1, 64), true
		case []byte:
			switch c.form {
			case mysqlBytes:
				return hex.EncodeToString(v), true
			case mysqlBit:
				return bitText(v), len(v) > 0 && len(v) <= 8
			}
			return string(v), true
		}
		return "", false
	}
}
