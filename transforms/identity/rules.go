package identity

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zeebo/xxh3"

	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/identity/predicate"
	"github.com/unsilo/unsilo/transforms/normalize"
)

// engineVersion is part of every fingerprint: results of another version are built anew.
const engineVersion = 3

// compiled holds what decode read out of the texts in a block.
type compiled struct {
	identifiers []identifier
	match       []matchRule
	guards      []guardRule
	blocking    []blockingRule
}

type identifier struct {
	name                string
	priority            int
	exclusive, links    bool
	maxPersons, maxEach int
	validFor            time.Duration
	values, local       map[string]bool
	patterns            []*regexp.Regexp
	repeated            int
}

// A matchRule makes an exact edge between two records that share a value of every
// attribute in on and meet the condition.
type matchRule struct {
	name string
	on   []string
	when *predicate.Expr
	// alone limits the rule to values whose other holders are one person.
	alone bool
}

type guardRule struct {
	name string
	when *predicate.Expr
}

type blockingRule struct {
	name     string
	keys     []*predicate.Expr
	maxBlock int
}

func compile(d *definition) (compiled, hcl.Diagnostics) {
	var c compiled
	var diags hcl.Diagnostics
	for _, b := range d.Identifiers {
		id, more := compileIdentifier(b)
		c.identifiers = append(c.identifiers, id)
		diags = append(diags, more...)
		diags = append(diags, checkNormalisers(b.Normalize, d.Region, b.Range)...)
	}
	slices.SortStableFunc(c.identifiers, func(x, y identifier) int { return x.priority - y.priority })
	for _, b := range d.Attributes {
		diags = append(diags, checkNormalisers(b.Normalize, d.Region, b.Range)...)
		if b.Kind != "" && !validKind(b.Kind) {
			diags = append(diags, fault(b.Range, fmt.Sprintf("There is no kind %q", b.Kind), "Kinds are "+kindList()+"."))
		}
	}
	for _, b := range d.MatchRules {
		e, more := parseRule(b.And, b.Range)
		diags = append(diags, more...)
		if len(b.On) == 0 {
			diags = append(diags, fault(b.Range, "A match rule needs attributes", "Write on = [\"email\"] or another attribute."))
		}
		c.match = append(c.match, matchRule{name: b.Name, on: b.On, when: e})
	}
	for _, b := range d.Blocking {
		rule := blockingRule{name: b.Name, maxBlock: b.MaxBlock}
		for _, key := range b.Keys {
			e, more := parseRule(key, b.Range)
			diags = append(diags, more...)
			rule.keys = append(rule.keys, e)
		}
		c.blocking = append(c.blocking, rule)
	}
	if d.Guardrail != nil {
		for _, b := range d.Guardrail.CannotLink {
			if b.When == "" {
				continue
			}
			e, more := parseRule(b.When, b.Range)
			diags = append(diags, more...)
			c.guards = append(c.guards, guardRule{b.Name, e})
		}
	}
	if d.Model != nil {
		diags = append(diags, checkModel(d.Model)...)
	}
	return c, append(diags, checkSettings(d)...)
}

func parseRule(text string, at hcl.Range) (*predicate.Expr, hcl.Diagnostics) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	e, err := predicate.Parse(text)
	if err != nil {
		return nil, hcl.Diagnostics{fault(at, "This rule cannot be read", fmt.Sprintf("%q: %s.", text, err))}
	}
	return e, nil
}

func checkNormalisers(names []string, region string, at hcl.Range) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, n := range names {
		if _, err := namedNormaliser(n, region); err != nil {
			diags = append(diags, fault(at, "Unknown normaliser", err.Error()+
				". Known are email, e164, name, text, id, handle, date, company, domain, postcode, street, number, year, digits, exact."))
		}
	}
	return diags
}

