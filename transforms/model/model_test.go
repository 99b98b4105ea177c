package model_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/warehouse/memory"
	"github.com/unsilo/unsilo/transforms/model"
)

// eval knows two tables, as the project's references would.
func eval() *hcl.EvalContext {
	return &hcl.EvalContext{Variables: map[string]cty.Value{
		"source": cty.ObjectVal(map[string]cty.Value{"erp": cty.ObjectVal(map[string]cty.Value{"invoices": cty.StringVal(`"raw_erp"."invoices"`)})}),
		"model":  cty.ObjectVal(map[string]cty.Value{"customers": cty.StringVal(`"marts"."customers"`)}),
	}}
}

var (
	invoices  = core.TableName{Schema: "raw_erp", Name: "invoices"}
	customers = core.TableName{Schema: core.SchemaMarts, Name: "customers"}
)

func decode(t testing.TB, body string) (core.Model, hcl.Diagnostics) {
	t.Helper()
	file, diags := hclsyntax.ParseConfig([]byte(body), "models.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return model.Decode("orders", file.Body, eval(), []core.TableName{customers, invoices})
}

func mustDecode(t testing.TB, body string) *model.SQLModel {
	t.Helper()
	m, diags := decode(t, body)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return m.(*model.SQLModel)
}

func TestDecode(t *testing.T) {
	m := mustDecode(t, `
		sql      = "SELECT id FROM ${source.erp.invoices}"
		question = "What was sold?"
		chart    = "bar"
		description = "orders"
		test "unique"          { columns = ["id"] }
		test "not_null"        { columns = ["id"] }
		test "accepted_values" {
			column = "state"
			values = ["open", "paid"]
			severity = "warn"
		}
		test "relationships" {
			column = "customer"
			to     = model.customers
			field  = "id"
		}
		test "freshness" {
			column = "at"
			warn   = "6h"
			error  = "1d"
		}
		test "expression" {
			sql  = "total >= 0"
			name = "positive"
		}
		test "row_count" { min = 1 }
	`)
	if m.Ref().String() != "model.orders" || m.Output().String() != "marts.orders" || m.Question() != "What was sold?" || m.Chart() != model.ChartBar || m.Description() != "orders" {
		t.Errorf("got %+v", m)
	}
	if want := `SELECT id FROM "raw_erp"."invoices"`; m.SQL() != want {
		t.Errorf("got %s, want %s", m.SQL(), want)
	}
	if in := m.Inputs(); len(in) != 2 || in[0] != customers || in[1] != invoices {
		t.Errorf("inputs %v", in)
	}
	if plain := mustDecode(t, `sql = "SELECT 1"`); plain.Chart() != model.ChartTable || plain.Question() != "" {
		t.Errorf("got %+v", plain)
	}
}

func TestDecodeFaults(t *testing.T) {
	const sql = "sql = \"SELECT 1\"\n"
	for _, c := range []struct{ name, body, want, try string }{
		{"no statement", ``, "There is no statement", "sql = <<-SQL"},
		{"empty statement", `sql = "  "`, "There is no statement", ""},
		{"statement is a list", `sql = ["a"]`, "This is no text", ""},
		{"no such attribute", sql + `quesion = "x"`, `not expected here`, ""},
		{"no such chart", sql + `chart = "bars"`, `No chart is called "bars"`, `"bar"`},
		{"no such test", sql + `test "uniqe" { columns = ["id"] }`, `No test is called "uniqe"`, `"unique"`},
		{"no such severity", sql + "test \"unique\" {\ncolumns = [\"id\"]\nseverity = \"warning\"\n}", `No severity is called "warning"`, "warn"},
		{"no columns", sql + `test "unique" { columns = [] }`, "names no column", "columns ="},
		{"columns missing", sql + `test "not_null" {}`, `"columns" is required`, ""},
		{"no values", sql + "test \"accepted_values\" {\ncolumn = \"a\"\nvalues = []\n}", "accepts no value", "values ="},
		{"no bound", sql + `test "row_count" {}`, "no bound", "min = 1"},
		{"no age", sql + `test "freshness" { column = "at" }`, "no bound", `"6h"`},
		{"wrong age", sql + "test \"freshness\" {\ncolumn = \"at\"\nwarn = \"6 hours\"\n}", `Wrong duration "6 hours"`, "15m"},
		{"no table", sql + "test \"relationships\" {\ncolumn = \"a\"\nto = \"customers\"\n}", "This is no table", "model.customers"},
		{"empty expression", sql + `test "expression" { sql = "" }`, "There is no expression", "total >= 0"},
		{"same name", sql + "test \"unique\" {\ncolumns = [\"a\"]\nname = \"x\"\n}\ntest \"not_null\" {\ncolumns = [\"a\"]\nname = \"x\"\n}", `Two tests are called "x"`, "Change"},
		{"unknown reference", `sql = "SELECT * FROM ${source.crm.contacts}"`, "crm", ""},
	} {
		m, diags := decode(t, c.body)
		if m != nil || !diags.HasErrors() || !strings.Contains(diags.Error(), c.want) {
			t.Errorf("%s: got %v, %v", c.name, m, diags)
			continue
		}
		d := diags[0]
		if try, _ := d.Extra.(core.Try); !strings.Contains(string(try), c.try) || d.Subject == nil {
			t.Errorf("%s: try %q at %v", c.name, try, d.Subject)
		}
	}
}

func TestFingerprint(t *testing.T) {
	const sql = "sql = \"SELECT 1\\n\"\n"
	base := mustDecode(t, sql+"test \"unique\" { columns = [\"a\"] }\ntest \"not_null\" { columns = [\"a\"] }").Fingerprint()
	for name, c := range map[string]struct {
		body string
		same bool
	}{
		"blanks at the end of lines": {"sql = \"SELECT 1  \\n\\n\"\ntest \"unique\" { columns = [\"a\"] }\ntest \"not_null\" { columns = [\"a\"] }", true},
		"order of tests":             {sql + "test \"not_null\" { columns = [\"a\"] }\ntest \"unique\" { columns = [\"a\"] }", true},
		"words for people":           {sql + "question = \"why\"\ntest \"unique\" { columns = [\"a\"] }\ntest \"not_null\" { columns = [\"a\"] }", true},
		"another statement":          {"sql = \"SELECT 2\"\ntest \"unique\" { columns = [\"a\"] }\ntest \"not_null\" { columns = [\"a\"] }", false},
		"another severity":           {sql + "test \"unique\" {\ncolumns = [\"a\"]\nseverity = \"warn\"\n}\ntest \"not_null\" { columns = [\"a\"] }", false},
		"a test less":                {sql + "test \"unique\" { columns = [\"a\"] }", false},
		"another column":             {sql + "test \"unique\" { columns = [\"b\"] }\ntest \"not_null\" { columns = [\"a\"] }", false},
	} {
		if got := mustDecode(t, c.body).Fingerprint(); (got == base) != c.same || len(got) != 32 {
			t.Errorf("%s: %s and %s", name, base, got)
		}
	}
}

// TestNeedsSQL meets a warehouse that runs no SQL.
func TestNeedsSQL(t *testing.T) {
	m := mustDecode(t, `sql = "SELECT 1"`)
	w := memory.New()
	defer func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}()
	_, planErr := m.Plan(context.Background(), core.ModelPlanRequest{SQL: w.Info().SQL})
	_, buildErr := m.Build(context.Background(), core.BuildRequest{Warehouse: w, Emit: func(core.Event) {}})
	for _, err := range []error{planErr, buildErr} {
		var e *core.Error
		if !errors.As(err, &e) || e.Kind != core.KindConfig || e.Path != "sql" || !strings.Contains(err.Error(), "no SQL") || e.Try == "" {
			t.Errorf("got %v", err)
		}
	}
}

