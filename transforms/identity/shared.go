package identity

import (
	"fmt"
	"slices"

	"github.com/unsilo/unsilo/transforms/identity/cluster"
	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/normalize"
)

// dropShared removes the exact edges of values that more persons hold than their
// identifier allows, and reports whether any went. A person is a cluster of the first
// grouping.
func (p *pipeline) dropShared(of []int32) bool {
	type holding struct {
		rule   int16
		record int32
	}
	over := map[holding][]int32{} // values above their cap that a record holds, by number
	// Records without a name join nobody yet; each of them would count as a person.
	named := namedRecords(p.frame)
	if p.layout.attribute("first_name") == nil && p.layout.attribute("last_name") == nil {
		named = nil
	}
	for i, s := range p.shared {
		limit := p.limitOf(p.rules[s.rule])
		if limit == 0 || persons(of, s.holders, named) <= limit {
			continue
		}
		for _, r := range s.holders {
			k := holding{s.rule, r}
			over[k] = append(over[k], int32(i))
		}
	}
	if len(over) == 0 {
		return false
	}
	before := len(p.edges)
	p.edges = slices.DeleteFunc(p.edges, func(e cluster.Edge) bool {
		if e.Tier != cluster.Exact {
			return false
		}
		held := over[holding{e.Rule, e.B}]
		return slices.ContainsFunc(over[holding{e.Rule, e.A}], func(v int32) bool { return slices.Contains(held, v) })
	})
	if dropped := before - len(p.edges); dropped > 0 {
		p.measure("edges.capped", float64(dropped))
		p.note("%d links came from values that too many of %s share; they are not used", dropped, p.model.name)
	}
	return len(p.edges) < before
}

// limitOf is the cap on persons per value of a rule's only attribute; 0 is none.
func (p *pipeline) limitOf(rule matchRule) int {
	if len(rule.on) != 1 {
		return 0
	}
	if id := p.model.identifier(rule.on[0]); id != nil {
		return id.maxPersons
	}
	if c := p.frame.Column(rule.on[0]); c != nil {
		return defaultIdentifier(c.Name, c.Kind).maxPersons
	}
	return 0
}

// persons counts the clusters of records, of those that pass when it is set.
func persons(of, records []int32, pass func(int32) bool) int {
	var roots []int32
	for _, r := range records {
		if pass == nil || pass(r) {
			roots = append(roots, of[r])
		}
	}
	slices.Sort(roots)
	return len(slices.Compact(roots))
}

// aloneEdges adds the edges of rules that hold only where a value has one owner: nameless
// records join the one cluster with names that holds the value.
func (p *pipeline) aloneEdges(of []int32) (bool, error) {
	before := len(p.edges)
	named := namedRecords(p.frame)
	for i, rule := range p.rules {
		if !rule.alone {
			continue
		}
		c := p.frame.Column(rule.on[0])
		if c == nil {
			continue
		}
		test, err := compileCondition(rule.when, p.frame)
		if err != nil {
			return false, fmt.Errorf("match_rule %s: %w", rule.name, err)
		}
		test = p.model.timed(rule, p.frame, test)
		start := len(p.edges)
		ofMany := p.ofMany(c)
		for code, holders := range byValue(p.frame, c) {
			if len(holders) > 1 && persons(of, holders, named) <= 1 && !ofMany(int32(code)) {
				p.joinAlone(holders, named, test, int16(i))
			}
		}
		p.measure("edges."+rule.name, float64(len(p.edges)-start))
	}
	return len(p.edges) > before, nil
}

// ofMany tells the values of a column that by their nature several people share, whoever
// is known to hold them: fixed telephones, and mailboxes of households.
func (p *pipeline) ofMany(c *frame.Column) func(code int32) bool {
	return func(code int32) bool {
		switch {
		case c.Masked:
			return false
		case c.Kind == frame.Phone:
			return normalize.IsFixedLine(c.Values.Value(code))
		case c.Kind == frame.Email:
			return normalize.IsHouseholdMailbox(c.Values.Bytes(code))
		}
		return false
	}
}

// joinAlone ties the nameless holders of a value to one holder, one with a name if there
// is any.
func (p *pipeline) joinAlone(holders []int32, named func(int32) bool, test condition, rule int16) {
	hub := holders[0]
	if at := slices.IndexFunc(holders, named); at >= 0 {
		hub = holders[at]
	}
	for _, r := range holders {
		if r == hub || named(r) || !test(hub, r) {
			continue
		}
		a, b := min(hub, r), max(hub, r)
		p.edges = append(p.edges, cluster.Edge{A: a, B: b, Bits: exactBits, Rule: rule, Tier: cluster.Exact})
	}
}

// namedRecords tells which records carry a name.
func namedRecords(f *frame.Frame) func(int32) bool {
	var columns []*frame.Column
	for _, name := range []string{"first_name", "last_name", "company"} {
		if c := f.Column(name); c != nil {
			columns = append(columns, c)
		}
	}
	return func(r int32) bool {
		return slices.ContainsFunc(columns, func(c *frame.Column) bool { return len(c.Of(r)) > 0 })
	}
}
