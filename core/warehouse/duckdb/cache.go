//go:build duckdb_arrow

package duckdb

import (
	"context"
	"errors"
	"strconv"
)

// DuckDB keeps the blocks it writes until memory_limit is reached. While a table is being
// filled nobody reads them, and the process would grow with the table. So when a
// transaction that does nothing but add rows has left more than cacheBytes, half of that
// stays and the others go, what was used longest ago first.
const cacheBytes = 48 * mib

// trimCache makes DuckDB let go of blocks after a transaction that has just been
// committed. There is no statement for that, but it happens when the limit is lowered, for
// the moment between two statements. Whoever wants memory at that moment would be refused
// it, so it is done only while no other connection is open, and none can be opened.
func (t *tx) trimCache(ctx context.Context) error {
	w := t.w
	if !t.added || t.reads || w.config.Path == "" {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	const own = 2
	if w.open > own {
		return nil
	}
	var all, blocks int64
	err := t.c.each(ctx, "SELECT sum(memory_usage_bytes)::BIGINT, (sum(memory_usage_bytes) FILTER (WHERE tag = 'BASE_TABLE'))::BIGINT "+
		"FROM duckdb_memory()", func(r row) { all, blocks = r.int(0), r.int(1) })
	if err != nil || blocks <= w.cacheBytes {
		return err
	}
	const set = "SET GLOBAL memory_limit = "
	_, err = t.c.exec(ctx, set+literal(strconv.FormatInt(all-blocks+w.cacheBytes/2, 10)+"B"))
	// If not that much could be freed, that was an error, and the setting is changed all the
	// same.
	_, err2 := t.c.exec(ctx, set+literal(w.config.MemoryLimit))
	return errors.Join(err, err2)
}
