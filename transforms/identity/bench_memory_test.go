//go:build !duckdb_arrow

package identity_test

import (
	"testing"

	"github.com/unsilo/unsilo/core"
	warehouse "github.com/unsilo/unsilo/core/warehouse/memory"
)

// benchWarehouse is the warehouse of benchmarks: DuckDB in builds that have it.
func benchWarehouse(testing.TB) core.Warehouse { return warehouse.New() }
