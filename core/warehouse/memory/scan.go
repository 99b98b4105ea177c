package memory

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
)

// Scan reads columns of a table as of now.
func (w *Warehouse) Scan(ctx context.Context, req core.ScanRequest) (array.RecordReader, error) {
	data, err := w.view(ctx)
	if err != nil {
		return nil, err
	}
	t := data.tables[foldTable(req.Table)]
	if t == nil {
		return nil, refuse("scan", &core.NoTableError{Table: req.Table})
	}
	at := make([]int, 0, t.schema.NumFields())
	if len(req.Columns) == 0 {
		for i := range t.schema.NumFields() {
			at = append(at, i)
		}
	}
	for _, c := range req.Columns {
		i := column(t.schema, c)
		if i < 0 {
			return nil, refuse("scan", fmt.Errorf("table %s has no column %q", req.Table, c))
		}
		at = append(at, i)
	}
	rows := t.rows
	if req.Keys != nil {
		if rows, err = t.named(ctx, data, req); err != nil {
			return nil, refuse("scan "+req.Table.String(), err)
		}
	}
	return t.reader(at, rows)
}

// named picks the rows that keys name.
func (t *table) named(ctx context.Context, data snapshot, req core.ScanRequest) ([][]any, error) {
	keys, err := array.NewRecordReader(req.Keys.Schema(), []arrow.RecordBatch{req.Keys})
	if err != nil {
		return nil, err
	}
	defer keys.Release()
	deletion := core.WriteRequest{Table: req.Table, Mode: core.WriteDelete, Rows: keys}
	for _, f := range req.Keys.Schema().Fields() {
		deletion.Key = append(deletion.Key, f.Name)
	}
	if len(deletion.Key) == 0 {
		return nil, errors.New("the keys have no columns")
	}
	w, err := (&tx{data: data}).read(ctx, deletion)
	if err != nil {
		return nil, err
	}
	wanted := make(map[string]bool, len(w.rows))
	for _, row := range w.rows {
		wanted[w.keyOf(row)] = true
	}
	return slices.DeleteFunc(slices.Clone(t.rows), func(row []any) bool { return !wanted[w.keyOf(row)] }), nil
}

// scanRows is the size of the batches that Scan gives.
const scanRows = 4096

func (t *table) reader(at []int, rows [][]any) (array.RecordReader, error) {
	fields := make([]arrow.Field, len(at))
	for i, c := range at {
		fields[i] = t.schema.Field(c)
	}
	schema := arrow.NewSchema(fields, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	var batches []arrow.RecordBatch
	for rows := range slices.Chunk(rows, scanRows) {
		for _, row := range rows {
			for i, c := range at {
				appendValue(b.Field(i), row[c])
			}
		}
		batches = append(batches, b.NewRecordBatch())
	}
	r, err := array.NewRecordReader(schema, batches)
	for _, batch := range batches {
		batch.Release()
	}
	return r, err
}
