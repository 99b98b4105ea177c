//go:build duckdb_arrow

package duckdb_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/warehouse/duckdb"
)

// inMemory opens a warehouse with 3 people.
func inMemory(t testing.TB) *duckdb.Warehouse {
	t.Helper()
	w, err := duckdb.Open(t.Context(), duckdb.Config{MemoryLimit: "512MiB", Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	put(t, w, 0, 3)
	return w
}

// query gives rows as text, or the error.
func query(ctx context.Context, w *duckdb.Warehouse, sql string) (string, error) {
	r, err := w.Info().SQL.Query(ctx, sql)
	if err != nil {
		return "", err
	}
	defer r.Release()
	var out []string
	for r.Next() {
		for i := range int(r.RecordBatch().NumRows()) {
			var cells []string
			for _, c := range r.RecordBatch().Columns() {
				cells = append(cells, strings.Clone(c.ValueStr(i)))
			}
			out = append(out, strings.Join(cells, " "))
		}
	}
	return strings.Join(out, "\n"), r.Err()
}

func TestQuery(t *testing.T) {
	w := inMemory(t)
	for sql, want := range map[string]string{
		"SELECT count(*) FROM raw_crm.people":                                                              "3",
		`SELECT name FROM "raw_crm"."PEOPLE" WHERE id = 1`:                                                 "person 1",
		"SELECT name FROM warehouse.raw_crm.people WHERE id = 2;":                                          "person 2",
		"FROM raw_crm.people SELECT max(id); -- that is all; really":                                       "2",
		"SELECT ';' AS \";\" /* ; /* nested ; */ */ ;; ":                                                   ";",
		"SELECT E'it\\'s; --', $tag$ ' ; $tag$":                                                            "it's; --  ' ; ",
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4) FROM n SELECT sum(i)": "10",
		"SELECT * FROM range(3) ORDER BY 1 DESC":                                                           "2\n1\n0",
		"SELECT * FROM (PIVOT raw_crm.people ON id IN (0, 1) USING count(*)) LIMIT 0":                      "",
		"SELECT unnest([1, 2])":                                                                            "1\n2",
		"VALUES (1, 'a')":                                                                                  "1 a",
		"SELECT TIMESTAMPTZ '2026-03-01 00:00:00+02'":                                                      "2026-02-28T22:00:00Z",
		"DESCRIBE raw_crm.people":                                                                          "id BIGINT YES (null) (null) (null)\nname VARCHAR YES (null) (null) (null)",
		"SELECT table_name FROM duckdb_tables() WHERE schema_name = 'raw_crm'":                             "people",
		"SELECT count(*) FROM information_schema.tables WHERE table_name = 'people'":                       "1",
	} {
		if got, err := query(t.Context(), w, sql); err != nil || got != want {
			t.Errorf("%s gives %q, %v; want %q", sql, got, err, want)
		}
	}
}

func TestCheck(t *testing.T) {
	w := inMemory(t)
	tables := []core.Table{{Name: core.TableName{Schema: "raw_erp", Name: "invoices"}, Schema: arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.PrimitiveTypes.Int64}, {Name: "total", Type: &arrow.Decimal128Type{Precision: 18, Scale: 2}},
		{Name: "paid at", Type: arrow.FixedWidthTypes.Timestamp_us}, {Name: "tags", Type: arrow.ListOf(arrow.BinaryTypes.String)},
	}, nil)}}
	got, err := w.Info().SQL.Check(t.Context(), `SELECT i.id, total * 2 AS twice, "paid at"::DATE AS day, tags, tags[1] AS tag FROM raw_erp.invoices i WHERE total > 0`, tables)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]arrow.DataType{"id": arrow.PrimitiveTypes.Int64, "twice": &arrow.Decimal128Type{Precision: 28, Scale: 2},
		"day": arrow.FixedWidthTypes.Date32, "tags": arrow.ListOf(arrow.BinaryTypes.String), "tag": arrow.BinaryTypes.String}
	if got.NumFields() != len(want) {
		t.Fatalf("got %v", got)
	}
	for _, f := range got.Fields() {
		if f.Name != "twice" && !arrow.TypeEqual(f.Type, want[f.Name]) || f.Type.ID() != want[f.Name].ID() {
			t.Errorf("%s is %s, want %s", f.Name, f.Type, want[f.Name])
		}
	}
	// It knows only what it is told, not what the warehouse holds.
	if _, err := w.Info().SQL.Check(t.Context(), "SELECT * FROM raw_crm.people", tables); err == nil {
		t.Error("Check finds a table that is not in the plan")
	}
}

