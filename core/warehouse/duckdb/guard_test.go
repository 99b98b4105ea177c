//go:build duckdb_arrow

package duckdb_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/warehouse/duckdb"
)

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
