//go:build duckdb_arrow

package engine_test

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/config"
	"github.com/unsilo/unsilo/core/engine"
	"github.com/unsilo/unsilo/core/warehouse/duckdb"
)

// landedKeys is how many rows of manyKeys land; the table need not be large for its sweep to
// be.
const landedKeys = 10_000

// manyKeys is a source of n rows with long keys, which are made as they are read.
type manyKeys struct {
	n, sweeps int
	missing   int // every so many-th key is not there in a sweep
	peak      uint64
}

func (m *manyKeys) schema() *arrow.Schema {
	return arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.BinaryTypes.String}}, nil)
}

func (*manyKeys) Check(context.Context) error { return nil }
func (*manyKeys) Close() error                { return nil }

func (m *manyKeys) Streams(context.Context) ([]core.Stream, error) {
	return []core.Stream{{Name: "things", Schema: m.schema(), PrimaryKey: []string{"id"}, Cursor: core.Cursor{Opaque: true}}}, nil
}

func (m *manyKeys) Read(_ context.Context, req core.ReadRequest, emit func(core.Batch) error) error {
	if req.After != nil && !req.KeysOnly {
		return nil
	}
	n := landedKeys
	if req.KeysOnly {
		n = m.n
	}
	if req.Limit > 0 {
		n = int(req.Limit)
	}
	const size = 10_000
	for from := 0; from < n; from += size {
		if err := m.emit(req, from, min(from+size, n), emit); err != nil {
			return err
		}
		if req.KeysOnly && from/size%10 == 0 {
			m.measure()
		}
	}
	if !req.KeysOnly {
		return emit(core.Batch{After: core.State(`{"done":true}`)})
	}
	m.sweeps++
	return nil
}

func (m *manyKeys) emit(req core.ReadRequest, from, until int, emit func(core.Batch) error) error {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	for i := from; i < until; i++ {
		if !req.KeysOnly || i%m.missing != 0 {
			b.Append(fmt.Sprintf("customer-%08d-0123456789abcdef01234567", i))
		}
	}
	col := b.NewArray()
	defer col.Release()
	batch := array.NewRecordBatch(m.schema(), []arrow.Array{col}, int64(col.Len()))
	defer batch.Release()
	return emit(core.Batch{Rows: batch})
}

func (m *manyKeys) measure() {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	m.peak = max(m.peak, s.HeapAlloc)
}

// TestSweepTakesNoMoreMemoryForMoreKeys sweeps a hundred thousand and two million keys. The
// warehouse's own memory has a limit; what the engine holds must not grow either.
func TestSweepTakesNoMoreMemoryForMoreKeys(t *testing.T) {
	if testing.Short() {
		t.Skip("two million keys")
	}
	peaks := map[int]uint64{}
	for _, n := range []int{100_000, 2_000_000} {
		w, err := duckdb.Open(t.Context(), duckdb.Config{Path: filepath.Join(t.TempDir(), "w.duckdb"), MemoryLimit: "256MB", Threads: 1, NoSnapshot: true})
		if err != nil {
			t.Fatal(err)
		}
		m := &manyKeys{n: n, missing: 1000}
		p := &config.Project{Dir: t.TempDir(), Sources: []config.Source{{Kind: "keys", Name: "crm", Streams: []config.Stream{{Name: "things",
			Deletes: core.DeleteReconcile, Means: map[string]core.Means{"id": core.NotPersonal}}}}}}
		e := &engine.Engine{Project: p, Warehouse: w, Limits: engine.Limits{Rows: 50_000},
			Connect: func(context.Context, config.Source) (core.Source, error) { return m, nil }}
		steps, ds, err := e.Plan(t.Context())
		if err != nil || ds.HasErrors() {
			t.Fatal(err, ds)
		}
		res, err := e.Run(t.Context(), steps, engine.Options{})
		if err != nil || res.Status != engine.StatusDone {
			t.Fatal(err, res.Errors())
		}
		if got := res.Streams[0]; got.New != landedKeys || got.Deleted != landedKeys/1000 || m.sweeps != 1 {
			t.Errorf("%d keys: %d new, %d deleted in %d sweeps", n, got.New, got.Deleted, m.sweeps)
		}
		peaks[n] = m.peak
		t.Logf("%d keys: %.1f MB held at most, %.1f s", n, float64(m.peak)/1e6, res.Streams[0].Seconds)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if peaks[2_000_000] > peaks[100_000]+8<<20 {
		t.Errorf("2 million keys take %d bytes, 100 thousand %d", peaks[2_000_000], peaks[100_000])
	}
}
