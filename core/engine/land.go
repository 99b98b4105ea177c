package engine

import (
	"bytes"
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/plan"
)

// landing is the sink of an incremental read: each chunk is one transaction of rows,
// quarantine and position.
//
// Rows after the last position of a chunk will be read again if the run ends now. With
// a key that is harmless. Without one they wait in a pending table until a position
// covers them, so that nothing lands twice.
type landing struct {
	*streamRun
	target core.TableName
	mode   core.WriteMode
	// keepState is false for a backfill, which leaves the position alone.
	keepState bool
	pending   bool
}

func (l *landing) store(ctx context.Context, c *chunk) error {
	if l.mode != core.WriteAppend {
		return l.commit(ctx, c, c.state(), false)
	}
	head, rest := c.split()
	if len(head.pieces) > 0 {
		if err := l.commit(ctx, head, head.state(), true); err != nil {
			return err
		}
	}
	if len(rest.pieces) == 0 {
		return nil
	}
	return l.hold(ctx, rest)
}

// divides: without a key the rows of a batch wait for its position, which is cheapest if
// they come together.
func (l *landing) divides() bool { return l.mode != core.WriteAppend }

func (l *landing) finish(ctx context.Context) error {
	if !l.pending {
		return nil
	}
	return l.commit(ctx, &chunk{}, nil, true)
}

