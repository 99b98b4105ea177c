package identity

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/unsilo/unsilo/core"
)

// Ref is identity.<name>.
func (m *Model) Ref() core.Ref { return core.Ref{Kind: "identity", Name: m.name} }

// Inputs are the tables that the block names, sorted.
func (m *Model) Inputs() []core.TableName { return m.inputs }

// Fingerprint changes with the block and with the version of this package and of the
// normalisers.
func (m *Model) Fingerprint() string { return m.print }

// Plan resolves columns to attributes and says what Build will write.
func (m *Model) Plan(_ context.Context, req core.ModelPlanRequest) (core.ModelPlan, error) {
	l, err := m.resolve(req.Tables)
	if err != nil {
		return core.ModelPlan{}, err
	}
	if len(l.attributes) == 0 {
		return core.ModelPlan{}, &core.Error{Kind: core.KindConfig, Op: "plan identity." + m.name, Path: "from",
			Err: errors.New("no column says anything about who is who"),
			Try: "give the streams means, or write record blocks with a map"}
	}
	if err := m.checkAttributes(l); err != nil {
		return core.ModelPlan{}, err
	}
	if err := m.checkConditions(l); err != nil {
		return core.ModelPlan{}, err
	}
	m.mu.Lock()
	m.planned = maps.Clone(req.Tables)
	m.mu.Unlock()
	if err := m.hierarchyNames(); err != nil {
		return core.ModelPlan{}, err
	}
	plan := core.ModelPlan{Outputs: append(m.outputs(), m.goldenTable(l), m.lineageTable()), Notes: l.notes}
	for _, b := range m.def.Hierarchies {
		plan.Outputs = append(plan.Outputs, m.hierarchyTable(b.Name))
	}
	for _, s := range l.sources {
		note := s.table.String() + ":"
		for _, c := range s.columns {
			note += fmt.Sprintf(" %s=%s", c.attribute, c.column)
		}
		plan.Notes = append(plan.Notes, note)
	}
	return plan, nil
}

// tablesNow describes the inputs as they are, with the meanings that the plan knew where
// the warehouse has none.
func (m *Model) tablesNow(ctx context.Context, wh core.Warehouse) (map[core.TableName]core.Table, error) {
	m.mu.Lock()
	planned := m.planned
	m.mu.Unlock()
	out := map[core.TableName]core.Table{}
	schemas := map[string]bool{}
	for _, name := range m.inputs {
		schemas[name.Schema] = true
	}
	for schema := range schemas {
		tables, err := wh.Tables(ctx, schema)
		if err != nil {
			return nil, fmt.Errorf("list tables of %s: %w", schema, err)
		}
		for _, t := range tables {
			out[t.Name] = withPlannedMeans(t, planned[t.Name])
		}
	}
	return out, nil
}

// layoutNow is what the inputs as they are and the block together say about the records.
func (m *Model) layoutNow(ctx context.Context, wh core.Warehouse) (*layout, error) {
	tables, err := m.tablesNow(ctx, wh)
	if err != nil {
		return nil, err
	}
	return m.resolve(tables)
}

func withPlannedMeans(t, planned core.Table) core.Table {
	if planned.Schema == nil {
		return t
	}
	if len(t.Key) == 0 {
		t.Key = planned.Key
	}
	fields := t.Schema.Fields()
	for i, f := range fields {
		at := planned.Schema.FieldIndices(f.Name)
		if len(at) == 1 && f.Metadata.Len() == 0 {
			fields[i].Metadata = planned.Schema.Field(at[0]).Metadata
		}
	}
	t.Schema = arrowSchema(fields)
	return t
}

// Build finds out who is who and writes the result in one transaction.
func (m *Model) Build(ctx context.Context, req core.BuildRequest) (core.BuildResult, error) {
	l, err := m.layoutNow(ctx, req.Warehouse)
	if err != nil {
		return core.BuildResult{}, err
	}
	run := m.newPipeline(l, req)
	if err := run.match(ctx); err != nil {
		return core.BuildResult{}, fmt.Errorf("build identity.%s: %w", m.name, err)
	}
	tests, err := run.evaluate(ctx)
	if err != nil {
		return core.BuildResult{}, err
	}
	if err := run.publish(ctx); err != nil {
		return core.BuildResult{}, fmt.Errorf("publish identity.%s: %w", m.name, err)
	}
	return core.BuildResult{Rows: int64(run.total), Tests: tests, Notes: run.notes}, nil
}
