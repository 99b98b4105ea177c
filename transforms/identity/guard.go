package identity

import (
	"fmt"
	"slices"

	"github.com/unsilo/unsilo/transforms/identity/cluster"
	"github.com/unsilo/unsilo/transforms/identity/frame"
)

// guards decide whether two clusters may become one.
type guards struct {
	frame     *frame.Frame
	maxSize   int
	perSource []int // by source; 0 is no limit
	clean     []int // the same, for likeness alone
	exclusive []*frame.Column
	maxEach   []columnLimit
	rules     []namedCondition
	// names, when set, must agree between all members before an exact rule may join them;
	// denials are what likeness alone may not overrule either.
	names    condition
	denials  []namedCondition
	identity []*frame.Column // columns that names reads
	cannot   map[pair]string
}

type columnLimit struct {
	*frame.Column
	limit int
}

type namedCondition struct {
	name string
	test condition
}

type pair struct{ a, b int32 }

func ordered(a, b int32) pair {
	if a > b {
		a, b = b, a
	}
	return pair{a, b}
}

// newGuards compiles the guardrail block, with its defaults.
func (m *Model) newGuards(f *frame.Frame, l *layout, cannot map[pair]string) (*guards, error) {
	g := &guards{frame: f, maxSize: 1000, perSource: make([]int, len(f.Sources)), cannot: cannot}
	if b := m.def.Guardrail; b != nil {
		if b.MaxClusterSize > 0 {
			g.maxSize = b.MaxClusterSize
		}
		for i, s := range f.Sources {
			g.perSource[i] = b.MaxRecordsPerSource[s.Record]
		}
	}
	if c := m.def.Clustering; c != nil && c.Method == "one_to_one" {
		for i := range g.perSource {
			g.perSource[i] = 1
		}
	}
	for _, id := range m.rules.identifiers {
		c := f.Column(id.name)
		if c == nil {
			continue
		}
		if id.exclusive {
			g.exclusive = append(g.exclusive, c)
		}
		if id.maxEach > 0 {
			g.maxEach = append(g.maxEach, columnLimit{c, id.maxEach})
		}
	}
	for _, r := range m.rules.guards {
		test, err := compileCondition(r.when, f)
		if err != nil {
			return nil, fmt.Errorf("cannot_link %s: %w", r.name, err)
		}
		g.rules = append(g.rules, namedCondition{r.name, test})
	}
	if l.entity != entityThing && len(m.rules.match) == 0 {
		g.names = compatible(f)
		for _, name := range []string{"first_name", "last_name", "birth_date", "company"} {
			if c := f.Column(name); c != nil {
				g.identity = append(g.identity, c)
			}
		}
	}
	return g, nil
}

// refuse gives the reason why clusters a and b must stay apart, or "".
func (g *guards) refuse(a, b []int32, e cluster.Edge) string {
	if reason := g.cannotLink(a, b); reason != "" {
		return reason
	}
	if e.Tier == cluster.Must {
		return ""
	}
	if len(a)+len(b) > g.maxSize {
		return fmt.Sprintf("max_cluster_size: %d records", len(a)+len(b))
	}
	if reason := g.sources(g.perSource, a, b); reason != "" {
		return reason
	}
	if e.Tier == cluster.Probable {
		if reason := g.sources(g.clean, a, b); reason != "" {
			return reason
		}
	}
	for _, c := range g.exclusive {
		if va, vb := values(c, a), values(c, b); len(va) > 0 && len(vb) > 0 && len(merge(va, vb)) > 1 {
			return "exclusive: two values of " + c.Name
		}
	}
	for _, c := range g.maxEach {
		if n := len(merge(values(c.Column, a), values(c.Column, b))); n > c.limit {
			return fmt.Sprintf("max_values_per_person: %d values of %s", n, c.Name)
		}
	}
	for _, r := range g.rules {
		if g.any(a, b, r.test) {
			return "cannot_link " + r.name
		}
	}
	if g.names != nil && e.Tier == cluster.Exact && g.any(g.distinct(a), g.distinct(b), func(x, y int32) bool { return !g.names(x, y) }) {
		return "names or birth dates contradict each other"
	}
	if e.Tier == cluster.Probable && len(g.denials) > 0 {
		x, y := g.distinct(a), g.distinct(b)
		for _, d := range g.denials {
			if g.any(x, y, d.test) {
				return d.name
			}
		}
	}
	return ""
}

func (g *guards) cannotLink(a, b []int32) string {
	if len(g.cannot) == 0 {
		return ""
	}
	for _, x := range a {
		for _, y := range b {
			if reason, ok := g.cannot[ordered(x, y)]; ok {
				return reason
			}
		}
	}
	return ""
}

func (g *guards) sources(limits []int, a, b []int32) string {
	if slices.IndexFunc(limits, func(n int) bool { return n > 0 }) < 0 {
		return ""
	}
	counts := make([]int, len(limits))
	for _, r := range slices.Concat(a, b) {
		s := g.frame.Source[r]
		counts[s]++
		if limits[s] > 0 && counts[s] > limits[s] {
			return fmt.Sprintf("max_records_per_source: more than %d of %s", limits[s], g.frame.Sources[s].Record)
		}
	}
	return ""
}

func (g *guards) any(a, b []int32, test condition) bool {
	for _, x := range a {
		for _, y := range b {
			if test(x, y) {
				return true
			}
		}
	}
	return false
}

// distinct keeps one record of each combination of identity values.
func (g *guards) distinct(records []int32) []int32 {
	if len(records) == 1 {
		return records
	}
	var kept []int32
	for _, r := range records {
		same := func(k int32) bool {
			for _, c := range g.identity {
				if !slices.Equal(c.Of(r), c.Of(k)) {
					return false
				}
			}
			return true
		}
		if !slices.ContainsFunc(kept, same) {
			kept = append(kept, r)
		}
	}
	return kept
}

// values lists the distinct codes of records in a column, ascending.
func values(c *frame.Column, records []int32) []int32 {
	var codes []int32
	for _, r := range records {
		codes = append(codes, c.Of(r)...)
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

func merge(a, b []int32) []int32 {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}
