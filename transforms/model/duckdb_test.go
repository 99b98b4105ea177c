//go:build duckdb_arrow

package model_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	arrowmemory "github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/warehouse/duckdb"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// open makes a warehouse with a few invoices and customers.
func open(t *testing.T) core.Warehouse {
	t.Helper()
	w, err := duckdb.Open(context.Background(), duckdb.Config{Path: filepath.Join(t.TempDir(), "w.duckdb"), Threads: 1, MemoryLimit: "256MB"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	fill(t, w, tables()[customers], `[{"id": 1}, {"id": 2}]`)
	fill(t, w, tables()[invoices], `[
		{"id": 10, "customer": 1, "total": 5.5,  "state": "open", "email": "anna@acme.fi", "at": "2026-03-01T10:00:00Z"},
		{"id": 11, "customer": 2, "total": 7,    "state": "paid", "email": "bo@acme.fi",   "at": "2026-02-28T10:00:00Z"},
		{"id": 12, "customer": 3, "total": -1,   "state": "lost", "email": "anna@acme.fi", "at": "2026-02-28T10:00:00Z"},
		{"id": null, "customer": null, "total": null, "state": null, "email": null, "at": null}
	]`)
	return w
}

func fill(t *testing.T, w core.Warehouse, table core.Table, rows string) {
	t.Helper()
	ctx := context.Background()
	b, _, err := array.RecordFromJSON(arrowmemory.DefaultAllocator, table.Schema, strings.NewReader(rows))
	if err != nil {
		t.Fatal(err)
	}
	reader, err := array.NewRecordReader(table.Schema, []arrow.RecordBatch{b})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Release()
	tx, err := w.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err = tx.Define(ctx, table); err == nil {
		_, err = tx.Write(ctx, core.WriteRequest{Table: table.Name, Mode: core.WriteAppend, Rows: reader})
	}
	if err = errors.Join(err, tx.End(ctx, err == nil)); err != nil {
		t.Fatal(err)
	}
}

func plan(t *testing.T, w core.Warehouse, body string) (core.ModelPlan, error) {
	t.Helper()
	return mustDecode(t, body).Plan(context.Background(), core.ModelPlanRequest{Tables: tables(), SQL: w.Info().SQL})
}

func build(t *testing.T, w core.Warehouse, body string) (core.BuildResult, error) {
	t.Helper()
	return mustDecode(t, body).Build(context.Background(), core.BuildRequest{Warehouse: w, At: now, Emit: func(core.Event) {}})
}

func query(t *testing.T, w core.Warehouse, sql string) string {
	t.Helper()
	r, err := w.Info().SQL.Query(context.Background(), sql)
	if err != nil {
		return err.Error()
	}
	defer r.Release()
	var out []string
	for r.Next() {
		for i := range int(r.RecordBatch().NumRows()) {
			out = append(out, r.RecordBatch().Column(0).ValueStr(i))
		}
	}
	return strings.Join(out, " ")
}

const selectAll = "sql = \"SELECT * FROM ${source.erp.invoices}\"\n"

func TestPlan(t *testing.T) {
	w := open(t)
	p, err := plan(t, w, selectAll+"question = \"What?\"\ntest \"unique\" { columns = [\"id\"] }\ntest \"expression\" { sql = \"total >= 0 -- or so\" }")
	if err != nil {
		t.Fatal(err)
	}
	out := p.Outputs[0]
	if len(p.Outputs) != 1 || out.Name.String() != "marts.orders" || out.Schema.NumFields() != 6 || fmt.Sprint(out.Key) != "[id]" || fmt.Sprint(p.Notes) != "[answers: What?]" {
		t.Errorf("got %+v", p)
	}
	if got := query(t, w, "SELECT count(*) FROM marts.orders"); !strings.Contains(got, "orders") {
		t.Errorf("a plan made the table: %s", got)
	}
}

func TestPlanFaults(t *testing.T) {
	w := open(t)
	for _, c := range []struct {
		name, body string
		path       string
		line       int // in the statement, or in the file for tests
		want, try  string
	}{
		{"unknown column", "sql = <<-SQL\n  SELECT id,\n         totl\n  FROM ${source.erp.invoices}\nSQL\n", "sql", 2, "totl", ""},
		{"no SELECT", "sql = \"DROP TABLE ${source.erp.invoices}\"", "sql", 0, "SELECT", ""},
		{"test of an unknown column", selectAll + "test \"unique\" {\n  columns = [\"idd\"]\n}", "test.unique.columns", 3, `"idd"`, `"id"`},
		{"accepted values of an unknown column", selectAll + "test \"accepted_values\" {\n  column = \"stat\"\n  values = [\"a\"]\n}", "test.accepted_values.column", 3, "stat", `"state"`},
		{"relationship to an unknown field", selectAll + "test \"relationships\" {\n  column = \"customer\"\n  to = model.customers\n  field = \"idx\"\n}", "test.relationships.field", 5, "idx", `"id"`},
		{"relationship without a field", selectAll + "test \"relationships\" {\n  column = \"customer\"\n  to = model.customers\n}", "test.relationships.field", 2, `"customer"`, ""},
		{"relationship to an unknown table", selectAll + "test \"relationships\" {\n  column = \"customer\"\n  to = \"marts.nothing\"\n}", "test.relationships.to", 4, "marts.nothing", ""},
		{"freshness of a text", selectAll + "test \"freshness\" {\n  column = \"state\"\n  warn = \"1h\"\n}", "test.freshness.column", 3, "utf8", ""},
		{"expression on an unknown column", selectAll + "test \"expression\" {\n  sql = \"totl > 0\"\n}", "test.expression.sql", 3, "totl", "total >= 0"},
		{"expression that is a value", selectAll + "test \"expression\" {\n  sql = \"total\"\n}", "test.expression.sql", 3, "no condition", ""},
	} {
		_, err := plan(t, w, c.body)
		var e *core.Error
		if !errors.As(err, &e) || e.Kind != core.KindConfig || e.Path != c.path || !strings.Contains(err.Error(), c.want) && !strings.Contains(detail(err), c.want) || !strings.Contains(e.Try, c.try) {
			t.Errorf("%s: got %+v", c.name, err)
			continue
		}
		line := 0
		var fault *core.SQLError
		var d core.Diagnostic
		switch {
		case errors.As(err, &d):
			line = d.Range.Line
		case errors.As(err, &fault):
			line = fault.Line
		}
		if c.line > 0 && line != c.line {
			t.Errorf("%s: line %d, want %d: %v", c.name, line, c.line, err)
		}
	}
	m := mustDecode(t, selectAll)
	if _, err := m.Plan(context.Background(), core.ModelPlanRequest{SQL: w.Info().SQL}); err == nil || !strings.Contains(err.Error(), "no table") {
		t.Errorf("without its inputs: %v", err)
	}
}

func detail(err error) string {
	var d core.Diagnostic
	errors.As(err, &d)
	return d.Detail
}

func TestBuildWithoutTests(t *testing.T) {
	w := open(t)
	res, err := build(t, w, selectAll)
	if err != nil || res.Rows != 4 || len(res.Tests) != 0 {
		t.Fatalf("got %+v, %v", res, err)
	}
	if got := query(t, w, "SELECT sum(total) FROM marts.orders"); got != "11.5" {
		t.Errorf("got %s", got)
	}
}

// TestPlanIsWhatBuildMakes compares the columns planned with those of the table.
func TestPlanIsWhatBuildMakes(t *testing.T) {
	w := open(t)
	const body = "sql = \"SELECT i.*, i.id, 1.5 AS rate, count(*) OVER () AS n, [1] AS list FROM ${source.erp.invoices} i; -- end\""
	p, err := plan(t, w, body)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := build(t, w, body); err != nil {
		t.Fatal(err)
	}
	made, err := w.Tables(context.Background(), core.SchemaMarts)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range made {
		if m.Name == p.Outputs[0].Name && m.Schema.String() != p.Outputs[0].Schema.String() {
			t.Errorf("planned\n%s\nmade\n%s", p.Outputs[0].Schema, m.Schema)
		}
	}
}

// TestTests runs each kind of test on rows that pass and on rows that fail.
func TestTests(t *testing.T) {
	w := open(t)
	for _, c := range []struct {
		name, test string
		failures   int64
		severity   core.TestSeverity
		sample     string
	}{
		{"unique", `columns = ["id"]`, 0, core.TestError, ""},
		{"unique", `columns = ["at"]`, 2, core.TestError, "at=2026-02-28"},
		{"unique", `columns = ["email"]`, 2, core.TestError, ""},
		{"unique", `columns = ["email", "at"]`, 0, core.TestError, ""},
		{"not_null", `columns = ["id", "customer"]`, 1, core.TestError, "id=(null) customer=(null)"},
		{"accepted_values", "column = \"state\"\nvalues = [\"open\", \"paid\", \"lost\", \"it's\"]", 0, core.TestError, ""},
		{"accepted_values", "column = \"state\"\nvalues = [\"open\"]\nseverity = \"warn\"", 2, core.TestWarn, ""},
		{"accepted_values", "column = \"customer\"\nvalues = [1, 2]", 1, core.TestError, "customer=3"},
		{"relationships", "column = \"customer\"\nto = model.customers\nfield = \"id\"", 1, core.TestError, "customer=3"},
		{"expression", `sql = "total >= 0 -- not for credit notes"`, 1, core.TestError, ""},
		{"expression", `sql = "total > -5 OR id = 1"`, 0, core.TestError, ""},
		{"freshness", "column = \"at\"\nwarn = \"1h\"\nerror = \"3h\"", 1, core.TestWarn, ""},
		{"freshness", "column = \"at\"\nerror = \"90m\"", 1, core.TestError, ""},
		{"freshness", "column = \"at\"\nwarn = \"3h\"\nerror = \"6h\"", 0, core.TestError, ""},
		{"row_count", "min = 4\nmax = 4", 0, core.TestError, ""},
		{"row_count", "min = 6", 2, core.TestError, ""},
		{"row_count", "max = 3", 1, core.TestError, ""},
	} {
		res, err := build(t, w, fmt.Sprintf("%stest %q {\n%s\n}", selectAll, c.name, c.test))
		if err != nil || len(res.Tests) != 1 {
			t.Errorf("%s %s: got %+v, %v", c.name, c.test, res, err)
			continue
		}
		got := res.Tests[0]
		if got.Err != nil || got.Failures != c.failures || got.Severity != c.severity {
			t.Errorf("%s %s: got %+v", c.name, c.test, got)
		}
		sample := strings.Join(got.Sample, ";")
		if !strings.HasPrefix(sample, c.sample) || c.sample == "" && sample != "" && !strings.HasPrefix(sample, "id=") {
			t.Errorf("%s %s: sample %q", c.name, c.test, sample)
		}
		if strings.Contains(sample, "acme") {
			t.Errorf("%s %s: the sample shows an address: %q", c.name, c.test, sample)
		}
	}
}

// TestFailingTestKeepsTable builds a good table, then one that fails: readers keep the
// good one, and nothing is left beside it.
func TestFailingTestKeepsTable(t *testing.T) {
	w := open(t)
	const one = "sql = \"SELECT 1 AS id\"\ntest \"row_count\" { max = 1 }"
	const two = "sql = \"SELECT 1 AS id UNION ALL SELECT 1\"\ntest \"row_count\" { max = 5 }\ntest \"unique\" { columns = [\"id\"] }"
	if _, err := build(t, w, one); err != nil {
		t.Fatal(err)
	}
	res, err := build(t, w, two)
	if err != nil || len(res.Tests) != 2 || res.Tests[1].Failures != 2 || fmt.Sprint(res.Tests[1].Sample) != "[id=1]" || len(res.Notes) != 1 {
		t.Fatalf("got %+v, %v", res, err)
	}
	if got := query(t, w, "SELECT count(*) FROM marts.orders"); got != "1" {
		t.Errorf("the failing table was published: %s rows", got)
	}
	// As a warning it is published.
	if _, err := build(t, w, strings.Replace(two, `{ columns = ["id"] }`, "{\ncolumns = [\"id\"]\nseverity = \"warn\"\n}", 1)); err == nil {
		if got := query(t, w, "SELECT count(*) FROM marts.orders"); got != "2" {
			t.Errorf("the table with a warning was not published: %s rows", got)
		}
	} else {
		t.Error(err)
	}
	// A statement that fails halfway changes nothing.
	if _, err := build(t, w, "sql = \"SELECT CAST('x' || id AS INTEGER) AS id FROM ${source.erp.invoices}\""); err == nil {
		t.Error("a failing statement was built")
	}
	if got := query(t, w, "SELECT count(*) FROM marts.orders"); got != "2" {
		t.Errorf("a failing statement changed the table: %s rows", got)
	}
	left, err := w.Tables(context.Background(), core.SchemaStaging)
	if err != nil || len(left) != 0 {
		t.Errorf("left in staging: %v, %v", left, err)
	}
}

func TestCancelled(t *testing.T) {
	w := open(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	m := mustDecode(t, selectAll+"test \"unique\" { columns = [\"id\"] }")
	if _, err := m.Build(ctx, core.BuildRequest{Warehouse: w, At: now, Emit: func(core.Event) {}}); err == nil {
		t.Error("a cancelled build went through")
	}
	if left, _ := w.Tables(context.Background(), core.SchemaStaging); len(left) != 0 {
		t.Errorf("left in staging: %v", left)
	}
}

// A stale source is found also when nothing has come that a build would look at.
func TestRecheckLooksAtTheClockOnly(t *testing.T) {
	w := open(t)
	body := "sql = \"SELECT * FROM ${source.erp.invoices}\"\n" +
		`test "freshness" {
		  column = "at"
		  warn   = "3h"
		  error  = "1d"
		}
		test "row_count" { min = 1 }`
	if res, err := build(t, w, body); err != nil || len(res.Tests) != 2 || res.Tests[0].Failures != 0 {
		t.Fatalf("%+v %v", res, err)
	}
	var m core.Rechecker = mustDecode(t, body)
	for _, c := range []struct {
		after    time.Duration
		failures int64
		severity core.TestSeverity
	}{{0, 0, core.TestError}, {2 * time.Hour, 1, core.TestWarn}, {30 * time.Hour, 1, core.TestError}} {
		got, err := m.Recheck(t.Context(), core.BuildRequest{Warehouse: w, At: now.Add(c.after), Emit: func(core.Event) {}})
		if err != nil || len(got) != 1 {
			t.Fatalf("after %s: %+v %v", c.after, got, err)
		}
		if got[0].Failures != c.failures || got[0].Severity != c.severity || got[0].Err != nil {
			t.Errorf("after %s: %+v, want %d failures of severity %s", c.after, got[0], c.failures, c.severity)
		}
	}
}