// commit lands a chunk and its position in one transaction. A chunk that changes nothing
// is not committed at all.
func (l *landing) commit(ctx context.Context, c *chunk, state core.State, withPending bool) error {
	if !l.keepState {
		state = nil
	}
	w, err := l.ready(ctx, c)
	if err != nil {
		return err
	}
	defer w.release()
	defer l.turn(w.rejects)()
	tx, err := l.Warehouse.Begin(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	withPending = withPending && l.pending
	counts, err := l.fill(ctx, tx, w, state, withPending)
	same := !withPending && counts.Landed() == 0 && len(w.rejects) == 0 && (state == nil || bytes.Equal(state, l.state))
	if err == nil && !same {
		err = l.fail("commit_before")
	}
	if err != nil || same {
		if end := tx.End(context.WithoutCancel(ctx), false); err == nil {
			err = end
		}
		if err == nil {
			l.count(counts, 0)
		}
		return err
	}
	if err := tx.End(ctx, true); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	if withPending {
		l.pending = false
	}
	if state != nil {
		l.state = state
	}
	l.count(counts, l.newRejects(w.rejects))
	return l.fail("commit_after")
}

// fill writes everything of one commit into the transaction.
func (l *landing) fill(ctx context.Context, tx core.Tx, w *writable, state core.State, withPending bool) (core.Counts, error) {
	var total core.Counts
	if withPending {
		n, err := l.movePending(ctx, tx)
		if err != nil {
			return total, err
		}
		total = total.Add(n)
	}
	for _, group := range w.groups {
		n, err := l.write(ctx, tx, group)
		if err != nil {
			return total, err
		}
		total = total.Add(n)
	}
	if err := l.quarantine(ctx, tx, w.rejects); err != nil {
		return total, err
	}
	if err := l.fail("state_before"); err != nil {
		return total, err
	}
	if state == nil {
		state = l.state
	}
	if err := tx.SetState(ctx, l.stateRow(state, total)); err != nil {
		return total, fmt.Errorf("set state: %w", err)
	}
	return total, l.fail("state_after")
}

// write stores one group of batches of one operation and one schema.
func (l *landing) write(ctx context.Context, tx core.Tx, g group) (core.Counts, error) {
	mode := l.mode
	if g.op == core.OpDelete {
		mode = core.WriteDelete
	}
	if err := l.fail("write_before"); err != nil {
		return core.Counts{}, err
	}
	rows, err := array.NewRecordReader(g.rows[0].Schema(), g.rows)
	if err != nil {
		return core.Counts{}, fmt.Errorf("read chunk: %w", err)
	}
	defer rows.Release()
	n, err := tx.Write(ctx, core.WriteRequest{Table: l.target, Mode: mode, Key: l.step.Stream.PrimaryKey,
		History: l.mode == core.WriteHistory, Rows: rows, At: l.started})
	if err != nil {
		return n, fmt.Errorf("write %s: %w", l.target, err)
	}
	return n, l.fail("write_after")
}

func (l *landing) pendingTable() core.TableName { return l.leftovers()[1] }

// hold puts rows that no position covers yet into the pending table.
func (l *landing) hold(ctx context.Context, c *chunk) error {
	w, err := l.ready(ctx, c)
	if err != nil {
		return err
	}
	defer w.release()
	if !l.pending && len(w.groups) > 0 {
		def := l.table
		def.Name, def.Key = l.pendingTable(), nil
		if err := l.inTx(ctx, func(tx core.Tx) error { return tx.Define(ctx, def) }); err != nil {
			return fmt.Errorf("define %s: %w", def.Name, err)
		}
		l.pending = true
	}
	defer l.turn(w.rejects)()
	err = l.inTx(ctx, func(tx core.Tx) error {
		waiting := &landing{streamRun: l.streamRun, target: l.pendingTable(), mode: core.WriteAppend}
		for _, g := range w.groups {
			if _, err := waiting.write(ctx, tx, g); err != nil {
				return err
			}
		}
		return l.quarantine(ctx, tx, w.rejects)
	})
	if err != nil {
		return err
	}
	l.result.Quarantined += l.newRejects(w.rejects)
	return l.fail("pending_held")
}

// movePending appends the pending rows to the table and drops the pending table.
func (l *landing) movePending(ctx context.Context, tx core.Tx) (core.Counts, error) {
	if err := l.fail("pending_move"); err != nil {
		return core.Counts{}, err
	}
	rows, err := l.Warehouse.Scan(ctx, core.ScanRequest{Table: l.pendingTable()})
	if err != nil {
		return core.Counts{}, fmt.Errorf("scan %s: %w", l.pendingTable(), err)
	}
	defer rows.Release()
	n, err := tx.Write(ctx, core.WriteRequest{Table: l.target, Mode: core.WriteAppend, Rows: rows})
	if err != nil {
		return n, fmt.Errorf("write %s: %w", l.target, err)
	}
	return n, tx.Drop(ctx, l.pendingTable())
}

// group is a run of batches with one operation and one schema.
type group struct {
	op   core.Op
	rows []arrow.RecordBatch
}

// writable is a chunk made to fit the table.
type writable struct {
	groups  []group
	rejects []reject
}

func (w *writable) release() {
	for _, g := range w.groups {
		for _, b := range g.rows {
			b.Release()
		}
	}
}

// add takes over the caller's reference to b.
func (w *writable) add(op core.Op, b arrow.RecordBatch) {
	if b == nil || b.NumRows() == 0 {
		if b != nil {
			b.Release()
		}
		return
	}
	if n := len(w.groups); n > 0 && w.groups[n-1].op == op && w.groups[n-1].rows[0].Schema().Equal(b.Schema()) {
		w.groups[n-1].rows = append(w.groups[n-1].rows, b)
		return
	}
	w.groups = append(w.groups, group{op: op, rows: []arrow.RecordBatch{b}})
}

// ready makes a chunk fit the table: flagged rows become deletes, rows are conformed to
// the columns, and what does not fit is set aside. The schema of the table may change.
func (l *landing) ready(ctx context.Context, c *chunk) (*writable, error) {
	w := &writable{}
	for _, p := range c.pieces {
		if err := l.readyPiece(ctx, w, p); err != nil {
			w.release()
			return nil, err
		}
	}
	return w, nil
}

func (l *landing) readyPiece(ctx context.Context, w *writable, p piece) error {
	if p.rows == nil {
		return nil
	}
	if p.op == core.OpReject {
		w.rejects = append(w.rejects, l.rejected(p.rows)...)
		return nil
	}
	rows, rejects, err := l.withKeys(ctx, p.rows)
	if err != nil {
		return err
	}
	defer rows.Release()
	w.rejects = append(w.rejects, rejects...)
	if p.op == core.OpDelete {
		keys, err := onlyKeys(rows, l.step.Stream.PrimaryKey)
		if err != nil {
			return l.dataError("read deletes", err)
		}
		fitted, err := castTo(ctx, keys, l.table.Schema)
		keys.Release()
		w.add(core.OpDelete, fitted)
		return err
	}
	parts, err := l.partFlagged(ctx, rows)
	if err != nil {
		return err
	}
	defer (&chunk{pieces: parts}).release()
	for _, part := range parts {
		if part.op == core.OpDelete {
			err = l.readyPiece(ctx, w, part)
		} else {
			err = l.readyRows(ctx, w, part.rows)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *landing) readyRows(ctx context.Context, w *writable, rows arrow.RecordBatch) error {
	fitted, rejects, err := l.conform(ctx, rows)
	if err != nil {
		return err
	}
	w.rejects = append(w.rejects, rejects...)
	if l.step.OnSchemaChange == plan.DropValue { // the value that was dropped may have been the key
		all := fitted
		defer all.Release()
		if fitted, rejects, err = l.withKeys(ctx, all); err != nil {
			return err
		}
		w.rejects = append(w.rejects, rejects...)
	}
	w.add(core.OpUpsert, fitted)
	return nil
}

func (s *streamRun) dataError(op string, err error) error {
	return &core.Error{Kind: core.KindData, Op: op, Stream: s.step.Name, Err: err}
}
