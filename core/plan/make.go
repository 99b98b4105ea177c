package plan

import (
	"fmt"
	"maps"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/config"
)

// Make computes the plan. With errors among the diagnostics the plan is only good to
// look at.
func Make(in Input) (*Plan, core.Diagnostics) {
	m := maker{Input: in, plan: &Plan{}, tables: map[core.TableName]core.Table{}, states: map[StreamName]core.StateRow{}}
	for _, t := range in.Tables {
		m.tables[t.Name] = t
	}
	for _, s := range in.States {
		m.states[StreamName{s.Source, s.Stream}] = s
	}
	sel, ds := parseSelection(in)
	m.diags = ds
	for _, src := range in.Project.Sources {
		if sel.source(src.Name) {
			m.source(src, sel)
		}
	}
	m.unmatched(sel)
	m.removed()
	m.models(sel)
	return m.plan, m.diags
}

type maker struct {
	Input
	plan *Plan
	// tables as they will be after the steps planned so far.
	tables map[core.TableName]core.Table
	states map[StreamName]core.StateRow
	diags  core.Diagnostics
}

func (m *maker) fail(r *core.Range, summary, detail, try string) {
	m.add(core.SeverityError, r, summary, detail, try)
}

func (m *maker) add(severity core.Severity, r *core.Range, summary, detail, try string) {
	d := core.Diagnostic{Severity: severity, Summary: summary, Detail: detail, Try: try, Range: r}
	if r != nil {
		d.Snippet = m.Project.Snippet(*r)
	}
	m.diags = append(m.diags, d)
}

func (m *maker) source(src config.Source, sel selection) {
	cat, asked := m.Catalogs[src.Name]
	if !asked {
		return
	}
	if cat.Err != nil {
		m.plan.Failed = append(m.plan.Failed, FailedSource{Source: src.Name, Err: cat.Err})
		return
	}
	offered := map[string]core.Stream{}
	var names []string
	for _, s := range cat.Streams {
		offered[s.Name] = s
		names = append(names, s.Name)
	}
	blocks := src.Streams
	if len(blocks) == 0 {
		for _, n := range names {
			blocks = append(blocks, config.Stream{Name: n, Range: src.Range})
		}
	}
	for _, b := range blocks {
		if !sel.stream(src.Name, b.Name) {
			continue
		}
		s, ok := offered[b.Name]
		if !ok {
			m.fail(&b.Range, fmt.Sprintf("source %q has no stream %q", src.Name, b.Name),
				fmt.Sprintf("It offers: %s.", list(names)), didYouMean(b.Name, names))
			continue
		}
		if err := cat.Broken[b.Name]; err != nil {
			m.plan.Failed = append(m.plan.Failed, FailedSource{src.Name, b.Name, err})
			continue
		}
		if step, ok := m.stream(src, b, s); ok {
			m.plan.Streams = append(m.plan.Streams, step)
			m.tables[step.Table.Name] = step.Table
			m.classify(src, b, step, cat.Samples[b.Name])
		}
	}
}

// unmatched reports selected streams that the source's blocks, or the source, do not have.
func (m *maker) unmatched(sel selection) {
	for _, want := range slices.SortedFunc(maps.Keys(sel.streams), func(a, b StreamName) int { return cmpString(a.String(), b.String()) }) {
		cat, asked := m.Catalogs[want.Source]
		if sel.matched[want] || !asked || cat.Err != nil {
			continue
		}
		var names []string
		for _, src := range m.Project.Sources {
			for _, b := range src.Streams {
				if src.Name == want.Source {
					names = append(names, b.Name)
				}
			}
		}
		if len(names) == 0 {
			for _, s := range cat.Streams {
				names = append(names, s.Name)
			}
		}
		m.fail(nil, fmt.Sprintf("source %q has no stream %q", want.Source, want.Stream),
			fmt.Sprintf("It has: %s.", list(names)), didYouMean(want.Stream, names))
	}
}

// removed lists streams with a position that the project no longer names. A source
// that was not asked, or did not answer, says nothing about its streams.
func (m *maker) removed() {
	planned := map[StreamName]bool{}
	for _, s := range m.plan.Streams {
		planned[s.ID()] = true
	}
	known := map[string]bool{}
	for _, s := range m.Project.Sources {
		known[s.Name] = true
	}
	for _, name := range slices.SortedFunc(maps.Keys(m.states), func(a, b StreamName) int { return cmpString(a.String(), b.String()) }) {
		cat, asked := m.Catalogs[name.Source]
		gone := !known[name.Source] || asked && cat.Err == nil && cat.Broken[name.Stream] == nil
		if gone && !planned[name] && len(m.Select) == 0 {
			m.plan.Removed = append(m.plan.Removed, name)
		}
	}
}

// classify refuses to let a column land that looks personal and carries no meaning.
func (m *maker) classify(src config.Source, b config.Stream, step StreamStep, samples []arrow.RecordBatch) {
	for _, f := range step.Stream.Schema.Fields() {
		if _, masked := step.Mask[f.Name]; masked {
			continue
		}
		finding, ok := firstFinding(f, samples)
		if !ok {
			continue
		}
		r := b.Range
		if at := m.Project.Locate(src.Name, "stream."+b.Name); at != nil {
			r = *at
		}
		m.fail(&r, fmt.Sprintf("column %q of %s looks personal and is not labelled", f.Name, step.ID()),
			fmt.Sprintf("It looks like %s: %s. Personal data are labelled before they land.", finding.Means, finding.Reason),
			fmt.Sprintf("add means = { %s = %q }, and a mask if it should not be stored in clear; or means = { %s = %q } if it is not personal", hclKey(f.Name), finding.Means, hclKey(f.Name), core.NotPersonal))
	}
}

// firstFinding classifies a field by its name and by the sampled values, if there are any.
func firstFinding(f arrow.Field, samples []arrow.RecordBatch) (Finding, bool) {
	for _, b := range samples {
		if i := b.Schema().FieldIndices(f.Name); len(i) == 1 {
			if found := Classify(f, b.Column(i[0])); len(found) > 0 {
				return found[0], true
			}
		}
	}
	if found := Classify(f, nil); len(found) > 0 {
		return found[0], true
	}
	return Finding{}, false
}
