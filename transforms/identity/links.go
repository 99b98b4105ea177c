package identity

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unsilo/unsilo/transforms/identity/cluster"
	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/identity/predicate"
)

// exactBits is the weight of an exact edge in average link, in millionths of a bit.
const exactBits = 20_000_000

// cliqueMax is the largest number of holders of a value that are all offered to each
// other. More are tied in a star and a chain: k-1 edges each.
const cliqueMax = 12

// blocked reports whether a blocklist names the value.
func (id *identifier) blocked(raw, norm string) bool {
	if id.values[strings.ToLower(raw)] || id.values[norm] {
		return true
	}
	if local, _, ok := strings.Cut(norm, "@"); ok && id.local[local] {
		return true
	}
	for _, p := range id.patterns {
		if p.MatchString(raw) || p.MatchString(norm) {
			return true
		}
	}
	return id.repeated > 0 && repeatedDigits(norm) >= id.repeated
}

// repeatedDigits is the length of the longest run of one digit.
func repeatedDigits(s string) int {
	longest, run := 0, 0
	for i := range len(s) {
		switch {
		case s[i] < '0' || s[i] > '9':
			run = 0
		case i > 0 && s[i] == s[i-1]:
			run++
		default:
			run = 1
		}
		longest = max(longest, run)
	}
	return longest
}

// defaultRules are the exact rules of an identity that writes none.
func defaultRules(l *layout) []matchRule {
	var rules []matchRule
	add := func(name, condition string, alone bool, on ...string) {
		for _, a := range on {
			if l.attribute(a) == nil {
				return
			}
		}
		e, err := predicate.Parse(condition)
		if err == nil {
			rules = append(rules, matchRule{name: name, on: on, when: e, alone: alone})
		}
	}
	if l.entity == entityThing {
		return nil
	}
	// Records that say nothing but an address go to its one holder, or to nobody.
	const named = "compatible() and (both(first_name) or both(last_name))"
	for _, a := range l.attributes {
		if l.entity == entityPerson && a.name == "company_id" {
			continue // colleagues share it
		}
		if a.kind == frame.ID && l.declared(a.name) || a.name == "national_id" || a.name == "iban" {
			add("same_"+a.name, "compatible()", false, a.name)
		}
	}
	if l.entity == entityPerson {
		add("same_email", named+" and (same_name() or not household(email))", false, "email")
		add("same_handle", named, false, "handle")
		add("phone_name", "compatible() and same_name()", false, "phone")
		for _, a := range []string{"email", "handle", "phone"} {
			add(a+"_alone", "compatible()", true, a)
		}
		return rules
	}
	add("company_domain", "similar(company,0.8)", false, "company", "domain")
	return rules
}

// declared reports whether an identifier came from a declared meaning: its name ends in
// _id and its systems said what it is.
func (l *layout) declared(name string) bool {
	return strings.HasSuffix(name, "_id") && !l.guessed[name]
}

// defaultIdentifiers give caps and blocklists to identifiers that the block leaves out.
func defaultIdentifier(name string, kind frame.Kind) identifier {
	id := identifier{name: name, links: true}
	switch kind {
	case frame.Email:
		id.maxPersons = 3
	case frame.Phone:
		id.maxPersons, id.repeated = 5, 7
	}
	return id
}

// linker makes exact edges from rules.
type linker struct {
	frame  *frame.Frame
	model  *Model
	edges  []cluster.Edge
	held   []sharedValue
	number int16
}

// A sharedValue is a value, or a tuple of values, that several records hold, and the rule
// that saw it.
type sharedValue struct {
	rule    int16
	holders []int32
}

// link adds the edges of one rule and remembers who shares what.
func (k *linker) link(rule matchRule, number int16) error {
	columns := make([]*frame.Column, len(rule.on))
	for i, name := range rule.on {
		if columns[i] = k.frame.Column(name); columns[i] == nil {
			return nil
		}
	}
	test := func(a, b int32) bool { return true }
	if rule.when != nil {
		var err error
		if test, err = compileCondition(rule.when, k.frame); err != nil {
			return fmt.Errorf("match_rule %s: %w", rule.name, err)
		}
	}
	k.number = number
	test = k.model.timed(rule, k.frame, test)
	for _, holders := range sharing(k.frame, columns) {
		k.held = append(k.held, sharedValue{number, holders})
		k.offer(holders, test)
	}
	return nil
}

// offer makes edges between the holders of a value: all pairs of few; of many a star
// around the first and a chain between neighbours by name.
func (k *linker) offer(holders []int32, test condition) {
	add := func(a, b int32) {
		if a > b {
			a, b = b, a
		}
		if test(a, b) {
			k.edges = append(k.edges, cluster.Edge{A: a, B: b, Bits: exactBits, Rule: k.number, Tier: cluster.Exact})
		}
	}
	if len(holders) <= cliqueMax {
		for i, a := range holders {
			for _, b := range holders[i+1:] {
				add(a, b)
			}
		}
		return
	}
	for _, b := range holders[1:] {
		add(holders[0], b)
	}
	byName := slices.Clone(holders)
	names := make(map[int32]string, len(holders))
	for _, r := range holders {
		names[r] = nameText(k.frame, r)
	}
	slices.SortFunc(byName, func(a, b int32) int {
		if c := strings.Compare(names[a], names[b]); c != 0 {
			return c
		}
		return int(a) - int(b)
	})
	for i := 1; i < len(byName); i++ {
		if byName[i-1] != holders[0] && byName[i] != holders[0] {
			add(byName[i-1], byName[i])
		}
	}
}

func nameText(f *frame.Frame, r int32) string {
	var text strings.Builder
	for _, name := range []string{"last_name", "first_name", "company"} {
		if c := f.Column(name); c != nil {
			if code := c.First(r); code >= 0 {
				text.WriteString(c.Values.Value(code))
			}
		}
		text.WriteByte(0)
	}
	return text.String()
}

// sharing lists the sets of at least two records that agree on a value of every column,
// each ascending, in order of their first record.
func sharing(f *frame.Frame, columns []*frame.Column) [][]int32 {
	if len(columns) == 1 {
		return sharingOne(f, columns[0])
	}
	holders := map[string][]int32{}
	var key []byte
	for r := range int32(f.Len()) {
		key = key[:0]
		for _, c := range columns {
			code := c.First(r)
			if code < 0 {
				key = nil
				break
			}
			key = append(key, byte(code), byte(code>>8), byte(code>>16), byte(code>>24))
		}
		if key != nil {
			holders[string(key)] = append(holders[string(key)], r)
		}
	}
	var sets [][]int32
	for _, set := range holders {
		if len(set) > 1 {
			sets = append(sets, set)
		}
	}
	slices.SortFunc(sets, func(a, b []int32) int { return int(a[0]) - int(b[0]) })
	return sets
}

func sharingOne(f *frame.Frame, c *frame.Column) [][]int32 {
	holders := slices.DeleteFunc(byValue(f, c), func(set []int32) bool { return len(set) < 2 })
	slices.SortFunc(holders, func(a, b []int32) int { return slices.Compare(a[:2], b[:2]) })
	return holders
}

// byValue lists the records of each value that several hold, ascending.
func byValue(f *frame.Frame, c *frame.Column) [][]int32 {
	counts := c.Counts()
	holders := make([][]int32, len(counts))
	for r := range int32(f.Len()) {
		for _, code := range c.Of(r) {
			if counts[code] > 1 {
				holders[code] = append(holders[code], r)
			}
		}
	}
	return holders
}
