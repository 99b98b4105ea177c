package rest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/unsilo/unsilo/core"
)

// scope holds what expressions may refer to, by root name: plain JSON-like values, or a
// func() any that makes one when it is asked for.
type scope map[string]any

// with returns the scope with one more root.
func (s scope) with(root string, value any) scope {
	out := make(scope, len(s)+1)
	for k, v := range s {
		out[k] = v
	}
	out[root] = value
	return out
}

// expr is an expression whose references are looked up one by one, so that a missing
// member is null instead of an error. nil is the expression that was not given.
type expr struct {
	src       hclsyntax.Expression
	refs      []ref
	functions map[string]function.Function
}

// ref is a reference like response.body.next, replaced by variable name in the source.
type ref struct {
	name string
	root string
	path []string
}

// compiler prepares the expressions of one definition and gathers what is wrong.
type compiler struct {
	functions map[string]function.Function
	diags     hcl.Diagnostics
}

// compile prepares an expression that may refer to the roots.
func (c *compiler) compile(e hcl.Expression, roots ...string) *expr {
	src, ok := e.(hclsyntax.Expression)
	if !ok {
		return nil // the attribute was left out
	}
	diags := checkRoots(src, roots)
	if diags.HasErrors() {
		c.diags = append(c.diags, diags...)
		return &expr{src: src} // given, so that nothing else is said to be missing
	}
	x := &expr{src: src, functions: c.functions}
	_ = hclsyntax.VisitAll(src, func(n hclsyntax.Node) hcl.Diagnostics {
		t, ok := n.(*hclsyntax.ScopeTraversalExpr)
		if !ok || !slices.Contains(roots, t.Traversal.RootName()) {
			return nil
		}
		r := ref{name: "ref" + strconv.Itoa(len(x.refs)), root: t.Traversal.RootName(), path: steps(t.Traversal[1:])}
		x.refs = append(x.refs, r)
		t.Traversal = hcl.Traversal{hcl.TraverseRoot{Name: r.name, SrcRange: t.SrcRange}}
		return nil
	})
	return x
}

// checkRoots reports references to anything but the roots.
func checkRoots(src hclsyntax.Expression, roots []string) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, t := range hclsyntax.Variables(src) {
		if name := t.RootName(); !slices.Contains(roots, name) {
			diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: fmt.Sprintf("Unknown name %q", name),
				Detail: hint(name, roots), Subject: t.SourceRange().Ptr()})
		}
	}
	_ = hclsyntax.VisitAll(src, func(n hclsyntax.Node) hcl.Diagnostics {
		f, ok := n.(*hclsyntax.ForExpr)
		if ok && (slices.Contains(roots, f.KeyVar) || slices.Contains(roots, f.ValVar)) {
			diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Name is taken",
				Detail: "A for expression cannot give a new meaning to " + strings.Join(roots, ", ") + ".", Subject: f.SrcRange.Ptr()})
		}
		return nil
	})
	return diags
}

// hint says what could have been meant.
func hint(name string, known []string) string {
	if near := core.Nearest(name, known); near != "" {
		return "Did you mean " + near + "?"
	}
	if len(known) == 0 {
		return "Only constants can stand here."
	}
	return "These can be used here: " + strings.Join(known, ", ") + "."
}

func steps(t hcl.Traversal) []string {
	var out []string
	for _, step := range t {
		switch s := step.(type) {
		case hcl.TraverseAttr:
			out = append(out, s.Name)
		case hcl.TraverseIndex:
			if s.Key.Type() == cty.Number {
				out = append(out, s.Key.AsBigFloat().Text('f', -1))
			} else {
				out = append(out, s.Key.AsString())
			}
		}
	}
	return out
}

// uses reports whether the expression refers to root, or to root.member.
func (x *expr) uses(root string, member ...string) bool {
	if x == nil {
		return false
	}
	return slices.ContainsFunc(x.refs, func(r ref) bool {
		return r.root == root && (len(member) == 0 || (len(r.path) > 0 && r.path[0] == member[0]))
	})
}

