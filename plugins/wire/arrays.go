package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// MaxRows is the largest number of rows in one frame; senders cut longer batches.
const MaxRows = 1 << 20

// loader makes the arrays of one record batch out of a body, in the depth-first order of
// Arrow IPC. Buffers must follow one another without overlap, so what comes out is
// never larger than what came in.
type loader struct {
	nodes, buffers []byte
	body           []byte
	end            int64 // of the last buffer taken
}

// loadBatch makes the record batch of a verified header. The arrays share body, which
// must be aligned to 8 bytes and never change again.
func loadBatch(schema *arrow.Schema, h batchHeader, body []byte) (rec arrow.RecordBatch, err error) {
	defer func() {
		if p := recover(); p != nil {
			rec, err = nil, fmt.Errorf("make arrays: %v", p)
		}
	}()
	if h.rows < 0 || h.rows > MaxRows {
		return nil, fmt.Errorf("a frame of %d rows is over the limit of %d", h.rows, MaxRows)
	}
	l := &loader{nodes: h.nodes, buffers: h.buffers, body: body}
	cols := make([]arrow.Array, 0, schema.NumFields())
	defer func() {
		for _, c := range cols {
			c.Release()
		}
	}()
	for _, f := range schema.Fields() {
		data, err := l.load(f.Type, h.rows)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", f.Name, err)
		}
		cols = append(cols, array.MakeFromData(data))
		data.Release()
	}
	if len(l.nodes) != 0 || len(l.buffers) != 0 {
		return nil, errors.New("the header describes more columns than the schema")
	}
	return array.NewRecordBatch(schema, cols, h.rows), nil
}

// load makes one array of exactly want elements.
func (l *loader) load(t arrow.DataType, want int64) (*array.Data, error) {
	if ext, ok := t.(arrow.ExtensionType); ok {
		s, err := l.load(ext.StorageType(), want)
		if err != nil {
			return nil, err
		}
		defer s.Release()
		return array.NewData(t, s.Len(), s.Buffers(), s.Children(), s.NullN(), 0), nil
	}
	n, err := l.node()
	if err != nil {
		return nil, err
	}
	if n != want {
		return nil, fmt.Errorf("%d elements where %d are due", n, want)
	}
	return l.loadNode(t, n)
}

func (l *loader) loadNode(t arrow.DataType, n int64) (*array.Data, error) {
	if t.ID() == arrow.NULL {
		return array.NewData(t, int(n), []*memory.Buffer{nil}, nil, int(n), 0), nil
	}
	bitmap, nulls, err := l.validity(n)
	if err != nil {
		return nil, err
	}
	bufs, children := []*memory.Buffer{bitmap}, []arrow.ArrayData(nil)
	defer func() {
		for _, c := range children {
			c.Release()
		}
	}()
	switch t := t.(type) {
	case *arrow.StringType, *arrow.BinaryType, *arrow.LargeStringType, *arrow.LargeBinaryType:
		var values []*memory.Buffer
		values, err = l.binary(t, n)
		bufs = append(bufs, values...)
	case *arrow.ListType, *arrow.LargeListType, *arrow.MapType:
		var offsets *memory.Buffer
		offsets, children, err = l.list(t.(arrow.ListLikeType), n)
		bufs = append(bufs, offsets)
	case *arrow.FixedSizeListType:
		children, err = l.children([]arrow.Field{t.ElemField()}, n*int64(t.Len()))
	case *arrow.StructType:
		children, err = l.children(t.Fields(), n)
	case arrow.FixedWidthDataType:
		var values *memory.Buffer
		values, err = l.fixed(n, int64(t.BitWidth()))
		bufs = append(bufs, values)
	default:
		err = fmt.Errorf("type %s cannot cross the border", t)
	}
	if err != nil {
		return nil, err
	}
	return array.NewData(t, int(n), bufs, children, nulls, 0), nil
}

// children makes arrays of n elements each.
func (l *loader) children(fields []arrow.Field, n int64) ([]arrow.ArrayData, error) {
	if n > math.MaxInt32 {
		return nil, fmt.Errorf("%d elements are too many for one frame", n)
	}
	var out []arrow.ArrayData
	for _, f := range fields {
		c, err := l.load(f.Type, n)
		if err != nil {
			return out, fmt.Errorf("%s: %w", f.Name, err)
		}
		out = append(out, c)
	}
	return out, nil
}

func (l *loader) fixed(n, bits int64) (*memory.Buffer, error) {
	b, err := l.buffer()
	if err != nil {
		return nil, err
	}
	if need := (n*bits + 7) / 8; int64(len(b)) < need {
		return nil, fmt.Errorf("%d bytes where %d are due", len(b), need)
	}
	return memory.NewBufferBytes(b), nil
}

