package identity

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity/cluster"
	"github.com/unsilo/unsilo/transforms/identity/eval"
)

// An Evaluation compares the last build with labels.
type Evaluation struct {
	Scores eval.Scores `json:"scores"`
	// Sweep holds the scores at other thresholds, when asked for.
	Sweep []SweepPoint `json:"sweep,omitempty"`
	// Unknown labels name records that do not exist, or a key that several records have.
	Unknown []string `json:"unknown,omitempty"`
	Notes   []string `json:"notes,omitempty"`
}

// A SweepPoint is what another stop_bits would give.
type SweepPoint struct {
	StopBits float64     `json:"stop_bits"`
	Scores   eval.Scores `json:"scores"`
}

// Evaluate scores the last build against labels. Labelled pairs without counter-examples
// are taken as complete: every other pair of labelled records is two.
func Evaluate(ctx context.Context, wh core.Warehouse, name string, labels Labels, sweep bool) (Evaluation, error) {
	g, err := openGraph(ctx, wh, name)
	if err != nil {
		return Evaluation{}, err
	}
	if _, err := g.readRecords(ctx, wh, nil, nil); err != nil {
		return Evaluation{}, err
	}
	out, err := evaluateGraph(g, labels)
	if err != nil || !sweep {
		return out, err
	}
	if err := g.readEdges(ctx, wh, nil); err != nil {
		return out, err
	}
	e := newEvaluator(g, labels)
	for stop := -4; stop <= 16; stop++ {
		of, err := e.recluster(ctx, float64(stop))
		if err != nil {
			return out, err
		}
		out.Sweep = append(out.Sweep, SweepPoint{float64(stop), e.score(of)})
	}
	out.Notes = append(out.Notes, "the sweep clusters the stored edges again and leaves out those that guards refused")
	return out, nil
}

// evaluateGraph scores the clusters of a graph as they are.
func evaluateGraph(g *graph, labels Labels) (Evaluation, error) {
	e := newEvaluator(g, labels)
	out := Evaluation{Unknown: e.unknown}
	if n := len(e.unknown); n > 0 {
		out.Notes = append(out.Notes, fmt.Sprintf("%d labels name records that do not exist or are not unique, such as %q; they are left out: write records as source.stream:key",
			n, e.unknown[0]))
	}
	if len(e.pairs) == 0 && e.labelled == 0 {
		return out, &core.Error{Kind: core.KindData, Op: "evaluate identity." + g.name, Err: fmt.Errorf("no label names a record of this identity"),
			Try: "write records as source.stream:key"}
	}
	ids := map[string]int32{}
	found := make([]int32, len(e.order))
	for i, uid := range e.order {
		found[i] = numberOf(ids, g.records[uid].ID)
	}
	out.Scores = e.score(found)
	return out, nil
}

func numberOf(numbers map[string]int32, key string) int32 {
	n, ok := numbers[key]
	if !ok {
		n = int32(len(numbers))
		numbers[key] = n
	}
	return n
}

type evaluator struct {
	g        *graph
	order    []uint64 // records in order of UID
	at       map[uint64]int32
	truth    []int32
	pairs    []numberedPair
	negative bool
	labelled int
	unknown  []string
}

type numberedPair struct {
	a, b int32
	same bool
}

func newEvaluator(g *graph, labels Labels) *evaluator {
	e := &evaluator{g: g, at: map[uint64]int32{}}
	for uid := range g.records {
		e.order = append(e.order, uid)
	}
	slices.Sort(e.order)
	names := map[string]int32{} // full names, and keys where unique; -2 where not
	for i, uid := range e.order {
		e.at[uid] = int32(i)
		r := g.records[uid]
		names[r.String()] = int32(i)
		if _, taken := names[r.Key]; taken {
			names[r.Key] = -2
		} else {
			names[r.Key] = int32(i)
		}
	}
	sides := e.sides(labels, names)
	e.truth = make([]int32, len(e.order))
	for i := range e.truth {
		e.truth[i] = -1
	}
	entities := map[string]int32{}
	for record, entity := range labels.Entity {
		if i, ok := names[record]; ok && i >= 0 {
			e.truth[i] = numberOf(entities, entity)
			e.labelled++
		} else {
			e.unknown = append(e.unknown, record)
		}
	}
	for _, p := range labels.Pairs {
		a, b := sides(p.A, 0), sides(p.B, 1)
		if a < 0 || b < 0 {
			e.unknown = append(e.unknown, p.A+" "+p.B)
			continue
		}
		e.pairs = append(e.pairs, numberedPair{a, b, p.Same})
		e.negative = e.negative || !p.Same
	}
	if len(e.pairs) > 0 && !e.negative {
		e.closePairs()
	}
	slices.Sort(e.unknown)
	return e
}

// sides resolves bare keys of pairs between two lists, whose keys may overlap: the left
// ones belong to the list that has more of them.
func (e *evaluator) sides(labels Labels, names map[string]int32) func(string, int) int32 {
	streams := map[string]map[string]int32{}
	for i, uid := range e.order {
		r := e.g.records[uid]
		s := r.Source + "." + r.Stream
		if streams[s] == nil {
			streams[s] = map[string]int32{}
		}
		streams[s][r.Key] = int32(i)
	}
	var best [2]map[string]int32
	for side := range best {
		most := 0
		for _, s := range sortedKeys(streams) {
			hits := 0
			for _, p := range labels.Pairs {
				key := p.A
				if side == 1 {
					key = p.B
				}
				if _, ok := streams[s][key]; ok {
					hits++
				}
			}
			// Two lists with the same keys: the second side takes the other one.
			again := side == 1 && len(streams) > 1 && best[0] != nil && sameMap(best[0], streams[s])
			if hits > most || hits == most && hits > 0 && side == 1 && sameMap(best[0], best[1]) && !again {
				best[side], most = streams[s], hits
			}
		}
	}
	return func(name string, side int) int32 {
		if i, ok := names[name]; ok && i >= 0 {
			return i
		}
		if i, ok := best[side][name]; ok {
			return i
		}
		return -1
	}
}

