package identity

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/identity/kernel"
	"github.com/unsilo/unsilo/transforms/identity/predicate"
	"github.com/unsilo/unsilo/transforms/identity/similar"
)

// comparisons are those of the model block, or the usual ones.
func (p *pipeline) comparisons(columns []*frame.Column) ([]*kernel.Comparison, error) {
	if p.model.def.Model == nil || len(p.model.def.Model.Comparisons) == 0 {
		return p.withSources(p.defaultComparisons(columns)), nil
	}
	var out []*kernel.Comparison
	for _, b := range p.model.def.Model.Comparisons {
		c, err := p.userComparison(b)
		if err != nil {
			return nil, fmt.Errorf("comparison %s: %w", b.Name, err)
		}
		if c != nil {
			out = append(out, c)
		}
	}
	return p.withSources(out), nil
}

func (p *pipeline) withSources(list []*kernel.Comparison) []*kernel.Comparison {
	if c := p.sourceComparison(); c != nil && len(list) > 0 {
		list = append(list, c)
	}
	return list
}

// userComparison compiles a comparison block; nil when no record has its attributes.
func (p *pipeline) userComparison(b comparisonBlock) (*kernel.Comparison, error) {
	var columns []*frame.Column
	for _, name := range b.On {
		if c := p.frame.Column(name); c != nil {
			columns = append(columns, c)
		}
	}
	if len(columns) == 0 {
		return nil, nil
	}
	levels := slices.Clone(b.Level)
	for i, when := range b.Levels {
		l := levelBlock{When: when}
		if b.TermFrequency && i == 0 {
			l.TermFrequency = columns[0].Name
		}
		levels = append(levels, l)
	}
	if len(levels) == 0 && len(columns) == 1 {
		return kernel.Compare(columns[0]), nil
	}
	out := &kernel.Comparison{Name: b.Name, Columns: b.On}
	var tests []condition
	for i, l := range levels {
		e, err := predicate.Parse(l.When)
		if err != nil {
			return nil, err
		}
		test, err := p.levelTest(e, columns)
		if err != nil {
			return nil, err
		}
		if weighsWords(e) {
			out.Words = columns
		}
		tests = append(tests, test)
		level := kernel.Level{Name: l.When, M: startM(i, len(levels))}
		if l.M != nil {
			level.FixedM = *l.M
		}
		if l.U != nil {
			level.FixedU = *l.U
		}
		if l.TermFrequency != "" {
			if c := p.termColumn(l.TermFrequency); c != nil {
				level.Term = &kernel.Term{Column: c}
			}
		}
		out.Levels = append(out.Levels, level)
	}
	out.Levels = append(out.Levels, kernel.Level{Name: "anything else", M: 0.1})
	out.Level = func(a, b int32) int8 {
		for _, c := range columns {
			if len(c.Of(a)) == 0 || len(c.Of(b)) == 0 {
				return kernel.Missing
			}
		}
		for i, test := range tests {
			if test(a, b) {
				return int8(i)
			}
		}
		return int8(len(tests))
	}
	return out, nil
}

// termColumn finds a column by name; full_name is given and family name together.
func (p *pipeline) termColumn(name string) *frame.Column {
	if name == "full_name" {
		if c := p.frame.Column(jointName); c != nil {
			return c
		}
	}
	return p.frame.Column(name)
}

// startM is where training starts: half of the rest for each level.
func startM(i, n int) float64 { return 0.9 * math.Exp2(-float64(i+1)) / (1 - math.Exp2(-float64(n))) }

// levelTest compiles the condition of a level. A bare word speaks of every column of the
// comparison.
func (p *pipeline) levelTest(e *predicate.Expr, columns []*frame.Column) (condition, error) {
	switch e.Op {
	case predicate.And, predicate.Or, predicate.Not:
		return p.levelTree(e, columns)
	case predicate.Compare:
		return similarityTest(e, columns)
	}
	if len(e.Args) > 0 && e.Args[0].Kind == predicate.NameArg {
		return compileCall(e, p.frame)
	}
	if e.Name == "swapped" {
		if len(columns) != 2 {
			return nil, fmt.Errorf("swapped needs two attributes")
		}
		return swapped(columns[0], columns[1]), nil
	}
	test, err := codeTest(e)
	if err != nil {
		return nil, err
	}
	return func(a, b int32) bool {
		for _, c := range columns {
			if !anyPair(c, a, b, test) {
				return false
			}
		}
		return true
	}, nil
}

