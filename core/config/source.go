package config

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/unsilo/unsilo/core"
)

// sourceFields are the attributes of every source.
func sourceFields() []core.Field {
	return []core.Field{
		{Name: "department", Type: core.TypeString, Help: "the department the silo belongs to"},
		{Name: "disabled", Type: core.TypeBool, Help: "true leaves the source out of plans"},
	}
}

func (l *loader) sources(blocks []*hclsyntax.Block) {
	for _, b := range blocks {
		if l.full() {
			return
		}
		spec, ok := l.spec(b)
		if !ok {
			l.hideAll(b.Body)
			continue
		}
		l.project.Sources = append(l.project.Sources, l.source(b, spec))
	}
}

// spec finds the connector that a source names.
func (l *loader) spec(b *hclsyntax.Block) (core.Spec, bool) {
	kind := b.Labels[0]
	if spec, ok := l.specs[kind]; ok {
		return spec, spec.Name != ""
	}
	if spec, ok := l.opts.Spec(kind); ok {
		return spec, true
	}
	kinds := slices.Concat(l.opts.Kinds, sortedKeys(l.specs))
	l.fail(b.LabelRanges[0], fmt.Sprintf("Unknown connector %q", visible(kind)),
		"Neither the program nor the project has a connector of this name.",
		didYouMean(kind, kinds, "See unsilo connector list, or declare it: connector \"rest\" \"name\" { ... }"))
	return core.Spec{}, false
}

func (l *loader) source(b *hclsyntax.Block, spec core.Spec) Source {
	s := Source{Kind: b.Labels[0], Name: b.Labels[1], Spec: spec, Range: rangeOf(b.DefRange())}
	owner := "source." + s.Name
	s.Values = l.attributes(b, fieldsOf{
		owner: owner, shown: sourceFields(), fields: spec.Fields, blocks: []string{"stream"},
	})
	s.Department = text(s.Values, "department")
	s.Disabled, _ = s.Values["disabled"].(bool)
	for _, f := range sourceFields() {
		delete(s.Values, f.Name)
	}
	seen := map[string]hcl.Range{}
	for _, inner := range b.Body.Blocks {
		if inner.Type != "stream" || !l.checkLabels(inner, []string{"name"}) || !l.checkName(inner, 0) {
			continue
		}
		name := inner.Labels[0]
		if other, ok := seen[name]; ok {
			l.fail(inner.DefRange(), fmt.Sprintf("Duplicate stream %q", name),
				fmt.Sprintf("It stands at %s:%d already.", other.Filename, other.Start.Line), "Rename one of the two, or put them together.")
			continue
		}
		seen[name] = inner.DefRange()
		s.Streams = append(s.Streams, l.stream(inner, spec, owner))
	}
	return s
}

// hideAll keeps a body out of snippets, but for secret references. What its attributes
// mean is not known.
func (l *loader) hideAll(body *hclsyntax.Body) {
	for _, attr := range inOrder(body.Attributes) {
		l.hideLiterals(attr.Expr)
	}
	for _, inner := range body.Blocks {
		l.hideAll(inner.Body)
	}
}
