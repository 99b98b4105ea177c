package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/plan"
)

// fullLanding is the sink of a full read. Rows gather in a shadow table beside the real
// one; only when the source has given everything does one transaction bring the real
// table to the same rows. Until then, and if the read fails, readers see the old table.
type fullLanding struct {
	landing
	// columns as they will be in the real table; landing.table follows the shadow.
	defined bool
	seen    digest
}

// digest is an order-free fingerprint of the rows of a stream without a key: it tells
// whether a full read brought anything new.
type digest struct {
	Rows int64  `json:"rows"`
	Hash uint64 `json:"hash,string"`
}

func (s *streamRun) readFull(ctx context.Context, src core.Source) error {
	l := &fullLanding{landing: landing{streamRun: s, mode: core.WriteAppend}}
	l.target = s.leftovers()[0]
	if l.keyed() {
		l.mode = core.WriteMerge // the same row on two pages must count once
	}
	return s.pump(ctx, src, core.ReadRequest{Stream: s.step.Stream, Columns: s.step.Columns}, l)
}

func (l *fullLanding) keyed() bool { return len(l.step.Stream.PrimaryKey) > 0 }

func (l *fullLanding) store(ctx context.Context, c *chunk) error {
	if err := l.define(ctx); err != nil {
		return err
	}
	w, err := l.ready(ctx, c)
	if err != nil {
		return err
	}
	defer w.release()
	defer l.turn(w.rejects)()
	err = l.inTx(ctx, func(tx core.Tx) error {
		for _, g := range w.groups {
			if g.op != core.OpUpsert && !l.keyed() {
				continue // without a key there is nothing to look it up by
			}
			if _, err := l.write(ctx, tx, g); err != nil {
				return err
			}
			if g.op == core.OpUpsert {
				l.digest(g.rows)
			}
		}
		return l.quarantine(ctx, tx, w.rejects)
	})
	if err != nil {
		return err
	}
	l.result.Quarantined += l.newRejects(w.rejects)
	return l.fail("shadow_stored")
}

// divides: the shadow has no positions.
func (l *fullLanding) divides() bool { return true }

func (l *fullLanding) define(ctx context.Context) error {
	if l.defined {
		return nil
	}
	def := l.table
	def.Name = l.target
	// The warehouse adds the history columns to the real table only.
	def.Schema = plainColumns(def.Schema)
	if err := l.inTx(ctx, func(tx core.Tx) error { return tx.Define(ctx, def) }); err != nil {
		return fmt.Errorf("define %s: %w", l.target, err)
	}
	l.defined = true
	return l.fail("shadow_defined")
}

func plainColumns(s *arrow.Schema) *arrow.Schema {
	fields := slices.DeleteFunc(s.Fields(), func(f arrow.Field) bool { return f.Name == core.HistoryFrom || f.Name == core.HistoryTo })
	return arrow.NewSchema(fields, nil)
}

// finish brings the real table to the rows of the shadow.
func (l *fullLanding) finish(ctx context.Context) error {
	if err := l.define(ctx); err != nil {
		return err
	}
	if err := l.fail("swap_before"); err != nil {
		return err
	}
	real, exists, err := l.realTable(ctx)
	if err != nil {
		return err
	}
	if exists {
		// The shadow may have grown columns on the way.
		direct := &landing{streamRun: l.streamRun, target: real.Name}
		next := real
		var changes []plan.ColumnChange
		next.Schema, changes = plan.Merge(real.Schema, plainColumns(l.table.Schema))
		shadowTable := l.table
		l.table = real
		if err := direct.change(ctx, next, changes); err != nil {
			return err
		}
		l.table = shadowTable
	}
	var counts core.Counts
	var state core.State
	err = l.inTx(ctx, func(tx core.Tx) error {
		counts, state, err = l.bring(ctx, tx, real, exists)
		if err != nil {
			return err
		}
		return tx.SetState(ctx, l.stateRow(state, counts))
	})
	if err != nil {
		return err
	}
	l.state = state
	l.count(counts, 0)
	return l.fail("swap_after")
}

func (l *fullLanding) realTable(ctx context.Context) (core.Table, bool, error) {
	tables, err := l.Warehouse.Tables(ctx, l.step.Table.Name.Schema)
	if err != nil {
		return core.Table{}, false, fmt.Errorf("list tables: %w", err)
	}
	for _, t := range tables {
		if t.Name == l.step.Table.Name {
			return t, true, nil
		}
	}
	t := l.step.Table
	t.Schema = l.table.Schema
	return t, false, nil
}

