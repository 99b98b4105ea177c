package file

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
)

// The columns that identify a row of a file without a key of its own.
const (
	fileColumn = "_file"
	lineColumn = "_line"
)

func trackingFields() []arrow.Field {
	return []arrow.Field{
		core.WithMeans(arrow.Field{Name: fileColumn, Type: arrow.BinaryTypes.String}, core.NotPersonal),
		core.WithMeans(arrow.Field{Name: lineColumn, Type: arrow.PrimitiveTypes.Int64}, core.NotPersonal),
	}
}

// send emits a chunk of a file and moves the file's position behind it. ended says that the
// chunk is the last, final that a last line without an end counted.
func (r *reading) send(t task, m *meter, c chunk, ended, final bool) error {
	defer c.release()
	if c.rejects != nil && !r.req.KeysOnly {
		if err := r.emit(core.Batch{Rows: c.rejects, Op: core.OpReject}); err != nil {
			return err
		}
		r.unmarked += c.rejects.NumRows()
	}
	if c.rows != nil {
		rows, err := r.complete(t.known, c)
		if err != nil {
			return err
		}
		err = r.emit(core.Batch{Rows: rows})
		n := rows.NumRows()
		rows.Release()
		if err != nil {
			return err
		}
		r.sent += n
		r.unmarked += n
	}
	r.move(t, m, c, ended, final)
	if err := r.ledger.update(r.places[t.known]); err != nil {
		return err
	}
	return r.mark(false)
}

// move sets the position of a file. A file that ends in the middle of a line is looked at
// again by the next read, changed or not.
func (r *reading) move(t task, m *meter, c chunk, ended, final bool) {
	k := t.known
	k.Size, k.ModTime, k.Tag = t.entry.Size, t.entry.ModTime, t.entry.Tag
	k.Open = !ended
	r.changed = true
	switch {
	case k.ID == "":
	case r.stream.whole:
		k.Line = c.offset
	default:
		if !m.endsLine(c.offset) {
			c.offset = c.before // the last record is read again, should it grow
		}
		m.advance(c.offset)
		k.Offset, k.Line, k.Print = m.offset, m.lines, m.fingerprint()
	}
	if !final && !r.stream.whole && len(m.pending) > 0 {
		k.Open = true // a record that has no end yet
	}
}

// mark sends the position, when enough has been sent since the last one, or at the end.
func (r *reading) mark(end bool) error {
	due := end || r.changed && (r.unmarked >= rowsPerState || time.Since(r.marked) >= timePerState)
	if r.silent || !due {
		return nil
	}
	state := r.ledger.state()
	if end && !r.changed && bytes.Equal(state, r.req.After) {
		return nil
	}
	r.unmarked, r.marked, r.changed = 0, time.Now(), false
	return r.emit(core.Batch{After: state})
}

// complete gives a chunk's rows the columns that the stream has.
func (r *reading) complete(k *known, c chunk) (arrow.RecordBatch, error) {
	switch {
	case r.req.KeysOnly:
		return project(c.rows, r.req.Stream.PrimaryKey)
	case r.stream.keyed():
		return array.NewRecordBatch(r.labelled(c.rows.Schema().Fields()), c.rows.Columns(), c.rows.NumRows()), nil
	}
	n := int(c.rows.NumRows())
	names := array.NewStringBuilder(memory.DefaultAllocator)
	defer names.Release()
	names.Reserve(n)
	names.ReserveData(n * len(k.ID))
	for range n {
		names.Append(k.ID)
	}
	lines := array.NewInt64Builder(memory.DefaultAllocator)
	defer lines.Release()
	lines.AppendValues(c.lines, nil)
	files, numbers := names.NewArray(), lines.NewArray()
	defer files.Release()
	defer numbers.Release()
	schema := r.labelled(append(c.rows.Schema().Fields(), trackingFields()...))
	return array.NewRecordBatch(schema, append(c.rows.Columns(), files, numbers), int64(n)), nil
}

// labelled gives the fields the meanings that they have in the stream that is read.
func (r *reading) labelled(fields []arrow.Field) *arrow.Schema {
	out := slices.Clone(fields)
	for i, f := range out {
		if known, ok := r.req.Stream.Field(f.Name); ok && core.MeansOf(known) != core.MeansOf(f) {
			out[i] = core.WithMeans(f, core.MeansOf(known))
		}
	}
	return arrow.NewSchema(out, nil)
}

// project keeps the named columns.
func project(rows arrow.RecordBatch, names []string) (arrow.RecordBatch, error) {
	fields, columns := make([]arrow.Field, len(names)), make([]arrow.Array, len(names))
	for i, name := range names {
		at := rows.Schema().FieldIndices(name)
		if len(at) != 1 {
			return nil, &core.Error{Kind: core.KindData, Op: "read keys", Err: fmt.Errorf("a file has no column %q", name)}
		}
		fields[i], columns[i] = rows.Schema().Field(at[0]), rows.Column(at[0])
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, rows.NumRows()), nil
}
