//go:build duckdb_arrow

package duckdb

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
)

// A noiseTable takes rows that cannot be compressed.
type noiseTable struct {
	*testing.T
	w      *Warehouse
	name   core.TableName
	schema *arrow.Schema
	random *rand.Rand
	rows   int
}

func newNoiseTable(t *testing.T) *noiseTable {
	n := &noiseTable{T: t, w: testWarehouse(t), name: core.TableName{Schema: "raw", Name: "noise"}, random: rand.New(rand.NewPCG(1, 2)),
		schema: arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64}, {Name: "noise", Type: arrow.PrimitiveTypes.Int64}}, nil)}
	tx := n.begin()
	if err := tx.Define(t.Context(), core.Table{Name: n.name, Schema: n.schema, Key: []string{"id"}}); err != nil {
		t.Fatal(err)
	}
	n.commit(tx)
	return n
}

func (n *noiseTable) begin() *tx {
	n.Helper()
	t, err := n.w.Begin(n.Context())
	if err != nil {
		n.Fatal(err)
	}
	return t.(*tx)
}

func (n *noiseTable) commit(t *tx) {
	n.Helper()
	if err := t.End(n.Context(), true); err != nil {
		n.Fatal(err)
	}
}

// fill adds row groups, one MiB and more each, by a transaction for each.
func (n *noiseTable) fill(groups int) {
	n.Helper()
	b := array.NewRecordBuilder(memory.DefaultAllocator, n.schema)
	defer b.Release()
	for range groups {
		for range rowGroup {
			b.Field(0).(*array.Int64Builder).Append(int64(n.rows))
			b.Field(1).(*array.Int64Builder).Append(int64(n.random.Uint64()))
			n.rows++
		}
		batch := b.NewRecordBatch()
		rows, err := array.NewRecordReader(n.schema, []arrow.RecordBatch{batch})
		batch.Release()
		if err != nil {
			n.Fatal(err)
		}
		t := n.begin()
		_, err = t.Write(n.Context(), core.WriteRequest{Table: n.name, Mode: core.WriteMerge, Key: []string{"id"}, Rows: rows})
		rows.Release()
		if err != nil {
			n.Fatal(err)
		}
		n.commit(t)
	}
}

func (n *noiseTable) number(sql string) int64 {
	n.Helper()
	c, err := n.w.connect(n.Context())
	if err != nil {
		n.Fatal(err)
	}
	defer n.w.release(c)
	got, err := c.number(n.Context(), sql)
	if err != nil {
		n.Fatal(err)
	}
	return got
}

func (n *noiseTable) cached() int64 {
	return n.number("SELECT memory_usage_bytes::BIGINT FROM duckdb_memory() WHERE tag = 'BASE_TABLE'")
}

func (n *noiseTable) limit() int64 {
	return n.number("SELECT count(*) FROM duckdb_settings() WHERE name = 'memory_limit' AND value = '512.0 MiB'")
}

// TestCacheOfFilledTable fills a table with more than may stay in memory.
func TestCacheOfFilledTable(t *testing.T) {
	n := newNoiseTable(t)
	n.w.cacheBytes = 4 * mib
	n.fill(12)
	if got := n.cached(); got > 4*mib {
		t.Errorf("of what was written %d KiB stay in memory", got>>10)
	}
	if n.limit() != 1 {
		t.Error("memory_limit is not what it was")
	}
	if got := n.number(fmt.Sprintf("SELECT count(*) FROM %s WHERE id BETWEEN 0 AND %d", place(n.name), n.rows-1)); got != int64(n.rows) {
		t.Errorf("%d of %d rows are there", got, n.rows)
	}
}

// TestCacheOfOthers leaves alone what another transaction, or a reader, may want.
func TestCacheOfOthers(t *testing.T) {
	n := newNoiseTable(t)
	n.w.cacheBytes = 4 * mib
	tx := n.begin()
	n.fill(6)
	if got := n.cached(); got < 5*mib {
		t.Errorf("beside a transaction, all but %d KiB went", got>>10)
	}
	n.commit(tx)
	reader, err := n.w.Scan(t.Context(), core.ScanRequest{Table: n.name})
	if err != nil {
		t.Fatal(err)
	}
	n.fill(1)
	if got := n.cached(); got < 6*mib {
		t.Errorf("beside a reader, all but %d KiB went", got>>10)
	}
	reader.Release()
	n.fill(1)
	if got := n.cached(); got > 4*mib {
		t.Errorf("of what was written %d KiB stay in memory", got>>10)
	}
}

// TestCacheThatCannotGo asks for more than can be freed: the limit stays.
func TestCacheThatCannotGo(t *testing.T) {
	n := newNoiseTable(t)
	n.fill(2)
	n.w.cacheBytes = -2 * mib
	n.fill(1)
	if n.limit() != 1 {
		t.Error("memory_limit is not what it was")
	}
}
