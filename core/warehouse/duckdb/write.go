//go:build duckdb_arrow

package duckdb

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/unsilo/unsilo/core"
)

// Write stores rows by mode.
func (t *tx) Write(ctx context.Context, req core.WriteRequest) (core.Counts, error) {
	var counts core.Counts
	err := t.do(ctx, "write "+req.Table.String(), func() (err error) {
		counts, err = t.write(ctx, req)
		return err
	})
	if err != nil {
		return core.Counts{}, err
	}
	return counts, nil
}

func (t *tx) write(ctx context.Context, req core.WriteRequest) (core.Counts, error) {
	table, err := t.table(ctx, req.Table)
	if err != nil {
		return core.Counts{}, err
	}
	if err := checkRequest(table, req); err != nil {
		return core.Counts{}, refuse("write "+req.Table.String(), err)
	}
	if req.Mode == core.WriteHistory || req.History {
		if table, err = t.addHistory(ctx, table); err != nil {
			return core.Counts{}, err
		}
	}
	if req.Mode == core.WriteAppend {
		req.Key = nil
	}
	keyOnly := req.Mode == core.WriteDelete || req.Mode == core.WritePrune
	src, err := newSource(table, req, keyOnly)
	if err != nil {
		return core.Counts{}, refuse("write "+req.Table.String(), err)
	}
	if err := t.begin(ctx); err != nil {
		return core.Counts{}, err
	}
	if req.Mode != core.WriteAppend {
		if err := t.claim(table.Name); err != nil {
			return core.Counts{}, err
		}
	}
	t.touch(table.Name)
	w := &writing{tx: t, table: table, req: req, src: src}
	switch req.Mode {
	case core.WriteAppend:
		return w.appendRows(ctx)
	case core.WriteMerge:
		return w.merge(ctx)
	case core.WriteHistory:
		return w.history(ctx)
	}
	return w.remove(ctx)
}

// claim makes the transaction the only one that writes a table by key until it ends.
// Transactions that do not see each other's rows would each insert a key that is new.
func (t *tx) claim(name core.TableName) error {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	folded := foldTable(name)
	other := t.w.writers[folded]
	if other == t || other == nil && t.w.written[folded] <= t.since {
		t.w.writers[folded] = t
		return nil
	}
	return &core.Error{Kind: core.KindUnavailable, Op: "write " + name.String(),
		Err: errors.New("another transaction writes the same table by key"), Try: "begin again when it has ended"}
}

func checkRequest(table *core.Table, req core.WriteRequest) error {
	switch {
	case table == nil:
		return &core.NoTableError{Table: req.Table}
	case isSystem(req.Table):
		return fmt.Errorf("the table is the warehouse's own")
	}
	switch req.Mode {
	case core.WriteAppend:
		return nil
	case core.WriteMerge, core.WriteHistory, core.WriteDelete, core.WritePrune:
	default:
		return fmt.Errorf("there is no write mode %q", req.Mode)
	}
	if len(req.Key) == 0 {
		return fmt.Errorf("the mode %q needs a key", req.Mode)
	}
	for _, k := range req.Key {
		if column(table.Schema, k) < 0 {
			return fmt.Errorf("the table has no column %q, which is to be the key", k)
		}
	}
	if (req.Mode == core.WriteHistory || req.History) && req.At.IsZero() {
		return fmt.Errorf("history needs the time of the change")
	}
	if req.Mode == core.WriteHistory {
		for _, name := range []string{core.HistoryFrom, core.HistoryTo} {
			if column(req.Rows.Schema(), name) >= 0 {
				return fmt.Errorf("the column %q is the warehouse's, and the rows have one", name)
			}
		}
	}
	return nil
}

// A writing is one Write under way.
type writing struct {
	tx    *tx
	table *core.Table
	req   core.WriteRequest
	src   *source
	keys  *keyFilter // nil if there is none
}