func (p *pipeline) levelTree(e *predicate.Expr, columns []*frame.Column) (condition, error) {
	var kids []condition
	for _, k := range e.Kids {
		c, err := p.levelTest(k, columns)
		if err != nil {
			return nil, err
		}
		kids = append(kids, c)
	}
	return func(a, b int32) bool {
		switch e.Op {
		case predicate.Not:
			return !kids[0](a, b)
		case predicate.Or:
			return slices.ContainsFunc(kids, func(k condition) bool { return k(a, b) })
		}
		return !slices.ContainsFunc(kids, func(k condition) bool { return !k(a, b) })
	}, nil
}

func swapped(first, second *frame.Column) condition {
	return func(a, b int32) bool {
		fa, sa, fb, sb := first.First(a), second.First(a), first.First(b), second.First(b)
		return fa >= 0 && sa >= 0 && fb >= 0 && sb >= 0 && fa != fb &&
			first.Values.Value(fa) == second.Values.Value(sb) && second.Values.Value(sa) == first.Values.Value(fb)
	}
}

// similarityTest compiles jaro_winkler >= 0.92 and cosine >= 0.8.
func similarityTest(e *predicate.Expr, columns []*frame.Column) (condition, error) {
	if e.Sign != ">=" && e.Sign != ">" || e.Value.Kind != predicate.NumberArg {
		return nil, fmt.Errorf("write %s >= a number", e.Kids[0].Name)
	}
	bound := e.Value.Number
	var test func(c *frame.Column, x, y int32) bool
	switch e.Kids[0].Name {
	case "jaro_winkler", "similarity":
		test = func(c *frame.Column, x, y int32) bool {
			return similar.JaroWinklerAtLeast(c.Values.Value(x), c.Values.Value(y), bound)
		}
	case "cosine", "tokens", "qgrams", "jaccard":
		vectors := map[*frame.Column]*kernel.Vectors{}
		for _, c := range columns {
			vectors[c] = kernel.NewVectors(c)
		}
		test = func(c *frame.Column, x, y int32) bool { return vectors[c].Cosine(x, y) >= bound }
	default:
		return nil, fmt.Errorf("there is no similarity %q; known are jaro_winkler and cosine", e.Kids[0].Name)
	}
	return func(a, b int32) bool {
		for _, c := range columns {
			if !anyPair(c, a, b, test) {
				return false
			}
		}
		return true
	}, nil
}

// weighsWords reports whether a level weighs words by their rarity.
func weighsWords(e *predicate.Expr) bool {
	if e.Op == predicate.Compare {
		return !slices.Contains([]string{"jaro_winkler", "similarity"}, e.Kids[0].Name)
	}
	return slices.ContainsFunc(e.Kids, weighsWords)
}

// codeTest compiles a bare level such as exact, typo(1), prefix(3) or within(31d).
func codeTest(e *predicate.Expr) (func(c *frame.Column, x, y int32) bool, error) {
	number, unit := 1.0, ""
	if len(e.Args) > 0 {
		number, unit = e.Args[0].Number, e.Args[0].Unit
	}
	n := max(int(number), 1)
	text := func(f func(a, b string) bool) (func(c *frame.Column, x, y int32) bool, error) {
		return func(c *frame.Column, x, y int32) bool { return f(c.Values.Value(x), c.Values.Value(y)) }, nil
	}
	switch e.Name {
	case "exact", "equal", "any_equal":
		return sameCode, nil
	case "typo":
		return text(func(a, b string) bool { return similar.Typos(a, b, n) <= n })
	case "prefix", "left":
		return text(func(a, b string) bool { return prefix(a, n) == prefix(b, n) })
	case "last", "suffix", "right":
		return text(func(a, b string) bool { return suffix(a, n) == suffix(b, n) })
	case "same_local_part":
		return text(func(a, b string) bool { return before(a, "@") == before(b, "@") })
	case "nickname":
		return text(likelyGiven)
	case "within":
		return text(func(a, b string) bool { return within(a, b, number, unit) })
	}
	return nil, fmt.Errorf("there is no level %q; known are exact, typo, prefix, last, within, same_local_part, nickname, swapped, any_equal, jaro_winkler >=, cosine >=", e.Name)
}

func before(s, sep string) string {
	out, _, _ := strings.Cut(s, sep)
	return out
}

// within compares dates by days (31d) and numbers by per cent (10%) or difference.
func within(a, b string, limit float64, unit string) bool {
	if unit == "d" {
		x, err1 := time.Parse(time.DateOnly, a)
		y, err2 := time.Parse(time.DateOnly, b)
		return err1 == nil && err2 == nil && math.Abs(x.Sub(y).Hours()/24) <= limit
	}
	var x, y float64
	if _, err := fmt.Sscan(a, &x); err != nil {
		return false
	}
	if _, err := fmt.Sscan(b, &y); err != nil {
		return false
	}
	if unit == "%" {
		return math.Abs(x-y) <= limit/100*math.Max(math.Abs(x), math.Abs(y))
	}
	return math.Abs(x-y) <= limit
}
