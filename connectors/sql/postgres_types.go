package sql

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// PostgreSQL counts days and microseconds from the year 2000.
const (
	pgEpochDays   = 10957
	pgEpochMicros = pgEpochDays * 24 * 3600 * 1_000_000
)

var order = binary.BigEndian

const (
	reasonInfinite = "the value is infinite"
	reasonUTF8     = "the text is not valid UTF-8"
	reasonSize     = "the value has the wrong size for its type"
)

// pgReader gives the reader of one column into its builder.
func pgReader(c column, into array.Builder, infiniteAsNull bool) pgColumnReader {
	if c.form == pgArray {
		list := into.(*array.ListBuilder)
		elem := pgReader(column{form: c.elem, arrow: c.arrow.(*arrow.ListType).Elem()}, list.ValueBuilder(), infiniteAsNull)
		return pgListReader(list, elem)
	}
	r := pgColumnReader{null: into.AppendNull, add: pgScalarReader(c, into)}
	switch c.form {
	case pgDate, pgTimestamp, pgInstant, pgNumeric, pgMoney:
		add := r.add
		r.add = func(cell []byte) string {
			reason := add(cell)
			if reason == "" {
				return ""
			}
			into.AppendNull()
			if infiniteAsNull && reason == reasonInfinite {
				return ""
			}
			return reason
		}
	}
	return r
}

// pgScalarReader gives the appender of a form. Those of dates and numerics append nothing
// when they return a reason.
func pgScalarReader(c column, into array.Builder) func([]byte) string {
	switch c.form {
	case pgInt2, pgInt4, pgInt8, pgOID:
		return pgIntReader(c.form, into)
	case pgBool:
		b := into.(*array.BooleanBuilder)
		return sized(into, 1, func(v []byte) { b.Append(v[0] != 0) })
	case pgFloat4:
		b := into.(*array.Float32Builder)
		return sized(into, 4, func(v []byte) { b.Append(math.Float32frombits(order.Uint32(v))) })
	case pgFloat8:
		b := into.(*array.Float64Builder)
		return sized(into, 8, func(v []byte) { b.Append(math.Float64frombits(order.Uint64(v))) })
	case pgBytes:
		b := into.(*array.BinaryBuilder)
		return func(v []byte) string { b.Append(v); return "" }
	case pgUUID:
		b := into.(*array.StringBuilder)
		var text [36]byte
		return sized(into, 16, func(v []byte) { b.BinaryBuilder.Append(uuidText(&text, v)) })
	case pgJSONB:
		text := pgTextReader(into.(*array.StringBuilder))
		return func(v []byte) string {
			if len(v) > 0 {
				v = v[1:] // the version of the format
			}
			return text(v)
		}
	case pgDate:
		b := into.(*array.Date32Builder)
		return func(v []byte) string {
			days, reason := pgDays(v)
			if reason == "" {
				b.Append(arrow.Date32(days))
			}
			return reason
		}
	case pgTimestamp, pgInstant:
		b := into.(*array.TimestampBuilder)
		return func(v []byte) string {
			micros, reason := pgMicros(v)
			if reason == "" {
				b.Append(arrow.Timestamp(micros))
			}
			return reason
		}
	case pgNumeric, pgMoney:
		return pgNumericReader(into.(*array.Decimal128Builder), c.arrow.(*arrow.Decimal128Type))
	}
	return pgTextReader(into.(*array.StringBuilder))
}

// sized guards a reader of values of fixed size.
func sized(into array.Builder, size int, add func([]byte)) func([]byte) string {
	return func(v []byte) string {
		if len(v) != size {
			into.AppendNull()
			return reasonSize
		}
		add(v)
		return ""
	}
}

func pgIntReader(form string, into array.Builder) func([]byte) string {
	switch form {
	case pgInt2:
		b := into.(*array.Int16Builder)
		return sized(into, 2, func(v []byte) { b.Append(int16(order.Uint16(v))) })
	case pgInt4:
		b := into.(*array.Int32Builder)
		return sized(into, 4, func(v []byte) { b.Append(int32(order.Uint32(v))) })
	}
	b := into.(*array.Int64Builder)
	if form == pgOID {
		return sized(into, 4, func(v []byte) { b.Append(int64(order.Uint32(v))) })
	}
	return sized(into, 8, func(v []byte) { b.Append(int64(order.Uint64(v))) })
}

func pgTextReader(b *array.StringBuilder) func([]byte) string {
	return func(v []byte) string {
		if !utf8.Valid(v) {
			b.AppendNull()
			return reasonUTF8
		}
		b.BinaryBuilder.Append(v)
		return ""
	}
}

// pgDays reads a date as days since 1970.
func pgDays(v []byte) (int32, string) {
	if len(v) != 4 {
		return 0, reasonSize
	}
	days := int32(order.Uint32(v))
	if days == math.MaxInt32 || days == math.MinInt32 {
		return 0, reasonInfinite
	}
	return days + pgEpochDays, ""
}

