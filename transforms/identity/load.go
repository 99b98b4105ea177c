package identity

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/goccy/go-json"
	"github.com/zeebo/xxh3"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/normalize"
)

// A pick says which rows are wanted; without one all are. Rows are asked about by the hash
// of their key first, then with the digest of what they say.
type pick struct {
	// keys, when set, are those of the records that may be wanted.
	keys    map[frame.Source][]string
	of      func(uid uint64) bool
	differs func(uid, digest uint64) bool
}

// load reads the record tables into a frame with raw values.
func (m *Model) load(ctx context.Context, wh core.Warehouse, l *layout, want pick) (*frame.Frame, error) {
	sources := make([]frame.Source, len(l.sources))
	for i, s := range l.sources {
		sources[i] = s.Source
	}
	columns := make([]frame.Column, len(l.attributes))
	for i, a := range l.attributes {
		columns[i] = frame.Column{Name: a.name, Kind: a.kind, Masked: a.masked}
	}
	splits := l.splitsNames()
	b := frame.NewBuilder(sources, columns)
	for i := range l.sources {
		r := &tableReader{layout: l, source: &l.sources[i], number: i, builder: b, columns: columns, splits: splits, want: want}
		if err := r.read(ctx, wh); err != nil {
			return nil, err
		}
		if r.keyless > 0 {
			l.report("%d rows of %s have no key and are left out; fill %s, or name another key", r.keyless, r.source.table, strings.Join(r.source.key, ", "))
		}
	}
	f := b.Frame()
	for i, n := range f.Repeated {
		if n > 0 {
			l.report("%d rows of %s have the key of another row: of each key the newest row is used; name more columns in key, or write grain = \"distinct\"",
				n, l.sources[i].table)
		}
	}
	return f, nil
}

// splitsNames reports whether full names are taken apart: for people, when the name is not
// masked.
func (l *layout) splitsNames() bool {
	full := l.attribute("full_name")
	if full == nil || full.masked || full.kind != frame.FullName {
		return false
	}
	for _, name := range []string{"first_name", "last_name"} {
		if a := l.attribute(name); a != nil && a.masked {
			return false
		}
	}
	return true
}

// addNameParts adds the attributes that full names are taken apart into.
func (l *layout) addNameParts() {
	for _, part := range []attributeOf{{"first_name", frame.GivenName}, {"last_name", frame.FamilyName}} {
		if l.attribute(part.name) == nil {
			l.attributes = append(l.attributes, attribute{name: part.name, kind: part.kind, compare: true})
		}
	}
}

// tableReader moves the rows of one table into the builder.
type tableReader struct {
	layout  *layout
	source  *recordSource
	number  int
	builder *frame.Builder
	columns []frame.Column
	splits  bool
	buf     []byte
	key     []byte
	seen    map[string]int
	want    pick
	// keyless counts the rows without a key.
	keyless int
}

func (r *tableReader) read(ctx context.Context, wh core.Warehouse) error {
	want := slices.Clone(r.source.key)
	for _, c := range r.source.columns {
		want = append(want, c.column)
	}
	for _, c := range []string{r.source.updated, r.source.observed} {
		if c != "" {
			want = append(want, c)
		}
	}
	slices.Sort(want)
	want = slices.Compact(want)
	req := core.ScanRequest{Table: r.source.table, Columns: want}
	if r.want.keys != nil {
		if req.Keys = r.source.keysOf(r.want.keys[r.source.Source]); req.Keys != nil {
			defer req.Keys.Release()
		}
	}
	rows, err := wh.Scan(ctx, req)
	if err != nil {
		return fmt.Errorf("scan %s: %w", r.source.table, err)
	}
	defer rows.Release()
	for rows.Next() {
		if err := ctx.Err(); err != nil {
			return err
		}
		r.batch(rows.RecordBatch())
	}
	return rows.Err()
}

func (r *tableReader) batch(batch arrow.RecordBatch) {
	column := func(name string) arrow.Array {
		if at := batch.Schema().FieldIndices(name); name != "" && len(at) > 0 {
			return batch.Column(at[0])
		}
		return nil
	}
	keys := make([]arrow.Array, len(r.source.key))
	for i, k := range r.source.key {
		keys[i] = column(k)
	}
	cells := make([]arrow.Array, len(r.source.columns))
	target := make([]int, len(cells))
	for i, c := range r.source.columns {
		cells[i] = column(c.column)
		target[i] = slices.IndexFunc(r.columns, func(x frame.Column) bool { return x.Name == c.attribute })
	}
	updated := column(r.source.updated)
	if updated == nil {
		updated = column(r.source.observed)
	}
	countries := r.countries(column)
	for row := range int(batch.NumRows()) {
		at := int64(0)
		if updated != nil {
			at = micros(updated, row)
		}
		if !r.recordKey(keys, cells, row) {
			r.keyless++
			continue
		}
		if r.want.of != nil && !r.want.of(r.uid()) {
			continue
		}
		digest := r.digest(cells, row, at)
		if r.want.differs != nil && !r.want.differs(r.uid(), digest) {
			continue
		}
		r.builder.Record(r.number, r.key, at, digest)
		for i, cell := range cells {
			if cell == nil {
				continue
			}
			r.buf = eachValue(cell, row, r.buf, func(v []byte) {
				if countries != nil && r.columns[target[i]].Kind == frame.Phone {
					v = inCountry(v, countries, row)
				}
				r.value(target[i], v)
			})
		}
	}
}