func sameMap(a, b map[string]int32) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if b[k] != v {
			return false
		}
		return true
	}
	return true
}

func sortedKeys[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// closePairs turns complete pairs into entities. Records of no pair are entities of their
// own.
func (e *evaluator) closePairs() {
	var edges []cluster.Edge
	for _, p := range e.pairs {
		edges = append(edges, cluster.Edge{A: min(p.a, p.b), B: max(p.a, p.b)})
	}
	copy(e.truth, cluster.Components(len(e.order), edges))
	e.labelled, e.pairs = len(e.order), nil
}

func (e *evaluator) score(found []int32) eval.Scores {
	if e.labelled > 0 {
		return eval.Clusters(found, e.truth)
	}
	var right, linked, same int64
	for _, p := range e.pairs {
		together := found[p.a] == found[p.b]
		if together {
			linked++
		}
		if p.same {
			same++
		}
		if together && p.same {
			right++
		}
	}
	return eval.Pairs(right, linked, same)
}

// recluster groups the stored edges with another stop.
func (e *evaluator) recluster(ctx context.Context, stop float64) ([]int32, error) {
	var edges []cluster.Edge
	rules := map[string]int32{}
	for _, x := range e.g.edges {
		a, okA := e.at[x.a]
		b, okB := e.at[x.b]
		if x.outcome == "refused" || !okA || !okB {
			continue
		}
		edge := cluster.Edge{A: min(a, b), B: max(a, b), Bits: int32(x.bits), Rule: int16(numberOf(rules, x.rule)), Tier: cluster.Probable}
		switch x.tier {
		case "must":
			edge.Tier = cluster.Must
		case "exact":
			edge.Tier = cluster.Exact
		}
		edges = append(edges, edge)
	}
	opt := cluster.Options{Stop: int32(stop * 1e6), Missing: int32((stop - 2) * 1e6), Cap: 20e6}
	result, err := cluster.Run(ctx, len(e.order), edges, opt)
	return result.Of, err
}

// Text writes the figures and, after a sweep, a plot of precision, recall and F1.
func (x Evaluation) Text() string {
	var b strings.Builder
	s := x.Scores
	fmt.Fprintf(&b, "pairs      precision %.4f  recall %.4f  F1 %.4f\n", s.Precision, s.Recall, s.F1)
	if s.Records > 0 {
		fmt.Fprintf(&b, "B-cubed    precision %.4f  recall %.4f  F1 %.4f\n", s.B3Precision, s.B3Recall, s.B3)
		fmt.Fprintf(&b, "clusters   over-merged %.2f %%  largest %d  records %d\n", 100*s.OverMerged, s.Largest, s.Records)
	}
	if len(x.Sweep) > 0 {
		b.WriteString("\nstop_bits  precision  recall     F1       0        F1        1\n")
		for _, p := range x.Sweep {
			fmt.Fprintf(&b, "%9.0f  %9.4f  %6.4f  %6.4f  |%s\n", p.StopBits, p.Scores.Precision, p.Scores.Recall, p.Scores.F1,
				strings.Repeat("#", int(p.Scores.F1*40+0.5)))
		}
	}
	for _, n := range x.Notes {
		b.WriteString(n + "\n")
	}
	return b.String()
}

// SVG draws precision, recall and F1 over the thresholds of a sweep.
func (x Evaluation) SVG() string {
	const width, height, left, top = 640.0, 320.0, 40.0, 20.0
	if len(x.Sweep) < 2 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" font-family="sans-serif" font-size="12">`, width+2*left, height+3*top)
	step := width / float64(len(x.Sweep)-1)
	line := func(name, colour string, label float64, value func(eval.Scores) float64) {
		var points []string
		for i, p := range x.Sweep {
			points = append(points, fmt.Sprintf("%.1f,%.1f", left+float64(i)*step, top+height*(1-value(p.Scores))))
		}
		fmt.Fprintf(&b, `<polyline fill="none" stroke="%s" stroke-width="2" points="%s"/><text x="%.0f" y="%.0f" fill="%s">%s</text>`,
			colour, strings.Join(points, " "), left+label, top+height+2*top, colour, name)
	}
	for i := range 5 {
		y := top + height*float64(i)/4
		fmt.Fprintf(&b, `<line x1="%.0f" y1="%.1f" x2="%.0f" y2="%.1f" stroke="#ddd"/><text x="4" y="%.1f">%.2f</text>`, left, y, left+width, y, y+4, 1-float64(i)/4)
	}
	for i, p := range x.Sweep {
		if i%4 == 0 {
			fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" text-anchor="middle">%.0f</text>`, left+float64(i)*step, top+height+16, p.StopBits)
		}
	}
	line("precision", "#2b6cb0", 0, func(s eval.Scores) float64 { return s.Precision })
	line("recall", "#b7791f", 100, func(s eval.Scores) float64 { return s.Recall })
	line("F1", "#2f855a", 180, func(s eval.Scores) float64 { return s.F1 })
	b.WriteString("</svg>")
	return b.String()
}
