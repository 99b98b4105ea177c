package identity

import (
	"fmt"
	"slices"

	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/identity/predicate"
)

// exactRules are the match rules of the block. A block without any gets the default ones
// and one for every identifier that it names: those with links = false join nobody, and
// the others go in the order of their priority.
func (m *Model) exactRules(l *layout) []matchRule {
	if len(m.rules.match) > 0 {
		return m.rules.match
	}
	rules := defaultRules(l)
	for i := len(m.rules.identifiers) - 1; i >= 0; i-- {
		id := m.rules.identifiers[i]
		uses := func(r matchRule) bool { return slices.Contains(r.on, id.name) }
		if !id.links {
			rules = slices.DeleteFunc(rules, uses)
			continue
		}
		if !slices.ContainsFunc(rules, uses) && m.linksAlone(l, id.name) {
			rules = append(rules, m.identifierRule(l, id.name))
		}
		if id.priority > 0 { // to the front; those before it in priority follow
			first := slices.Clone(rules)
			first = slices.DeleteFunc(first, func(r matchRule) bool { return !uses(r) })
			rules = append(first, slices.DeleteFunc(rules, uses)...)
		}
	}
	return rules
}

// linksAlone reports whether equal values of an identifier without a default rule make two
// records one: not those of devices, which are stitched, and not those of an employer.
func (m *Model) linksAlone(l *layout, name string) bool {
	for _, s := range m.def.Stitches {
		if len(s.Link) > 0 && s.Link[0] == name {
			return false
		}
	}
	return l.attribute(name) != nil && name != "cookie" && !ofEmployer(l.entity, name)
}

func (m *Model) identifierRule(l *layout, name string) matchRule {
	rule := matchRule{name: "same_" + name, on: []string{name}}
	if l.entity != entityThing {
		rule.when = &predicate.Expr{Op: predicate.Call, Name: "compatible"}
	}
	return rule
}

// timed limits a condition to pairs of records that are as close in time as every
// identifier of the rule is valid. Records without a time pass.
func (m *Model) timed(rule matchRule, f *frame.Frame, test condition) condition {
	window := int64(0)
	for _, name := range rule.on {
		if id := m.identifier(name); id != nil && id.validFor > 0 {
			if w := id.validFor.Microseconds(); window == 0 || w < window {
				window = w
			}
		}
	}
	if window == 0 {
		return test
	}
	return func(a, b int32) bool {
		x, y := f.Updated[a], f.Updated[b]
		return (x == 0 || y == 0 || max(x-y, y-x) <= window) && test(a, b)
	}
}

// checkIdentifier finds limits that make no sense.
func checkIdentifier(b identifierBlock) string {
	switch {
	case b.MaxPersons < 0:
		return fmt.Sprintf("max_persons_per_value = %d must not be negative.", b.MaxPersons)
	case b.MaxValues < 0:
		return fmt.Sprintf("max_values_per_person = %d must not be negative.", b.MaxValues)
	case b.Exclusive && b.MaxValues > 1:
		return "exclusive allows one value, max_values_per_person several: keep one of the two."
	}
	return ""
}
