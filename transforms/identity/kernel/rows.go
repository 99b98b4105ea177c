package kernel

import (
	"math/bits"

	"github.com/unsilo/unsilo/transforms/identity/frame"
)

// A rowLevel compares two rows of a table.
type rowLevel func(a, b []int32) int8

// recordSlot is the place of the record's number in a row.
const recordSlot = 0

// A table holds, record by record, the number of the record and its first code in each
// column that comparisons read or weigh by: one place in memory for each record.
type table struct {
	comparisons []*Comparison
	columns     []*frame.Column
	// terms is the slot of the column by which a level of a comparison is weighed.
	terms [][]int
	width int
	cells []int32
}

func newTable(comparisons []*Comparison, n int) *table {
	t := &table{comparisons: comparisons}
	t.levels() // finds the columns
	for _, c := range comparisons {
		slots := make([]int, len(c.Levels))
		for i, l := range c.Levels {
			if l.Term != nil {
				slots[i] = t.slot(l.Term.Column)
			}
		}
		t.terms = append(t.terms, slots)
	}
	t.width = 1 + len(t.columns)
	t.cells = make([]int32, n*t.width)
	for r := range n {
		row := t.cells[r*t.width:][:t.width]
		row[recordSlot] = int32(r)
		for i, c := range t.columns {
			row[1+i] = c.First(int32(r))
		}
	}
	return t
}

func (t *table) row(record int32) []int32 {
	return t.cells[int(record)*t.width:][:t.width]
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
func (t *table) levels() []rowLevel {
	out := make([]rowLevel, len(t.comparisons))
	for i, c := range t.comparisons {
		if c.rows != nil {
			out[i] = c.rows(t.slot)
			continue
		}
		out[i] = func(a, b []int32) int8 { return c.Level(a[recordSlot], b[recordSlot]) }
	}
	return out
}

// rowsByCode is byCode over rows; nil for a column of several values, which rows lack.
func rowsByCode(c *frame.Column, level func(x, y int32) int8) func(func(*frame.Column) int) rowLevel {
	if c.Start != nil {
		return nil
	}
	return func(slot func(*frame.Column) int) rowLevel {
		i := slot(c)
		level := remember(c, level)
		return func(a, b []int32) int8 {
			x, y := a[i], b[i]
			switch {
			case x < 0 || y < 0:
				return Missing
			case x == y:
				return 0
			}
			return level(x, y)
		}
	}
}

const (
	// memoBits is the size of a memory of code pairs: small enough for a processor's cache.
	memoBits = 11
	// codeBits is the length of codes that fit into an entry.
	codeBits = 28
)

// remember keeps the levels of the pairs of different codes that were asked for last: the
// values of a block repeat. The function is for one worker.
func remember(c *frame.Column, level func(x, y int32) int8) func(x, y int32) int8 {
	n := c.Values.Len()
	if n > 1<<codeBits || n == 0 {
		return level
	}
	size := min(memoBits, 2*bits.Len(uint(n)))
	entries := make([]uint64, 1<<size)
	return func(x, y int32) int8 {
		key := uint64(x)<<codeBits | uint64(y)
		e := &entries[key*0x9E3779B97F4A7C15>>(64-size)]
		if *e>>8 == key { // never 0, since the codes differ
			return int8(uint8(*e)) - 1
		}
		l := level(x, y)
		*e = key<<8 | uint64(uint8(l+1))
		return l
	}
}