func kindList() string {
	var names []string
	for _, k := range frame.Kinds() {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

func compileIdentifier(b identifierBlock) (identifier, hcl.Diagnostics) {
	var diags hcl.Diagnostics
	id := identifier{name: b.Name, priority: b.Priority, exclusive: b.Exclusive, maxPersons: b.MaxPersons, maxEach: b.MaxValues,
		links: b.Deterministic == nil || *b.Deterministic, values: map[string]bool{}, local: map[string]bool{}}
	if problem := checkIdentifier(b); problem != "" {
		diags = append(diags, fault(b.Range, "These limits cannot be", problem))
	}
	if b.ValidFor != "" {
		d, err := parseDuration(b.ValidFor)
		if err != nil {
			diags = append(diags, fault(b.Range, "This is not a duration", fmt.Sprintf("valid_for = %q: write days or hours, such as \"730d\".", b.ValidFor)))
		}
		id.validFor = d
	}
	if b.Block == nil {
		return id, diags
	}
	for _, v := range b.Block.Values {
		id.values[strings.ToLower(v)] = true
	}
	for _, v := range b.Block.LocalPart {
		id.local[strings.ToLower(v)] = true
	}
	for _, p := range b.Block.Pattern {
		re, err := regexp.Compile(p)
		if err != nil {
			diags = append(diags, fault(b.Range, "This pattern cannot be read", fmt.Sprintf("%q: %s. There are no backreferences.", p, err)))
			continue
		}
		id.patterns = append(id.patterns, re)
	}
	id.repeated = b.Block.RepeatedDigits
	return id, diags
}

// parseDuration reads Go durations and whole days: "395d", "96h".
func parseDuration(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseFloat(days, 64)
		if err != nil || n < 0 || n > 100000 {
			return 0, fmt.Errorf("parse duration: %q is not a number of days", s)
		}
		return time.Duration(n * 24 * float64(time.Hour)), nil
	}
	return time.ParseDuration(s)
}

// fingerprint changes with everything in the block that can change the result.
func fingerprint(name string, m *Model) string {
	text, err := json.Marshal(struct {
		Engine    int
		Normalise string
		Name      string
		Def       definition
		From      any
		Maps      any
		Tables    any
	}{engineVersion, normalize.Version, name, m.def, m.from, m.maps,
		[]any{m.tables.must, m.tables.cannot, m.tables.events}})
	if err != nil { // the definition is plain data; only an infinite number could do this
		text = []byte(name + err.Error())
	}
	return fmt.Sprintf("%016x", xxh3.Hash(text))
}

// checkModel finds levels that cannot be read and levels that can never fire, because an
// earlier one says the same.
func checkModel(b *modelBlock) hcl.Diagnostics {
	var diags hcl.Diagnostics
	if b.Kind != "" && b.Kind != "fellegi_sunter" && b.Kind != "exact" {
		diags = append(diags, fault(b.Range, fmt.Sprintf("There is no model %q", b.Kind), "Models are fellegi_sunter and exact (deterministic rules alone)."))
	}
	for _, c := range b.Comparisons {
		whens := slices.Clone(c.Levels)
		for _, l := range c.Level {
			whens = append(whens, l.When)
		}
		seen := map[string]bool{}
		least := 2.0
		for _, when := range whens {
			e, more := parseRule(when, c.Range)
			diags = append(diags, more...)
			if e == nil {
				continue
			}
			plain := strings.Join(strings.Fields(when), " ")
			dead := seen[plain]
			if e.Op == predicate.Compare && e.Value.Kind == predicate.NumberArg && e.Kids[0].Name == "jaro_winkler" {
				dead = dead || e.Value.Number >= least
				least = min(least, e.Value.Number)
			}
			if dead {
				diags = append(diags, fault(c.Range, "This level can never fire",
					fmt.Sprintf("comparison %s: an earlier level already takes every pair of %q. Order levels from the strictest to the loosest.", c.Name, when)))
			}
			seen[plain] = true
		}
	}
	return diags
}