func TestMaterialize(t *testing.T) {
	w := inMemory(t)
	sql := w.Info().SQL
	target := core.TableName{Schema: "marts", Name: `odd "name"`}
	n, err := sql.Materialize(t.Context(), target, "SELECT id, name, id * 1.5::DECIMAL(9,2) AS share FROM raw_crm.people -- all")
	if n != 3 || err != nil {
		t.Fatal(n, err)
	}
	n, err = sql.Materialize(t.Context(), target, `SELECT id + 10 AS id, id AS id FROM marts."odd ""name""" WHERE id > 0;`)
	if n != 2 || err != nil {
		t.Fatal("from itself:", n, err)
	}
	if got, err := query(t.Context(), w, `SELECT * FROM marts."odd ""name""" ORDER BY 1`); got != "11 1\n12 2" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := sql.Materialize(t.Context(), target, "SELECT name::INT AS x FROM raw_crm.people"); err == nil {
		t.Error("a query that fails half-way builds a table")
	}
	if got, err := query(t.Context(), w, `SELECT count(*) FROM marts."odd ""name"""`); got != "2" || err != nil {
		t.Errorf("after a failure the old table has %q rows, %v", got, err)
	}
	tables, err := w.Tables(t.Context(), "marts")
	if err != nil || len(tables) != 1 || tables[0].Rows != 2 || tables[0].Schema.NumFields() != 2 {
		t.Errorf("Tables gives %v, %v", tables, err)
	}
	if _, err := sql.Materialize(t.Context(), core.TableName{Schema: "unsilo", Name: "state"}, "SELECT 1"); core.KindOf(err) != core.KindData {
		t.Errorf("a model may not replace the positions: %v", err)
	}
}

