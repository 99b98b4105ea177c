//go:build duckdb_arrow

package duckdb

import (
	"context"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// A row is one line of a small result.
type row struct {
	columns []arrow.Array
	at      int
}

func (r row) null(i int) bool { return r.columns[i].IsNull(r.at) }

func (r row) text(i int) string {
	if s, ok := r.columns[i].(*array.String); ok && !r.null(i) {
		return strings.Clone(s.Value(r.at)) // the batch is released before the text is used
	}
	return ""
}

func (r row) int(i int) int64 {
	if n, ok := r.columns[i].(*array.Int64); ok && !r.null(i) {
		return n.Value(r.at)
	}
	return 0
}

func (r row) bool(i int) bool {
	b, ok := r.columns[i].(*array.Boolean)
	return ok && !r.null(i) && b.Value(r.at)
}

func (r row) time(i int) time.Time {
	if t, ok := r.columns[i].(*array.Timestamp); ok && !r.null(i) {
		return time.UnixMicro(int64(t.Value(r.at))).UTC()
	}
	return time.Time{}
}

// texts reads a list of strings.
func (r row) texts(i int) []string {
	l, ok := r.columns[i].(*array.List)
	if !ok || r.null(i) {
		return nil
	}
	from, to := l.ValueOffsets(r.at)
	values, ok := l.ListValues().(*array.String)
	if !ok {
		return nil
	}
	out := make([]string, 0, to-from)
	for j := from; j < to; j++ {
		out = append(out, strings.Clone(values.Value(int(j))))
	}
	return out
}

// each calls f for every row of a query's result.
func (c *conn) each(ctx context.Context, sql string, f func(row)) error {
	r, err := c.query(ctx, sql)
	if err != nil {
		return err
	}
	defer r.Release()
	for r.Next() {
		for i := range int(r.current.NumRows()) {
			f(row{columns: r.current.Columns(), at: i})
		}
	}
	return r.err
}
