package identity

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity/fs"
)

// A Record names one record of a stream.
type Record struct {
	Source string `json:"source"`
	Stream string `json:"stream"`
	Key    string `json:"record_key"`
	// ID is the person, firm or thing that it belongs to.
	ID string `json:"id,omitempty"`
}

// String gives source.stream:key, the form that the commands take.
func (r Record) String() string { return r.Source + "." + r.Stream + ":" + r.Key }

// A Step is one edge between two records: why they belong together, or why not.
type Step struct {
	A Record `json:"a"`
	B Record `json:"b"`
	// Tier is must, exact or probable; Rule the rule's name.
	Tier string `json:"tier"`
	Rule string `json:"rule"`
	// Bits is the weight of evidence; 0 and above is more likely than not.
	Bits    float64 `json:"bits"`
	Outcome string  `json:"outcome"`
	// Evidence breaks the bits of a probable edge down.
	Evidence []Evidence `json:"evidence,omitempty"`
	// Reason tells why a guard refused the edge.
	Reason string `json:"reason,omitempty"`

	pattern uint64
}

// Evidence is what one comparison says.
type Evidence struct {
	Comparison string  `json:"comparison"`
	Level      string  `json:"level"`
	Bits       float64 `json:"bits"`
}

// An Explanation tells who a record is and why.
type Explanation struct {
	Identity string   `json:"identity"`
	Subject  string   `json:"subject"`
	ID       string   `json:"id,omitempty"`
	Records  []Record `json:"records"`
	// Path holds the edges that join the records: of a person the merge tree, of two
	// records the way from one to the other.
	Path []Step `json:"path"`
	// Refused are edges of these records that a guard refused; Weak ones that had too
	// little evidence.
	Refused []Step   `json:"refused,omitempty"`
	Weak    []Step   `json:"weak,omitempty"`
	Notes   []string `json:"notes,omitempty"`
	// Values tell what the records say, by their names; see Model.Show.
	Values map[string][]Value `json:"values,omitempty"`
}

// Explain tells, from the tables of the last build, who a record or an id is, or how two
// records belong together. A subject is an id, a record as source.stream:key, or a bare
// key when only one record has it.
func Explain(ctx context.Context, wh core.Warehouse, name string, subjects ...string) (Explanation, error) {
	g, err := loadAround(ctx, wh, name, subjects)
	if err != nil {
		return Explanation{}, err
	}
	out := Explanation{Identity: name, Subject: strings.Join(subjects, " ")}
	switch len(subjects) {
	case 1:
		id, uids, err := g.find(subjects[0])
		if err != nil {
			return out, err
		}
		out.ID = id
		return g.explainCluster(out, uids, id), nil
	case 2:
		return g.explainPair(out, subjects[0], subjects[1])
	}
	return out, &core.Error{Kind: core.KindConfig, Op: "explain", Err: fmt.Errorf("name one or two records, not %d", len(subjects))}
}

// find resolves a subject to an id and its records.
func (g *graph) find(subject string) (string, []uint64, error) {
	var ids []string
	for _, r := range g.records {
		if r.ID == subject || r.String() == subject || r.Key == subject {
			ids = append(ids, r.ID)
		}
	}
	slices.Sort(ids)
	switch ids = slices.Compact(ids); len(ids) {
	case 0:
		return "", nil, &core.Error{Kind: core.KindConfig, Op: "explain", Err: fmt.Errorf("no record and no %s is called %q", g.name, subject),
			Try: "write a record as source.stream:key, such as crm.contacts:17"}
	case 1:
		return ids[0], g.members(ids[0]), nil
	}
	return "", nil, &core.Error{Kind: core.KindConfig, Op: "explain", Err: fmt.Errorf("%q is the key of records of %d %ss", subject, len(ids), g.name),
		Try: "write the record as source.stream:key, such as crm.contacts:17"}
}

// findRecord resolves a subject to one record; of an id it is the first.
func (g *graph) findRecord(subject string) (uint64, error) {
	for uid, r := range g.records {
		if r.String() == subject {
			return uid, nil
		}
	}
	_, uids, err := g.find(subject)
	if err != nil {
		return 0, err
	}
	for _, uid := range uids {
		if g.records[uid].Key == subject {
			return uid, nil
		}
	}
	return uids[0], nil
}

