//go:build duckdb_arrow

package duckdb

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/coretest"
)

// TestContractMemory holds the warehouse without a file to the contract, and cuts every
// request into several chunks, as only very big ones are otherwise.
func TestContractMemory(t *testing.T) {
	coretest.TestWarehouse(t, func(t *testing.T) core.Warehouse {
		w, err := Open(t.Context(), Config{MemoryLimit: "2GiB", Threads: 2})
		if err != nil {
			t.Fatal(err)
		}
		w.chunkRows, w.fewShare = 3, 0
		t.Cleanup(func() {
			if err := w.Close(); err != nil {
				t.Error(err)
			}
		})
		return w
	}, nil)
}

// writeFiles makes files under dir.
func writeFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
