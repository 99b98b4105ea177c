package rows

import (
	"strconv"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

// become gives a column of nulls its type.
func (c *column) become(k kind) {
	n := c.n
	c.kind, c.n, c.nulls, c.valid = k, 0, 0, nil
	if k == kindList {
		c.elem = &column{element: true}
	}
	c.pad(n)
}

// widerFor is the number type that holds the column's values and one more number.
func (c *column) widerFor(n *number) kind {
	switch k := numberKind(n); {
	case c.kind == kindInt && k == kindFloat && !c.big:
		return kindFloat
	case c.kind == kindInt && k == kindDecimal:
		return kindDecimal
	}
	return kindString
}

// widenNumber turns whole numbers into floats or decimals.
func (c *column) widenNumber(to kind) {
	ints := c.ints
	c.kind, c.ints = to, nil
	for _, v := range ints {
		if to == kindFloat {
			c.floats = append(c.floats, float64(v))
		} else {
			c.decs = append(c.decs, decimal128.FromI64(v))
		}
	}
	c.prec, c.scale = maxDigits, 0
}

// widenToText turns a column of any kind into text: scalars as they are written in
// JSON, text without quotes, lists and objects as compact JSON.
func (c *column) widenToText() {
	if c.kind == kindString {
		return
	}
	old := *c
	*c = column{name: old.name, meta: old.meta, declared: old.declared, shown: old.shown, element: old.element, kind: kindString}
	for row := range old.n {
		if old.isNull(row) || old.kind == kindNull {
			c.null()
			continue
		}
		c.data = old.appendText(c.data, row)
		c.endString()
		c.mark()
	}
}

// appendText writes a value as text.
func (c *column) appendText(dst []byte, row int) []byte {
	switch c.kind {
	case kindBool:
		return strconv.AppendBool(dst, c.bools[row] != 0)
	case kindInt:
		return strconv.AppendInt(dst, c.ints[row], 10)
	case kindFloat:
		return strconv.AppendFloat(dst, c.floats[row], 'g', -1, 64)
	case kindDecimal:
		return append(dst, c.decs[row].ToString(c.scale)...)
	case kindString:
		return append(dst, c.text(row)...)
	case kindDate:
		return formatDate(dst, c.ints[row])
	case kindTime:
		return formatTime(dst, c.ints[row])
	case kindList:
		from, to := c.items(row)
		dst = append(dst, '[')
		for i := from; i < to; i++ {
			if i > from {
				dst = append(dst, ',')
			}
			dst = c.elem.appendJSON(dst, i)
		}
		return append(dst, ']')
	case kindStruct:
		return c.appendObject(dst, row)
	}
	return dst
}

func (c *column) appendObject(dst []byte, row int) []byte {
	dst = append(dst, '{')
	first := true
	for i := range c.fields.entries {
		e := &c.fields.entries[i]
		if e.col == nil {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(appendQuoted(dst, []byte(e.name)), ':')
		dst = e.col.appendJSON(dst, row)
	}
	return append(dst, '}')
}

// appendJSON writes a value as JSON.
func (c *column) appendJSON(dst []byte, row int) []byte {
	switch {
	case row >= c.n || c.kind == kindNull || c.isNull(row):
		return append(dst, "null"...)
	case c.kind == kindString:
		return appendQuoted(dst, c.text(row))
	case c.kind == kindDate || c.kind == kindTime:
		return append(c.appendText(append(dst, '"'), row), '"')
	}
	return c.appendText(dst, row)
}

// appendQuoted writes a JSON string.
func appendQuoted(dst, s []byte) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for _, b := range s {
		switch {
		case b == '"' || b == '\\':
			dst = append(dst, '\\', b)
		case b < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', hex[b>>4], hex[b&15])
		default:
			dst = append(dst, b)
		}
	}
	return append(dst, '"')
}
