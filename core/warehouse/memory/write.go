package memory

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
)

// Write stores rows by mode.
func (t *tx) Write(ctx context.Context, req core.WriteRequest) (counts core.Counts, err error) {
	err = t.do(ctx, func() error {
		w, err := t.read(ctx, req)
		if err != nil {
			return refuse("write "+req.Table.String(), err)
		}
		counts, err = w.store()
		return err
	})
	return counts, err
}

// A writing is one request, read completely before anything is changed.
type writing struct {
	tx   *tx
	have *table // as it was, or with the columns of history added
	req  core.WriteRequest
	key  []int // positions in the table
	rows [][]any
	// since and until are the columns of history, or -1.
	since, until int
}

func (t *tx) read(ctx context.Context, req core.WriteRequest) (*writing, error) {
	have := t.data.tables[foldTable(req.Table)]
	if err := checkRequest(have, req); err != nil {
		return nil, err
	}
	keyOnly := req.Mode == core.WriteDelete || req.Mode == core.WritePrune
	at := make([]int, have.schema.NumFields()) // where a column is in the rows, from 1
	in := positions(have.schema)
	for i, f := range req.Rows.Schema().Fields() {
		c, known := in[fold(f.Name)]
		switch {
		case !known && keyOnly:
			continue
		case !known:
			return nil, fmt.Errorf("the table has no column %q", f.Name)
		case at[c] > 0:
			return nil, fmt.Errorf("the rows have the column %q twice", f.Name)
		}
		if keyOnly && !slices.ContainsFunc(req.Key, func(k string) bool { return fold(k) == fold(f.Name) }) {
			continue
		}
		if narrow, wide := core.Canonical(f.Type), have.schema.Field(c).Type; !core.Holds(wide, narrow) {
			return nil, fmt.Errorf("column %q is %s in the rows and %s in the table", f.Name, narrow, wide)
		}
		at[c] = i + 1
	}
	w := &writing{tx: t, have: have, req: req}
	if req.Mode == core.WriteAppend {
		req.Key = nil
	}
	for _, k := range req.Key {
		c := in[fold(k)]
		if at[c] == 0 {
			return nil, fmt.Errorf("the rows lack the key column %q", k)
		}
		w.key = append(w.key, c)
	}
	return w, w.readRows(ctx, at)
}

func (w *writing) readRows(ctx context.Context, at []int) error {
	for w.req.Rows.Next() {
		if err := ctx.Err(); err != nil {
			return err
		}
		batch := w.req.Rows.RecordBatch()
		for c, from := range at {
			if from == 0 {
				continue
			}
			if err := check(batch.Column(from - 1)); err != nil {
				return fmt.Errorf("column %q: %w", w.have.schema.Field(c).Name, err)
			}
		}
		for i := range int(batch.NumRows()) {
			row := make([]any, len(at))
			for c, from := range at {
				if from > 0 {
					row[c] = valueAt(batch.Column(from-1), i, w.have.schema.Field(c).Type)
				}
			}
			for _, k := range w.key {
				if row[k] == nil {
					return fmt.Errorf("a row has no value in the key column %q", w.have.schema.Field(k).Name)
				}
			}
			w.rows = append(w.rows, row)
		}
	}
	return w.req.Rows.Err()
}

func checkRequest(have *table, req core.WriteRequest) error {
	if have == nil {
		return &core.NoTableError{Table: req.Table}
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
		if column(have.schema, k) < 0 {
			return fmt.Errorf("the table has no column %q, which is to be the key", k)
		}
	}
	if (req.Mode == core.WriteHistory || req.History) && req.At.IsZero() {
		return fmt.Errorf("history needs the time of the change")
	}
	if req.Mode == core.WriteHistory && (column(req.Rows.Schema(), core.HistoryFrom) >= 0 || column(req.Rows.Schema(), core.HistoryTo) >= 0) {
		return fmt.Errorf("the history columns are the warehouse's, and the rows have one")
	}
	return nil
}

func (w *writing) store() (core.Counts, error) {
	if w.req.Mode == core.WriteHistory || w.req.History {
		if err := w.addHistory(); err != nil {
			return core.Counts{}, err
		}
	}
	w.since, w.until = column(w.have.schema, core.HistoryFrom), column(w.have.schema, core.HistoryTo)
	switch w.req.Mode {
	case core.WriteAppend:
		mine := w.tx.change(w.have)
		mine.rows = append(mine.rows, w.rows...)
		return core.Counts{New: int64(len(w.rows))}, nil
	case core.WriteMerge, core.WriteHistory:
		return w.merge(), nil
	}
	return w.remove()
}

