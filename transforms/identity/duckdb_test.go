//go:build duckdb_arrow

package identity_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/warehouse/duckdb"
	"github.com/unsilo/unsilo/transforms/identity"
	"github.com/unsilo/unsilo/transforms/identity/cluster"
	"github.com/unsilo/unsilo/transforms/identity/kernel"
	"github.com/unsilo/unsilo/transforms/identity/portable"
)

func openDuckDB(t testing.TB) core.Warehouse {
	t.Helper()
	wh, err := duckdb.Open(context.Background(), duckdb.Config{Path: filepath.Join(t.TempDir(), "test.duckdb")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = wh.Close() })
	return wh
}

// benchWarehouse keeps the database below half a gigabyte, as on a small machine.
func benchWarehouse(t testing.TB) core.Warehouse {
	t.Helper()
	wh, err := duckdb.Open(context.Background(), duckdb.Config{Path: filepath.Join(t.TempDir(), "bench.duckdb"), MemoryLimit: "400MB"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = wh.Close() })
	return wh
}

// integers reads integer columns of a query.
func integers(t testing.TB, wh core.Warehouse, query string, columns int) [][]int64 {
	t.Helper()
	rows, err := wh.Info().SQL.Query(context.Background(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Release()
	var out [][]int64
	for rows.Next() {
		b := rows.RecordBatch()
		for i := range int(b.NumRows()) {
			row := make([]int64, columns)
			for k := range row {
				row[k] = b.Column(k).(*array.Int64).Value(i)
			}
			out = append(out, row)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// sameAsKernel builds, runs the same comparisons in SQL, and compares edge for edge.
func sameAsKernel(t *testing.T, wh core.Warehouse, model core.Model) {
	t.Helper()
	ctx := context.Background()
	build(t, wh, model, "1")
	run, err := model.(*identity.Model).Portable(ctx, wh, wh.Info().SQL.Dialect(), "sql_path")
	if err != nil {
		t.Fatal(err)
	}
	want, err := run.Kernel(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Run(ctx, wh); err != nil {
		t.Fatal(err)
	}
	got := integers(t, wh, "SELECT a, b, CAST(rule AS BIGINT), CAST(pattern AS BIGINT), CAST(bits AS BIGINT) FROM sql_path.edges ORDER BY a, b", 5)
	t.Logf("%d edges", len(want))
	compareEdges(t, got, want)
	components(t, wh, want)
}

func compareEdges(t *testing.T, got [][]int64, want []kernel.Match) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("SQL gave %d edges, the kernel %d", len(got), len(want))
	}
	wrong := 0
	for i := range min(len(got), len(want)) {
		w := want[i]
		row := []int64{int64(w.A), int64(w.B), int64(w.Rule), int64(w.Pattern), int64(w.Bits)}
		if fmt.Sprint(row) != fmt.Sprint(got[i]) {
			if wrong++; wrong <= 3 {
				t.Errorf("edge %d: SQL %v, kernel %v", i, got[i], row)
			}
			if got[i][0] != row[0] || got[i][1] != row[1] {
				return
			}
		}
	}
}

type engine struct{ core.SQL }

func (e engine) Materialize(table core.TableName, query string) (int64, error) {
	return e.SQL.Materialize(context.Background(), table, query)
}

// components compares randomized contraction with union-find.
func components(t *testing.T, wh core.Warehouse, matches []kernel.Match) {
	t.Helper()
	name, err := portable.Contract(engine{wh.Info().SQL}, wh.Info().SQL.Dialect(), "sql_path", core.TableName{Schema: "sql_path", Name: "edges"},
		core.TableName{Schema: "sql_path", Name: "records"}, 3)
	if err != nil {
		t.Fatal(err)
	}
	got := integers(t, wh, "SELECT record, cluster FROM "+name.String()+" ORDER BY record", 2)
	var edges []cluster.Edge
	for _, m := range matches {
		edges = append(edges, cluster.Edge{A: m.A, B: m.B})
	}
	for r, root := range cluster.Components(len(got), edges) {
		if got[r][1] != int64(root) {
			t.Fatalf("record %d is in component %d, contraction says %d", r, root, got[r][1])
		}
	}
}

func TestLawKernelEqualsSQLFebrl3(t *testing.T) {
	fields, rows := febrl(t)
	wh := openDuckDB(t)
	fill(t, wh, core.RawTable("set", "records"), []string{"rec_id"}, plain(fields...), rows)
	sameAsKernel(t, wh, person(t, "from = source.set.records"))
}

func TestLawKernelEqualsSQLHistorical(t *testing.T) {
	if testing.Short() {
		t.Skip("half a million edges take a while")
	}
	fields, rows := historical(t)
	wh := openDuckDB(t)
	fill(t, wh, core.RawTable("set", "records"), []string{"unique_id"}, plain(fields...), rows)
	sameAsKernel(t, wh, person(t, "from = source.set.records\nexclude = [\"cluster\"]"))
}

func TestLawKernelEqualsSQLGenerated(t *testing.T) {
	wh := openDuckDB(t)
	landPeople(t, wh, people(4000, 5))
	sameAsKernel(t, wh, person(t, "from = source.set.records"))
}