// pgMicros reads a timestamp as microseconds since 1970.
func pgMicros(v []byte) (int64, string) {
	if len(v) != 8 {
		return 0, reasonSize
	}
	micros := int64(order.Uint64(v))
	switch {
	case micros == math.MaxInt64 || micros == math.MinInt64:
		return 0, reasonInfinite
	case micros > math.MaxInt64-pgEpochMicros:
		return 0, "the time is too far in the future"
	}
	return micros + pgEpochMicros, ""
}

// pgListReader reads one-dimensional arrays: dimensions, a flag, the element type, size
// and lower bound, then the elements like cells.
func pgListReader(list *array.ListBuilder, elem pgColumnReader) pgColumnReader {
	add := func(v []byte) string {
		if len(v) < 12 {
			list.AppendNull()
			return reasonSize
		}
		switch dims := order.Uint32(v); {
		case dims == 0:
			list.Append(true)
			return ""
		case dims > 1:
			list.AppendNull()
			return fmt.Sprintf("the array has %d dimensions; read the column as text with as_text", dims)
		case len(v) < 20:
			list.AppendNull()
			return reasonSize
		}
		count, rest := int(order.Uint32(v[12:])), v[20:]
		list.Append(true)
		first := ""
		for range count {
			var reason string
			if rest, reason = pgElement(elem, rest); reason != "" && first == "" {
				first = reason
			}
			if rest == nil {
				break
			}
		}
		return first
	}
	return pgColumnReader{add: add, null: list.AppendNull}
}

// pgElement reads the next element and returns what follows it; nil when v is too short.
func pgElement(elem pgColumnReader, v []byte) ([]byte, string) {
	if len(v) < 4 {
		return nil, reasonSize
	}
	size, rest := int(int32(order.Uint32(v))), v[4:]
	switch {
	case size < 0:
		elem.null()
		return rest, ""
	case size > len(rest):
		return nil, reasonSize
	}
	return rest[size:], elem.add(rest[:size:size])
}

func uuidText(text *[36]byte, v []byte) []byte {
	hex.Encode(text[:8], v[:4])
	hex.Encode(text[9:13], v[4:6])
	hex.Encode(text[14:18], v[6:8])
	hex.Encode(text[19:23], v[8:10])
	hex.Encode(text[24:], v[10:])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return text[:]
}

// pgPosition writes a cell as text that PostgreSQL reads back as the same value; false
// when the form has none.
func pgPosition(c column, v []byte) (string, bool) {
	if size := pgSize(c.form); size > 0 && len(v) != size {
		return "", false
	}
	switch c.form {
	case pgInt2:
		return strconv.Itoa(int(int16(order.Uint16(v)))), true
	case pgInt4:
		return strconv.Itoa(int(int32(order.Uint32(v)))), true
	case pgInt8:
		return strconv.FormatInt(int64(order.Uint64(v)), 10), true
	case pgOID:
		return strconv.FormatUint(uint64(order.Uint32(v)), 10), true
	case pgFloat4:
		return strconv.FormatFloat(float64(math.Float32frombits(order.Uint32(v))), 'g', -1, 32), true
	case pgFloat8:
		return strconv.FormatFloat(math.Float64frombits(order.Uint64(v)), 'g', -1, 64), true
	case pgBool:
		return strconv.FormatBool(v[0] != 0), true
	case pgBytes:
		return `\x` + hex.EncodeToString(v), true
	case pgUUID:
		var text [36]byte
		return string(uuidText(&text, v)), true
	case pgDate:
		days, reason := pgDays(v)
		return time.Unix(int64(days)*86400, 0).UTC().Format("2006-01-02"), reason == ""
	case pgTimestamp, pgInstant:
		micros, reason := pgMicros(v)
		text := time.UnixMicro(micros).UTC().Format("2006-01-02 15:04:05.999999")
		if c.form == pgInstant {
			text += "+00"
		}
		return text, reason == ""
	case pgNumeric, pgMoney:
		return pgNumericText(v)
	case pgArray, pgJSONB:
		return "", false
	}
	return string(v), true
}

// pgSize is the size of a form's cells in bytes; 0 when it varies.
func pgSize(form string) int {
	switch form {
	case pgBool:
		return 1
	case pgInt2:
		return 2
	case pgInt4, pgOID, pgFloat4, pgDate:
		return 4
	case pgInt8, pgFloat8, pgTimestamp, pgInstant:
		return 8
	case pgUUID:
		return 16
	}
	return 0
}

// pgDisplay writes a cell that could not be kept, for the rejected record.
func pgDisplay(c column, v []byte) string {
	switch c.form {
	case pgText, formText, pgJSONB:
		return string([]rune(string(v)))
	}
	if text, ok := pgPosition(c, v); ok {
		return text
	}
	if sign, ok := infiniteSign(v); ok {
		return sign
	}
	return `\x` + hex.EncodeToString(v)
}

// infiniteSign names an infinite date or timestamp.
func infiniteSign(v []byte) (string, bool) {
	if len(v) != 4 && len(v) != 8 {
		return "", false
	}
	if v[0] == 0x80 {
		return "-infinity", true
	}
	return "infinity", true
}
