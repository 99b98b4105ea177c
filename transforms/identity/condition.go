package identity

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/identity/predicate"
	"github.com/unsilo/unsilo/transforms/identity/similar"
	"github.com/unsilo/unsilo/transforms/normalize"
)

// A condition says yes or no about two records.
type condition func(a, b int32) bool

// attributeNames are the attributes that a key expression reads: its arguments, or the
// bare name.
func attributeNames(e *predicate.Expr) []string {
	if e.Op == predicate.Call && len(e.Args) == 0 {
		return []string{e.Name}
	}
	return e.Names()
}

// condition compiles a rule over the columns of a frame. Attributes that the frame lacks
// are missing everywhere.
func compileCondition(e *predicate.Expr, f *frame.Frame) (condition, error) {
	switch e.Op {
	case predicate.And, predicate.Or:
		kids := make([]condition, len(e.Kids))
		for i, k := range e.Kids {
			var err error
			if kids[i], err = compileCondition(k, f); err != nil {
				return nil, err
			}
		}
		want := e.Op == predicate.Or
		return func(a, b int32) bool {
			for _, k := range kids {
				if k(a, b) == want {
					return want
				}
			}
			return !want
		}, nil
	case predicate.Not:
		kid, err := compileCondition(e.Kids[0], f)
		if err != nil {
			return nil, err
		}
		return func(a, b int32) bool { return !kid(a, b) }, nil
	case predicate.Compare:
		return nil, fmt.Errorf("a comparison of %q has no meaning here; use similar(attribute, bound)", e.Kids[0].Name)
	}
	return compileCall(e, f)
}

func compileCall(e *predicate.Expr, f *frame.Frame) (condition, error) {
	switch e.Name {
	case "compatible":
		return compatible(f), nil
	case "same_name":
		return sameName(f), nil
	}
	if len(e.Args) == 0 || e.Args[0].Kind != predicate.NameArg {
		return nil, fmt.Errorf("%s needs an attribute, such as %s(last_name)", e.Name, e.Name)
	}
	c := f.Column(e.Args[0].Name)
	bound := 0.0
	if len(e.Args) > 1 {
		bound = e.Args[1].Number
	}
	var test func(c *frame.Column, a, b int32) bool // on two codes
	switch e.Name {
	case "missing":
		return func(a, b int32) bool { return c == nil || len(c.Of(a)) == 0 || len(c.Of(b)) == 0 }, nil
	case "both":
		return func(a, b int32) bool { return c != nil && len(c.Of(a)) > 0 && len(c.Of(b)) > 0 }, nil
	case "differs":
		return func(a, b int32) bool {
			return c != nil && len(c.Of(a)) > 0 && len(c.Of(b)) > 0 && !anyPair(c, a, b, sameCode)
		}, nil
	case "agree", "exact", "any_equal":
		test = sameCode
	case "similar", "jaro_winkler":
		if bound == 0 {
			bound = 0.92
		}
		test = func(c *frame.Column, a, b int32) bool {
			return similar.JaroWinklerAtLeast(c.Values.Value(a), c.Values.Value(b), bound)
		}
	case "household": // both use the mailbox of a household
		return func(a, b int32) bool {
			return c != nil && !c.Masked && slices.ContainsFunc(c.Of(a), func(code int32) bool {
				return slices.Contains(c.Of(b), code) && normalize.IsHouseholdMailbox(c.Values.Bytes(code))
			})
		}, nil
	case "typo":
		limit := max(int(bound), 1)
		test = func(c *frame.Column, a, b int32) bool {
			return similar.Typos(c.Values.Value(a), c.Values.Value(b), limit) <= limit
		}
	case "nickname":
		test = func(c *frame.Column, a, b int32) bool {
			return a == b || normalize.SameNickname(c.Values.Bytes(a), c.Values.Bytes(b))
		}
	case "prefix", "left":
		n := max(int(bound), 1)
		test = func(c *frame.Column, a, b int32) bool {
			return prefix(c.Values.Value(a), n) == prefix(c.Values.Value(b), n)
		}
	case "last", "right":
		n := max(int(bound), 1)
		test = func(c *frame.Column, a, b int32) bool {
			return suffix(c.Values.Value(a), n) == suffix(c.Values.Value(b), n)
		}
	default:
		return nil, fmt.Errorf("there is no condition %q; known are agree, missing, both, differs, similar, typo, nickname, prefix, last, household, compatible, same_name", e.Name)
	}
	return func(a, b int32) bool { return c != nil && anyPair(c, a, b, test) }, nil
}

