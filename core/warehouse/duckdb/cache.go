//go:build duckdb_arrow

package duckdb

import (
	"context"
	"errors"
	"strconv"
)

// DuckDB keeps the blocks it writes until memory_limit is reached. While a table is being
// filled nobody reads them, and the process would grow with the table. So when
// transactions that do nothing but add rows have left more than cacheBytes, half of that
// stays and the others go, what was used longest ago first.
const cacheBytes = 48 * mib

// trimCache makes DuckDB let go of blocks after a transaction that has just been
// committed. There is no statement for that, but it happens when the limit is lowered, for
// the moment between two statements. Another transaction that adds rows finds room among
// the blocks that stay. One that reads tables may want more at once, and it can do with
// the blocks: then, and while there are readers, nothing is done.
func (t *tx) trimCache(ctx context.Context) error {
	if !t.added || t.w.config.Path == "" || t.w.isRead() {
		return nil
	}
	var all, blocks int64
	err := t.c.each(ctx, "SELECT sum(memory_usage_bytes)::BIGINT, (sum(memory_usage_bytes) FILTER (WHERE tag = 'BASE_TABLE'))::BIGINT "+
		"FROM duckdb_memory()", func(r row) { all, blocks = r.int(0), r.int(1) })
	if err != nil || blocks <= t.w.cacheBytes {
		return err
	}
	const set = "SET GLOBAL memory_limit = "
	_, err = t.c.exec(ctx, set+literal(strconv.FormatInt(all-blocks+t.w.cacheBytes/2, 10)+"B"))
	// If not that much could be freed, that was an error, and the setting is changed all the
	// same.
	_, err2 := t.c.exec(ctx, set+literal(t.w.config.MemoryLimit))
	return errors.Join(err, err2)
}

// isRead reports whether anybody reads tables: a transaction, or a connection that belongs
// to none.
func (w *Warehouse) isRead() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for t := range w.txs {
		if t.reads.Load() {
			return true
		}
	}
	const perTx = 2
	return w.open > perTx*len(w.txs)
}
