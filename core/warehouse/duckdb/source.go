//go:build duckdb_arrow

package duckdb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/unsilo/unsilo/core"
)

// A source hands over the rows of a request in chunks, checked and in a form DuckDB can
// read. Its columns are named c0, c1, ... in the order of columns.
type source struct {
	rows array.RecordReader
	// columns are the columns of the table that the rows fill, and pick where they are in
	// the rows.
	columns []arrow.Field
	pick    []int
	// key holds positions in columns; at is the position of a column of the table, or -1.
	key    []int
	at     []int
	schema *arrow.Schema
}

var errNullKey = errors.New("a row has no value in a key column")

// newSource matches the columns of the rows with those of the table. keyOnly leaves out
// all but the key.
func newSource(table *core.Table, req core.WriteRequest, keyOnly bool) (*source, error) {
	s := &source{rows: req.Rows, at: make([]int, table.Schema.NumFields())}
	in, inTable, inKey := map[string]int{}, map[string]bool{}, map[string]bool{}
	for _, f := range table.Schema.Fields() {
		inTable[fold(f.Name)] = true
	}
	for i, f := range req.Rows.Schema().Fields() {
		name := fold(f.Name)
		if _, ok := in[name]; ok {
			return nil, fmt.Errorf("the rows have the column %q twice", f.Name)
		}
		if in[name] = i; !inTable[name] && !keyOnly {
			return nil, fmt.Errorf("the table has no column %q", f.Name)
		}
	}
	for _, k := range req.Key {
		inKey[fold(k)] = true
	}
	var fields []arrow.Field
	for c, f := range table.Schema.Fields() {
		s.at[c] = -1
		i, ok := in[fold(f.Name)]
		if !ok || keyOnly && !inKey[fold(f.Name)] {
			continue
		}
		have := core.Canonical(req.Rows.Schema().Field(i).Type)
		if !core.Holds(f.Type, have) {
			return nil, fmt.Errorf("column %q is %s in the rows and %s in the table", f.Name, have, f.Type)
		}
		s.at[c] = len(fields)
		fields = append(fields, arrow.Field{Name: "c" + strconv.Itoa(len(fields)), Nullable: true,
			Type: transportType(req.Rows.Schema().Field(i).Type)})
		s.columns, s.pick = append(s.columns, f), append(s.pick, i)
	}
	s.schema = arrow.NewSchema(fields, nil)
	for _, k := range req.Key {
		i := slices.IndexFunc(s.columns, func(f arrow.Field) bool { return fold(f.Name) == fold(k) })
		if i < 0 {
			return nil, fmt.Errorf("the rows or the table lack the key column %q", k)
		}
		s.key = append(s.key, i)
	}
	return s, nil
}

// A chunk is a part of the rows in memory.
type chunk struct {
	schema  *arrow.Schema
	batches []arrow.RecordBatch
	rows    int64
	bytes   int64
	// fresh says that a filter knows all keys to be new and different.
	fresh bool
}

func (c *chunk) release() {
	for _, b := range c.batches {
		b.Release()
	}
	c.batches = nil
}

// reader gives the rows once; it may be called again.
func (c *chunk) reader() (array.RecordReader, error) {
	return array.NewRecordReader(c.schema, c.batches)
}

// next reads the following chunk, up to a number of rows or bytes; last says that none
// comes after it. The caller releases it.
func (s *source) next(ctx context.Context, rows, bytes int64) (c *chunk, last bool, err error) {
	c = &chunk{schema: s.schema}
	for c.rows < rows && c.bytes < bytes {
		if err = ctx.Err(); err != nil {
			break
		}
		if !s.rows.Next() {
			last, err = true, s.rows.Err()
			break
		}
		if err = s.take(c, s.rows.RecordBatch()); err != nil {
			break
		}
	}
	if err != nil {
		c.release()
	}
	return c, last, err
}

func (s *source) take(c *chunk, batch arrow.RecordBatch) error {
	if batch.NumRows() == 0 {
		return nil
	}
	columns := make([]arrow.Array, 0, len(s.pick))
	defer func() {
		for _, col := range columns {
			col.Release()
		}
	}()
	for i, at := range s.pick {
		col, err := transport(batch.Column(at), s.schema.Field(i).Type)
		if err != nil {
			return fmt.Errorf("column %q: %w", s.columns[i].Name, err)
		}
		columns = append(columns, col)
	}
	for _, k := range s.key {
		if nulls(columns[k]) {
			return fmt.Errorf("%w (%s)", errNullKey, s.columns[k].Name)
		}
	}
	out := array.NewRecordBatch(s.schema, columns, batch.NumRows())
	c.batches = append(c.batches, out)
	c.rows += out.NumRows()
	c.bytes += core.RowBytes(out)
	return nil
}

// nulls reports whether a column has a null, also where the encoding hides it.
func nulls(col arrow.Array) bool {
	switch a := col.(type) {
	case *array.Dictionary:
		if a.NullN() > 0 {
			return true
		}
		if a.Dictionary().NullN() == 0 {
			return false
		}
		for i := range a.Len() {
			if a.Dictionary().IsNull(a.GetValueIndex(i)) {
				return true
			}
		}
		return false
	case *array.RunEndEncoded:
		return a.Values().NullN() > 0
	case *array.Null:
		return a.Len() > 0
	}
	return col.NullN() > 0
}
