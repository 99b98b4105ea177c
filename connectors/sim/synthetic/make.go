package synthetic

import (
	"encoding/binary"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// maker builds batches of a stream.
type maker struct {
	seed    uint64
	stream  int
	columns []column
	schema  *arrow.Schema
	words   []uint64
	texts   []*texts // by column, nil for those that are no text
}

func newMaker(o Options, stream int, columns []column) *maker {
	m := &maker{seed: o.Seed, stream: stream, columns: columns, schema: schemaOf(columns), words: make([]uint64, 1024)}
	// A word is eight letters, four syllables of two.
	const consonants, vowels = "bdfghklmnprstvjz", "aeio"
	for i := range m.words {
		var b [8]byte
		for s := range 4 {
			at := i >> (2 * s)
			b[2*s], b[2*s+1] = consonants[(at*7+s*5)&15], vowels[(at+s)&3]
		}
		m.words[i] = binary.LittleEndian.Uint64(b[:])
	}
	m.texts = make([]*texts, len(columns))
	for i, c := range columns {
		if c.kind == kindText {
			m.texts[i] = newTexts(m.words, o.Seed+uint64(stream)<<32+nameHash(c.field.Name), int(o.Batch))
		}
	}
	return m
}

// nameHash makes values depend on the column, not on which others were asked for.
func nameHash(name string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return h
}

// batch builds the rows a walker has found.
func (m *maker) batch(w *walker) arrow.RecordBatch {
	hashes := make([]uint64, len(w.ids))
	for i, id := range w.ids {
		hashes[i] = rowHash(m.seed, m.stream, id, w.versions[i])
	}
	arrays := make([]arrow.Array, len(m.columns))
	for i, c := range m.columns {
		data := m.column(i, c, w, hashes)
		arrays[i] = array.MakeFromData(data)
		data.Release()
	}
	batch := array.NewRecordBatch(m.schema, arrays, int64(len(w.ids)))
	for _, a := range arrays {
		a.Release()
	}
	return batch
}

func (m *maker) column(n int, c column, w *walker, hashes []uint64) arrow.ArrayData {
	rows := len(hashes)
	turn := int(nameHash(c.field.Name) % 64)
	switch c.kind {
	case kindID, kindExtra:
		return fixed(c.field.Type, rows, arrow.Int64Traits.CastToBytes(w.ids))
	case kindVersion:
		return fixed(c.field.Type, rows, arrow.Int64Traits.CastToBytes(w.versions))
	case kindStamp:
		return fixed(c.field.Type, rows, arrow.Int64Traits.CastToBytes(w.stamps))
	case kindDeleted:
		return fixed(c.field.Type, rows, flags(rows, w.gone))
	case kindBool:
		return fixed(c.field.Type, rows, hashBits(hashes, turn))
	case kindText:
		return m.texts[n].column(w)
	case kindChecksum, kindInt, kindNarrow, kindFloat, kindMoment:
		return numbers(c, hashes, turn)
	}
	return m.personal(c.kind, hashes, turn)
}

// turned mixes a row's hash for one column.
func turned(h uint64, turn int) uint64 { return (h<<turn | h>>(64-turn)) * 0x9e3779b97f4a7c15 }

// numbers is a column of numbers; the loops are written out because they are the speed of
// the connector.
func numbers(c column, hashes []uint64, turn int) arrow.ArrayData {
	values := make([]int64, len(hashes))
	switch c.kind {
	case kindChecksum:
		for i, h := range hashes {
			values[i] = int64(h >> 33)
		}
	case kindInt:
		for i, h := range hashes {
			values[i] = int64(turned(h, turn) >> 20)
		}
	case kindMoment:
		for i, h := range hashes {
			values[i] = beginMicros - int64(turned(h, turn)>>20)
		}
	case kindFloat:
		ratios := make([]float64, len(hashes))
		for i, h := range hashes {
			ratios[i] = float64(turned(h, turn)>>12) / (1 << 40)
		}
		return fixed(c.field.Type, len(hashes), arrow.Float64Traits.CastToBytes(ratios))
	default:
		narrow := make([]int32, len(hashes))
		for i, h := range hashes {
			narrow[i] = int32(turned(h, turn) >> 40)
		}
		return fixed(c.field.Type, len(hashes), arrow.Int32Traits.CastToBytes(narrow))
	}
	return fixed(c.field.Type, len(hashes), arrow.Int64Traits.CastToBytes(values))
}

func flags(rows int, set []bool) []byte {
	b := make([]byte, (rows+7)/8)
	for i, on := range set {
		if on {
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

// personal is a column of made-up personal data.
func (m *maker) personal(k kind, hashes []uint64, turn int) arrow.ArrayData {
	offsets, data := make([]int32, 1, len(hashes)+1), make([]byte, 0, len(hashes)*34)
	for _, h := range hashes {
		data = m.appendPersonal(data, k, turned(h, turn))
		offsets = append(offsets, int32(len(data)))
	}
	return array.NewData(arrow.BinaryTypes.String, len(hashes), []*memory.Buffer{
		nil, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(offsets)), memory.NewBufferBytes(data),
	}, nil, 0, 0)
}

func (m *maker) appendPersonal(b []byte, k kind, t uint64) []byte {
	switch k {
	case kindEmail:
		b = append(binary.LittleEndian.AppendUint64(b, m.words[t&1023]), '.')
		return append(binary.LittleEndian.AppendUint64(b, m.words[t>>10&1023]), "@mail.example.com"...)
	case kindPhone:
		b = append(b, "+35845730"...)
		for range 5 {
			b, t = append(b, '0'+byte(t%10)), t/10
		}
		return b
	case kindCity:
		return binary.LittleEndian.AppendUint64(b, m.words[t&63])[:len(b)+6]
	}
	return binary.LittleEndian.AppendUint64(b, m.words[t&1023])[:len(b)+6+int(t>>60%3)]
}

// texts is a table of texts that a text column takes its values from: the one of a row
// stands at id + 977*(version-1), modulo the table's length. Neighbouring rows are
// neighbours in the table, so that a batch of them is a piece of it and nothing is copied.
type texts struct {
	data, valid []byte
	all         arrow.ArrayData
	cut         *memory.Buffer // offsets of a batch that is put together
}

const (
	textBytes  = 16 // of a value
	textLength = 1 << 16
)

// newTexts makes the table; about one in sixteen is null. It goes on for a batch behind
// its length, so that a batch never has to wrap.
func newTexts(words []uint64, seed uint64, batch int) *texts {
	n := textLength + batch
	t := &texts{data: make([]byte, n*textBytes), valid: make([]byte, (n+7)/8)}
	offsets := make([]int32, n+1)
	for i := range n {
		h := rowHash(seed, 0, int64(i%textLength), 0)
		binary.LittleEndian.PutUint64(t.data[i*textBytes:], words[h>>54])
		binary.LittleEndian.PutUint64(t.data[i*textBytes+8:], words[h>>44&1023])
		if h>>40&15 != 0 {
			t.valid[i>>3] |= 1 << (i & 7)
		}
		offsets[i+1] = int32(i+1) * textBytes
	}
	t.cut = memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(offsets))
	t.all = array.NewData(arrow.BinaryTypes.String, n, []*memory.Buffer{
		memory.NewBufferBytes(t.valid), t.cut, memory.NewBufferBytes(t.data),
	}, nil, array.UnknownNullCount, 0)
	return t
}

// column gives the texts of the rows a walker has found.
func (t *texts) column(w *walker) arrow.ArrayData {
	rows := len(w.ids)
	if w.neighbours() {
		at := w.ids[0] % textLength
		return array.NewSliceData(t.all, at, at+int64(rows))
	}
	data, valid := make([]byte, rows*textBytes), make([]byte, (rows+7)/8)
	nulls := 0
	for i, id := range w.ids {
		at := int(id+977*(w.versions[i]-1)) & (textLength - 1)
		copy(data[i*textBytes:(i+1)*textBytes], t.data[at*textBytes:])
		there := t.valid[at>>3] >> (at & 7) & 1
		valid[i>>3] |= there << (i & 7)
		nulls += int(1 - there)
	}
	return array.NewData(arrow.BinaryTypes.String, rows,
		[]*memory.Buffer{memory.NewBufferBytes(valid), t.cut, memory.NewBufferBytes(data)}, nil, nulls, 0)
}

// neighbours reports whether the rows are those of consecutive ids as they were born.
func (w *walker) neighbours() bool {
	n := len(w.ids)
	return w.at.day == 0 && n > 0 && w.ids[n-1]-w.ids[0] == int64(n-1)
}
