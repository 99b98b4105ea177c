package frame

import (
	"cmp"
	"slices"

	"github.com/zeebo/xxh3"
)

// A Builder collects records in any order; Frame sorts them.
type Builder struct {
	frame   Frame
	columns []builderColumn
}

type builderColumn struct {
	*Column
	cells []cell // values beyond the first, and their record
}

type cell struct{ record, code int32 }

// NewBuilder makes a builder for these columns; Name, Kind and Masked are read.
func NewBuilder(sources []Source, columns []Column) *Builder {
	b := &Builder{frame: Frame{Sources: sources}}
	for i := range columns {
		c := columns[i]
		b.frame.Columns = append(b.frame.Columns, &c)
		b.columns = append(b.columns, builderColumn{Column: &c})
	}
	return b
}

// Record starts a record; Value fills it. The digest changes with any of its values.
func (b *Builder) Record(source int, key []byte, updated int64, digest uint64) {
	f := &b.frame
	src := f.Sources[source]
	f.Source = append(f.Source, uint16(source))
	code := f.Key.Add(key)
	f.KeyOf = append(f.KeyOf, code)
	f.UID = append(f.UID, UID(src.Source, src.Stream, f.Key.Value(code)))
	f.Updated = append(f.Updated, updated)
	f.RowHash = append(f.RowHash, digest)
	for i := range b.columns {
		b.columns[i].Raw = append(b.columns[i].Raw, -1)
	}
}

// Value adds a value of a column to the record started last.
func (b *Builder) Value(column int, value []byte) {
	c := &b.columns[column]
	last := len(c.Raw) - 1
	code := c.Originals.Add(value)
	if c.Raw[last] < 0 {
		c.Raw[last] = code
		return
	}
	c.cells = append(c.cells, cell{int32(last), code})
}

// Frame gives the records in order of UID. Of rows with the same source, stream and key
// the newest one stays; in distinct sources they are one record with the values of all.
func (b *Builder) Frame() *Frame {
	f := &b.frame
	order := make([]int32, len(f.UID))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(x, y int32) int {
		if c := cmp.Compare(f.UID[x], f.UID[y]); c != 0 {
			return c
		}
		if c := cmp.Compare(f.Source[x], f.Source[y]); c != 0 {
			return c
		}
		if c := cmp.Compare(f.Key.Value(f.KeyOf[x]), f.Key.Value(f.KeyOf[y])); c != 0 {
			return c
		}
		// The order of arrival must not matter, so rows of one time go by what they hold.
		return cmp.Or(cmp.Compare(f.Updated[x], f.Updated[y]), cmp.Compare(f.RowHash[x], f.RowHash[y]), cmp.Compare(x, y))
	})
	f.Repeated = make([]int, len(f.Sources))
	order = b.dropRepeated(order)
	out := &Frame{Sources: f.Sources, Key: f.Key, Columns: f.Columns, Repeated: f.Repeated}
	out.Source = permute(f.Source, order)
	out.UID = permute(f.UID, order)
	out.KeyOf = permute(f.KeyOf, order)
	out.Updated = permute(f.Updated, order)
	out.RowHash = permute(f.RowHash, order)
	for i := range b.columns {
		b.columns[i].place(order)
	}
	return out
}

// dropRepeated keeps the last of several rows of one key, and gathers the others' values
// in it where the source is distinct.
func (b *Builder) dropRepeated(order []int32) []int32 {
	f := &b.frame
	kept := order[:0]
	first := 0
	var runs [][]int32
	for i, r := range order {
		if i+1 < len(order) {
			next := order[i+1]
			if f.UID[r] == f.UID[next] && f.KeyOf[r] == f.KeyOf[next] && f.Source[r] == f.Source[next] {
				continue
			}
		}
		switch distinct := f.Sources[f.Source[r]].Distinct; {
		case i > first && distinct:
			runs = append(runs, slices.Clone(order[first:i+1]))
		case !distinct:
			f.Repeated[f.Source[r]] += i - first
		}
		first = i + 1
		kept = append(kept, r)
	}
	if len(runs) > 0 {
		b.gather(runs)
	}
	return kept
}

// gather moves the values of each run of rows to its last row, every value once and in
// the order of its text.
func (b *Builder) gather(runs [][]int32) {
	f := &b.frame
	into := make(map[int32]int32)
	for _, run := range runs {
		last := run[len(run)-1]
		f.RowHash[last] = 0
		for _, r := range run {
			into[r] = last
		}
	}
	for k := range b.columns {
		c := &b.columns[k]
		values := map[int32][]int32{}
		var others []cell
		for _, run := range runs {
			for _, r := range run {
				if c.Raw[r] >= 0 {
					values[into[r]] = append(values[into[r]], c.Raw[r])
					c.Raw[r] = -1
				}
			}
		}
		for _, x := range c.cells {
			if last, ok := into[x.record]; ok {
				values[last] = append(values[last], x.code)
			} else {
				others = append(others, x)
			}
		}
		c.cells = others
		for _, run := range runs {
			last := run[len(run)-1]
			codes := values[last]
			slices.SortFunc(codes, func(x, y int32) int { return cmp.Compare(c.Originals.Value(x), c.Originals.Value(y)) })
			for i, code := range slices.Compact(codes) {
				f.RowHash[last] += xxh3.HashStringSeed(c.Originals.Value(code), uint64(k)+1)
				if i == 0 {
					c.Raw[last] = code
				} else {
					c.cells = append(c.cells, cell{last, code})
				}
			}
		}
	}
}

func (c *builderColumn) place(order []int32) {
	if len(c.cells) == 0 {
		c.Raw = permute(c.Raw, order)
		return
	}
	more := make(map[int32][]int32, len(c.cells))
	for _, x := range c.cells {
		more[x.record] = append(more[x.record], x.code)
	}
	start := make([]int32, 1, len(order)+1)
	raw := make([]int32, 0, len(order)+len(c.cells))
	for _, r := range order {
		if c.Raw[r] >= 0 {
			raw = append(raw, c.Raw[r])
			raw = append(raw, more[r]...)
		}
		start = append(start, int32(len(raw)))
	}
	c.Start, c.Raw, c.cells = start, raw, nil
}

func permute[T any](values []T, order []int32) []T {
	out := make([]T, len(order))
	for i, r := range order {
		out[i] = values[r]
	}
	return out
}
