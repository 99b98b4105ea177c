package kernel

import (
	"math/bits"

	"github.com/unsilo/unsilo/transforms/identity/frame"
)

// recordSlot is the place of the record's number in a row.
const recordSlot = 0

// A table holds, record by record, the number of the record and its first code in each
// column that comparisons read or weigh by: one place in memory for each record.
type table struct {
	comparisons []*Comparison
	columns     []*frame.Column
	// terms weigh the levels of each comparison.
	terms [][]termSlot
	width int
	cells []int32
}

// A termSlot is what weighs a level, if anything does, and the place of its column in rows.
type termSlot struct {
	term *Term
	slot int
}

// newTable makes a table of the records, the rows of which lie at their places.
func newTable(comparisons []*Comparison, places []int32) *table {
	t := &table{comparisons: comparisons}
	t.levels() // finds the columns
	for _, c := range comparisons {
		slots := make([]termSlot, len(c.Levels))
		for i, l := range c.Levels {
			if l.Term != nil {
				slots[i] = termSlot{l.Term, t.slot(l.Term.Column)}
			}
		}
		t.terms = append(t.terms, slots)
	}
	t.width = 1 + len(t.columns)
	t.cells = make([]int32, len(places)*t.width)
	for r, place := range places { // by record: so columns are read from end to end
		row := t.row(place)
		row[recordSlot] = int32(r)
		for i, c := range t.columns {
			row[1+i] = c.First(int32(r))
		}
	}
	return t
}

func (t *table) row(place int32) []int32 {
	return t.cells[int(place)*t.width:][:t.width]
}

// slot gives the place of a column in rows, the next one when it has none yet.
func (t *table) slot(c *frame.Column) int {
	for i, known := range t.columns {
		if known == c {
			return 1 + i
		}
	}
	t.columns = append(t.columns, c)
	return len(t.columns)
}

// levels makes the functions that one worker compares with.
func (t *table) levels() []batchLevel {
	out := make([]batchLevel, len(t.comparisons))
	for i, c := range t.comparisons {
		if c.batch != nil {
			out[i] = c.batch(t.slot)
			continue
		}
		out[i] = func(b *batch, out []int8) {
			records := b.columns[recordSlot]
			for k := range out {
				out[k] = c.Level(records[b.a[k]], records[b.b[k]])
			}
		}
	}
	return out
}

// batchByCode is byCode over batches; nil for a column of several values, of which a table
// has only the first.
func batchByCode(c *frame.Column, level func(x, y int32) int8) func(func(*frame.Column) int) batchLevel {
	if c.Start != nil {
		return nil
	}
	return func(slot func(*frame.Column) int) batchLevel {
		i := slot(c)
		memo := newMemo(c, level)
		return func(b *batch, out []int8) {
			codes := b.columns[i]
			for _, k := range b.differing(codes, out) {
				out[k] = memo.level(codes[b.a[k]], codes[b.b[k]])
			}
		}
	}
}

const (
	// memoBits is the size of a memory of code pairs: small enough for a processor's cache.
	memoBits = 11
	// codeBits is the length of codes that fit into an entry.
	codeBits = 28
)

// A memo keeps the levels of the pairs of different codes that were asked for last: the
// values of a block repeat. It is for one worker.
type memo struct {
	of      func(x, y int32) int8
	entries []uint64
	shift   int
}

func newMemo(c *frame.Column, level func(x, y int32) int8) *memo {
	n := c.Values.Len()
	if n > 1<<codeBits || n == 0 {
		return &memo{of: level}
	}
	size := min(memoBits, 2*bits.Len(uint(n)))
	return &memo{level, make([]uint64, 1<<size), 64 - size}
}

func (m *memo) level(x, y int32) int8 {
	if m.entries == nil {
		return m.of(x, y)
	}
	key := uint64(x)<<codeBits | uint64(y)
	e := &m.entries[key*0x9E3779B97F4A7C15>>m.shift]
	if *e>>8 == key { // never 0, since the codes differ
		return int8(uint8(*e)) - 1
	}
	l := m.of(x, y)
	*e = key<<8 | uint64(uint8(l+1))
	return l
}