// A query sees what was committed, also while a transaction is open, and stops when told.
func TestQueryBesideTransaction(t *testing.T) {
	w := inMemory(t)
	tx, err := w.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rows := peopleRows(t, 100, 200)
	defer rows.Release()
	if _, err := tx.Write(t.Context(), core.WriteRequest{Table: people(), Mode: core.WriteAppend, Rows: rows}); err != nil {
		t.Fatal(err)
	}
	if got, err := query(t.Context(), w, "SELECT count(*) FROM raw_crm.people"); got != "3" || err != nil {
		t.Errorf("a query counts %s, %v; want the 3 committed rows", got, err)
	}
	if err := tx.End(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err = query(ctx, w, "SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b")
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 5*time.Second {
		t.Errorf("a cancelled query ends with %v after %v", err, time.Since(start))
	}
}

// A result is streamed: its first rows come without the memory for all of them.
func TestQueryStreams(t *testing.T) {
	w, err := duckdb.Open(t.Context(), duckdb.Config{MemoryLimit: "256MiB", Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r, err := w.Info().SQL.Query(t.Context(), "SELECT i, repeat('x', 100) || i AS text FROM range(20000000) t(i)")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	rows := int64(0)
	for range 50 {
		if !r.Next() {
			t.Fatal(r.Err())
		}
		rows += r.RecordBatch().NumRows()
	}
	if first, ok := r.RecordBatch().Column(0).(*array.Int64); !ok || rows == 0 || first.Len() == 0 {
		t.Errorf("%d rows", rows)
	}
}

func TestDialect(t *testing.T) {
	w := inMemory(t)
	d := w.Info().SQL.Dialect()
	for _, c := range []struct {
		want, function string
		args           []string
	}{
		{"1.0", "jaro_winkler", []string{"'a'", "'a'"}},
		{"1", "levenshtein", []string{"'ab'", "'ac'"}},
		{"1", "damerau_levenshtein", []string{"'ab'", "'ba'"}},
		{"2", "hamming", []string{"'abc'", "'acb'"}},
		{"(null)", "hamming", []string{"'abc'", "'ab'"}},
		{"3", "length", []string{"'åäö'"}},
		{"bc", "substr", []string{"'abcd'", "2", "2"}},
		{"bcd", "substr", []string{"'abcd'", "2"}},
		{"ab", "lower", []string{"'AB'"}},
		{"AB", "upper", []string{"'ab'"}},
		{"a b", "trim", []string{"' a b '"}},
		{"a", "coalesce", []string{"NULL", "'a'"}},
		{"1", "least", []string{"2", "1"}},
		{"2", "greatest", []string{"2", "1"}},
		{"6", "abs", []string{"1 - 7"}},
		{"151153374134694988", "hash64", []string{"'unsilo'"}},
		{"(null)", "hash64", []string{"NULL"}},
		{"31", "date_diff_days", []string{"DATE '2026-01-01'", "TIMESTAMP '2026-02-01 23:00:00'"}},
		{"ab1", "concat", []string{"'a'", "'b'", "1"}},
		{"(null)", "concat", []string{"'a'", "NULL"}},
		{"3", "count", nil},
		{"3", "count_distinct", []string{"id"}},
		{"0", "min", []string{"id"}},
		{"2", "max", []string{"id"}},
		{"3", "sum", []string{"id"}},
		{"1", "avg", []string{"id"}},
		{"true", "regexp_matches", []string{"'abc'", "'b.$'"}},
		{"aeou", "strip_accents", []string{"'àéöû'"}},
		{"axc", "replace", []string{"'abc'", "'b'", "'x'"}},
		{"true", "starts_with", []string{"'abc'", "'ab'"}},
		{"(null)", "nullif", []string{"1", "1"}},
	} {
		call, err := d.Call(c.function, c.args...)
		if err != nil {
			t.Error(err)
			continue
		}
		got, err := query(t.Context(), w, "SELECT ("+call+")::VARCHAR FROM raw_crm.people GROUP BY ALL LIMIT 1")
		if strings.Contains("count count_distinct min max sum avg", c.function) {
			got, err = query(t.Context(), w, "SELECT "+call+" FROM raw_crm.people")
		}
		if err != nil || got != c.want {
			t.Errorf("%s gives %q, %v; want %q", call, got, err, c.want)
		}
	}
	for _, c := range [][]string{{"read_csv", "'x'"}, {"now"}, {"lower"}, {"lower", "'a'", "'b'"}, {"", "1"}, {"LOWER", "'a'"}} {
		if call, err := d.Call(c[0], c[1:]...); err == nil {
			t.Errorf("Call(%q) gives %q; want an error", c, call)
		}
	}
	if name, err := d.Type(arrow.FixedWidthTypes.Timestamp_s); name != "TIMESTAMPTZ" || err != nil {
		t.Errorf("Type gives %q, %v", name, err)
	}
	if d.Name() != "duckdb" {
		t.Error(d.Name())
	}
}

// FuzzQuote: a quoted identifier comes back as it was, wherever it stands.
func FuzzQuote(f *testing.F) {
	w := inMemory(f)
	d := w.Info().SQL.Dialect()
	for _, name := range []string{"a", `a"b`, `""`, `a"; DROP TABLE raw_crm.people; --`, "ä\n", "select", " ", `\`, "'", "$1", "?", "\x7f", "🎉"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if name == "" || strings.ToValidUTF8(name, "") != name || strings.ContainsRune(name, 0) {
			t.Skip()
		}
		r, err := w.Info().SQL.Query(t.Context(), "SELECT t."+d.Quote(name)+" FROM (SELECT 7 AS "+d.Quote(name)+") t")
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		defer r.Release()
		if got := r.Schema().Field(0).Name; got != name || !r.Next() {
			t.Errorf("%q comes back as %q, %v", name, got, r.Err())
		}
	})
}
