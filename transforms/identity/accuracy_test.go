package identity_test

import (
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/unsilo/unsilo/core"
	warehouse "github.com/unsilo/unsilo/core/warehouse/memory"
	"github.com/unsilo/unsilo/transforms/identity/eval"
)

// labelled finds a labelled set beside the project, or skips the test.
func labelled(t testing.TB, name string) string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		path := filepath.Join(dir, "..", "shared", "data", "labelled", name)
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	if os.Getenv("UNSILO_REQUIRE_SERVERS") == "1" {
		t.Fatalf("labelled set %s is not beside the project", name)
	}
	t.Skipf("labelled set %s is not beside the project", name)
	return ""
}

// fill lands rows of text columns in a table.
func fill(t testing.TB, wh core.Warehouse, name core.TableName, key []string, fields []arrow.Field, rows [][]string) {
	t.Helper()
	ctx := context.Background()
	tx, err := wh.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.End(ctx, false)
	if err := tx.Drop(ctx, name); err != nil {
		t.Fatal(err)
	}
	if err := tx.Define(ctx, core.Table{Name: name, Schema: arrow.NewSchema(fields, nil), Key: key}); err != nil {
		t.Fatal(err)
	}
	if err := tx.End(ctx, true); err != nil {
		t.Fatal(err)
	}
	add(t, wh, name, fields, rows)
}

// add appends rows of text columns to a table.
func add(t testing.TB, wh core.Warehouse, name core.TableName, fields []arrow.Field, rows [][]string) {
	t.Helper()
	ctx := context.Background()
	schema := arrow.NewSchema(fields, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for _, row := range rows {
		for i, v := range row {
			if v == "" {
				b.Field(i).AppendNull()
				continue
			}
			b.Field(i).(*array.StringBuilder).Append(v)
		}
	}
	batch := b.NewRecordBatch()
	defer batch.Release()
	reader, err := array.NewRecordReader(schema, []arrow.RecordBatch{batch})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Release()
	tx, err := wh.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.End(ctx, false)
	if _, err := tx.Write(ctx, core.WriteRequest{Table: name, Mode: core.WriteAppend, Rows: reader}); err != nil {
		t.Fatal(err)
	}
	if err := tx.End(ctx, true); err != nil {
		t.Fatal(err)
	}
}

// plain makes text fields without meanings.
func plain(names ...string) []arrow.Field {
	var fields []arrow.Field
	for _, n := range names {
		fields = append(fields, arrow.Field{Name: n, Type: arrow.BinaryTypes.String, Nullable: true})
	}
	return fields
}

// build runs an identity over a warehouse.
func build(t testing.TB, wh core.Warehouse, model core.Model, run string) core.BuildResult {
	t.Helper()
	result, err := model.Build(context.Background(), core.BuildRequest{Warehouse: wh, RunID: run,
		At: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), Emit: func(core.Event) {}})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// mapped reads the map: record -> id.
func mapped(t testing.TB, wh core.Warehouse, name string) map[string]string {
	t.Helper()
	rows, err := wh.Scan(context.Background(), core.ScanRequest{Table: core.TableName{Schema: "identity", Name: name + "_map"}, Columns: []string{"source", "stream", "record_key", name + "_id"}})
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Release()
	out := map[string]string{}
	for rows.Next() {
		b := rows.RecordBatch()
		for i := range int(b.NumRows()) {
			cell := func(k int) string { return strings.Clone(b.Column(k).(*array.String).Value(i)) }
			out[cell(0)+"."+cell(1)+":"+cell(2)] = cell(3)
		}
	}
	return out
}

func score(found map[string]string, truth map[string]string) eval.Scores {
	number := func(m map[string]int32, k string) int32 {
		if _, ok := m[k]; !ok {
			m[k] = int32(len(m))
		}
		return m[k]
	}
	ids, names := map[string]int32{}, map[string]int32{}
	var f, tr []int32
	for record, id := range found {
		f = append(f, number(ids, id))
		tr = append(tr, number(names, truth[record]))
	}
	return eval.Clusters(f, tr)
}

func febrl(t testing.TB) (fields []string, rows [][]string) {
	text, err := os.ReadFile(labelled(t, "febrl3.csv"))
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(strings.NewReader(string(text)))
	r.TrimLeadingSpace = true
	all, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all[0], all[1:]
}

func TestAccuracyFebrl3(t *testing.T) {
	fields, rows := febrl(t)
	wh := warehouse.New()
	fill(t, wh, core.RawTable("set", "records"), []string{"rec_id"}, plain(fields...), rows)
	model, diags := parse(t, "person", `from = source.set.records`)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	result := build(t, wh, model, "1")
	truth := map[string]string{}
	for _, row := range rows {
		truth["set.records:"+row[0]] = strings.Join(strings.Split(row[0], "-")[:2], "-")
	}
	s := score(mapped(t, wh, "person"), truth)
	t.Logf("%+v\n%s", s, strings.Join(result.Notes, "\n"))
	if s.F1 < 0.998 {
		t.Errorf("pair F1 = %.4f, want at least 0.998", s.F1)
	}
}

func historical(t testing.TB) (fields []string, rows [][]string) {
	f, err := file.OpenParquetFile(labelled(t, "historical_50k.parquet"), false)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := pqarrow.NewFileReader(f, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	table, err := r.ReadTable(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer table.Release()
	for _, field := range table.Schema().Fields() {
		fields = append(fields, field.Name)
	}
	reader := array.NewTableReader(table, 0)
	defer reader.Release()
	for reader.Next() {
		b := reader.RecordBatch()
		for i := range int(b.NumRows()) {
			row := make([]string, len(fields))
			for k := range row {
				if !b.Column(k).IsNull(i) {
					row[k] = strings.Clone(b.Column(k).ValueStr(i))
				}
			}
			rows = append(rows, row)
		}
	}
	return fields, rows
}

func TestAccuracyHistorical(t *testing.T) {
	fields, rows := historical(t)
	cluster, id := -1, -1
	for i, f := range fields {
		switch f {
		case "cluster":
			cluster = i
		case "unique_id":
			id = i
		}
	}
	truth := map[string]string{}
	for _, row := range rows {
		truth["set.records:"+row[id]] = row[cluster]
		row[cluster] = ""
	}
	wh := warehouse.New()
	fill(t, wh, core.RawTable("set", "records"), []string{"unique_id"}, plain(fields...), rows)
	model, diags := parse(t, "person", "from = source.set.records\nexclude = [\"cluster\"]")
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	result := build(t, wh, model, "1")
	s := score(mapped(t, wh, "person"), truth)
	t.Logf("%+v\n%s", s, strings.Join(result.Notes, "\n"))
	if s.F1 < 0.886 || s.B3 < 0.9 {
		t.Errorf("pair F1 = %.4f, B3 = %.4f, want at least 0.886 and 0.90", s.F1, s.B3)
	}
}
