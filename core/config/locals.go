package config

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// locals evaluates the local values of all blocks, each after those that it uses.
func (l *loader) locals(blocks []*hclsyntax.Block) {
	set := localSet{loader: l, attrs: map[string]*hclsyntax.Attribute{}, values: map[string]cty.Value{}, active: map[string]bool{}}
	var order []string
	for _, b := range blocks {
		l.unknownBlocks(b, fieldsOf{owner: "locals"})
		for _, attr := range inOrder(b.Body.Attributes) {
			if other, ok := set.attrs[attr.Name]; ok {
				at := other.NameRange
				l.fail(attr.NameRange, fmt.Sprintf("Duplicate local value %q", attr.Name),
					fmt.Sprintf("It stands at %s:%d already.", at.Filename, at.Start.Line), "Rename one of the two.")
				continue
			}
			set.attrs[attr.Name] = attr
			order = append(order, attr.Name)
			l.known["local"][attr.Name] = true
		}
	}
	for _, name := range order {
		set.value(name)
	}
	l.base.Variables["local"] = cty.ObjectVal(set.values)
}

// localSet evaluates local values on demand.
type localSet struct {
	loader *loader
	attrs  map[string]*hclsyntax.Attribute
	values map[string]cty.Value
	active map[string]bool
	path   []string
}

func (s *localSet) value(name string) cty.Value {
	if v, ok := s.values[name]; ok {
		return v
	}
	attr := s.attrs[name]
	if s.active[name] {
		s.loader.fail(attr.Expr.Range(), fmt.Sprintf("Cycle: %s", strings.Join(append(s.path, "local."+name), " -> ")),
			"These local values need each other.", "Write one of them out.")
		s.values[name] = cty.DynamicVal
		return cty.DynamicVal
	}
	s.active[name] = true
	s.path = append(s.path, "local."+name)
	needed := map[string]cty.Value{}
	for _, t := range attr.Expr.Variables() {
		if t.RootName() != "local" || len(t) < 2 {
			continue
		}
		if other := stepName(t[1]); s.attrs[other] != nil {
			needed[other] = s.value(other)
		}
	}
	s.path = s.path[:len(s.path)-1]
	if v, ok := s.values[name]; ok {
		return v // part of a cycle
	}
	s.values[name] = s.evaluate(attr, needed)
	s.loader.secretNames["local."+name] = s.values[name].ContainsMarked()
	return s.values[name]
}

// evaluate computes one local value. One with a mistake is unknown, so that its uses are
// not mistakes too.
func (s *localSet) evaluate(attr *hclsyntax.Attribute, needed map[string]cty.Value) cty.Value {
	if !s.loader.checkRoots(attr.Expr, "var", "local") {
		return cty.DynamicVal
	}
	ctx := s.loader.base.NewChild()
	ctx.Variables = map[string]cty.Value{"local": cty.ObjectVal(needed)}
	v, ok := s.loader.evaluate(attr.Expr, ctx)
	if !ok {
		return cty.DynamicVal
	}
	if extentOf(v).weight > maxWork {
		s.loader.fail(attr.Expr.Range(), "Expression too large to evaluate", "The value is too large.", "Write a smaller value.")
		return cty.DynamicVal
	}
	return v
}
