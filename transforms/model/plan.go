package model

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/hashicorp/hcl/v2"

	"github.com/unsilo/unsilo/core"
)

// Plan asks the warehouse what the statement gives, and checks the tests against it.
func (m *SQLModel) Plan(ctx context.Context, req core.ModelPlanRequest) (core.ModelPlan, error) {
	if req.SQL == nil {
		return core.ModelPlan{}, m.needsSQL()
	}
	tables := make([]core.Table, 0, len(m.inputs))
	for _, name := range m.inputs {
		t, ok := req.Tables[name]
		if !ok {
			return core.ModelPlan{}, &core.Error{Kind: core.KindConfig, Op: "plan " + m.Ref().String(), Path: "sql", Err: fmt.Errorf("there is no table %s", name)}
		}
		tables = append(tables, t)
	}
	schema, err := req.SQL.Check(ctx, m.sql, tables)
	if err != nil {
		return core.ModelPlan{}, inStatement(err, "sql")
	}
	out := core.Table{Name: m.Output(), Schema: schema, Key: m.key()}
	for _, t := range m.tests {
		if err := t.check(ctx, req.SQL, append(slices.Clone(tables), out)); err != nil {
			return core.ModelPlan{}, err
		}
	}
	plan := core.ModelPlan{Outputs: []core.Table{out}}
	if m.question != "" {
		plan.Notes = append(plan.Notes, "answers: "+m.question)
	}
	return plan, nil
}

func (m *SQLModel) needsSQL() error {
	return &core.Error{Kind: core.KindConfig, Op: "plan " + m.Ref().String(), Path: "sql",
		Err: errors.New("the warehouse of this project runs no SQL"), Try: `write warehouse "duckdb" { path = "warehouse.duckdb" }`}
}

// inStatement says which attribute a fault of a statement is in. The place inside it
// stays with the error as a core.SQLError.
func inStatement(err error, path string) error {
	var e *core.Error
	if !errors.As(err, &e) {
		return err
	}
	located := *e
	located.Path = path
	return &located
}

// key is what the first unique test says tells rows apart; nil without one.
func (m *SQLModel) key() []string {
	for _, t := range m.tests {
		if t.kind == testUnique && t.severity == core.TestError {
			return slices.Clone(t.columns)
		}
	}
	return nil
}

// check looks at a test beside the tables it will read: the model's inputs, and last the
// model's own.
func (t test) check(ctx context.Context, sql core.SQL, tables []core.Table) error {
	out := tables[len(tables)-1]
	attribute := "column"
	if t.kind == testUnique || t.kind == testNotNull {
		attribute = "columns"
	}
	for _, c := range t.columns {
		if len(out.Schema.FieldIndices(c)) == 0 {
			return t.fault(attribute, fmt.Sprintf("Test %q reads column %q, which %s does not have", t.name, c, out.Name), names(out.Schema), c)
		}
	}
	switch t.kind {
	case testRelationships:
		return t.checkTarget(tables)
	case testFreshness:
		f := out.Schema.Field(out.Schema.FieldIndices(t.columns[0])[0])
		if id := f.Type.ID(); id != arrow.TIMESTAMP && id != arrow.DATE32 && id != arrow.DATE64 {
			return t.fault("column", fmt.Sprintf("Test %q needs a time, and column %q is %s", t.name, f.Name, f.Type), nil, "")
		}
	case testExpression:
		return t.checkExpression(ctx, sql, tables)
	}
	return nil
}

// checkTarget looks for the table and column that a relationship points at.
func (t test) checkTarget(tables []core.Table) error {
	for _, to := range tables {
		if to.Name != t.to {
			continue
		}
		if len(to.Schema.FieldIndices(t.field)) == 0 {
			return t.fault("field", fmt.Sprintf("Test %q reads column %q, which %s does not have", t.name, t.field, t.to), names(to.Schema), t.field)
		}
		return nil
	}
	return t.fault("to", fmt.Sprintf("Test %q reads %s, which the model does not refer to", t.name, t.to), nil, "")
}

func (t test) checkExpression(ctx context.Context, sql core.SQL, tables []core.Table) error {
	schema, err := sql.Check(ctx, "SELECT (\n"+t.sql+"\n) AS passes FROM "+quoted(sql.Dialect(), tables[len(tables)-1].Name), tables)
	if err != nil {
		return t.wrap("sql", core.Diagnostic{Summary: fmt.Sprintf("Test %q cannot be run", t.name), Detail: err.Error(), Try: "Write a condition on the columns of the model: total >= 0."})
	}
	if schema.Field(0).Type.ID() != arrow.BOOL {
		return t.fault("sql", fmt.Sprintf("Test %q is a value and no condition: %s", t.name, schema.Field(0).Type), nil, "")
	}
	return nil
}

// fault makes the error of a test: what is wrong, and the known name that was meant.
func (t test) fault(attribute, summary string, known []string, got string) error {
	d := core.Diagnostic{Summary: summary}
	if len(known) > 0 {
		d.Detail = fmt.Sprintf("It has %s.", list(known))
		if near := core.Nearest(got, known); near != "" {
			d.Try = fmt.Sprintf("Did you mean %q?", near)
		}
	}
	return t.wrap(attribute, d)
}

// wrap gives a diagnostic its place, for callers that show it, and its path and kind, for
// callers that act on it.
func (t test) wrap(attribute string, d core.Diagnostic) error {
	at, ok := t.at[attribute]
	if !ok {
		at = t.at[""]
	}
	d.Severity, d.Range = core.SeverityError, placeOf(at)
	return &core.Error{Kind: core.KindConfig, Op: "check test " + t.name, Path: "test." + t.kind + "." + attribute, Try: d.Try, Err: d}
}

func placeOf(r hcl.Range) *core.Range {
	return &core.Range{File: r.Filename, Line: r.Start.Line, Column: r.Start.Column, EndLine: r.End.Line, EndColumn: r.End.Column}
}

func names(s *arrow.Schema) []string {
	var out []string
	for _, f := range s.Fields() {
		out = append(out, f.Name)
	}
	return out
}

// list writes names for a message, and only so many of them.
func list(names []string) string {
	const most = 12
	more := ""
	if len(names) > most {
		names, more = names[:most], fmt.Sprintf(" and %d more", len(names)-most)
	}
	out := names[0]
	for _, n := range names[1:] {
		out += ", " + n
	}
	return out + more
}

// quoted writes a table's name in SQL.
func quoted(d core.Dialect, t core.TableName) string {
	return d.Quote(t.Schema) + "." + d.Quote(t.Name)
}