// uid is the hash of the present row's key.
func (r *tableReader) uid() uint64 {
	return frame.UIDOf(r.source.Source.Source, r.source.Stream, r.key)
}

// digest is a number that changes with any value of a row, and with its time.
func (r *tableReader) digest(cells []arrow.Array, row int, at int64) uint64 {
	h := mixed(uint64(at) + 1)
	for i, cell := range cells {
		seed := uint64(i + 1)
		switch c := cell.(type) {
		case nil:
		case *array.String:
			if c.IsValid(row) {
				h += xxh3.HashStringSeed(c.Value(row), seed)
			}
		default:
			r.buf = eachValue(cell, row, r.buf, func(v []byte) {
				seed = xxh3.HashSeed(v, seed)
				h += seed
			})
		}
	}
	return h
}

// countries is the column of country codes beside a phone number, if there is one.
func (r *tableReader) countries(column func(string) arrow.Array) arrow.Array {
	for _, c := range r.source.columns {
		if c.attribute == "country" && !c.masked {
			return column(c.column)
		}
	}
	return nil
}

// inCountry reads a local phone number by the country of its record.
func inCountry(v []byte, countries arrow.Array, row int) []byte {
	text := strings.TrimSpace(string(v))
	code, ok := appendText(nil, countries, row)
	if !ok || len(code) != 2 || strings.HasPrefix(text, "+") || strings.HasPrefix(text, "00") {
		return v
	}
	if full, ok := normalize.Phone(strings.ToUpper(string(code))).Of(text); ok {
		return []byte(full)
	}
	return v
}

func (r *tableReader) value(column int, v []byte) {
	if r.splits && r.columns[column].Name == "full_name" {
		full, ok := normalize.SplitName(string(v))
		if ok {
			r.part("first_name", full.Given)
			r.part("last_name", full.Family)
		}
	}
	r.builder.Value(column, v)
}

func (r *tableReader) part(name, value string) {
	if value == "" {
		return
	}
	at := slices.IndexFunc(r.columns, func(c frame.Column) bool { return c.Name == name })
	r.builder.Value(at, []byte(value))
}

// recordKey writes the key of a row: the value of a single column, a JSON array of
// several, and for a table without a key a hash of the row. A null in a single key makes
// the row no record.
func (r *tableReader) recordKey(keys, cells []arrow.Array, row int) bool {
	r.key = r.key[:0]
	switch len(keys) {
	case 0:
		return r.contentKey(cells, row)
	case 1:
		var ok bool
		r.key, ok = appendText(r.key, keys[0], row)
		return ok
	}
	r.key = append(r.key, '[')
	for i, k := range keys {
		if i > 0 {
			r.key = append(r.key, ',')
		}
		text, ok := appendText(r.buf[:0], k, row)
		r.buf = text
		if !ok {
			r.key = append(r.key, "null"...)
			continue
		}
		if isNumber(k) {
			r.key = append(r.key, text...)
			continue
		}
		quoted, err := json.Marshal(string(text))
		if err != nil {
			return false
		}
		r.key = append(r.key, quoted...)
	}
	r.key = append(r.key, ']')
	return true
}

func isNumber(a arrow.Array) bool { return arrow.IsInteger(a.DataType().ID()) }

// contentKey names a row of a table without a key by its values and its occurrence.
func (r *tableReader) contentKey(cells []arrow.Array, row int) bool {
	if r.seen == nil {
		r.seen = map[string]int{}
	}
	for _, cell := range cells {
		r.buf = eachValue(cell, row, r.buf, func(v []byte) { r.key = append(r.key, v...) })
		r.key = append(r.key, 0)
	}
	hash := strconv.FormatUint(frame.UID("", "", string(r.key)), 16)
	r.seen[hash]++
	r.key = append(append(r.key[:0], "row-"...), hash...)
	if n := r.seen[hash]; n > 1 {
		r.key = append(strconv.AppendInt(append(r.key, '-'), int64(n), 10), 0)
		r.key = r.key[:len(r.key)-1]
	}
	return true
}
