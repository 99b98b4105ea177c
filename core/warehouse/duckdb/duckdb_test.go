//go:build duckdb_arrow

package duckdb_test

import (
	"path/filepath"
	"testing"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/coretest"
	"github.com/unsilo/unsilo/core/warehouse/duckdb"
)

func open(t *testing.T, config duckdb.Config) *duckdb.Warehouse {
	t.Helper()
	w, err := duckdb.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func TestContractFile(t *testing.T) {
	coretest.TestWarehouse(t, func(t *testing.T) core.Warehouse {
		return open(t, duckdb.Config{Path: filepath.Join(t.TempDir(), "test.duckdb"), MemoryLimit: "2GiB", Threads: 2, NoSnapshot: true})
	}, func(t *testing.T, w core.Warehouse) core.Warehouse {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return open(t, duckdb.Config{Path: w.Info().Location, MemoryLimit: "2GiB", Threads: 2, NoSnapshot: true})
	})
}
