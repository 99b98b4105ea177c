//go:build duckdb_arrow

package duckdb

import (
	"testing"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/coretest"
)

// TestContractSmallChunks holds the warehouse to the contract when every request is cut
// into several chunks, as only very big ones are otherwise.
func TestContractSmallChunks(t *testing.T) {
	coretest.TestWarehouse(t, func(t *testing.T) core.Warehouse {
		w, err := Open(t.Context(), Config{MemoryLimit: "2GiB", Threads: 2})
		if err != nil {
			t.Fatal(err)
		}
		w.chunkRows = 2
		t.Cleanup(func() {
			if err := w.Close(); err != nil {
				t.Error(err)
			}
		})
		return w
	}, nil)
}
