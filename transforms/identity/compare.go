package identity

import (
	"math"
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
		if c.Name == "cookie" || c.Name == "full_name" && p.frame.Column(jointName) != nil || c.Kind == frame.ID && !shares(c) {
			continue
		}
		out = append(out, c)
	}
	return out
}

// shares reports whether any two records hold one value. An id that every record has for
// itself numbers the rows: near numbers mean nothing.
func shares(c *frame.Column) bool {
	return slices.ContainsFunc(c.Counts(), func(n int32) bool { return n > 1 })
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

// sourcesName is the comparison of where two records come from.
const sourcesName = "sources"

// maxSources is the number of sources up to which every pair of them is a level.
const maxSources = 6

// sourceComparison lets the model learn how many duplicates there are inside each source
// and between any two: two clean lists match across, and hardly within. nil for one
// source.
func (p *pipeline) sourceComparison() *kernel.Comparison {
	f := p.frame
	n := len(f.Sources)
	if n < 2 {
		return nil
	}
	counts := make([]float64, n)
	for _, s := range f.Source {
		counts[s]++
	}
	out := &kernel.Comparison{Name: sourcesName, Nominal: true, Shape: kernel.Sources}
	all := float64(f.Len()) * float64(f.Len()-1) / 2
	level := make([][]int8, n)
	for a := range level {
		level[a] = make([]int8, n)
	}
	add := func(name string, share float64) int8 {
		out.Levels = append(out.Levels, kernel.Level{Name: name, M: math.Max(share, 1e-6)})
		return int8(len(out.Levels) - 1)
	}
	name := func(i int) string { return f.Sources[i].Record }
	across := 0.0
	for a := range n {
		for b := a + 1; b < n; b++ {
			across += counts[a] * counts[b] / all
			if n <= maxSources {
				level[a][b] = add(name(a)+" and "+name(b), counts[a]*counts[b]/all)
				level[b][a] = level[a][b]
			}
		}
	}
	if n > maxSources {
		add("two sources", across)
	}
	for a := range n {
		level[a][a] = add("both of "+name(a), counts[a]*(counts[a]-1)/2/all)
	}
	out.Level = func(a, b int32) int8 { return level[f.Source[a]][f.Source[b]] }
	return out
}

// cleanSources finds sources that hold hardly any duplicates by the trained model: a list
// of things, each once. There a second record in a cluster needs more than likeness.
func (p *pipeline) cleanSources() []int {
	limits := make([]int, len(p.frame.Sources))
	if p.fitted == nil || p.layout.entity == entityPerson || p.model.def.Guardrail != nil {
		return limits
	}
	counts := make([]float64, len(limits))
	for _, s := range p.frame.Source {
		counts[s]++
	}
	matches := p.fitted.Prior * float64(p.frame.Len()) * float64(p.frame.Len()-1) / 2
	for _, c := range p.fitted.Comparisons {
		if c.Name != sourcesName {
			continue
		}
		first := len(c.Levels) - len(limits)
		for s := range limits {
			if counts[s] > 0 && matches*c.Levels[first+s].M < cleanShare*counts[s] {
				limits[s] = 1
				p.note("%s looks free of duplicates: likeness alone joins at most one of its records to a %s", p.frame.Sources[s].Record, p.model.name)
			}
		}
	}
	return limits
}

// cleanShare is the share of duplicates below which a source counts as clean.
const cleanShare = 0.02
