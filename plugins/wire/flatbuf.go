package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// What a RecordBatch message must say, from Arrow's Message.fbs.
const (
	metadataV5        = 4
	headerRecordBatch = 3
)

var errBounds = errors.New("a table points outside its message")

// batchHeader is an IPC message of a record batch, read with every offset checked.
type batchHeader struct {
	rows       int64
	bodyLength int64
	nodes      []byte // of 16 bytes: length, null count
	buffers    []byte // of 16 bytes: offset, length
}

// readBatchHeader reads the flatbuffer of one message. It follows three offsets and
// allocates nothing.
func readBatchHeader(b []byte) (batchHeader, error) {
	var h batchHeader
	msg, err := rootTable(b)
	if err != nil {
		return h, err
	}
	version, err1 := msg.number(0, 2)
	kind, err2 := msg.number(1, 1)
	length, err3 := msg.number(3, 8)
	batch, err4 := msg.table(2)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return h, err
	}
	if version != metadataV5 || kind != headerRecordBatch {
		return h, fmt.Errorf("message of version %d and kind %d is no record batch of version 5", version, kind)
	}
	rows, err1 := batch.number(0, 8)
	nodes, err2 := batch.vector(1, 16)
	buffers, err3 := batch.vector(2, 16)
	if err := errors.Join(err1, err2, err3); err != nil {
		return h, err
	}
	if batch.has(3) || batch.has(4) {
		return h, errors.New("compressed bodies and views cannot cross the border")
	}
	return batchHeader{rows: rows, bodyLength: length, nodes: nodes, buffers: buffers}, nil
}

// fbTable is one flatbuffer table whose own bytes are known to lie inside buf.
type fbTable struct {
	buf    []byte
	pos    int
	size   int
	vtable []byte
}

func rootTable(b []byte) (fbTable, error) {
	if len(b) < 8 || len(b) > math.MaxInt32 {
		return fbTable{}, errBounds
	}
	return openTable(b, int64(binary.LittleEndian.Uint32(b)))
}

func openTable(b []byte, pos int64) (fbTable, error) {
	size := int64(len(b))
	if pos < 0 || pos+4 > size {
		return fbTable{}, errBounds
	}
	vt := pos - int64(int32(binary.LittleEndian.Uint32(b[pos:])))
	if vt < 0 || vt+4 > size {
		return fbTable{}, errBounds
	}
	vtSize := int64(binary.LittleEndian.Uint16(b[vt:]))
	tableSize := int64(binary.LittleEndian.Uint16(b[vt+2:]))
	if vtSize < 4 || vt+vtSize > size || tableSize < 4 || pos+tableSize > size {
		return fbTable{}, errBounds
	}
	return fbTable{buf: b, pos: int(pos), size: int(tableSize), vtable: b[vt : vt+vtSize]}, nil
}

// offset of a field from the start of the table; 0 when it is absent.
func (t fbTable) offset(field int) int {
	at := 4 + 2*field
	if at+2 > len(t.vtable) {
		return 0
	}
	return int(binary.LittleEndian.Uint16(t.vtable[at:]))
}

func (t fbTable) has(field int) bool { return t.offset(field) != 0 }

// bytes of a field of fixed width; nil when it is absent.
func (t fbTable) bytes(field, width int) ([]byte, error) {
	off := t.offset(field)
	switch {
	case off == 0:
		return nil, nil
	case off < 4 || off+width > t.size:
		return nil, errBounds
	}
	return t.buf[t.pos+off : t.pos+off+width], nil
}

// number of 1, 2 or 8 bytes; an absent one is 0.
func (t fbTable) number(field, width int) (int64, error) {
	b, err := t.bytes(field, width)
	switch {
	case err != nil || b == nil:
		return 0, err
	case width == 1:
		return int64(b[0]), nil
	case width == 2:
		return int64(int16(binary.LittleEndian.Uint16(b))), nil
	}
	return int64(binary.LittleEndian.Uint64(b)), nil
}

// target follows the offset in a field.
func (t fbTable) target(field int) (int64, bool, error) {
	b, err := t.bytes(field, 4)
	if err != nil || b == nil {
		return 0, false, err
	}
	return int64(t.pos+t.offset(field)) + int64(binary.LittleEndian.Uint32(b)), true, nil
}

func (t fbTable) table(field int) (fbTable, error) {
	pos, ok, err := t.target(field)
	if err != nil {
		return fbTable{}, err
	}
	if !ok {
		return fbTable{}, errors.New("a table is missing")
	}
	return openTable(t.buf, pos)
}

// vector gives the bytes of a vector of structs; nil when it is absent.
func (t fbTable) vector(field, width int) ([]byte, error) {
	pos, ok, err := t.target(field)
	if err != nil || !ok {
		return nil, err
	}
	size := int64(len(t.buf))
	if pos+4 > size {
		return nil, errBounds
	}
	n := int64(binary.LittleEndian.Uint32(t.buf[pos:]))
	end := pos + 4 + n*int64(width)
	if end > size {
		return nil, errBounds
	}
	return t.buf[pos+4 : end], nil
}
