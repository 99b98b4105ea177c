//go:build duckdb_arrow

package duckdb_test

import (
	"context"
	"errors"
	"fmt"
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

// refusedSQL is what must not get through, and a word of the reason.
func refusedSQL() map[string]string {
	return map[string]string{
		"":                                    "0 statements",
		";":                                   "0 statements",
		"-- nothing":                          "0 statements",
		"SELECT 1; SELECT 2":                  "2 statements",
		"SELECT 1; DROP TABLE raw_crm.people": "only SELECT",
		"SELECT 1 /* ; */; DELETE FROM raw_crm.people":                                       "only SELECT",
		"INSERT INTO raw_crm.people VALUES (9, 'x')":                                         "only SELECT",
		"UPDATE raw_crm.people SET id = 1":                                                   "only SELECT",
		"DELETE FROM raw_crm.people":                                                         "only SELECT",
		"CREATE TABLE raw_crm.x AS SELECT 1":                                                 "only SELECT",
		"DROP SCHEMA raw_crm CASCADE":                                                        "only SELECT",
		"ALTER TABLE raw_crm.people ADD COLUMN x INT":                                        "only SELECT",
		"WITH x AS (INSERT INTO raw_crm.people VALUES (9, 'x') RETURNING *) SELECT * FROM x": "CTE",
		"WITH x AS (DELETE FROM raw_crm.people RETURNING *) FROM x":                          "CTE",
		"COPY raw_crm.people TO '/tmp/out.csv'":                                              "only SELECT",
		"COPY (SELECT 1) TO '/tmp/out.parquet'":                                              "only SELECT",
		"EXPORT DATABASE '/tmp/out'":                                                         "only SELECT",
		"ATTACH '/tmp/other.db'":                                                             "only SELECT",
		"DETACH warehouse":                                                                   "only SELECT",
		"USE memory":                                                                         "only SELECT",
		"INSTALL httpfs":                                                                     "only SELECT",
		"LOAD httpfs":                                                                        "only SELECT",
		"SET enable_external_access = true":                                                  "only SELECT",
		"RESET threads":                                                                      "only SELECT",
		"PRAGMA database_list":                                                               "only SELECT",
		"PRAGMA enable_profiling":                                                            "only SELECT",
		"CHECKPOINT":                                                                         "only SELECT",
		"FORCE CHECKPOINT warehouse":                                                         "only SELECT",
		"CALL force_checkpoint('warehouse')":                                                 "only SELECT",
		"BEGIN":                                                                              "only SELECT",
		"COMMIT":                                                                             "only SELECT",
		"EXPLAIN ANALYZE SELECT 1":                                                           "only SELECT",
		"PREPARE p AS SELECT 1":                                                              "only SELECT",
		"CREATE MACRO f() AS 1":                                                              "only SELECT",
		"CREATE SECRET s (TYPE s3)":                                                          "only SELECT",
		"SHOW DATABASES":                                                                     "SHOW",
		"SHOW ALL TABLES":                                                                    "SHOW",
		"SELECT * FROM (SHOW DATABASES)":                                                     "SHOW",
		"SELECT ?":                                                                           "parameters",
		"SELECT $name":                                                                       "parameters",
		"SELECT * FROM read_csv('/etc/passwd')":                                              "read_csv",
		"SELECT * FROM READ_CSV_AUTO('/etc/passwd')":                                         "read_csv_auto",
		`SELECT * FROM "Read_Text"('/etc/passwd')`:                                           "read_text",
		"SELECT * FROM system.main.read_blob('/etc/passwd')":                                 "read_blob",
		"SELECT * FROM read_parquet('s3://bucket/x')":                                        "read_parquet",
		"SELECT * FROM glob('/*')":                                                           "glob",
		"SELECT * FROM sniff_csv('/etc/passwd')":                                             "sniff_csv",
		"SELECT (SELECT content FROM read_text('/etc/passwd'))":                              "read_text",
		"SELECT 1 WHERE EXISTS (FROM read_text('/etc/passwd'))":                              "read_text",
		"SELECT * FROM raw_crm.people, LATERAL (SELECT * FROM read_text('/etc/' || name))": "read_text",
		"WITH x AS (SELECT * FROM read_text('/etc/passwd')) SELECT * FROM x":               "read_text",
		"SELECT * FROM '/etc/passwd'":                                          "",
		"SELECT * FROM 'x.csv'":                                                "",
		"SELECT * FROM \"/etc/hosts.parquet\"":                                 "",
		"SELECT * FROM 'https://example.com/x.parquet'":                        "",
		"SELECT * FROM force_checkpoint('warehouse')":                          "force_checkpoint",
		"SELECT * FROM checkpoint()":                                           "checkpoint",
		"SELECT * FROM query('SELECT 1')":                                      "query",
		"SELECT * FROM query_table('raw_crm.people')":                          "query_table",
		"SELECT * FROM arrow_scan(1, 2, 3)":                                    "arrow_scan",
		"SELECT * FROM enable_logging()":                                       "enable_logging",
		"SELECT * FROM json_execute_serialized_sql('{}')":                      "json_execute_serialized_sql",
		"SELECT * FROM duckdb_settings()":                                      "duckdb_settings",
		"SELECT * FROM duckdb_databases()":                                     "duckdb_databases",
		"SELECT * FROM duckdb_databases":                                       "duckdb_databases",
		"SELECT * FROM system.main.duckdb_databases":                           "duckdb_databases",
		"SELECT * FROM pragma_database_list":                                   "pragma_database_list",
		"SELECT * FROM duckdb_secrets()":                                       "duckdb_secrets",
		"SELECT * FROM pg_catalog.pg_settings":                                 "pg_catalog",
		"SELECT * FROM memory.main.x":                                          "not in the warehouse",
		"SELECT * FROM temp.stage":                                             "not in the warehouse",
		"SELECT * FROM rows_ABC.main.v":                                        "not in the warehouse",
		"SELECT * FROM rows_ABC.v":                                             "not in the warehouse",
		"SELECT current_setting('temp_directory')":                             "current_setting",
		"SELECT getvariable('x')":                                              "getvariable",
		"SELECT getenv('HOME')":                                                "getenv",
		"SELECT write_log('x')":                                                "write_log",
		"SELECT list_transform([1], x -> current_setting('home_directory'))":   "current_setting",
		"SELECT 'a\x00b'":                                                      "zero byte",
		"SELECT " + strings.Repeat("1 + ", 600_000) + "1":                      "longer than",
		strings.Repeat("(", 20_000) + "SELECT 1" + strings.Repeat(")", 20_000): "",
	}
}

func TestQueryRefuses(t *testing.T) {
	w := inMemory(t)
	for sql, reason := range refusedSQL() {
		_, err := query(t.Context(), w, sql)
		var e *core.Error
		if !errors.As(err, &e) || e.Kind != core.KindConfig || !strings.Contains(err.Error(), reason) {
			t.Errorf("%.100q gives %v; want a refusal with %q", sql, err, reason)
		}
		if _, err := w.Info().SQL.Check(t.Context(), sql, nil); err == nil {
			t.Errorf("Check lets %.100q through", sql)
		}
		if _, err := w.Info().SQL.Materialize(t.Context(), core.TableName{Schema: "marts", Name: "m"}, sql); err == nil {
			t.Errorf("Materialize lets %.100q through", sql)
		}
	}
	if got, err := query(t.Context(), w, "SELECT count(*) FROM raw_crm.people"); got != "3" || err != nil {
		t.Errorf("after all that the table has %s rows, %v", got, err)
	}
}

func TestQueryPlace(t *testing.T) {
	w := inMemory(t)
	tables := []core.Table{{Name: people(), Schema: peopleSchema()}}
	for _, c := range []struct {
		sql          string
		line, column int
		words        string
	}{
		{"SELECT\n  id,\n  nmae\nFROM raw_crm.people", 3, 3, `"nmae" not found`},
		{"SELECT id FROM raw_crm.people WHERE åäö = 1 AND", 1, 48, "syntax error"},
		{"SELECT 'ÅÄÖ', nope", 1, 15, "nope"},
		{"SELECT 1\n\nFROM raw_crm.poeple", 3, 6, "poeple"},
		{"SELECT id + DATE '2026-01-01' + name FROM raw_crm.people", 1, 11, "No function matches"},
		{"SELECT 1,\n  current_setting('x')", 2, 3, "not allowed"},
		{"SELECT 1\nFROM read_csv('x')", 2, 6, "read_csv"},
	} {
		check := func(what string, err error) {
			t.Helper()
			var e *core.SQLError
			if !errors.As(err, &e) || e.Line != c.line || e.Column != c.column || !strings.Contains(e.Error(), c.words) {
				t.Errorf("%s %q: got %v at %d:%d; want %q at %d:%d", what, c.sql, err, e.Line, e.Column, c.words, c.line, c.column)
			}
			if core.KindOf(err) != core.KindConfig {
				t.Errorf("%s %q is of kind %s", what, c.sql, core.KindOf(err))
			}
		}
		_, err := query(t.Context(), w, c.sql)
		check("Query", err)
		_, err = w.Info().SQL.Check(t.Context(), c.sql, tables)
		check("Check", err)
		_, err = w.Info().SQL.Materialize(t.Context(), core.TableName{Schema: "marts", Name: "m"}, c.sql)
		check("Materialize", err)
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

// FuzzQuery: whatever is asked, the tables stay as they are and nothing outside is read.
func FuzzQuery(f *testing.F) {
	w := inMemory(f)
	for sql := range refusedSQL() {
		if len(sql) < 10_000 {
			f.Add(sql)
		}
	}
	for _, sql := range []string{"SELECT 1", "FROM raw_crm.people", "SELECT E'\\'; DROP TABLE raw_crm.people; --'", "SELECT $a$;$a$; --"} {
		f.Add(sql)
	}
	before := content(f, w)
	f.Fuzz(func(t *testing.T, sql string) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if _, err := query(ctx, w, sql); err != nil && core.KindOf(err) == core.KindInternal {
			t.Logf("%q: %v", sql, err)
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%q takes %v after its second is over", sql, took)
		}
		if after := content(t, w); after != before {
			t.Fatalf("%q changed the warehouse from\n%s to\n%s", sql, before, after)
		}
	})
}

// content is all the warehouse holds, and its settings that matter.
func content(t testing.TB, w *duckdb.Warehouse) string {
	t.Helper()
	reports, err := w.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(reports)
}
