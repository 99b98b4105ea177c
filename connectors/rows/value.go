package rows

import (
	"errors"
	"strconv"
)

// value appends the JSON value at b.text[i] to a column.
func (b *Builder) value(c *column, i, depth int) (int, error) {
	if i >= len(b.text) {
		return i, errMore
	}
	switch ch := b.text[i]; ch {
	case '"':
		return b.stringValue(c, i)
	case '{':
		return b.objectValue(c, i, depth)
	case '[':
		return b.listValue(c, i, depth)
	case 'n':
		next, err := literal(b.text, i, "null")
		if err == nil {
			c.null()
		}
		return next, err
	case 't', 'f':
		word := "true"
		if ch == 'f' {
			word = "false"
		}
		next, err := literal(b.text, i, word)
		if err != nil {
			return next, err
		}
		if ch == 'f' && b.opts.FalseIsNull && c.fixed && c.kind != kindBool {
			c.null()
			return next, nil
		}
		return next, b.boolean(c, ch == 't')
	}
	n, next, err := scanNumber(b.text, i)
	switch {
	case err != nil:
		return next, err
	case next == len(b.text):
		return next, errMore
	}
	return next, b.number(c, &n)
}

func (b *Builder) stringValue(c *column, i int) (int, error) {
	end, escaped, err := scanString(b.text, i+1)
	if err != nil {
		return end, err
	}
	s := b.text[i+1 : end]
	if escaped {
		if b.scratch, err = unescape(b.scratch[:0], s); err != nil {
			return end, err
		}
		s = b.scratch
	}
	if c.json && c.kind == kindString {
		s = b.text[i : end+1]
	}
	return end + 1, b.str(c, s)
}

// str appends text, as whatever the column holds.
func (b *Builder) str(c *column, s []byte) error {
	switch c.kind {
	case kindString:
		if c.guess != 0 {
			c.guess = c.guess.narrow(s)
		}
		c.addText(s)
		return nil
	case kindNull:
		c.become(kindString)
		c.guess = b.guess.narrow(s)
		if c.element {
			c.guess = 0
		}
		c.addText(s)
		return nil
	case kindList, kindStruct:
		return b.mismatch(c, s)
	}
	if len(s) == 0 { // several silos write a missing number or date as ""
		c.null()
		return nil
	}
	return b.parsed(c, s)
}

// parsed appends text that stands for a value of another type.
func (b *Builder) parsed(c *column, s []byte) error {
	switch c.kind {
	case kindTime:
		if v, ok := c.format.parse(s); ok {
			c.addInt(v)
			return nil
		}
	case kindDate:
		if v, ok := c.date(s); ok {
			c.addInt(v)
			return nil
		}
	case kindBool:
		if b.textual(c) && (view(s) == "true" || view(s) == "false") {
			c.addBool(s[0] == 't')
			return nil
		}
	default:
		n, ok := parseNumber(s)
		if ok && b.textual(c) {
			return b.number(c, &n)
		}
	}
	return b.mismatch(c, s)
}

// textual reports whether text may stand for a number or a boolean: it may in CSV, and in
// a declared column.
func (b *Builder) textual(c *column) bool { return c.fixed || b.guess == guessText }

// date reads a date by the column's format; of a time it is the day in UTC.
func (c *column) date(s []byte) (int64, bool) {
	if c.format.style == styleRFC3339 && len(s) == 10 {
		return parseDate(s)
	}
	if !c.fixed {
		return 0, false
	}
	if c.format.style == styleLayout {
		f := c.format
		f.zone = nil
		v, ok := f.parse(s)
		return floorDiv(v, dayMicros), ok
	}
	v, ok := c.format.parse(s)
	return floorDiv(v, dayMicros), ok && v%dayMicros == 0
}

const dayMicros = 86400 * 1e6

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func (b *Builder) boolean(c *column, v bool) error {
	switch {
	case c.kind == kindNull:
		c.become(kindBool)
		c.addBool(v)
	case c.kind == kindBool:
		c.addBool(v)
	default:
		return b.word(c, strconv.FormatBool(v))
	}
	return nil
}

// word appends a boolean to a column of another type.
func (b *Builder) word(c *column, s string) error {
	if c.kind == kindString {
		c.guess = 0
		c.addText([]byte(s))
		return nil
	}
	return b.mismatch(c, []byte(s))
}

