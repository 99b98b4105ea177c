package plan

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/unsilo/unsilo/core"
)

// models orders the models, checks each against the tables as they will be, and adds
// its outputs for those that come after it.
func (m *maker) models(sel selection) {
	ordered := m.order()
	outputs := map[core.TableName]bool{}
	for _, model := range ordered {
		step, ok := m.model(model)
		if !ok {
			continue
		}
		for _, t := range step.Outputs {
			outputs[t.Name] = true
		}
		if sel.model(model.Ref(), model.Inputs()) {
			m.plan.Models = append(m.plan.Models, step)
		}
	}
}

func (m *maker) model(model Model) (ModelStep, bool) {
	step := ModelStep{Model: model}
	if !m.inputsKnown(model) {
		return step, false
	}
	p, err := model.Plan(context.Background(), core.ModelPlanRequest{Tables: m.tables, SQL: m.SQL})
	if err != nil {
		m.modelError(model, err)
		return step, false
	}
	step.Outputs, step.Notes = p.Outputs, p.Notes
	built, ok := m.Built[model.Ref().String()]
	step.Action = ActionCreate
	if ok {
		step.Action = ActionNone
		if built.Fingerprint != model.Fingerprint() {
			step.Action = ActionUpdate
		}
	}
	for _, t := range p.Outputs {
		if _, exists := m.tables[t.Name]; !exists && step.Action == ActionNone {
			step.Action = ActionCreate
		}
		m.tables[t.Name] = t
	}
	return step, true
}

// inputsKnown reports tables that nothing will have made. When a source could not be
// asked, the tables it would have are not held against the model.
func (m *maker) inputsKnown(model Model) bool {
	ok := true
	for _, in := range model.Inputs() {
		if _, known := m.tables[in]; known {
			continue
		}
		ok = false
		if m.excused(in) {
			continue
		}
		var names []string
		for t := range m.tables {
			if t.Schema == in.Schema {
				names = append(names, t.Name)
			}
		}
		slices.Sort(names)
		m.fail(&model.Block.Range, fmt.Sprintf("%s reads %s, which nothing makes", model.Ref(), in),
			fmt.Sprintf("Known in %s: %s.", in.Schema, list(names)), didYouMean(in.Name, names))
	}
	return ok
}

func (m *maker) excused(t core.TableName) bool {
	for _, f := range m.plan.Failed {
		if t.Schema == core.RawTable(f.Source, "").Schema {
			return true
		}
	}
	for _, s := range m.Project.Sources {
		if _, asked := m.Catalogs[s.Name]; !asked && t.Schema == core.RawTable(s.Name, "").Schema {
			return true
		}
	}
	// A model that could not be planned has said why already.
	return t.Schema == core.SchemaMarts || t.Schema == core.SchemaIdentity
}

// modelError reports why a model cannot be planned, at the line it is about: a model that
// knows the place returns a core.Diagnostic, others name the attribute.
func (m *maker) modelError(model Model, err error) {
	var d core.Diagnostic
	if errors.As(err, &d) {
		if d.Range == nil {
			d.Range = &model.Block.Range
		}
		if d.Snippet == "" {
			d.Snippet = m.Project.Snippet(*d.Range)
		}
		m.diags = append(m.diags, d)
		return
	}
	r, try := &model.Block.Range, ""
	if e := asError(err); e != nil {
		try = e.Try
		if at := m.Project.LocateBlock(model.Ref(), e.Path); at != nil {
			r = at
		}
		var fault *core.SQLError
		if errors.As(err, &fault) {
			if at := m.Project.LocateSQL(model.Ref(), e.Path, fault); at != nil {
				r = at
			}
		}
	}
	m.fail(r, fmt.Sprintf("%s cannot be built", model.Ref()), err.Error(), try)
}

// order sorts models so that each comes after those whose tables it reads; ties by name.
// core/config has refused cycles.
func (m *maker) order() []Model {
	byOutput := map[core.TableName]Model{}
	byRef := map[string]Model{}
	for _, model := range m.Models {
		byRef[model.Ref().String()] = model
		for _, t := range outputNames(model) {
			byOutput[t] = model
		}
	}
	var out []Model
	done := map[string]bool{}
	var visit func(model Model)
	visit = func(model Model) {
		if done[model.Ref().String()] {
			return
		}
		done[model.Ref().String()] = true
		for _, in := range model.Inputs() {
			if up, ok := producer(byOutput, byRef, in); ok {
				visit(up)
			}
		}
		out = append(out, model)
	}
	for _, ref := range slices.Sorted(maps.Keys(byRef)) {
		visit(byRef[ref])
	}
	return out
}

// outputNames are the tables a block is known to write before it is planned.
func outputNames(model Model) []core.TableName {
	if model.Ref().Kind == "identity" {
		return nil
	}
	return []core.TableName{{Schema: core.SchemaMarts, Name: model.Ref().Name}}
}

// producer finds the model that writes a table. An identity writes identity.<name>_*.
func producer(byOutput map[core.TableName]Model, byRef map[string]Model, t core.TableName) (Model, bool) {
	if model, ok := byOutput[t]; ok {
		return model, true
	}
	if t.Schema != core.SchemaIdentity {
		return Model{}, false
	}
	var best Model
	for _, model := range byRef {
		name := model.Ref().Name
		if model.Ref().Kind == "identity" && len(t.Name) > len(name) && t.Name[:len(name)+1] == name+"_" {
			if best.Model == nil || len(name) > len(best.Ref().Name) {
				best = model
			}
		}
	}
	return best, best.Model != nil
}