// addHistory gives the table the columns that history needs.
func (w *writing) addHistory() error {
	kind := core.Canonical(&arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"})
	fields := w.have.schema.Fields()
	for _, name := range []string{core.HistoryFrom, core.HistoryTo} {
		switch c := column(w.have.schema, name); {
		case c < 0:
			fields = append(fields, arrow.Field{Name: name, Type: kind, Nullable: true})
		case !arrow.TypeEqual(fields[c].Type, kind):
			return refuse("keep history", fmt.Errorf("the column %q is %s, but history needs %s", name, fields[c].Type, kind))
		}
	}
	if err := w.tx.alter(w.have, arrow.NewSchema(fields, nil), w.have.key); err != nil {
		return err
	}
	w.have = w.tx.data.tables[foldTable(w.have.name)]
	for i := range w.rows {
		w.rows[i] = append(w.rows[i], make([]any, len(fields)-len(w.rows[i]))...)
	}
	return nil
}

func (w *writing) keyOf(row []any) string {
	var id []byte
	for _, k := range w.key {
		id = identify(id, row[k])
	}
	return string(id)
}

// current tells whether a row is the valid version; without history every row is.
func (w *writing) current(row []any) bool {
	if w.req.Mode != core.WriteHistory && !w.req.History {
		return true
	}
	return row[w.until] == nil
}

// merge replaces or closes what differs and adds what is new.
func (w *writing) merge() core.Counts {
	last := map[string][]any{}
	var order []string
	for _, row := range w.rows {
		id := w.keyOf(row)
		if _, ok := last[id]; !ok {
			order = append(order, id)
		}
		last[id] = row
	}
	mine := w.tx.change(w.have)
	var counts core.Counts
	var kept, added [][]any
	seen := map[string]bool{}
	for _, old := range mine.rows {
		id := w.keyOf(old)
		row, ok := last[id]
		if !ok || !w.current(old) {
			kept = append(kept, old)
			continue
		}
		seen[id] = true
		if w.equal(old, row) {
			counts.Unchanged++
			kept = append(kept, old)
			continue
		}
		counts.Changed++
		if w.req.Mode == core.WriteMerge {
			kept = append(kept, row)
			continue
		}
		closed, from := w.closeVersion(old)
		if closed != nil {
			kept = append(kept, closed)
		}
		added = append(added, w.version(row, from))
	}
	for _, id := range order {
		if !seen[id] {
			counts.New++
			added = append(added, w.version(last[id], nil))
		}
	}
	mine.rows = append(kept, added...)
	return counts
}

func (w *writing) equal(old, row []any) bool {
	for c := range row {
		own := w.req.Mode == core.WriteHistory && (c == w.since || c == w.until)
		if !own && string(identify(nil, old[c])) != string(identify(nil, row[c])) {
			return false
		}
	}
	return true
}

// version is a row as it is stored; from overrides its beginning.
func (w *writing) version(row []any, from any) []any {
	if w.req.Mode != core.WriteHistory {
		return row
	}
	row = slices.Clone(row)
	if from == nil {
		from = micros(w.req.At)
	}
	row[w.since] = from
	return row
}

// closeVersion ends a version. One that began at the same time or later leaves nothing
// but its beginning.
func (w *writing) closeVersion(old []any) (closed []any, from any) {
	since := old[w.since]
	if since != nil && since.(int64) >= micros(w.req.At) {
		return nil, since
	}
	closed = slices.Clone(old)
	closed[w.until] = micros(w.req.At)
	return closed, nil
}

func micros(at time.Time) int64 { return at.UnixMicro() }

// remove deletes or closes the rows with the keys given, or prunes those without.
func (w *writing) remove() (core.Counts, error) {
	given := map[string]bool{}
	for _, row := range w.rows {
		given[w.keyOf(row)] = true
	}
	mine := w.tx.change(w.have)
	var counts core.Counts
	var kept [][]any
	total := 0
	for _, old := range mine.rows {
		if w.current(old) {
			total++
			if given[w.keyOf(old)] == (w.req.Mode == core.WriteDelete) {
				counts.Deleted++
				if w.req.History {
					if closed, _ := w.closeVersion(old); closed != nil {
						kept = append(kept, closed)
					}
				}
				continue
			}
		}
		kept = append(kept, old)
	}
	if w.req.Mode == core.WritePrune && w.req.MaxShare > 0 && float64(counts.Deleted) > w.req.MaxShare*float64(total) {
		return core.Counts{}, &core.Error{Kind: core.KindData, Op: "prune " + w.req.Table.String(),
			Err: fmt.Errorf("this would remove %d of %d rows, more than the %g %% that may vanish at once",
				counts.Deleted, total, w.req.MaxShare*100),
			Try: "check that the source lists all its keys; if so many rows are really gone, raise max_delete_share"}
	}
	mine.rows = kept
	return counts, nil
}
