package identity

import (
	"slices"

	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/identity/kernel"
)

// compared lists the columns that take part in comparisons by default.
func (p *pipeline) compared() []*frame.Column {
	var out []*frame.Column
	for _, c := range p.frame.Columns {
		a := p.layout.attribute(c.Name)
		if a != nil && !a.compare || c.Name == jointName || c.Kind == "" || c.Values.Len() < 2 {
			continue
		}
		if c.Name == "cookie" || c.Name == "full_name" && p.frame.Column(jointName) != nil {
			continue
		}
		out = append(out, c)
	}
	return out
}

// defaultComparisons compares each column by its kind, and given and family name
// together.
func (p *pipeline) defaultComparisons(columns []*frame.Column) []*kernel.Comparison {
	var out []*kernel.Comparison
	given, family, joint := p.frame.Column("first_name"), p.frame.Column("last_name"), p.frame.Column(jointName)
	together := joint != nil && slices.Contains(columns, given) && slices.Contains(columns, family)
	if together {
		out = kernel.Names(given, family, joint)
	}
	for _, c := range columns {
		if together && (c == given || c == family) {
			continue
		}
		if !c.Masked && (c.Kind == frame.GivenName || c.Kind == frame.FamilyName) {
			out = append(out, kernel.One(c, c.Kind == frame.GivenName))
			continue
		}
		out = append(out, kernel.Compare(c))
	}
	return out
}