// bring makes the real table equal to the shadow, in one transaction.
func (l *fullLanding) bring(ctx context.Context, tx core.Tx, real core.Table, exists bool) (core.Counts, core.State, error) {
	shadow := l.target
	switch {
	case !l.keyed():
		return l.replace(ctx, tx, real, exists)
	case !exists && l.step.Write != core.WriteHistory:
		n, err := l.rowsIn(ctx, shadow)
		if err != nil {
			return core.Counts{}, nil, err
		}
		return core.Counts{New: n}, nil, tx.Swap(ctx, shadow, real.Name)
	}
	if !exists {
		if err := tx.Define(ctx, real); err != nil {
			return core.Counts{}, nil, fmt.Errorf("define %s: %w", real.Name, err)
		}
	}
	counts, err := l.copyShadow(ctx, tx, real.Name)
	if err != nil {
		return counts, nil, err
	}
	keys, err := l.Warehouse.Scan(ctx, core.ScanRequest{Table: shadow, Columns: l.step.Stream.PrimaryKey})
	if err != nil {
		return counts, nil, fmt.Errorf("scan %s: %w", shadow, err)
	}
	defer keys.Release()
	gone, err := tx.Write(ctx, core.WriteRequest{Table: real.Name, Mode: core.WritePrune, Key: l.step.Stream.PrimaryKey,
		History: l.step.Write == core.WriteHistory, Rows: keys, At: l.started, MaxShare: l.maxDeleteShare()})
	if err != nil {
		return counts, nil, l.brake(err)
	}
	counts.Deleted += gone.Deleted
	return counts, nil, tx.Drop(ctx, shadow)
}

func (l *fullLanding) copyShadow(ctx context.Context, tx core.Tx, to core.TableName) (core.Counts, error) {
	rows, err := l.Warehouse.Scan(ctx, core.ScanRequest{Table: l.target, Columns: columnNames(plainColumns(l.table.Schema))})
	if err != nil {
		return core.Counts{}, fmt.Errorf("scan %s: %w", l.target, err)
	}
	defer rows.Release()
	mode := core.WriteMerge
	if l.step.Write == core.WriteHistory {
		mode = core.WriteHistory
	}
	n, err := tx.Write(ctx, core.WriteRequest{Table: to, Mode: mode, Key: l.step.Stream.PrimaryKey, Rows: rows, At: l.started})
	if err != nil {
		return n, fmt.Errorf("write %s: %w", to, err)
	}
	return n, nil
}

// replace swaps the table of a stream without a key, unless the rows are the same as
// before. A new table much smaller than the old one trips the brake.
func (l *fullLanding) replace(ctx context.Context, tx core.Tx, real core.Table, exists bool) (core.Counts, core.State, error) {
	state, err := json.Marshal(map[string]digest{"full": l.seen})
	if err != nil {
		return core.Counts{}, nil, fmt.Errorf("write digest: %w", err)
	}
	if exists && bytes.Equal(state, l.state) {
		return core.Counts{Unchanged: l.seen.Rows}, state, tx.Drop(ctx, l.target)
	}
	var before int64
	if exists {
		if before, err = l.rowsIn(ctx, real.Name); err != nil {
			return core.Counts{}, nil, err
		}
	}
	if share := l.maxDeleteShare(); share > 0 && float64(before-l.seen.Rows) > share*float64(before) {
		return core.Counts{}, nil, l.brake(&core.Error{Kind: core.KindData, Op: "replace table", Stream: l.step.Name,
			Err: fmt.Errorf("the table has %d rows and the source now gives %d", before, l.seen.Rows)})
	}
	return core.Counts{New: l.seen.Rows, Deleted: before}, state, tx.Swap(ctx, l.target, real.Name)
}

func (l *fullLanding) rowsIn(ctx context.Context, table core.TableName) (int64, error) {
	tables, err := l.Warehouse.Tables(ctx, table.Schema)
	if err != nil {
		return 0, fmt.Errorf("list tables: %w", err)
	}
	for _, t := range tables {
		if t.Name == table {
			return t.Rows, nil
		}
	}
	return 0, nil
}

func (l *fullLanding) digest(batches []arrow.RecordBatch) {
	if l.keyed() {
		return
	}
	for _, b := range batches {
		l.seen.Rows += b.NumRows()
		l.seen.Hash += rowHashes(b)
	}
}
