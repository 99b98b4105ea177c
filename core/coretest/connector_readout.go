package coretest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/unsilo/unsilo/core"
)

// readout is what one read emitted, in a form that can be compared.
type readout struct {
	stream  core.Stream
	rows    []rowSeen // upserts and deletes in order
	marks   []markSeen
	rejects int
	batches int
	largest int64 // rows of the largest batch
	schemas []*arrow.Schema
}

// rowSeen is one row. Key is empty for a stream without one.
type rowSeen struct {
	key, text string
	deleted   bool
	cursor    time.Time // of a time cursor; zero otherwise
	value     string    // of the cursor column; "" without one
}

// markSeen is a state, and how many rows came before it.
type markSeen struct {
	after core.State
	rows  int
}

func newReadout(stream core.Stream) *readout { return &readout{stream: stream} }

// add takes a batch while it is lent.
func (r *readout) add(b core.Batch) error {
	r.batches++
	if b.Rows != nil {
		if err := r.addRows(b); err != nil {
			return err
		}
	}
	if b.After != nil {
		r.marks = append(r.marks, markSeen{slices.Clone(b.After), len(r.rows)})
	}
	return nil
}

func (r *readout) addRows(b core.Batch) error {
	n := b.Rows.NumRows()
	r.largest = max(r.largest, n)
	if b.Op == core.OpReject {
		r.rejects += int(n)
		return nil
	}
	schema := b.Rows.Schema()
	if len(r.schemas) == 0 || !r.schemas[len(r.schemas)-1].Equal(schema) {
		r.schemas = append(r.schemas, schema)
	}
	keys, err := columnsNamed(b.Rows, r.stream.PrimaryKey)
	if err != nil {
		return err
	}
	names := sortedColumns(schema)
	for i := range int(n) {
		row := rowSeen{deleted: b.Op == core.OpDelete, key: rowText(keys, i)}
		if !row.deleted {
			row.text = namedText(b.Rows, names, i)
			row.value, row.cursor = cursorOf(b.Rows, r.stream.Cursor.Field, i)
		}
		r.rows = append(r.rows, row)
	}
	return nil
}

func columnsNamed(rec arrow.RecordBatch, names []string) ([]arrow.Array, error) {
	var out []arrow.Array
	for _, name := range names {
		at := rec.Schema().FieldIndices(name)
		if len(at) != 1 {
			return nil, fmt.Errorf("a batch has %d columns named %q, a part of the key", len(at), name)
		}
		out = append(out, rec.Column(at[0]))
	}
	return out, nil
}

func sortedColumns(s *arrow.Schema) []int {
	out := make([]int, s.NumFields())
	for i := range out {
		out[i] = i
	}
	slices.SortStableFunc(out, func(a, b int) int { return strings.Compare(s.Field(a).Name, s.Field(b).Name) })
	return out
}

// rowText joins values so that different rows have different texts.
func rowText(cols []arrow.Array, i int) string {
	var b strings.Builder
	for _, c := range cols {
		writeValue(&b, c, i)
	}
	return b.String()
}

// namedText leaves nulls out: a column that is missing and one that is null are the same.
func namedText(rec arrow.RecordBatch, order []int, i int) string {
	var b strings.Builder
	for _, c := range order {
		if rec.Column(c).IsValid(i) {
			b.WriteString(rec.ColumnName(c))
			b.WriteByte('=')
			writeValue(&b, rec.Column(c), i)
		}
	}
	return b.String()
}

func writeValue(b *strings.Builder, c arrow.Array, i int) {
	if c.IsNull(i) {
		b.WriteString("null;")
		return
	}
	v := c.ValueStr(i)
	fmt.Fprintf(b, "%d:%s;", len(v), v)
}

func cursorOf(rec arrow.RecordBatch, field string, i int) (string, time.Time) {
	at := rec.Schema().FieldIndices(field)
	if field == "" || len(at) != 1 || rec.Column(at[0]).IsNull(i) {
		return "", time.Time{}
	}
	c := rec.Column(at[0])
	switch c := c.(type) {
	case *array.Timestamp:
		return c.ValueStr(i), c.Value(i).ToTime(c.DataType().(*arrow.TimestampType).Unit)
	case *array.Date32:
		return c.ValueStr(i), c.Value(i).ToTime()
	case *array.Date64:
		return c.ValueStr(i), c.Value(i).ToTime()
	}
	return c.ValueStr(i), time.Time{}
}

// table is what a warehouse would hold: the last row of each key or, without a key,
// how often each row came.
type table map[string]string

// fold stores the rows of reads one after the other.
func fold(stream core.Stream, parts ...[]rowSeen) table {
	t := table{}
	counts := map[string]int{}
	for _, part := range parts {
		for _, row := range part {
			switch {
			case len(stream.PrimaryKey) == 0:
				counts[row.text]++
				t[row.text] = fmt.Sprint(counts[row.text], " times")
			case row.deleted:
				delete(t, row.key)
			default:
				t[row.key] = row.text
			}
		}
	}
	return t
}

// differ says how two tables differ, without values; nil when they do not.
func differ(got, want table) error {
	if maps.Equal(got, want) {
		return nil
	}
	missing, extra, changed := 0, 0, 0
	for k, v := range want {
		g, ok := got[k]
		switch {
		case !ok:
			missing++
		case g != v:
			changed++
		}
	}
	for k := range got {
		if _, ok := want[k]; !ok {
			extra++
		}
	}
	return fmt.Errorf("%d rows are missing, %d are too many, %d differ, of %d", missing, extra, changed, len(want))
}

// keys of the rows that are not deleted in the end.
func (r *readout) keys() map[string]bool {
	out := map[string]bool{}
	for k := range fold(r.stream, r.rows) {
		out[k] = true
	}
	return out
}
