package config

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// An expression of a few lines can make more than any memory holds: nested for
// expressions multiply, and a template doubles what it repeats. Before an expression is
// evaluated its work is bounded from above, from its syntax and the sizes of the values
// it uses. The bound may be far too high; the limit is high enough for that.
const (
	maxWork = 32 << 20
	// itemWeight is what a value costs beside its text.
	itemWeight = 64
)

// extent bounds a value: its items when one loops over it, the weight of the largest
// item, and the weight of all of it.
type extent struct{ items, largest, weight int64 }

func textExtent(n int64) extent {
	return extent{items: 1, largest: itemWeight + n, weight: itemWeight + n}
}

// checkCost refuses an expression that may take too much to evaluate.
func checkCost(expr hclsyntax.Expression, ctx *hcl.EvalContext) *hcl.Diagnostic {
	c := cost{ctx: ctx}
	c.of(expr, nil)
	if c.work <= maxWork {
		return nil
	}
	return newDiag(expr.Range(), "Expression too large to evaluate",
		fmt.Sprintf("It could take more than %d steps or bytes.", maxWork),
		"Loop over fewer items, or leave the work to a model: SQL is made for it.")
}

// cost sums up the work of one expression.
type cost struct {
	ctx  *hcl.EvalContext
	work int64
}

// loopScope are the variables of the for expressions around.
type loopScope struct {
	names  [2]string
	extent extent
	outer  *loopScope
}

// mul and add stop short of overflow.
func mul(a, b int64) int64 {
	if a != 0 && b > (1<<40)/a {
		return 1 << 40
	}
	return a * b
}

func add(a, b int64) int64 { return min(a+b, 1<<40) }

func (c *cost) of(expr hclsyntax.Expression, scope *loopScope) extent {
	if c.work > maxWork {
		return extent{}
	}
	e := c.bound(expr, scope)
	switch expr.(type) {
	case *hclsyntax.ScopeTraversalExpr, *hclsyntax.ParenthesesExpr, *hclsyntax.TemplateWrapExpr, *hclsyntax.RelativeTraversalExpr,
		*hclsyntax.IndexExpr:
		c.work = add(c.work, itemWeight) // these hand on a value that is there
	default:
		c.work = add(c.work, e.weight)
	}
	return e
}

func (c *cost) bound(expr hclsyntax.Expression, scope *loopScope) extent {
	switch expr := expr.(type) {
	case *hclsyntax.LiteralValueExpr:
		return extentOf(expr.Val)
	case *hclsyntax.TemplateExpr:
		return textExtent(c.sum(expr.Parts, scope).weight)
	case *hclsyntax.TemplateJoinExpr:
		return textExtent(c.of(expr.Tuple, scope).weight)
	case *hclsyntax.TemplateWrapExpr:
		return c.of(expr.Wrapped, scope)
	case *hclsyntax.ParenthesesExpr:
		return c.of(expr.Expression, scope)
	case *hclsyntax.ObjectConsKeyExpr:
		if hcl.ExprAsKeyword(expr.Wrapped) != "" && !expr.ForceNonLiteral {
			return textExtent(int64(expr.Range().End.Byte - expr.Range().Start.Byte))
		}
		return c.of(expr.Wrapped, scope)
	case *hclsyntax.ScopeTraversalExpr:
		return c.variable(expr.Traversal, scope)
	case *hclsyntax.RelativeTraversalExpr:
		return within(c.of(expr.Source, scope))
	case *hclsyntax.IndexExpr:
		c.of(expr.Key, scope)
		return within(c.of(expr.Collection, scope))
	case *hclsyntax.ConditionalExpr:
		return c.sum([]hclsyntax.Expression{expr.Condition, expr.TrueResult, expr.FalseResult}, scope)
	case *hclsyntax.BinaryOpExpr:
		c.of(expr.LHS, scope)
		c.of(expr.RHS, scope)
		return textExtent(0)
	case *hclsyntax.UnaryOpExpr:
		c.of(expr.Val, scope)
		return textExtent(0)
	case *hclsyntax.TupleConsExpr:
		return c.sum(expr.Exprs, scope)
	case *hclsyntax.ObjectConsExpr:
		var all []hclsyntax.Expression
		for _, item := range expr.Items {
			all = append(all, item.KeyExpr, item.ValueExpr)
		}
		return c.sum(all, scope)
	case *hclsyntax.FunctionCallExpr:
		return c.call(expr, scope)
	case *hclsyntax.ForExpr:
		return c.loop(expr, scope)
	case *hclsyntax.SplatExpr:
		e := c.of(expr.Source, scope)
		c.of(expr.Each, scope)
		return extent{items: e.items, largest: e.weight, weight: e.weight}
	}
	return textExtent(0)
}

