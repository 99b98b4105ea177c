// Package model builds tables from SQL: the model blocks of a project.
//
//	model "orders" {
//	  sql = <<-SQL
//	    SELECT i.id, p.person_id, i.total
//	    FROM ${source.erp.invoices} i JOIN ${identity.person.map} p ON p.record_key = i.customer
//	  SQL
//	  test "unique"   { columns = ["id"] }
//	  test "not_null" { columns = ["person_id"] }
//	}
//
// The statement is checked against the tables as they will be before anything runs. A
// build writes a table beside the published one, runs the tests on it, and puts it in its
// place only when no test of severity error fails: readers never see what failed.
//
// The package knows no warehouse and no dialect but the one it is given, and it does not
// decide when a model is built.
package model

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/unsilo/unsilo/core"
)

// SQLModel is one model block.
type SQLModel struct {
	name, sql   string
	description string
	question    string
	chart       string
	tests       []test
	inputs      []core.TableName
}

// The charts that a model can ask for.
const (
	ChartTable     = "table"
	ChartBar       = "bar"
	ChartSparkline = "sparkline"
)

// block is the form of a model block.
type block struct {
	SQL         hcl.Expression `hcl:"sql"`
	Description string         `hcl:"description,optional"`
	Question    string         `hcl:"question,optional"`
	Chart       hcl.Expression `hcl:"chart,optional"`
	Tests       []testBlock    `hcl:"test,block"`
}

// Decode reads the body of a model block. reads are the tables that the block refers to,
// sorted; eval knows their names. Diagnostics point at the block's own lines.
func Decode(name string, body hcl.Body, eval *hcl.EvalContext, reads []core.TableName) (core.Model, hcl.Diagnostics) {
	var b block
	diags := gohcl.DecodeBody(body, eval, &b)
	if diags.HasErrors() {
		return nil, diags
	}
	m := &SQLModel{name: name, description: b.Description, question: b.Question, inputs: slices.Clone(reads)}
	var more hcl.Diagnostics
	m.sql, more = text(b.SQL, eval)
	diags = append(diags, more...)
	if strings.TrimSpace(m.sql) == "" && !more.HasErrors() {
		diags = append(diags, fault(b.SQL.Range(), "There is no statement", "A model is one SELECT.", `Write sql = <<-SQL, a SELECT, and SQL.`))
	}
	m.chart, more = m.decodeChart(b.Chart, eval)
	diags = append(diags, more...)
	for _, t := range b.Tests {
		decoded, more := decodeTest(t, eval)
		diags = append(diags, more...)
		m.tests = append(m.tests, decoded)
	}
	diags = append(diags, nameTests(m.tests, b.Tests)...)
	if diags.HasErrors() {
		return nil, diags
	}
	return m, diags
}

func (m *SQLModel) decodeChart(expr hcl.Expression, eval *hcl.EvalContext) (string, hcl.Diagnostics) {
	chart, diags := text(expr, eval)
	switch chart {
	case ChartTable, ChartBar, ChartSparkline:
		return chart, diags
	case "":
		return ChartTable, diags
	}
	known := []string{ChartTable, ChartBar, ChartSparkline}
	return chart, append(diags, fault(expr.Range(), fmt.Sprintf("No chart is called %q", chart), "The chart says how the answer is shown.", oneOf(chart, known)))
}

// text evaluates an expression to a text; "" for one that is absent.
func text(expr hcl.Expression, eval *hcl.EvalContext) (string, hcl.Diagnostics) {
	v, diags := expr.Value(eval)
	if diags.HasErrors() || v.IsNull() {
		return "", diags
	}
	s, err := convert.Convert(v, cty.String)
	if err != nil || !s.IsWhollyKnown() || s.IsMarked() {
		return "", append(diags, fault(expr.Range(), "This is no text", "The value is of type "+v.Type().FriendlyName()+".", "Write a text in quotes."))
	}
	return s.AsString(), diags
}

// fault makes a diagnostic with one thing to try.
func fault(at hcl.Range, summary, detail, try string) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: &at, Extra: core.Try(try)}
}

// oneOf proposes the nearest of the known words, or all of them.
func oneOf(word string, known []string) string {
	if near := core.Nearest(word, known); near != "" {
		return fmt.Sprintf("Did you mean %q?", near)
	}
	return fmt.Sprintf("Write one of %s.", strings.Join(known, ", "))
}

// Ref is model.<name>.
func (m *SQLModel) Ref() core.Ref { return core.Ref{Kind: "model", Name: m.name} }

// Inputs are the tables that the statement and the tests read.
func (m *SQLModel) Inputs() []core.TableName { return m.inputs }

// Output is the table that Build writes, marts.<name>.
func (m *SQLModel) Output() core.TableName {
	return core.TableName{Schema: core.SchemaMarts, Name: m.name}
}

// SQL is the statement, with the names of the tables filled in.
func (m *SQLModel) SQL() string { return m.sql }

// Description says what the table is; it may be empty.
func (m *SQLModel) Description() string { return m.description }

// Question is the question that the table answers; empty for tables that are only a step.
func (m *SQLModel) Question() string { return m.question }

// Chart says how the answer is best shown: ChartTable, ChartBar or ChartSparkline.
func (m *SQLModel) Chart() string { return m.chart }

// Fingerprint covers what Build does: the statement, but for blanks at the ends of lines,
// and the tests in any order. Words for people are not part of it.
func (m *SQLModel) Fingerprint() string {
	definition := struct {
		Kind, SQL string
		Tests     []string
	}{Kind: "model 1"}
	for line := range strings.Lines(strings.TrimSpace(m.sql)) {
		definition.SQL += strings.TrimRight(line, " \t\r\n") + "\n"
	}
	for _, t := range m.tests {
		definition.Tests = append(definition.Tests, t.definition)
	}
	slices.Sort(definition.Tests)
	out, err := json.Marshal(definition)
	if err != nil { // strings always marshal
		return ""
	}
	sum := sha256.Sum256(out)
	return hex.EncodeToString(sum[:16])
}
