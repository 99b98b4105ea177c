//go:build duckdb_arrow

package duckdb

import (
	"context"
	"errors"
	"sync"

	"github.com/unsilo/unsilo/core"
)

var _ core.Tx = (*tx)(nil)

// viewDatabase begins the names of the databases that hold views of Arrow rows.
const viewDatabase = "rows_"

// A tx is one transaction. Rows reach it as views over Arrow memory; a DuckDB transaction
// writes to one database only, so a second connection makes the views, each in a little
// database of its own.
type tx struct {
	w      *Warehouse
	c      *conn // runs the transaction
	helper *conn // makes views

	mu     sync.Mutex // against Close of the warehouse
	ended  bool
	began  bool // DuckDB's transaction has started
	pinned bool // row ids stay as they are
	ddl    bool // a schema was changed: commit is followed by a checkpoint
	added  bool // rows were added
	reads  bool // rows of a table were looked at, to change or compare them
	spoilt error
	// since is the warehouse's clock at the beginning; touched are the tables changed.
	since   int64
	touched map[core.TableName]bool
	// tables as this transaction sees them, by folded name; nil means absent.
	tables map[core.TableName]*core.Table
}

// Begin opens a transaction; it has no turn to wait for.
func (w *Warehouse) Begin(ctx context.Context) (core.Tx, error) {
	c, err := w.connect(ctx)
	if err != nil {
		return nil, w.fail("begin", err)
	}
	helper, err := w.connect(ctx)
	if err != nil {
		w.release(c)
		return nil, w.fail("begin", err)
	}
	t := &tx{w: w, c: c, helper: helper, tables: map[core.TableName]*core.Table{}, touched: map[core.TableName]bool{}}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.txs[t] = struct{}{}
	return t, nil
}

// do runs one operation of the transaction.
func (t *tx) do(ctx context.Context, op string, f func() error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.ended:
		return translate(op, errSpent)
	case t.spoilt != nil:
		return t.spoilt
	}
	err := t.w.fail(op, f())
	// A refusal is found before anything is written; after any other error it is unknown
	// what the transaction holds.
	var native *nativeError
	if err != nil && (core.KindOf(err) != core.KindData || errors.As(err, &native)) {
		t.spoilt = err
	}
	return err
}

// begin starts DuckDB's transaction, as late as possible: what others commit before is
// seen.
func (t *tx) begin(ctx context.Context) error {
	if t.began {
		return nil
	}
	t.w.mu.Lock()
	t.since = t.w.clock
	t.w.mu.Unlock()
	_, err := t.c.exec(ctx, "BEGIN")
	t.began = err == nil
	return err
}

// run executes a statement of the transaction.
func (t *tx) run(ctx context.Context, sql string) (int64, error) {
	if err := t.begin(ctx); err != nil {
		return 0, err
	}
	return t.c.exec(ctx, sql)
}

// pin keeps the row ids of all tables as they are until the transaction ends. DuckDB packs
// what is left of deleted rows when it checkpoints, also beside open transactions, and then
// an id that one of them has read names another row. No checkpoint starts beside a
// transaction that updates, even if it updates nothing.
func (t *tx) pin(ctx context.Context) error {
	if t.pinned {
		return nil
	}
	_, err := t.run(ctx, "UPDATE "+system(tableState)+" SET state = state WHERE false")
	t.pinned = err == nil
	return err
}

// table describes a table as the transaction sees it; nil if it is absent.
func (t *tx) table(ctx context.Context, name core.TableName) (*core.Table, error) {
	if known, ok := t.tables[foldTable(name)]; ok {
		return known, nil
	}
	if err := t.begin(ctx); err != nil {
		return nil, err
	}
	found, err := describe(ctx, t.c, name)
	if err == nil {
		t.tables[foldTable(name)] = found
	}
	return found, err
}

// SetState stores the position of a stream.
func (t *tx) SetState(ctx context.Context, s core.StateRow) error {
	return t.do(ctx, "store state", func() error {
		state := "NULL"
		if s.State != nil {
			state = literal(string(s.State))
		}
		_, err := t.run(ctx, "DELETE FROM "+system(tableState)+" WHERE source = "+literal(s.Source)+
			" AND stream = "+literal(s.Stream))
		if err != nil {
			return err
		}
		_, err = t.run(ctx, "INSERT INTO "+system(tableState)+" VALUES ("+literal(s.Source)+", "+literal(s.Stream)+", "+
			state+", "+literal(s.Fingerprint)+", "+literal(s.RunID)+", "+timestamp(s.At)+")")
		return err
	})
}

// End commits or rolls back.
func (t *tx) End(ctx context.Context, commit bool) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return nil
	}
	t.ended = true
	err := t.finish(ctx, commit)
	t.w.untouch(t, commit && err == nil)
	t.w.release(t.c)
	t.w.release(t.helper)
	t.w.mu.Lock()
	delete(t.w.txs, t)
	t.w.mu.Unlock()
	return err
}

func (t *tx) finish(ctx context.Context, commit bool) error {
	// The end must not be cut short: a commit is either made or not.
	ctx = context.WithoutCancel(ctx)
	if !t.began {
		if commit {
			return t.spoilt
		}
		return nil
	}
	if !commit || t.spoilt != nil {
		_, _ = t.c.exec(ctx, "ROLLBACK") // DuckDB may have done so by itself
		if commit {
			return t.spoilt
		}
		return nil
	}
	if err := t.w.commitTx(ctx, t.c, t.ddl); err != nil {
		return err
	}
	_ = t.trimCache(ctx) // what it would leave is within memory_limit all the same
	return nil
}