// sum bounds the list of several expressions.
func (c *cost) sum(exprs []hclsyntax.Expression, scope *loopScope) extent {
	out := extent{weight: itemWeight}
	for _, expr := range exprs {
		e := c.of(expr, scope)
		out.items = add(out.items, max(1, e.items))
		out.largest = max(out.largest, e.weight)
		out.weight = add(out.weight, e.weight)
	}
	return out
}

// within bounds a part of a value.
func within(e extent) extent { return extent{items: e.items, largest: e.largest, weight: e.weight} }

func (c *cost) variable(t hcl.Traversal, scope *loopScope) extent {
	for s := scope; s != nil; s = s.outer {
		if t.RootName() == s.names[0] || t.RootName() == s.names[1] {
			return s.extent
		}
	}
	known := false
	for ctx := c.ctx; ctx != nil && !known; ctx = ctx.Parent() {
		_, known = ctx.Variables[t.RootName()]
	}
	if !known {
		return textExtent(0) // another package's variable, or an error at evaluation
	}
	v, diags := t.TraverseAbs(c.ctx)
	if diags.HasErrors() {
		return textExtent(0)
	}
	return extentOf(v)
}

func (c *cost) call(expr *hclsyntax.FunctionCallExpr, scope *loopScope) extent {
	e := c.sum(expr.Args, scope)
	c.work = add(c.work, e.weight/8) // to look at the arguments
	switch expr.Name {
	case "length", "contains", "startswith", "endswith", "min", "max", "abs", "ceil", "floor", "parseint", "tonumber", "tobool",
		"timeadd", "formatdate":
		return textExtent(0)
	case "file", "replace", "regexreplace", "format", "join":
		// These look at the size of their text when they are called. The estimate need
		// not assume the worst for each.
		return extent{items: 1, largest: 4 * e.weight, weight: 4 * e.weight}
	case "split", "jsondecode", "regexall", "flatten":
		return extent{items: e.weight / itemWeight * 4, largest: e.weight, weight: mul(4, e.weight)}
	}
	return e
}

func (c *cost) loop(expr *hclsyntax.ForExpr, scope *loopScope) extent {
	coll := c.of(expr.CollExpr, scope)
	inner := &loopScope{
		names:  [2]string{expr.KeyVar, expr.ValVar},
		extent: extent{items: min(coll.items, coll.largest/itemWeight+1), largest: coll.largest, weight: coll.largest},
		outer:  scope,
	}
	body := cost{ctx: c.ctx}
	once := extent{weight: itemWeight}
	for _, part := range []hclsyntax.Expression{expr.KeyExpr, expr.ValExpr, expr.CondExpr} {
		if part != nil {
			once.weight = add(once.weight, body.of(part, inner).weight)
		}
	}
	c.work = add(c.work, mul(coll.items, add(body.work, itemWeight)))
	return extent{items: coll.items, largest: once.weight, weight: mul(coll.items, once.weight)}
}

// extentOf measures a value.
func extentOf(v cty.Value) extent {
	v, _ = v.Unmark()
	if v.IsNull() || !v.IsKnown() {
		return textExtent(0)
	}
	if v.Type() == cty.String {
		return textExtent(int64(len(v.AsString())))
	}
	if !v.CanIterateElements() {
		return textExtent(0)
	}
	out := extent{weight: itemWeight}
	for it := v.ElementIterator(); it.Next(); {
		key, e := it.Element()
		weight := add(extentOf(e).weight, extentOf(key).weight)
		out.items++
		out.largest = max(out.largest, weight)
		out.weight = add(out.weight, weight)
	}
	return out
}
