//go:build duckdb_arrow

package duckdb

import (
	"context"
	"fmt"

	"github.com/unsilo/unsilo/core"
)

// remove deletes the rows with the keys given, or prunes those without; in a table with
// history it closes their current versions.
func (w *writing) remove(ctx context.Context) (counts core.Counts, err error) {
	c, last, err := w.chunk(ctx)
	if err != nil {
		return counts, err
	}
	defer c.release()
	if c.rows == 0 && w.req.Mode == core.WriteDelete {
		return counts, nil
	}
	if _, err := w.stage(ctx, c, last); err != nil {
		return counts, err
	}
	join := " SEMI JOIN "
	if w.req.Mode == core.WritePrune {
		join = " ANTI JOIN "
	}
	table := place(w.table.Name)
	if _, err := w.tx.run(ctx, "CREATE TEMP TABLE "+hitsTable+" AS SELECT "+w.hitColumns()+" FROM "+table+
		" t"+join+stageTable+" s ON "+w.sameKey()+w.current()); err != nil {
		return counts, err
	}
	if counts.Deleted, err = w.tx.c.number(ctx, "SELECT count(*) FROM "+hitsTable); err != nil {
		return counts, err
	}
	if err := w.brake(ctx, counts.Deleted); err != nil {
		return core.Counts{}, err
	}
	if w.req.History {
		err = w.closeVersions(ctx, "true")
	} else {
		_, err = w.tx.run(ctx, "DELETE FROM "+table+" t USING "+hitsTable+" h WHERE "+w.isHit("true"))
	}
	if err != nil {
		return core.Counts{}, err
	}
	return counts, w.unstage(ctx)
}

// brake refuses a prune that would remove too much; nothing has been removed yet.
func (w *writing) brake(ctx context.Context, doomed int64) error {
	if w.req.Mode != core.WritePrune || w.req.MaxShare <= 0 || doomed == 0 {
		return nil
	}
	total, err := w.tx.c.number(ctx, "SELECT count(*) FROM "+place(w.table.Name)+" t"+w.current())
	if err != nil || float64(doomed) <= w.req.MaxShare*float64(total) {
		return err
	}
	if err := w.unstage(ctx); err != nil {
		return err
	}
	return &core.Error{Kind: core.KindData, Op: "prune " + w.req.Table.String(),
		Err: fmt.Errorf("this would remove %d of %d rows, more than the %g %% that may vanish at once",
			doomed, total, w.req.MaxShare*100),
		Try: "check that the source lists all its keys; if so many rows are really gone, raise max_delete_share"}
}
