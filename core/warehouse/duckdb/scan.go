//go:build duckdb_arrow

package duckdb

import (
	"context"
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/unsilo/unsilo/core"
)

// Scan reads columns of a table as of now; later commits do not change what it returns.
func (w *Warehouse) Scan(ctx context.Context, req core.ScanRequest) (array.RecordReader, error) {
	op := "scan " + req.Table.String()
	c, err := w.connect(ctx)
	if err != nil {
		return nil, w.fail(op, err)
	}
	r, err := w.scan(ctx, c, req)
	if err != nil {
		w.release(c)
		return nil, w.fail(op, err)
	}
	r.done = func() { w.release(c) }
	return r, nil
}

func (w *Warehouse) scan(ctx context.Context, c *conn, req core.ScanRequest) (*reader, error) {
	t, err := describe(ctx, c, req.Table)
	if err != nil {
		return nil, err
	}
	if t == nil {
		return nil, refuse("scan", &core.NoTableError{Table: req.Table})
	}
	fields := t.Schema.Fields()
	if len(req.Columns) > 0 {
		fields = make([]arrow.Field, len(req.Columns))
		for i, n := range req.Columns {
			at := column(t.Schema, n)
			if at < 0 {
				return nil, refuse("scan", fmt.Errorf("table %s has no column %q", req.Table, n))
			}
			fields[i] = t.Schema.Field(at)
		}
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = "t." + quote(f.Name)
	}
	sql := "SELECT " + strings.Join(names, ", ") + " FROM " + place(t.Name) + " t"
	if req.Keys != nil {
		join, err := w.stageKeys(ctx, c, t, req.Keys)
		if err != nil {
			return nil, err
		}
		sql += join
	}
	r, err := c.query(ctx, sql)
	if err != nil {
		return nil, err
	}
	r.present(arrow.NewSchema(fields, nil))
	return r, nil
}

// stageKeys puts keys into a temporary table of this connection, which goes with it, and gives
// the join of a table t that leaves the rows they name.
func (w *Warehouse) stageKeys(ctx context.Context, c *conn, table *core.Table, keys arrow.RecordBatch) (join string, err error) {
	rows, err := array.NewRecordReader(keys.Schema(), []arrow.RecordBatch{keys})
	if err != nil {
		return "", err
	}
	defer rows.Release()
	req := core.WriteRequest{Table: table.Name, Rows: rows}
	for _, f := range keys.Schema().Fields() {
		req.Key = append(req.Key, f.Name)
	}
	src, err := newSource(table, req, true)
	if err == nil && len(src.key) == 0 {
		err = fmt.Errorf("the keys have no columns")
	}
	if err != nil {
		return "", refuse("scan", err)
	}
	staged, _, err := src.next(ctx, keys.NumRows()+1, int64(1)<<62)
	if err != nil {
		return "", refuse("scan", err)
	}
	defer staged.release()
	writing := &writing{table: table, src: src}
	types, err := writing.stageTypes()
	if err != nil {
		return "", err
	}
	if _, err := c.exec(ctx, "CREATE TEMP TABLE "+stageTable+" ("+types+")"); err != nil {
		return "", err
	}
	helper, err := w.connect(ctx)
	if err != nil {
		return "", err
	}
	defer w.release(helper)
	in, err := staged.reader()
	if err != nil {
		return "", err
	}
	defer in.Release()
	err = helper.with(ctx, in, func(view string) error {
		_, err := c.exec(ctx, "INSERT INTO "+stageTable+" SELECT * FROM "+view)
		return err
	})
	return " SEMI JOIN " + stageTable + " s ON " + writing.sameKey(), err
}