// number appends a number, as whatever the column holds.
func (b *Builder) number(c *column, n *number) error {
	switch c.kind {
	case kindNull:
		c.become(numberKind(n))
		c.prec, c.scale = maxDigits, 0
		return b.number(c, n)
	case kindInt:
		v, ok := n.int64()
		if ok && (n.whole || c.fixed) {
			c.big = c.big || n.mant > exactFloat
			c.addInt(v)
			return nil
		}
	case kindFloat:
		if v, ok := n.float64(); ok && (c.fixed || !n.whole || (!n.over && n.mant <= exactFloat)) {
			c.addFloat(v)
			return nil
		}
	case kindDecimal:
		v, reason := parseDecimal(n.text, c.prec, c.scale)
		if reason == "" {
			c.addDec(v)
			return nil
		}
		if c.fixed {
			return reject(reason)
		}
	case kindString:
		c.guess = 0
		c.addText(n.text)
		return nil
	case kindTime:
		if v, ok := c.format.epoch(*n); ok {
			c.addInt(v)
			return nil
		}
	case kindDate:
		if v, ok := c.format.epoch(*n); ok && c.fixed {
			c.addInt(floorDiv(v, dayMicros))
			return nil
		}
	}
	if to := c.widerFor(n); !c.fixed && to != kindString {
		c.widenNumber(to)
		return b.number(c, n)
	}
	return b.mismatch(c, n.text)
}

const maxDigits = 38

// numberKind is the narrowest kind that holds a number exactly, or a fraction as usual.
func numberKind(n *number) kind {
	if n.whole {
		if _, ok := n.int64(); ok {
			return kindInt
		}
		if _, reason := parseDecimal(n.text, maxDigits, 0); reason == "" {
			return kindDecimal
		}
		return kindString
	}
	if _, ok := n.float64(); ok {
		return kindFloat
	}
	return kindString
}

// mismatch rejects the record when text does not fit a fixed column; another column
// becomes text.
func (b *Builder) mismatch(c *column, s []byte) error {
	if c.fixed {
		return reject("not " + c.kind.noun())
	}
	c.widenToText()
	c.addText(s)
	return nil
}

// objectValue appends an object: a struct, or JSON text.
func (b *Builder) objectValue(c *column, i, depth int) (int, error) {
	if c.kind == kindNull && b.opts.Nested == NestedStruct && !c.element {
		c.become(kindStruct)
		c.fields = &object{struc: true}
	}
	if c.kind == kindStruct {
		next, err := b.object(c.fields, c.n, i+1, depth+1)
		if err == nil {
			c.mark()
		}
		return next, err
	}
	return b.jsonText(c, i, depth)
}

// listValue appends a list of scalars, or JSON text.
func (b *Builder) listValue(c *column, i, depth int) (int, error) {
	if c.kind == kindNull && !c.element {
		c.become(kindList)
	}
	if c.kind != kindList {
		return b.jsonText(c, i, depth)
	}
	held := c.elem.n
	next, err := b.items(c.elem, i+1, depth+1)
	if err == nil {
		c.endList()
		return next, nil
	}
	c.elem.truncate(held)
	if err == errNotSimple && !c.fixed { //nolint:errorlint // made in items
		c.widenToText()
		return b.jsonText(c, i, depth)
	}
	if err == errNotSimple { //nolint:errorlint // made in items
		err = reject("not a list of " + c.elem.kind.noun())
	}
	return next, err
}

var errNotSimple = errors.New("a list of more than scalars")

// items appends the items of a list to its element column.
func (b *Builder) items(elem *column, i, depth int) (int, error) {
	text := b.text
	i = skipSpace(text, i)
	if i < len(text) && text[i] == ']' {
		return i + 1, nil
	}
	for {
		if i < len(text) && (text[i] == '{' || text[i] == '[') {
			return i, errNotSimple
		}
		next, err := b.value(elem, i, depth)
		if err != nil {
			return next, within(err, "[]")
		}
		var done bool
		if i, done, err = comma(text, next, ']'); done || err != nil {
			return i, err
		}
	}
}

// jsonText appends an object or a list as compact JSON.
func (b *Builder) jsonText(c *column, i, depth int) (int, error) {
	next, err := skipValue(b.text, i, depth)
	if err != nil {
		return next, err
	}
	if c.kind != kindString {
		if c.fixed {
			return next, reject("not " + c.kind.noun())
		}
		c.widenToText()
	}
	c.guess = 0
	c.data = compact(c.data, b.text[i:next])
	c.endString()
	c.mark()
	return next, nil
}
