package rows

import (
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// Builder gathers records into columns. It is used by one goroutine at a time.
type Builder struct {
	opts        Options
	root        object
	columns     []*column
	byName      map[string]*column
	folded      map[string]bool // names in lower case
	columnCount int
	guess       guess // what texts of new columns may turn out to be

	n     int // rows
	bytes int // of text, since the last Take
	// text is what is being parsed; valid during one call only.
	text    []byte
	scratch []byte

	constants []constant
	found     []discovery // by the record that is being parsed

	schema  *arrow.Schema
	shape   []arrow.DataType // of schema, by column; nil for one left out
	rejects rejects
}

// NewBuilder makes a Builder. It fails on columns that contradict each other and on
// types that it cannot build.
func NewBuilder(o Options) (*Builder, error) {
	b := &Builder{opts: o.withDefaults(), byName: map[string]*column{}, folded: map[string]bool{}, guess: guessJSON}
	if o.Untyped {
		b.guess = guessText
	}
	for _, c := range o.Columns {
		col, err := newDeclared(c)
		if err != nil {
			return nil, err
		}
		if b.byName[col.name] != nil {
			return nil, fmt.Errorf("declare column %q: the name is taken", col.name)
		}
		path := c.Path
		if len(path) == 0 {
			path = []string{col.name}
		}
		if c.Constant {
			b.constants = append(b.constants, constant{col: col})
		} else if err := b.place(path, col); err != nil {
			return nil, err
		}
		b.columns = append(b.columns, col)
		b.byName[col.name] = col
		b.folded[strings.ToLower(col.name)] = true
		b.columnCount++
	}
	for _, name := range o.Lift {
		b.into(&b.root, name, "")
	}
	return b, nil
}

// constant is the value that every new row has in a column.
type constant struct {
	col  *column
	text []byte // nil is null
}

// Constant sets the value of a constant column for the rows from now on; nil is null.
func (b *Builder) Constant(name string, text []byte) {
	for i := range b.constants {
		if b.constants[i].col.name == name {
			b.constants[i].text = text
		}
	}
}

// addConstants completes the last row.
func (b *Builder) addConstants() error {
	for _, k := range b.constants {
		k.col.pad(b.n)
		if k.text == nil {
			continue
		}
		if err := b.str(k.col, k.text); err != nil {
			return within(err, "."+k.col.name)
		}
	}
	return nil
}

// place puts a declared column at its path.
func (b *Builder) place(path []string, col *column) error {
	o := &b.root
	for _, step := range path[:len(path)-1] {
		e := o.find([]byte(step))
		switch {
		case e == nil:
			o = b.into(o, step, o.prefix+step+".")
		case e.into == nil:
			return fmt.Errorf("declare column %q: $.%s is a column itself", col.name, strings.Join(path[:len(path)-1], "."))
		default:
			o = e.into
		}
	}
	last := path[len(path)-1]
	if o.find([]byte(last)) != nil {
		return fmt.Errorf("declare column %q: $.%s is declared twice", col.name, strings.Join(path, "."))
	}
	o.add(entry{name: last, col: col})
	return nil
}

// into returns the object at a member, making it if needed.
func (b *Builder) into(o *object, name, prefix string) *object {
	e := o.find([]byte(name))
	if e == nil {
		e = o.add(entry{name: name, into: &object{}})
	}
	if e.into != nil {
		e.into.prefix = prefix
	}
	return e.into
}

// Len is the number of rows held.
func (b *Builder) Len() int { return b.n }

// Bytes is how much text the rows held came from.
func (b *Builder) Bytes() int { return b.bytes }

// Full reports whether it is time to Take.
func (b *Builder) Full() bool {
	return b.n >= b.opts.BatchRows || b.bytes >= b.opts.BatchBytes || b.rejects.bytes >= b.opts.BatchBytes
}

// Truncate takes back all rows from n on. Types that they widened stay wide.
func (b *Builder) Truncate(n int) {
	if n >= b.n {
		return
	}
	b.undo(n)
	b.n = n
}

// undo removes what a record left in the columns from row n on.
func (b *Builder) undo(n int) {
	for _, c := range b.columns {
		c.truncate(n)
		c.unlearn()
	}
	b.root.forget(n)
}

// record appends the JSON object at text[i]. On errMore, and on a recordError, nothing
// has been added.
func (b *Builder) record(text []byte, i int) (int, error) {
	b.text, b.found = text, b.found[:0]
	next, err := b.object(&b.root, b.n, i+1, 1)
	b.text = nil
	if err == nil && len(b.constants) > 0 {
		err = b.addConstants()
	}
	if err != nil {
		b.undo(b.n)
		b.undiscover()
		return next, err
	}
	b.n++
	b.bytes += next - i
	return next, nil
}

// Take returns the rows held as a batch, which the caller releases, and starts anew. It
// returns nil when there are none. Batches share one schema until a column is added or
// widens.
func (b *Builder) Take() arrow.RecordBatch {
	if b.n == 0 {
		return nil
	}
	for _, c := range b.columns {
		c.settle()
		c.pad(b.n)
	}
	b.reshape()
	arrays := make([]arrow.Array, 0, len(b.columns))
	for i, c := range b.columns {
		if b.shape[i] != nil {
			c.shown = true
			data := c.arrowData(b.shape[i])
			arrays = append(arrays, array.MakeFromData(data))
			data.Release()
		}
	}
	batch := array.NewRecordBatch(b.schema, arrays, int64(b.n))
	for _, a := range arrays {
		a.Release()
	}
	for _, c := range b.columns {
		c.reset()
	}
	b.root.forget(0)
	b.n, b.bytes = 0, 0
	return batch
}

// Schema is the schema of the batch that Take would give now.
func (b *Builder) Schema() *arrow.Schema {
	for _, c := range b.columns {
		c.settle()
	}
	b.reshape()
	return b.schema
}

// reshape renews the schema if a column was added or changed its type. A column that
// has had nothing but nulls is left out until its type shows.
func (b *Builder) reshape() {
	shape := make([]arrow.DataType, len(b.columns))
	for i, c := range b.columns {
		shape[i] = c.arrowType()
	}
	if b.schema != nil && slices.EqualFunc(shape, b.shape, sameType) {
		return
	}
	fields := make([]arrow.Field, 0, len(shape))
	for i, c := range b.columns {
		if shape[i] != nil {
			fields = append(fields, arrow.Field{Name: c.name, Type: shape[i], Nullable: true, Metadata: c.meta})
		}
	}
	b.schema, b.shape = arrow.NewSchema(fields, nil), shape
}

func sameType(a, b arrow.DataType) bool {
	return a == b || (a != nil && b != nil && arrow.TypeEqual(a, b))
}

// Time gives the time or date in a column of the last row, as microseconds since 1970;
// false when it is null, absent or of another type.
func (b *Builder) Time(name string) (int64, bool) {
	c := b.byName[name]
	if b.n == 0 || c == nil || c.n < b.n || c.isNull(b.n-1) {
		return 0, false
	}
	switch c.kind {
	case kindTime:
		return c.ints[b.n-1], true
	case kindDate:
		return c.ints[b.n-1] * dayMicros, true
	}
	return 0, false
}

// Null reports whether a column of the last row has no value.
func (b *Builder) Null(name string) bool {
	c := b.byName[name]
	return b.n == 0 || c == nil || c.n < b.n || c.kind == kindNull || c.isNull(b.n-1)
}

// Text gives the value in a column of the last row as text: numbers in decimal, times in
// RFC 3339; false when it is null or absent.
func (b *Builder) Text(name string) (string, bool) {
	if b.Null(name) {
		return "", false
	}
	return string(b.byName[name].appendText(nil, b.n-1)), true
}