func (g *graph) members(id string) []uint64 {
	var uids []uint64
	for uid, r := range g.records {
		if r.ID == id {
			uids = append(uids, uid)
		}
	}
	slices.Sort(uids)
	return uids
}

func (g *graph) step(e storedEdge) Step {
	s := Step{A: g.records[e.a], B: g.records[e.b], Tier: e.tier, Rule: e.rule, Bits: float64(e.bits) / 1e6, Outcome: e.outcome,
		Reason: g.vetoes[pair64{e.a, e.b}], pattern: e.pattern}
	if e.tier == "probable" && g.model != nil {
		s.Evidence = g.model.evidence(e.pattern, e.bits)
	}
	return s
}

func (g *graph) explainCluster(out Explanation, uids []uint64, id string) Explanation {
	in := map[uint64]bool{}
	for _, uid := range uids {
		in[uid] = true
		out.Records = append(out.Records, g.records[uid])
	}
	slices.SortFunc(out.Records, func(a, b Record) int { return strings.Compare(a.String(), b.String()) })
	for _, e := range g.edges {
		switch {
		case !in[e.a] && !in[e.b]:
		case e.outcome == "merged" && in[e.a] && in[e.b]:
			out.Path = append(out.Path, g.step(e))
		case e.outcome == "refused":
			out.Refused = append(out.Refused, g.step(e))
		case e.outcome == "weak" && in[e.a] != in[e.b]:
			out.Weak = append(out.Weak, g.step(e))
		}
	}
	slices.SortStableFunc(out.Weak, func(a, b Step) int { return compareFloat(b.Bits, a.Bits) })
	out.Weak = out.Weak[:min(len(out.Weak), 5)]
	if len(uids) == 1 && len(out.Path) == 0 {
		out.Notes = append(out.Notes, fmt.Sprintf("no other record was found to be this %s", g.name))
	}
	return out
}

func compareFloat(a, b float64) int {
	if a < b {
		return -1
	}
	if a > b {
		return 1
	}
	return 0
}

// explainPair gives the way from a to b along the edges that merged them.
func (g *graph) explainPair(out Explanation, a, b string) (Explanation, error) {
	from, err := g.findRecord(a)
	if err != nil {
		return out, err
	}
	to, err := g.findRecord(b)
	if err != nil {
		return out, err
	}
	out.Records = []Record{g.records[from], g.records[to]}
	if g.records[from].ID != g.records[to].ID {
		out.Notes = append(out.Notes, fmt.Sprintf("they are two of %s: ask unsilo identity why-not %s %s", g.name, a, b))
		return out, nil
	}
	out.ID = g.records[from].ID
	out.Path = g.path(from, to)
	return out, nil
}

// path searches breadth first among merged edges; in a cluster they form a tree.
func (g *graph) path(from, to uint64) []Step {
	next := map[uint64][]int{}
	for i, e := range g.edges {
		if e.outcome == "merged" {
			next[e.a] = append(next[e.a], i)
			next[e.b] = append(next[e.b], i)
		}
	}
	came := map[uint64]int{from: -1}
	queue := []uint64{from}
	for len(queue) > 0 && queue[0] != to {
		at := queue[0]
		queue = queue[1:]
		for _, i := range next[at] {
			other := g.edges[i].a ^ g.edges[i].b ^ at
			if _, seen := came[other]; !seen {
				came[other] = i
				queue = append(queue, other)
			}
		}
	}
	var steps []Step
	for at := to; at != from; {
		i, ok := came[at]
		if !ok {
			return nil
		}
		steps = append(steps, g.step(g.edges[i]))
		at ^= g.edges[i].a ^ g.edges[i].b
	}
	slices.Reverse(steps)
	return steps
}

// bands gives the weights, in millionths of a bit, between which a pair is a question.
func (g *graph) bands() (low, high int64) {
	low, high = bandBits(0.2), bandBits(0.99)
	if g.model != nil && g.model.Keep != 0 {
		low, high = g.model.Keep, g.model.Link
	}
	return low, high
}

// bandBits is the weight of a probability, in millionths of a bit.
func bandBits(p float64) int64 { return int64(math.Round(1e6 * math.Log2(p/(1-p)))) }

func probability(micro int64) float64 { return fs.Probability(micro) }
