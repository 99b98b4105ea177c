//go:build duckdb_arrow

package duckdb

import (
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
)

// historyType is the type of both history columns.
var historyType = core.Canonical(&arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"})

// addHistory gives a table the columns that history needs.
func (t *tx) addHistory(ctx context.Context, table *core.Table) (*core.Table, error) {
	fields := table.Schema.Fields()
	for _, name := range []string{core.HistoryFrom, core.HistoryTo} {
		switch i := column(table.Schema, name); {
		case i < 0:
			fields = append(fields, arrow.Field{Name: name, Type: historyType, Nullable: true})
		case !arrow.TypeEqual(fields[i].Type, historyType):
			return nil, refuse("keep history", fmt.Errorf("the column %q is %s, but history needs %s", name, fields[i].Type, historyType))
		}
	}
	if len(fields) == table.Schema.NumFields() {
		return table, nil
	}
	want := *table
	want.Schema = arrow.NewSchema(fields, nil)
	if err := t.alter(ctx, table, want); err != nil {
		return nil, err
	}
	return t.table(ctx, table.Name)
}

// history stores versions.
func (w *writing) history(ctx context.Context) (counts core.Counts, err error) {
	size, err := w.size(ctx)
	if err != nil {
		return counts, err
	}
	w.keys = w.filter(size == 0)
	c, last, err := w.chunk(ctx)
	if err != nil {
		return counts, err
	}
	defer c.release()
	if c.rows == 0 {
		return counts, nil
	}
	fresh := false
	if last {
		if fresh, err = w.allNew(ctx, c); err != nil {
			return counts, err
		}
	}
	if fresh {
		target := place(w.table.Name) + " (" + w.names("") + ", " + core.HistoryFrom + ")"
		return core.Counts{New: c.rows}, w.load(ctx, c, target, ", "+timestamp(w.req.At))
	}
	staged, err := w.stage(ctx, c, last)
	if err != nil {
		return counts, err
	}
	if err := w.findHits(ctx, staged*w.tx.w.fewShare < size); err != nil {
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
	if err := w.closeVersions(ctx, "h.changed"); err != nil {
		return counts, err
	}
	if _, err := w.tx.run(ctx, w.newVersions()); err != nil {
		return counts, err
	}
	return counts, w.unstage(ctx)
}

// newVersions inserts what is new or changed. A version that replaces one which began at
// the same time or later takes over its beginning.
func (w *writing) newVersions() string {
	return "INSERT INTO " + place(w.table.Name) + " (" + w.names("") + ", " + core.HistoryFrom + ") SELECT " +
		w.stagedColumns() + ", greatest(" + timestamp(w.req.At) + ", h.since) FROM " + stageTable +
		" s LEFT JOIN (SELECT ord, max(since) AS since, bool_or(changed) AS changed FROM " + hitsTable +
		" GROUP BY ord) h ON s.ord = h.ord WHERE h.ord IS NULL OR h.changed"
}

// closeVersions ends the versions in the table of hits for which the condition holds. One
// that would have been valid for no time at all goes.
func (w *writing) closeVersions(ctx context.Context, condition string) error {
	at := timestamp(w.req.At)
	table := place(w.table.Name)
	for _, sql := range []string{
		"UPDATE " + table + " t SET " + core.HistoryTo + " = " + at + " FROM " + hitsTable + " h WHERE " +
			w.isHit(condition+" AND (h.since IS NULL OR h.since < "+at+")"),
		"DELETE FROM " + table + " t USING " + hitsTable + " h WHERE " + w.isHit(condition+" AND h.since >= "+at),
	} {
		if _, err := w.tx.run(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}
