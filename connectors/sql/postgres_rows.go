package sql

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// pgRows decodes the binary form of COPY, which arrives in pieces through Write, into a
// batcher: a header, then for each row a count and that many cells, each with its length;
// a count of -1 ends.
type pgRows struct {
	b       *batcher
	columns []pgColumnReader
	// rest holds an incomplete header or row.
	rest  []byte
	began bool
	ended bool
	cells [][]byte // of the current row; nil is null
}

// pgColumnReader is how cells of one column are read.
type pgColumnReader struct {
	// add appends a cell, which is not null, to the column's builder. Where it cannot, it
	// appends null and returns why.
	add func(cell []byte) (reason string)
	// null appends null.
	null func()
}

var pgSignature = []byte("PGCOPY\n\xff\r\n\x00")

func newPgRows(b *batcher, infiniteAsNull bool) *pgRows {
	r := &pgRows{b: b, cells: make([][]byte, len(b.columns))}
	for i, c := range b.columns {
		r.columns = append(r.columns, pgReader(c, b.builder.Field(i), infiniteAsNull))
	}
	return r
}

// Write takes the next piece of the stream.
func (r *pgRows) Write(p []byte) (int, error) {
	data := p
	if len(r.rest) > 0 {
		r.rest = append(r.rest, p...)
		data = r.rest
	}
	used, err := r.consume(data)
	if err != nil {
		return 0, err
	}
	r.rest = append(r.rest[:0], data[used:]...)
	return len(p), nil
}

// consume decodes all complete parts of data and returns their size.
func (r *pgRows) consume(data []byte) (int, error) {
	used := 0
	if !r.began {
		n, err := headerSize(data)
		if err != nil || n == 0 {
			return 0, err
		}
		r.began, used = true, n
	}
	for !r.ended {
		n, err := r.split(data[used:])
		if err != nil || n == 0 {
			return used, err
		}
		used += n
		if r.ended {
			break
		}
		if err := r.addRow(n); err != nil {
			return used, err
		}
	}
	return used, nil
}

// headerSize is the size of the header, or 0 while it is incomplete.
func headerSize(data []byte) (int, error) {
	const fixed = 19
	if len(data) < fixed {
		return 0, nil
	}
	if !bytes.HasPrefix(data, pgSignature) {
		return 0, errors.New("the server's answer is not a binary copy")
	}
	n := fixed + int(binary.BigEndian.Uint32(data[15:]))
	if n > len(data) {
		return 0, nil
	}
	return n, nil
}

// split finds the cells of the next row and returns its size, or 0 while it is incomplete.
func (r *pgRows) split(data []byte) (int, error) {
	if len(data) < 2 {
		return 0, nil
	}
	count := int16(binary.BigEndian.Uint16(data))
	if count == -1 {
		r.ended = true
		return 2, nil
	}
	if int(count) != len(r.cells) {
		return 0, fmt.Errorf("the server sent a row of %d cells for %d columns", count, len(r.cells))
	}
	pos := 2
	for i := range r.cells {
		if len(data) < pos+4 {
			return 0, nil
		}
		size := int(int32(binary.BigEndian.Uint32(data[pos:])))
		pos += 4
		if size < 0 {
			r.cells[i] = nil
			continue
		}
		if len(data) < pos+size {
			return 0, nil
		}
		r.cells[i] = data[pos : pos+size : pos+size]
		pos += size
	}
	return pos, nil
}

// addRow appends the cells to the builders.
func (r *pgRows) addRow(size int) error {
	if r.b.keep != nil && !r.b.keep(r.at, r.sum) {
		return nil
	}
	for i := range r.columns {
		c := &r.columns[i]
		cell := r.cells[i]
		if cell == nil {
			c.null()
			continue
		}
		if reason := c.add(cell); reason != "" {
			r.b.reject(i, pgDisplay(r.b.columns[i], cell), reason)
		}
	}
	return r.b.endRow(size)
}

// sum hashes the current row.
func (r *pgRows) sum() uint64 {
	var h rowHash
	for _, cell := range r.cells {
		if cell == nil {
			h.cell("n", nil)
			continue
		}
		h.cell("v", cell)
	}
	return h.h.Sum64()
}

// at gives the position of a column's value in the current row.
func (r *pgRows) at(col int) (string, bool) {
	cell := r.cells[col]
	if cell == nil {
		return "", false
	}
	return pgPosition(r.b.columns[col], cell)
}
