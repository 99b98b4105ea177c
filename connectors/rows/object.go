package rows

import (
	"iter"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
)

// object knows the members of a kind of JSON object and where their values go.
type object struct {
	entries []entry
	index   map[string]int
	// last is the member before the one to come, -1 for none; first is the one that the last
	// record began with. With entry.follows they guess the next: records repeat their order.
	last, first int
	// prefix stands before the names of columns that members add.
	prefix string
	// struc is set for the object of a struct column: its members are children.
	struc bool
	// closed leaves unknown members out.
	closed bool
}

// entry is one member: a column, an object to go into, or neither (left out).
type entry struct {
	name string
	col  *column
	into *object
	// seen is the row (counted from 1) that had the member last.
	seen int
	// follows is the member that came after this one.
	follows int
}

func (o *object) add(e entry) *entry {
	if o.index == nil {
		o.index = map[string]int{}
	}
	o.index[e.name] = len(o.entries)
	e.follows = len(o.entries) + 1
	o.entries = append(o.entries, e)
	return &o.entries[len(o.entries)-1]
}

// children are the columns among the entries.
func (o *object) children() iter.Seq[*column] {
	return func(yield func(*column) bool) {
		for i := range o.entries {
			if c := o.entries[i].col; c != nil && !yield(c) {
				return
			}
		}
	}
}

// find returns the entry of a member, nil if it is unknown.
func (o *object) find(name []byte) *entry {
	i, ok := o.index[string(name)]
	if !ok {
		return nil
	}
	return &o.entries[i]
}

// guess is the member that probably comes next, and its place; nil when there is no guess.
func (o *object) guess() (*entry, int) {
	at := o.first
	if o.last >= 0 {
		at = o.entries[o.last].follows
	}
	if at >= len(o.entries) {
		return nil, 0
	}
	return &o.entries[at], at
}

// came notes that the member at a place has come, for the next guess.
func (o *object) came(at int) {
	if o.last >= 0 {
		o.entries[o.last].follows = at
	} else {
		o.first = at
	}
	o.last = at
}

// forget takes back which rows had which members, from row n (counted from 0) on.
func (o *object) forget(n int) {
	for i := range o.entries {
		e := &o.entries[i]
		e.seen = min(e.seen, n)
		if e.into != nil {
			e.into.forget(n)
		}
		if e.col != nil && e.col.kind == kindStruct {
			e.col.fields.forget(n)
		}
	}
}

// object appends the object whose first byte after the brace is b.text[i], as row.
func (b *Builder) object(o *object, row, i, depth int) (int, error) {
	if depth > maxDepth {
		return i, reject("nested too deeply")
	}
	text := b.text
	i = skipSpace(text, i)
	if i < len(text) && text[i] == '}' {
		return i + 1, nil
	}
	o.last = -1
	for {
		e, next, err := b.member(o, i)
		if err != nil {
			return next, err
		}
		if next+1 < len(text) && text[next] == ':' && text[next+1] > ' ' {
			i = next + 1
		} else if i, err = colon(text, next); err != nil {
			return i, err
		}
		if e == nil {
			i, err = skipValue(text, i, depth)
		} else {
			i, err = b.memberValue(e, row, i, depth)
		}
		if err != nil {
			if e == nil {
				return i, err
			}
			return i, within(err, "."+e.name)
		}
		if i+1 < len(text) && text[i] == ',' && text[i+1] > ' ' {
			i++
			continue
		}
		var done bool
		if i, done, err = comma(text, i, '}'); done || err != nil {
			return i, err
		}
	}
}

// member reads a member's name and finds its entry; nil means that it is left out.
func (b *Builder) member(o *object, i int) (*entry, int, error) {
	text := b.text
	if i >= len(text) {
		return nil, i, errMore
	}
	if text[i] != '"' {
		return nil, i, reject("not JSON: a member's name is missing")
	}
	i++
	if e, at := o.guess(); e != nil {
		if end := i + len(e.name); end < len(text) && text[end] == '"' && string(text[i:end]) == e.name {
			o.last = at
			return e, end + 1, nil
		}
	}
	end, escaped, err := scanString(text, i)
	if err != nil {
		return nil, end, err
	}
	name := text[i:end]
	if escaped {
		if b.scratch, err = unescape(b.scratch[:0], name); err != nil {
			return nil, end, err
		}
		name = b.scratch
	}
	e := o.find(name)
	if e == nil {
		if e, err = b.discover(o, string(name)); err != nil {
			return nil, end, err
		}
	}
	o.came(o.index[e.name])
	return e, end + 1, nil
}

// memberValue appends one member's value.
func (b *Builder) memberValue(e *entry, row, i, depth int) (int, error) {
	if e.seen == row+1 {
		return i, reject("the name appears twice in one object")
	}
	e.seen = row + 1
	switch {
	case e.col != nil:
		if e.col.n < row {
			e.col.pad(row)
		}
		return b.value(e.col, i, depth)
	case e.into == nil:
		return skipValue(b.text, i, depth)
	case i < len(b.text) && b.text[i] == '{':
		return b.object(e.into, row, i+1, depth+1)
	case i < len(b.text) && b.text[i] == 'n':
		return literal(b.text, i, "null")
	case i >= len(b.text):
		return i, errMore
	}
	return i, reject("not an object")
}

// discover adds an entry for a member that was not known before.
func (b *Builder) discover(o *object, name string) (*entry, error) {
	if b.opts.Closed || o.closed {
		return o.add(entry{name: name}), nil
	}
	if b.columnCount >= b.opts.MaxColumns {
		return nil, reject("more columns than the limit")
	}
	if strings.ContainsRune(name, 0) {
		return nil, reject("NUL character in a name")
	}
	b.columnCount++
	b.found = append(b.found, discovery{o, name, !o.struc})
	col := &column{name: name}
	if !o.struc {
		col.name = b.freeName(o.prefix + name)
		b.columns = append(b.columns, col)
		b.byName[col.name] = col
		if m, ok := b.opts.Means[col.name]; ok {
			col.meta = core.WithMeans(arrow.Field{}, m).Metadata
		}
	}
	return o.add(entry{name: name, col: col}), nil
}

// discovery is a member that a record showed first.
type discovery struct {
	in     *object
	name   string
	column bool // of the batch, not of a struct
}

// undiscover forgets members that only a refused record had.
func (b *Builder) undiscover() {
	for i := len(b.found) - 1; i >= 0; i-- {
		d := b.found[i]
		d.in.entries = d.in.entries[:len(d.in.entries)-1]
		delete(d.in.index, d.name)
		d.in.first = 0
		b.columnCount--
		if d.column {
			last := b.columns[len(b.columns)-1]
			delete(b.byName, last.name)
			delete(b.folded, strings.ToLower(last.name))
			b.columns = b.columns[:len(b.columns)-1]
		}
	}
	b.found = b.found[:0]
}

// freeName keeps column names apart, also from names that differ in case only: a
// warehouse does not tell those apart.
func (b *Builder) freeName(name string) string {
	for b.folded[strings.ToLower(name)] {
		name += "_"
	}
	b.folded[strings.ToLower(name)] = true
	return name
}
