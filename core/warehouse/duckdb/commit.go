//go:build duckdb_arrow

package duckdb

import (
	"context"
	"errors"
	"os"
	"time"
)

// commitTx commits what c has done, and does what follows: the log, which DuckDB creates
// readable to all, is closed to others, and a schema change is moved out of it. Once the
// commit stands, nothing that happens after it is an error to the caller; an instance that
// DuckDB gave up on is reopened on next use.
func (w *Warehouse) commitTx(ctx context.Context, c *conn, ddl bool) error {
	w.commit.RLock()
	_, err := c.exec(ctx, "COMMIT")
	if err == nil {
		w.mu.Lock()
		w.commits++
		w.mu.Unlock()
		if w.config.Path != "" {
			_ = os.Chmod(w.config.Path+".wal", 0o600)
		}
		if ddl || w.unsettled.Load() {
			_ = w.checkpoint(ctx, c)
		}
	}
	w.commit.RUnlock()
	if err != nil {
		return w.fail("commit", err)
	}
	w.refreshSnapshot(ctx)
	return nil
}

// checkpoint moves the log into the file. While another transaction changes a schema that
// is impossible: the next commit tries again.
func (w *Warehouse) checkpoint(ctx context.Context, c *conn) error {
	_, err := c.exec(ctx, "CHECKPOINT "+catalog)
	w.unsettled.Store(err != nil)
	var native *nativeError
	if errors.As(err, &native) && native.says("Cannot CHECKPOINT") {
		return errBusy
	}
	return w.fail("checkpoint", err)
}

// refreshSnapshot publishes what was committed, if that is wanted and not too often.
func (w *Warehouse) refreshSnapshot(ctx context.Context) {
	if w.config.NoSnapshot || !w.commit.TryLock() {
		return
	}
	defer w.commit.Unlock()
	if time.Now().After(w.publisher.next) {
		_ = w.publish(ctx) // an old snapshot is better than a failed commit
	}
}

// timestamp writes a time as SQL.
func timestamp(at time.Time) string {
	if at.IsZero() {
		return "NULL"
	}
	return "TIMESTAMPTZ " + literal(at.UTC().Format("2006-01-02 15:04:05.999999")+"+00")
}
