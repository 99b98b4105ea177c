package sql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow/array"
)

// driverSession runs statements on a connection of a database/sql driver, without the
// package database/sql between, which would convert every cell once more.
type driverSession struct {
	conn driver.Conn
	// fail turns the driver's errors into core Errors.
	fail func(ctx context.Context, op string, err error) error
	// release gives the connection's slot back.
	release func()
}

func (s *driverSession) close() {
	_ = s.conn.Close() // nothing was written, so nothing can fail that matters
	s.release()
}

// exec runs statements without a result.
func (s *driverSession) exec(ctx context.Context, op string, statements ...string) error {
	for _, text := range statements {
		if err := s.each(ctx, text, nil, func([]driver.Value) error { return nil }); err != nil {
			return s.fail(ctx, op, err)
		}
	}
	return nil
}

// each runs a statement and calls row with every row of its result; the values are valid
// during the call. Errors are the driver's own, or those of row.
func (s *driverSession) each(ctx context.Context, text string, args []any, row func([]driver.Value) error) error {
	rows, closeRows, err := s.query(ctx, text, args)
	if err != nil {
		return err
	}
	defer closeRows()
	dest := make([]driver.Value, len(rows.Columns()))
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		switch err := rows.Next(dest); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := row(dest); err != nil {
			return err
		}
	}
}

// query prepares and runs one statement. The caller ends it with the function returned.
func (s *driverSession) query(ctx context.Context, text string, args []any) (driver.Rows, func(), error) {
	prepare, ok := s.conn.(driver.ConnPrepareContext)
	if !ok {
		return nil, nil, fmt.Errorf("the driver %T prepares no statements", s.conn)
	}
	stmt, err := prepare.PrepareContext(ctx, text)
	if err != nil {
		return nil, nil, err
	}
	query, ok := stmt.(driver.StmtQueryContext)
	if !ok {
		return nil, nil, errors.Join(fmt.Errorf("the driver %T runs no queries", s.conn), stmt.Close())
	}
	named := make([]driver.NamedValue, len(args))
	for i, a := range args {
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
	}
	rows, err := query.QueryContext(ctx, named)
	if err != nil {
		return nil, nil, errors.Join(err, stmt.Close())
	}
	return rows, func() { _, _ = rows.Close(), stmt.Close() }, nil
}

// cellReader is how driver values of one column are read.
type cellReader struct {
	// add appends a value, which is not null, to the column's builder. Where it cannot, it
	// appends null and returns why.
	add func(v driver.Value) (reason string)
	// null appends null.
	null func()
	// position writes a value as a position; false when there is none.
	position func(v driver.Value) (string, bool)
}

// scanInto reads a statement's rows into the batcher.
func (s *driverSession) scanInto(ctx context.Context, st *statement, b *batcher, reader func(column, array.Builder) cellReader) error {
	readers := make([]cellReader, len(b.columns))
	for i, c := range b.columns {
		readers[i] = reader(c, b.builder.Field(i))
	}
	var current []driver.Value
	b.at = func(col int) (string, bool) {
		if current[col] == nil {
			return "", false
		}
		return readers[col].position(current[col])
	}
	err := s.each(ctx, st.text.String(), st.args, func(row []driver.Value) error {
		current = row
		if b.keep != nil && !b.keep(b.at, func() uint64 { return rowSum(row) }) {
			return nil
		}
		size := 0
		for i, v := range row {
			if v == nil {
				readers[i].null()
				continue
			}
			if reason := readers[i].add(v); reason != "" {
				b.reject(i, display(v), reason)
			}
			size += cellSize(v)
		}
		return b.endRow(size)
	})
	if b.err != nil {
		return b.err
	}
	if err != nil {
		return s.fail(ctx, "read rows", err)
	}
	return nil
}

// rowSum hashes a row.
func rowSum(row []driver.Value) uint64 {
	var h rowHash
	for _, v := range row {
		switch v := v.(type) {
		case nil:
			h.cell("n", nil)
		case []byte:
			h.cell("b", v)
		default:
			h.cell("v", fmt.Append(nil, v))
		}
	}
	return h.h.Sum64()
}

// cellSize is about how many bytes a value takes in a batch.
func cellSize(v driver.Value) int {
	switch v := v.(type) {
	case []byte:
		return len(v) + 4
	case string:
		return len(v) + 4
	}
	return 8
}

// display writes a value that could not be kept, for the rejected record.
func display(v driver.Value) string {
	switch v := v.(type) {
	case []byte:
		return string([]rune(string(v)))
	case string:
		return string([]rune(v))
	}
	return fmt.Sprint(v)
}