func schemaOf(fields ...arrow.Field) *arrow.Schema { return arrow.NewSchema(fields, nil) }

// tables are the inputs, as a plan knows them.
func tables() map[core.TableName]core.Table {
	text, whole := arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int64
	return map[core.TableName]core.Table{
		invoices: {Name: invoices, Key: []string{"id"}, Schema: schemaOf(
			arrow.Field{Name: "id", Type: whole, Nullable: true}, arrow.Field{Name: "customer", Type: whole, Nullable: true},
			arrow.Field{Name: "total", Type: arrow.PrimitiveTypes.Float64, Nullable: true}, arrow.Field{Name: "state", Type: text, Nullable: true},
			core.WithMeans(arrow.Field{Name: "email", Type: text, Nullable: true}, core.PersonEmail),
			arrow.Field{Name: "at", Type: &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, Nullable: true})},
		customers: {Name: customers, Schema: schemaOf(arrow.Field{Name: "id", Type: whole, Nullable: true})},
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("sql = \"SELECT 1\"\ntest \"unique\" { columns = [\"a\"] }")
	f.Add("sql = \"${source.erp.invoices}\"\nchart = null\ntest \"row_count\" {\nmin = -1\nmax = 1.5\n}")
	f.Add("sql = source\ntest \"expression\" { sql = null }")
	f.Fuzz(func(t *testing.T, body string) {
		file, diags := hclsyntax.ParseConfig([]byte(body), "f.hcl", hcl.InitialPos)
		if diags.HasErrors() {
			return
		}
		m, diags := model.Decode("orders", file.Body, eval(), nil)
		if (m == nil) != diags.HasErrors() {
			t.Errorf("%q: %v, %v", body, m, diags)
		}
	})
}
