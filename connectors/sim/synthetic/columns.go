package synthetic

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
)

// kind is how a column is made.
type kind uint8

const (
	kindID kind = iota
	kindVersion
	kindStamp
	kindChecksum
	kindDeleted
	kindInt
	kindNarrow // int32
	kindFloat
	kindText
	kindBool
	kindMoment
	kindGiven
	kindFamily
	kindEmail
	kindPhone
	kindCity
	kindExtra
)

type column struct {
	field arrow.Field
	kind  kind
}

func moments() arrow.DataType { return &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"} }

// columns gives the columns of a stream. Those behind the declared ones appear when
// drifted.
func (o Options) columns(drifted bool) []column {
	list := []column{
		{arrow.Field{Name: "id", Type: arrow.PrimitiveTypes.Int64}, kindID},
		{arrow.Field{Name: "version", Type: arrow.PrimitiveTypes.Int64}, kindVersion},
		{core.WithMeans(arrow.Field{Name: "updated_at", Type: moments()}, core.EventTime), kindStamp},
		{arrow.Field{Name: "checksum", Type: arrow.PrimitiveTypes.Int64}, kindChecksum},
	}
	if o.Deletes == core.DeleteFlag {
		list = append(list, column{arrow.Field{Name: "deleted", Type: arrow.FixedWidthTypes.Boolean}, kindDeleted})
	}
	cycle := map[string][]kind{
		"mixed": {kindInt, kindFloat, kindText, kindBool, kindMoment, kindText}, "numbers": {kindInt, kindFloat},
		"text": {kindText}, "person": {kindGiven, kindFamily, kindEmail, kindPhone, kindCity, kindInt},
	}[o.Profile]
	for n := 0; int64(len(list)) < o.Columns; n++ {
		list = append(list, o.further(cycle[n%len(cycle)], n+1, drifted))
	}
	if o.Drift == "add" && drifted {
		list = append(list, column{arrow.Field{Name: "extra", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, kindExtra})
	}
	return list
}

// further is the n-th column that only fills the row.
func (o Options) further(k kind, n int, drifted bool) column {
	if k == kindInt && n == 1 && o.Drift == "widen" && !drifted {
		k = kindNarrow
	}
	names := map[kind]string{kindInt: "number", kindNarrow: "number", kindFloat: "ratio", kindText: "text", kindBool: "flag",
		kindMoment: "moment", kindGiven: "given", kindFamily: "family", kindEmail: "email", kindPhone: "phone", kindCity: "city"}
	types := map[kind]arrow.DataType{kindInt: arrow.PrimitiveTypes.Int64, kindNarrow: arrow.PrimitiveTypes.Int32,
		kindFloat: arrow.PrimitiveTypes.Float64, kindBool: arrow.FixedWidthTypes.Boolean, kindMoment: moments()}
	means := map[kind]core.Means{kindGiven: core.PersonNameGiven, kindFamily: core.PersonNameFamily,
		kindEmail: core.PersonEmail, kindPhone: core.PersonPhone, kindCity: core.AddressCity}
	f := arrow.Field{Name: fmt.Sprintf("%s_%d", names[k], n), Type: types[k], Nullable: true}
	if f.Type == nil {
		f.Type = arrow.BinaryTypes.String
	}
	return column{core.WithMeans(f, means[k]), k}
}

func schemaOf(columns []column) *arrow.Schema {
	fields := make([]arrow.Field, len(columns))
	for i, c := range columns {
		fields[i] = c.field
	}
	return arrow.NewSchema(fields, nil)
}

// narrowed keeps the columns asked for, and the key.
func narrowed(columns []column, ask []string) []column {
	if len(ask) == 0 {
		return columns
	}
	var list []column
	for _, c := range columns {
		if c.kind == kindID || slices.Contains(ask, c.field.Name) {
			list = append(list, c)
		}
	}
	return list
}

// maker builds batches of a stream. Text columns of a batch size share their offsets.
type maker struct {
	seed    uint64
	stream  int
	columns []column
	schema  *arrow.Schema
	offsets *memory.Buffer
	words   []uint64
}

func newMaker(o Options, stream int, columns []column) *maker {
	m := &maker{seed: o.Seed, stream: stream, columns: columns, schema: schemaOf(columns), words: make([]uint64, 1024)}
	// A word is eight letters, two syllables of four.
	const consonants, vowels = "bdfghklmnprstvjz", "aeio"
	for i := range m.words {
		var b [8]byte
		for s := range 4 {
			at := i >> (2 * s)
			b[2*s], b[2*s+1] = consonants[(at*7+s*5)&15], vowels[(at+s)&3]
		}
		m.words[i] = binary.LittleEndian.Uint64(b[:])
	}
	offsets := make([]int32, o.Batch+1)
	for i := range offsets {
		offsets[i] = int32(i) * textBytes
	}
	m.offsets = memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(offsets))
	return m
}

// textBytes is the length of a value of a text column.
const textBytes = 16

// batch builds the rows a walker has found.
func (m *maker) batch(w *walker) arrow.RecordBatch {
	hashes := make([]uint64, len(w.ids))
	for i, id := range w.ids {
		hashes[i] = rowHash(m.seed, m.stream, id, w.versions[i])
	}
	arrays := make([]arrow.Array, len(m.columns))
	for i, c := range m.columns {
		data := m.column(c, uint64(i), w, hashes)
		arrays[i] = array.MakeFromData(data)
		data.Release()
	}
	batch := array.NewRecordBatch(m.schema, arrays, int64(len(w.ids)))
	for _, a := range arrays {
		a.Release()
	}
	return batch
}

func (m *maker) column(c column, n uint64, w *walker, hashes []uint64) arrow.ArrayData {
	rows := len(hashes)
	turn := int(n * 11 % 64)
	switch c.kind {
	case kindID, kindExtra:
		return fixed(c.field.Type, rows, arrow.Int64Traits.CastToBytes(w.ids))
	case kindVersion:
		return fixed(c.field.Type, rows, arrow.Int64Traits.CastToBytes(w.versions))
	case kindStamp:
		return fixed(c.field.Type, rows, arrow.Int64Traits.CastToBytes(w.stamps))
	case kindChecksum:
		return fixed(c.field.Type, rows, int64s(hashes, func(h uint64) int64 { return int64(h >> 33) }))
	case kindDeleted:
		return fixed(c.field.Type, rows, bits(rows, func(i int) bool { return i < len(w.gone) && w.gone[i] }))
	case kindInt:
		return fixed(c.field.Type, rows, int64s(hashes, func(h uint64) int64 { return int64(turned(h, turn) >> 20) }))
	case kindNarrow:
		values := make([]int32, rows)
		for i, h := range hashes {
			values[i] = int32(turned(h, turn) >> 40)
		}
		return fixed(c.field.Type, rows, arrow.Int32Traits.CastToBytes(values))
	case kindFloat:
		values := make([]float64, rows)
		for i, h := range hashes {
			values[i] = float64(turned(h, turn)>>12) / (1 << 40)
		}
		return fixed(c.field.Type, rows, arrow.Float64Traits.CastToBytes(values))
	case kindBool:
		return fixed(c.field.Type, rows, hashBits(hashes, turn))
	case kindMoment:
		return fixed(c.field.Type, rows, int64s(hashes, func(h uint64) int64 {
			return beginMicros - int64(turned(h, turn)>>20)
		}))
	case kindText:
		return m.text(rows, hashes, turn)
	}
	return m.personal(c.kind, hashes, turn)
}

// turned mixes a row's hash for one column.
func turned(h uint64, turn int) uint64 { return (h<<turn | h>>(64-turn)) * 0x9e3779b97f4a7c15 }

func int64s(hashes []uint64, value func(uint64) int64) []byte {
	values := make([]int64, len(hashes))
	for i, h := range hashes {
		values[i] = value(h)
	}
	return arrow.Int64Traits.CastToBytes(values)
}

func bits(rows int, set func(i int) bool) []byte {
	b := make([]byte, (rows+7)/8)
	for i := range rows {
		if set(i) {
			b[i/8] |= 1 << (i % 8)
		}
	}
	return b
}

func hashBits(hashes []uint64, turn int) []byte {
	b := make([]byte, (len(hashes)+7)/8)
	for i, h := range hashes {
		b[i>>3] |= byte(h>>turn&1) << (i & 7)
	}
	return b
}

func fixed(t arrow.DataType, rows int, values []byte) arrow.ArrayData {
	return array.NewData(t, rows, []*memory.Buffer{nil, memory.NewBufferBytes(values)}, nil, 0, 0)
}

// text is a column of two words a row; every sixteenth value or so is null.
func (m *maker) text(rows int, hashes []uint64, turn int) arrow.ArrayData {
	data, valid := make([]byte, rows*textBytes), make([]byte, (rows+7)/8)
	nulls := 0
	for i, h := range hashes {
		t := turned(h, turn)
		at := data[i*textBytes : i*textBytes+textBytes]
		binary.LittleEndian.PutUint64(at[:8], m.words[t>>54])
		binary.LittleEndian.PutUint64(at[8:], m.words[t>>44&1023])
		there := byte(1)
		if t>>40&15 == 0 {
			there, nulls = 0, nulls+1
		}
		valid[i>>3] |= there << (i & 7)
	}
	return array.NewData(arrow.BinaryTypes.String, rows,
		[]*memory.Buffer{memory.NewBufferBytes(valid), m.offsets, memory.NewBufferBytes(data)}, nil, nulls, 0)
}

// personal is a column of made-up personal data.
func (m *maker) personal(k kind, hashes []uint64, turn int) arrow.ArrayData {
	offsets, data := make([]int32, 1, len(hashes)+1), make([]byte, 0, len(hashes)*24)
	for _, h := range hashes {
		data = m.appendPersonal(data, k, turned(h, turn))
		offsets = append(offsets, int32(len(data)))
	}
	return array.NewData(arrow.BinaryTypes.String, len(hashes), []*memory.Buffer{
		nil, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(offsets)), memory.NewBufferBytes(data),
	}, nil, 0, 0)
}

func (m *maker) appendPersonal(b []byte, k kind, t uint64) []byte {
	word := func(n uint64) []byte { return binary.LittleEndian.AppendUint64(nil, m.words[n&1023]) }
	switch k {
	case kindEmail:
		b = append(append(append(b, word(t)...), '.'), word(t>>10)...)
		return append(b, "@mail.example.com"...)
	case kindPhone:
		return fmt.Appendf(b, "+35845730%05d", t%100000)
	case kindCity:
		b = append(b, word(t & 63)[:6]...)
	default:
		b = append(b, word(t)[:6+t>>60%3]...)
	}
	return b
}