// chunk reads the next rows. An error in them is the caller's.
func (w *writing) chunk(ctx context.Context) (*chunk, bool, error) {
	c, last, err := w.src.next(ctx, w.tx.w.chunkRows, w.tx.w.chunkBytes)
	if err == nil && w.keys != nil {
		c.fresh = w.remember(c)
	}
	var known *core.Error
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.As(err, &known) {
		return c, last, err
	}
	return c, last, refuse("write "+w.req.Table.String(), err)
}

// appendRows adds all rows.
func (w *writing) appendRows(ctx context.Context) (core.Counts, error) {
	var counts core.Counts
	w.tx.forget(w.table.Name)
	for last := false; !last; {
		var c *chunk
		var err error
		if c, last, err = w.chunk(ctx); err != nil {
			return counts, w.undo(counts.New > 0, err)
		}
		err = w.insert(ctx, c)
		counts.New += c.rows
		c.release()
		if err != nil {
			return counts, w.undo(true, err)
		}
	}
	return counts, nil
}

// undo makes an error that comes after rows were written end the transaction: DuckDB has
// no savepoints to go back to.
func (w *writing) undo(written bool, err error) error {
	if written {
		w.tx.spoilt = translate("write "+w.req.Table.String(), err)
	}
	return err
}

// insert adds a chunk to the table by one statement, straight from Arrow memory.
func (w *writing) insert(ctx context.Context, c *chunk) error {
	w.tx.added = true
	return w.load(ctx, c, place(w.table.Name)+" ("+w.names("")+")", "")
}

// load runs INSERT INTO target SELECT * [, more] over a chunk.
func (w *writing) load(ctx context.Context, c *chunk, target, more string) error {
	if c.rows == 0 {
		return nil
	}
	if err := w.tx.begin(ctx); err != nil {
		return err
	}
	rows, err := c.reader()
	if err != nil {
		return err
	}
	defer rows.Release()
	return w.tx.helper.with(ctx, rows, func(view string) error {
		_, err := w.tx.run(ctx, "INSERT INTO "+target+" SELECT *"+more+" FROM "+view+w.byOne(c))
		return err
	})
}

// rowGroup is the number of rows that DuckDB compresses together.
const rowGroup = 122_880

// byOne makes one of DuckDB's threads read a chunk that has no row group for each of them:
// what a thread has of less than a row group is copied once more, and compressed at the
// commit. Rows can only be numbered by one thread.
func (w *writing) byOne(c *chunk) string {
	if c.rows >= rowGroup*int64(w.tx.w.config.Threads) {
		return ""
	}
	return " QUALIFY row_number() OVER () > 0"
}

// names lists the table's columns that the rows fill.
func (w *writing) names(prefix string) string {
	out := make([]string, len(w.src.columns))
	for i, f := range w.src.columns {
		out[i] = prefix + quote(f.Name)
	}
	return strings.Join(out, ", ")
}

// sameKey joins the table t with staged rows s.
func (w *writing) sameKey() string {
	out := make([]string, len(w.src.key))
	for i, k := range w.src.key {
		out[i] = "t." + quote(w.src.columns[k].Name) + " = s.c" + strconv.Itoa(k)
	}
	return strings.Join(out, " AND ")
}

// differs is true when a staged row s says something else than the table's row t.
func (w *writing) differs() string {
	var out []string
	for c, f := range w.table.Schema.Fields() {
		i := w.src.at[c]
		switch {
		case i < 0 && !w.ownColumn(f.Name):
			out = append(out, "t."+quote(f.Name)+" IS NOT NULL")
		case i >= 0 && !w.inKey(i):
			out = append(out, "t."+quote(f.Name)+" IS DISTINCT FROM s.c"+strconv.Itoa(i))
		}
	}
	if len(out) == 0 {
		return "false"
	}
	return "(" + strings.Join(out, " OR ") + ")"
}

func (w *writing) inKey(i int) bool {
	for _, k := range w.src.key {
		if k == i {
			return true
		}
	}
	return false
}

// ownColumn reports whether a column is kept by the warehouse in this mode.
func (w *writing) ownColumn(name string) bool {
	return w.req.Mode == core.WriteHistory && (fold(name) == core.HistoryFrom || fold(name) == core.HistoryTo)
}
