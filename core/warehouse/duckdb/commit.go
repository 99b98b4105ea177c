//go:build duckdb_arrow

package duckdb

import (
	"context"
	"os"
	"time"
)

// committed does what follows a commit: the log, which DuckDB creates readable to all, is
// closed to others, and a schema change is moved out of it. The commit stands whatever
// happens here, so nothing here is an error to the caller; an instance that DuckDB gave
// up on is reopened on next use.
func (w *Warehouse) committed(ctx context.Context, c *conn, ddl bool) {
	w.mu.Lock()
	w.commits++
	w.mu.Unlock()
	if w.config.Path != "" {
		_ = os.Chmod(w.config.Path+".wal", 0o600)
	}
	if ddl {
		_, err := c.exec(ctx, "CHECKPOINT "+catalog)
		_ = w.fail("checkpoint", err)
	}
}

// timestamp writes a time as SQL.
func timestamp(at time.Time) string {
	if at.IsZero() {
		return "NULL"
	}
	return "TIMESTAMPTZ " + literal(at.UTC().Format("2006-01-02 15:04:05.999999")+"+00")
}
