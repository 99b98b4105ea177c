package identity

import (
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
)

// batchRows is the size of the batches handed to the warehouse.
const batchRows = 1 << 16

// rows makes the rows of a table as the warehouse asks for them: item i of n adds any
// number of rows. It is an array.RecordReader that nobody has to keep in memory.
type rows struct {
	table   core.Table
	n       int
	item    func(i int, w *rowWriter)
	writer  rowWriter
	at      int
	current arrow.RecordBatch
}

func newRows(t core.Table, n int, item func(i int, w *rowWriter)) *rows {
	return &rows{table: t, n: n, item: item, writer: rowWriter{builder: array.NewRecordBuilder(memory.DefaultAllocator, t.Schema)}}
}

// Next builds the next batch.
func (r *rows) Next() bool {
	if r.current != nil {
		r.current.Release()
		r.current = nil
	}
	r.writer.rows = 0
	for ; r.at < r.n && r.writer.rows < batchRows; r.at++ {
		r.item(r.at, &r.writer)
	}
	if r.writer.rows == 0 {
		return false
	}
	r.current = r.writer.builder.NewRecordBatch()
	return true
}

// Schema of the table.
func (r *rows) Schema() *arrow.Schema { return r.table.Schema }

// RecordBatch is the batch that Next built.
func (r *rows) RecordBatch() arrow.RecordBatch { return r.current }

// Record is RecordBatch, under the name of older versions of the interface.
func (r *rows) Record() arrow.RecordBatch { return r.current }

// Err is nil: rows come from memory.
func (r *rows) Err() error { return nil }

// Retain does nothing; rows have one owner.
func (r *rows) Retain() {}

// Release frees what was built.
func (r *rows) Release() {
	if r.current != nil {
		r.current.Release()
		r.current = nil
	}
	r.writer.builder.Release()
}

// rowWriter appends rows to a batch.
type rowWriter struct {
	builder *array.RecordBuilder
	rows    int
}

// add appends a row; values are string, int64, float64, bool, or nil, in the order of the
// columns. An empty string is stored as null.
func (w *rowWriter) add(values ...any) {
	for i, v := range values {
		appendValue(w.builder.Field(i), v)
	}
	w.rows++
}

// key appends a row of which only the first column is known: a string or an int64.
func (w *rowWriter) key(v any) {
	appendValue(w.builder.Field(0), v)
	for i := 1; i < w.builder.Schema().NumFields(); i++ {
		w.builder.Field(i).AppendNull()
	}
	w.rows++
}

// text and number append one cell without boxing it; end closes the row.
func (w *rowWriter) text(column int, v string) {
	w.builder.Field(column).(*array.StringBuilder).Append(v)
}

func (w *rowWriter) number(column int, v int64) {
	w.builder.Field(column).(*array.Int64Builder).Append(v)
}

func (w *rowWriter) numbers(column int, list []uint64) {
	b := w.builder.Field(column).(*array.ListBuilder)
	b.Append(true)
	values := b.ValueBuilder().(*array.Int64Builder)
	for _, v := range list {
		values.Append(int64(v))
	}
}

func (w *rowWriter) end() { w.rows++ }

func appendValue(b array.Builder, v any) {
	switch x := v.(type) {
	case string:
		if s, ok := b.(*array.StringBuilder); ok && x != "" {
			s.Append(x)
			return
		}
	case int64:
		switch c := b.(type) {
		case *array.Int64Builder:
			c.Append(x)
			return
		case *array.TimestampBuilder:
			c.Append(arrow.Timestamp(x))
			return
		}
	case float64:
		if c, ok := b.(*array.Float64Builder); ok {
			c.Append(x)
			return
		}
	case bool:
		if c, ok := b.(*array.BooleanBuilder); ok {
			c.Append(x)
			return
		}
	}
	b.AppendNull()
}

// store writes n items to the table by mode.
func storeRows(ctx context.Context, tx core.Tx, t core.Table, mode core.WriteMode, n int, item func(i int, w *rowWriter)) error {
	if n == 0 {
		return nil
	}
	r := newRows(t, n, item)
	defer r.Release()
	if _, err := tx.Write(ctx, core.WriteRequest{Table: t.Name, Mode: mode, Key: t.Key, Rows: r}); err != nil {
		return fmt.Errorf("write %s: %w", t.Name, err)
	}
	return nil
}

// replaceRows makes n items the whole content of the table.
func replaceRows(ctx context.Context, tx core.Tx, t core.Table, n int, item func(i int, w *rowWriter)) error {
	if err := tx.Drop(ctx, t.Name); err != nil {
		return fmt.Errorf("drop %s: %w", t.Name, err)
	}
	if err := tx.Define(ctx, t); err != nil {
		return fmt.Errorf("define %s: %w", t.Name, err)
	}
	return storeRows(ctx, tx, t, core.WriteAppend, n, item)
}