func prefix(s string, n int) string { return s[:min(n, len(s))] }

func suffix(s string, n int) string { return s[max(0, len(s)-n):] }

func sameCode(_ *frame.Column, a, b int32) bool { return a == b }

func anyPair(c *frame.Column, a, b int32, test func(*frame.Column, int32, int32) bool) bool {
	for _, x := range c.Of(a) {
		for _, y := range c.Of(b) {
			if x == y || !c.Masked && test(c, x, y) {
				return true
			}
		}
	}
	return false
}

// compatible says that two records may be one person by their names and birth dates: what
// both have agrees, nearly.
func compatible(f *frame.Frame) condition {
	given, family, born := f.Column("first_name"), f.Column("last_name"), f.Column("birth_date")
	company, crossed := f.Column("company"), crossedNames(f)
	return func(a, b int32) bool {
		g := agreement(given, a, b, likelyGiven)
		n := agreement(family, a, b, likelySpelling)
		if (g == differ || n == differ && g != agree) && !turned(given, family, a, b) && !crossed(a, b) {
			return false
		}
		if agreement(born, a, b, nearDate) == differ {
			return false
		}
		return agreement(company, a, b, likelySpelling) != differ || g == agree
	}
}

// sameName says that two records have one given and one family name, nearly; the two may
// have changed places.
func sameName(f *frame.Frame) condition {
	given, family := f.Column("first_name"), f.Column("last_name")
	return func(a, b int32) bool {
		return agreement(given, a, b, likelyGiven) == agree && agreement(family, a, b, likelySpelling) == agree || turned(given, family, a, b)
	}
}

type verdict uint8

const (
	unknown verdict = iota
	agree
	differ
)

func agreement(c *frame.Column, a, b int32, near func(x, y string) bool) verdict {
	if c == nil || len(c.Of(a)) == 0 || len(c.Of(b)) == 0 {
		return unknown
	}
	if anyPair(c, a, b, func(c *frame.Column, x, y int32) bool { return near(c.Values.Value(x), c.Values.Value(y)) }) {
		return agree
	}
	return differ
}

func oneTypo(x, y string) bool { return similar.OneTypo(x, y) }

func likelySpelling(x, y string) bool { return similar.JaroWinklerAtLeast(x, y, 0.88) }

// shortForm is the least length of the beginning or the end of a given name that people
// use for the whole.
const shortForm = 4

// likelyGiven accepts spellings, nicknames, beginnings and endings, and initials.
func likelyGiven(x, y string) bool {
	if len(x) > len(y) {
		x, y = y, x
	}
	switch {
	case len(x) == 1:
		return x[0] == y[0]
	case len(x) >= shortForm && (strings.HasPrefix(y, x) || strings.HasSuffix(y, x)):
		return true
	}
	return similar.JaroWinklerAtLeast(x, y, 0.88) || normalize.SameNickname([]byte(x), []byte(y))
}

// checkConditions compiles every rule over an empty frame, so that a name or a condition
// that does not exist is found before anything runs.
func (m *Model) checkConditions(l *layout) error {
	columns := make([]frame.Column, len(l.attributes))
	for i, a := range l.attributes {
		columns[i] = frame.Column{Name: a.name, Kind: a.kind}
	}
	f := frame.NewBuilder(nil, columns).Frame()
	check := func(path string, e *predicate.Expr) error {
		if e == nil {
			return nil
		}
		if _, err := compileCondition(e, f); err != nil {
			return &core.Error{Kind: core.KindConfig, Op: "plan identity." + m.name, Path: path, Err: err}
		}
		return nil
	}
	for _, r := range m.rules.match {
		if err := check("match_rule."+r.name, r.when); err != nil {
			return err
		}
	}
	for _, r := range m.rules.guards {
		if err := check("guardrail.cannot_link."+r.name, r.when); err != nil {
			return err
		}
	}
	return nil
}
