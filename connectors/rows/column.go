package rows

import (
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

type kind uint8

const (
	kindNull kind = iota // nothing but nulls so far
	kindBool
	kindInt
	kindFloat
	kindDecimal
	kindString
	kindDate // days in ints
	kindTime // microseconds in ints
	kindList
	kindStruct
)

// noun says what a column of the kind expects, for reject reasons.
func (k kind) noun() string {
	return [...]string{"null", "a boolean", "a whole number", "a number", "a decimal number", "text",
		"a date", "a time", "a list", "an object"}[k]
}

// column stores the values of one column so that the last rows can be taken back and the
// type can widen. Rows that no record set are added as nulls when the next value or the
// batch needs them.
type column struct {
	name     string
	meta     arrow.Metadata
	kind     kind
	declared bool // always in the schema
	fixed    bool // a value that does not fit rejects its record
	shown    bool // was in a batch already
	element  bool // holds the items of a list
	json     bool // keep JSON text as it is
	big      bool // held whole numbers that float64 cannot hold exactly
	guess    guess
	format   timeFormat
	prec     int32
	scale    int32

	n, nulls int
	valid    []byte // bitmap; nil while there is no null
	ints     []int64
	floats   []float64
	decs     []decimal128.Num
	bools    []byte // one byte a row
	offs     []int32
	data     []byte
	elem     *column // list
	loffs    []int32
	fields   *object // struct
}

// exactFloat is the largest whole number up to which float64 is exact.
const exactFloat = 1 << 53

// pad adds nulls up to n rows.
func (c *column) pad(n int) {
	for c.n < n {
		c.null()
	}
}

// null adds one null.
func (c *column) null() {
	if c.valid == nil {
		size := (c.n + 8) / 8
		c.valid = make([]byte, size, size+16)
		for i := range c.n / 8 {
			c.valid[i] = 0xff
		}
		if r := c.n % 8; r != 0 {
			c.valid[c.n/8] = byte(1<<r - 1)
		}
	} else if c.n&7 == 0 {
		c.valid = append(c.valid, 0)
	}
	c.nulls++
	switch c.kind {
	case kindBool:
		c.bools = append(c.bools, 0)
	case kindInt, kindDate, kindTime:
		c.ints = append(c.ints, 0)
	case kindFloat:
		c.floats = append(c.floats, 0)
	case kindDecimal:
		c.decs = append(c.decs, decimal128.Num{})
	case kindString:
		c.endString()
	case kindList:
		c.loffs = append(c.loffs, int32(c.elem.n))
	}
	c.n++
}

// mark notes that a value was added.
func (c *column) mark() {
	if c.valid != nil {
		if c.n&7 == 0 {
			c.valid = append(c.valid, 0)
		}
		c.valid[c.n>>3] |= 1 << (c.n & 7)
	}
	c.n++
}

func (c *column) addInt(v int64)               { c.ints = append(c.ints, v); c.mark() }
func (c *column) addFloat(v float64)           { c.floats = append(c.floats, v); c.mark() }
func (c *column) addDec(v decimal128.Num)      { c.decs = append(c.decs, v); c.mark() }
func (c *column) endString()                   { c.offs = append(c.offs, int32(len(c.data))) }
func (c *column) addText(v []byte)             { c.data = append(c.data, v...); c.endString(); c.mark() }
func (c *column) endList()                     { c.loffs = append(c.loffs, int32(c.elem.n)); c.mark() }
func (c *column) isNull(row int) bool          { return c.valid != nil && c.valid[row>>3]&(1<<(row&7)) == 0 }
func (c *column) text(row int) []byte          { return c.data[start(c.offs, row):c.offs[row]] }
func (c *column) items(row int) (from, to int) { return int(start(c.loffs, row)), int(c.loffs[row]) }

func (c *column) addBool(v bool) {
	b := byte(0)
	if v {
		b = 1
	}
	c.bools = append(c.bools, b)
	c.mark()
}

// start is where row begins: offs holds the end of every row.
func start(offs []int32, row int) int32 {
	if row == 0 {
		return 0
	}
	return offs[row-1]
}

// truncate takes back all rows from n on.
func (c *column) truncate(n int) {
	if c.kind == kindStruct {
		for child := range c.fields.children() {
			child.truncate(n)
		}
	}
	if c.n <= n {
		return
	}
	if c.valid != nil {
		c.dropValidity(n)
	}
	switch c.kind {
	case kindBool:
		c.bools = c.bools[:n]
	case kindInt, kindDate, kindTime:
		c.ints = c.ints[:n]
	case kindFloat:
		c.floats = c.floats[:n]
	case kindDecimal:
		c.decs = c.decs[:n]
	case kindString:
		c.data, c.offs = c.data[:start(c.offs, n)], c.offs[:n]
	case kindList:
		c.elem.truncate(int(start(c.loffs, n)))
		c.loffs = c.loffs[:n]
	}
	c.n = n
}

// unlearn forgets a type that only rows taken back had.
func (c *column) unlearn() {
	if c.kind != kindNull && c.n == c.nulls && !c.shown && !c.declared {
		*c = column{name: c.name, meta: c.meta, n: c.n, nulls: c.nulls, valid: c.valid}
	}
}

func (c *column) dropValidity(n int) {
	keep := (n + 7) / 8
	if r := n & 7; r != 0 {
		c.valid[n>>3] &= byte(1<<r - 1)
	}
	c.valid = c.valid[:keep]
	set := 0
	for _, b := range c.valid {
		set += bits.OnesCount8(b)
	}
	c.nulls = n - set
}

// reset empties the column for the next batch, with room for as much as the last one held.
func (c *column) reset() {
	c.valid, c.nulls = nil, 0
	c.ints = fresh(c.ints)
	c.floats = fresh(c.floats)
	c.decs = fresh(c.decs)
	c.bools = c.bools[:0]
	c.offs, c.data, c.loffs = fresh(c.offs), fresh(c.data), fresh(c.loffs)
	if c.elem != nil {
		c.elem.reset()
	}
	if c.kind == kindStruct {
		for child := range c.fields.children() {
			child.reset()
		}
	}
	c.n = 0
}

// fresh gives new memory: what was handed out in a batch never changes.
func fresh[T any](s []T) []T {
	if len(s) == 0 {
		return s[:0:0]
	}
	return make([]T, 0, len(s)+len(s)/8+8)
}