func (l *loader) binary(t arrow.DataType, n int64) ([]*memory.Buffer, error) {
	offsets, err := l.buffer()
	if err != nil {
		return nil, err
	}
	data, err := l.buffer()
	if err != nil {
		return nil, err
	}
	text := t.ID() == arrow.STRING || t.ID() == arrow.LARGE_STRING
	if t.ID() == arrow.STRING || t.ID() == arrow.BINARY {
		offsets, _, err = checkOffsets(arrow.Int32Traits.CastFromBytes(offsets), offsets, n, int64(len(data)))
		if err == nil && text && !validText(arrow.Int32Traits.CastFromBytes(offsets)[:n+1], data) {
			err = errors.New("text is not UTF-8")
		}
	} else {
		offsets, _, err = checkOffsets(arrow.Int64Traits.CastFromBytes(offsets), offsets, n, int64(len(data)))
		if err == nil && text && !validText(arrow.Int64Traits.CastFromBytes(offsets)[:n+1], data) {
			err = errors.New("text is not UTF-8")
		}
	}
	return []*memory.Buffer{memory.NewBufferBytes(offsets), memory.NewBufferBytes(data)}, err
}

func (l *loader) list(t arrow.ListLikeType, n int64) (*memory.Buffer, []arrow.ArrayData, error) {
	raw, err := l.buffer()
	if err != nil {
		return nil, nil, err
	}
	var last int64
	if t.ID() == arrow.LARGE_LIST {
		raw, last, err = checkOffsets(arrow.Int64Traits.CastFromBytes(raw), raw, n, math.MaxInt32)
	} else {
		raw, last, err = checkOffsets(arrow.Int32Traits.CastFromBytes(raw), raw, n, math.MaxInt32)
	}
	if err != nil {
		return nil, nil, err
	}
	children, err := l.children([]arrow.Field{t.ElemField()}, last)
	if err == nil && t.ID() == arrow.MAP && children[0].(*array.Data).Children()[0].(*array.Data).NullN() > 0 {
		err = errors.New("a key of a map is null")
	}
	return memory.NewBufferBytes(raw), children, err
}

// checkOffsets proves that n elements lie in order within limit, and returns the bytes
// of the offsets and the end of the last element. An array of no elements may come
// without offsets; it gets a zero.
func checkOffsets[T int32 | int64](offsets []T, raw []byte, n, limit int64) ([]byte, int64, error) {
	if n == 0 {
		return make([]byte, 8), 0, nil
	}
	if int64(len(offsets)) < n+1 {
		return nil, 0, fmt.Errorf("%d offsets where %d are due", len(offsets), n+1)
	}
	offsets = offsets[:n+1]
	last := offsets[0]
	rising := last >= 0
	for _, o := range offsets {
		rising = rising && o >= last
		last = o
	}
	if !rising || int64(last) > limit {
		return nil, 0, errors.New("offsets are out of order or point outside the values")
	}
	return raw, int64(last), nil
}

// validText reports whether every value is UTF-8: the whole is, and no value begins in
// the middle of a character.
func validText[T int32 | int64](offsets []T, data []byte) bool {
	first, last := offsets[0], offsets[len(offsets)-1]
	data = data[:last]
	if !utf8.Valid(data[first:]) {
		return false
	}
	for _, o := range offsets {
		if o < last && data[o]&0xC0 == 0x80 {
			return false
		}
	}
	return true
}

// validity gives the bitmap, nil when all elements are valid, and the number of nulls.
func (l *loader) validity(n int64) (*memory.Buffer, int, error) {
	b, err := l.buffer()
	if err != nil || len(b) == 0 || n == 0 {
		return nil, 0, err
	}
	if int64(len(b)) < (n+7)/8 {
		return nil, 0, fmt.Errorf("a validity map of %d bytes for %d elements", len(b), n)
	}
	nulls := int(n) - bitutil.CountSetBits(b, 0, int(n))
	return memory.NewBufferBytes(b), nulls, nil
}

// node takes the next field node and gives its length. The null count in it is not
// used: it is counted.
func (l *loader) node() (int64, error) {
	if len(l.nodes) < 16 {
		return 0, errors.New("the header describes fewer columns than the schema")
	}
	n := int64(binary.LittleEndian.Uint64(l.nodes))
	l.nodes = l.nodes[16:]
	return n, nil
}

// buffer takes the next buffer out of the body.
func (l *loader) buffer() ([]byte, error) {
	if len(l.buffers) < 16 {
		return nil, errors.New("the header describes fewer buffers than the schema")
	}
	off := int64(binary.LittleEndian.Uint64(l.buffers))
	size := int64(binary.LittleEndian.Uint64(l.buffers[8:]))
	l.buffers = l.buffers[16:]
	total := int64(len(l.body))
	switch {
	case size == 0:
		return nil, nil
	case off < l.end || off%8 != 0 || size < 0 || off > total || size > total-off:
		return nil, fmt.Errorf("a buffer at %d of %d bytes does not fit a body of %d", off, size, total)
	}
	l.end = off + size
	return l.body[off:l.end:l.end], nil
}