// eval gives the expression's value. Where a missing value makes the evaluation fail,
// the result is null.
func (x *expr) eval(s scope) (cty.Value, error) { return x.evalWith(s, nil) }

// evalWith is eval with every text that comes out of the scope, except from the
// configuration, passed through escape.
func (x *expr) evalWith(s scope, escape func(string) string) (cty.Value, error) {
	if x == nil {
		return cty.NullVal(cty.DynamicPseudoType), nil
	}
	vars := make(map[string]cty.Value, len(x.refs))
	missing := false
	for _, r := range x.refs {
		v := lookup(s[r.root], r.path)
		if text, ok := v.(string); ok && escape != nil && r.root != "config" {
			v = escape(text)
		}
		missing = missing || v == nil
		vars[r.name] = toCty(v)
	}
	v, diags := x.src.Value(&hcl.EvalContext{Variables: vars, Functions: x.functions})
	if diags.HasErrors() {
		if missing {
			return cty.NullVal(cty.DynamicPseudoType), nil
		}
		return cty.NilVal, x.fault(diags)
	}
	return v, nil
}

// fault makes an error of a failed evaluation. The detail of a diagnostic may quote
// values, so that only the summary is told.
func (x *expr) fault(diags hcl.Diagnostics) error {
	rng := x.src.Range()
	return &core.Error{Kind: core.KindConfig, Op: "evaluate expression",
		Err: fmt.Errorf("%s:%d: %s", rng.Filename, rng.Start.Line, diags[0].Summary)}
}

// lookup follows a path through plain values; nil when it leads nowhere.
func lookup(v any, path []string) any {
	for i := 0; ; i++ {
		if f, ok := v.(func() any); ok {
			v = f()
		}
		if i == len(path) {
			return v
		}
		switch m := v.(type) {
		case map[string]any:
			v = m[path[i]]
		case header:
			v = m.get(path[i])
		case []any:
			k, err := strconv.Atoi(path[i])
			if err != nil || k < 0 || k >= len(m) {
				return nil
			}
			v = m[k]
		default:
			return nil
		}
	}
}

// field names the configuration field that the expression depends on, for diagnostics.
func (x *expr) field(otherwise string) string {
	if x != nil {
		for _, r := range x.refs {
			if r.root == "config" && len(r.path) > 0 {
				return r.path[0]
			}
		}
	}
	return otherwise
}

// str evaluates to text; ok is false for null.
func (x *expr) str(s scope) (text string, ok bool, err error) {
	v, err := x.eval(s)
	if err != nil {
		return "", false, err
	}
	return toText(v)
}

// path evaluates to a URL path in which values from the scope cannot add segments.
func (x *expr) path(s scope, escape func(string) string) (string, error) {
	v, err := x.evalWith(s, escape)
	if err != nil {
		return "", err
	}
	text, ok, err := toText(v)
	if err == nil && !ok {
		err = &core.Error{Kind: core.KindConfig, Op: "build path", Err: errors.New("the path is null")}
	}
	return text, err
}

// truth evaluates a condition; null and a missing value are false.
func (x *expr) truth(s scope) (bool, error) {
	v, err := x.eval(s)
	if err != nil || v.IsNull() || !v.IsKnown() {
		return false, err
	}
	if v.Type() != cty.Bool {
		return false, &core.Error{Kind: core.KindConfig, Op: "evaluate condition",
			Err: fmt.Errorf("%s is not true or false", x.src.Range())}
	}
	return v.True(), nil
}

// whole evaluates to a whole number; ok is false for null.
func (x *expr) whole(s scope) (n int64, ok bool, err error) {
	text, ok, err := x.str(s)
	if err != nil || !ok {
		return 0, false, err
	}
	n, err = strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, false, &core.Error{Kind: core.KindConfig, Op: "evaluate number",
			Err: fmt.Errorf("%s is not a whole number", x.src.Range())}
	}
	return n, true, nil
}
