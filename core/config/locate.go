package config

import (
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/unsilo/unsilo/core"
)

// Locate gives the place of an attribute of a source: the Path of a core.Error, such as
// "token", "stream.contacts.cursor" or "stream.contacts.mask.email". What is not written
// in the file is located at the nearest block around it; nil when there is no such
// source.
func (p *Project) Locate(source, path string) *core.Range {
	return p.LocateBlock(core.Ref{Kind: "source", Name: source}, path)
}

// LocateBlock is Locate for any block, model.orders or schedule.hourly; blocks without a
// name (warehouse, privacy, unsilo) are found by their kind. An empty path is the block.
func (p *Project) LocateBlock(ref core.Ref, path string) *core.Range {
	b, ok := p.blocks[ref.String()]
	if !ok && single(ref.Kind) {
		b, ok = p.blocks[ref.Kind]
	}
	if !ok {
		return nil
	}
	var steps []string
	if path != "" {
		steps = strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' })
	}
	at := rangeOf(locate(b, steps))
	return &at
}

// locate follows a path into a block as far as it goes.
func locate(b *hclsyntax.Block, steps []string) hcl.Range {
	if len(steps) == 0 {
		return b.DefRange()
	}
	if attr, ok := b.Body.Attributes[steps[0]]; ok {
		return locateIn(attr.Expr, steps[1:])
	}
	for _, inner := range b.Body.Blocks {
		if inner.Type == steps[0] && hasLabels(inner, steps[1:]) {
			return locate(inner, steps[1+len(inner.Labels):])
		}
	}
	return b.DefRange()
}

func hasLabels(b *hclsyntax.Block, steps []string) bool {
	if len(steps) < len(b.Labels) {
		return false
	}
	for i, label := range b.Labels {
		if steps[i] != label {
			return false
		}
	}
	return true
}

// locateIn follows a path into an expression by keys and positions.
func locateIn(expr hclsyntax.Expression, steps []string) hcl.Range {
	for i, step := range steps {
		if n, err := strconv.Atoi(step); err == nil {
			if tuple, ok := expr.(*hclsyntax.TupleConsExpr); ok && n >= 0 && n < len(tuple.Exprs) {
				expr = tuple.Exprs[n]
				continue
			}
		}
		// A key may have dots of its own: take the longest that there is.
		next, found := entry(expr, strings.Join(steps[i:], "."))
		if found {
			return next.Range()
		}
		if next, found = entry(expr, step); !found {
			break
		}
		expr = next
	}
	return expr.Range()
}
