//go:build duckdb_arrow

package duckdb

import (
	"context"
	"strconv"
	"strings"

	"github.com/unsilo/unsilo/core"
)

const (
	hitsTable  = "temp.main.hits"
	foundTable = "temp.main.found"
)

// fewShare: staged rows are few when they are less than this share of the table. Then it
// pays to find their rows by the key alone, and to read the other columns of just those.
const fewShare = 8

// findHits makes the table of hits: for every row of the table that has the key of a
// staged one its id, the staged row's ord, the beginning of the version, and whether the
// two differ. With history only current versions are hit.
func (w *writing) findHits(ctx context.Context, few bool) error {
	table := place(w.table.Name)
	if !few || !w.hasRowID() {
		_, err := w.tx.run(ctx, "CREATE TEMP TABLE "+hitsTable+" AS SELECT "+w.hitColumns()+", s.ord, "+w.differs()+
			" AS changed FROM "+table+" t JOIN "+stageTable+" s ON "+w.sameKey()+w.current())
		return err
	}
	if _, err := w.tx.run(ctx, "CREATE TEMP TABLE "+foundTable+" AS SELECT t.rowid AS id, s.ord FROM "+table+" t JOIN "+
		stageTable+" s ON "+w.sameKey()+w.current()); err != nil {
		return err
	}
	_, err := w.tx.run(ctx, "CREATE TEMP TABLE "+hitsTable+" AS SELECT "+w.hitColumns()+", s.ord, "+w.differs()+
		" AS changed FROM "+table+" t JOIN "+foundTable+" f ON t.rowid = f.id JOIN "+stageTable+
		" s ON s.ord = f.ord WHERE t.rowid IN (SELECT id FROM "+foundTable+")")
	return err
}

// hasRowID reports whether DuckDB's name for a row's place is free: a column of that name
// hides it.
func (w *writing) hasRowID() bool { return column(w.table.Schema, "rowid") < 0 }

// hitColumns are what tells a row of the table again, and the beginning of its version.
func (w *writing) hitColumns() string {
	out := []string{"NULL::BIGINT AS id", "NULL::TIMESTAMPTZ AS since"}
	if w.hasRowID() {
		out[0] = "t.rowid AS id"
	}
	if w.versioned() {
		out[1] = "t." + core.HistoryFrom + " AS since"
	}
	for i, k := range w.src.key {
		out = append(out, "t."+quote(w.src.columns[k].Name)+" AS k"+strconv.Itoa(i))
	}
	return strings.Join(out, ", ")
}

// isHit joins the table t with its hits h, of those that meet a condition.
func (w *writing) isHit(condition string) string {
	if w.hasRowID() {
		return "t.rowid = h.id AND t.rowid IN (SELECT id FROM " + hitsTable + " h WHERE " + condition + ") AND " + condition
	}
	out := []string{condition}
	for i, k := range w.src.key {
		out = append(out, "t."+quote(w.src.columns[k].Name)+" IS NOT DISTINCT FROM h.k"+strconv.Itoa(i))
	}
	if w.versioned() {
		out = append(out, "t."+core.HistoryTo+" IS NULL")
	}
	return strings.Join(out, " AND ")
}

// versioned reports whether the write keeps history.
func (w *writing) versioned() bool { return w.req.Mode == core.WriteHistory || w.req.History }

// current limits the table t to the rows that a write can change.
func (w *writing) current() string {
	if w.versioned() {
		return " WHERE t." + core.HistoryTo + " IS NULL"
	}
	return ""
}

// hits counts the staged rows that were hit, of those that meet a condition.
func (w *writing) hits(ctx context.Context, condition string) (int64, error) {
	return w.tx.c.number(ctx, "SELECT count(DISTINCT ord) FROM "+hitsTable+" WHERE "+condition)
}

// mergeFew merges staged rows that are few next to the table.
func (w *writing) mergeFew(ctx context.Context, staged int64) (counts core.Counts, err error) {
	if err := w.findHits(ctx, true); err != nil {
		return counts, err
	}
	known, err := w.hits(ctx, "true")
	if err != nil {
		return counts, err
	}
	if counts.Changed, err = w.hits(ctx, "changed"); err != nil {
		return counts, err
	}
	counts.New, counts.Unchanged = staged-known, known-counts.Changed
	if counts.Changed > 0 {
		if _, err := w.tx.run(ctx, "UPDATE "+place(w.table.Name)+" t SET "+strings.Join(w.assignments(), ", ")+" FROM "+
			hitsTable+" h JOIN "+stageTable+" s ON s.ord = h.ord WHERE "+w.isHit("h.changed")); err != nil {
			return counts, err
		}
	}
	if counts.New > 0 {
		_, err = w.tx.run(ctx, "INSERT INTO "+place(w.table.Name)+" ("+w.names("")+") SELECT "+w.stagedColumns()+" FROM "+
			stageTable+" s ANTI JOIN "+hitsTable+" h ON s.ord = h.ord")
	}
	return counts, err
}

// stagedColumns lists the columns of staged rows in the order of names.
func (w *writing) stagedColumns() string {
	out := make([]string, len(w.src.columns))
	for i := range out {
		out[i] = "s.c" + strconv.Itoa(i)
	}
	return strings.Join(out, ", ")
}

// assignments set the columns of a row that is replaced by a staged one.
func (w *writing) assignments() []string {
	var set []string
	for c, f := range w.table.Schema.Fields() {
		switch i := w.src.at[c]; {
		case i < 0:
			set = append(set, quote(f.Name)+" = NULL")
		case !w.inKey(i):
			set = append(set, quote(f.Name)+" = s.c"+strconv.Itoa(i))
		}
	}
	return set
}
