package cluster

import "slices"

// worker clusters one component after the other, reusing its space. Components share no
// record, so workers write to disjoint parts of edges and of.
type worker struct {
	opt    Options
	edges  []Edge
	of     []int32
	vetoes []Veto

	nodes   []int32           // record numbers of the component, ascending
	group   []int32           // union-find over positions in nodes
	members [][]int32         // record numbers by root
	links   []map[int32]total // by root: other root -> observed weights
}

type total struct {
	sum   int64
	pairs int32
}

func (w *worker) component(edges []int32) {
	w.load(edges)
	var weak []int32
	for _, e := range edges {
		if w.take(e) == Weak {
			weak = append(weak, e)
		}
	}
	for _, e := range weak {
		w.take(e)
	}
	for i, record := range w.nodes {
		root := find(w.group, int32(i))
		w.of[record] = w.members[root][0]
	}
}

func (w *worker) load(edges []int32) {
	w.nodes = w.nodes[:0]
	for _, e := range edges {
		w.nodes = append(w.nodes, w.edges[e].A, w.edges[e].B)
	}
	slices.Sort(w.nodes)
	w.nodes = slices.Compact(w.nodes)
	n := len(w.nodes)
	w.group = w.group[:0]
	w.members = slices.Grow(w.members[:0], n)[:n]
	w.links = slices.Grow(w.links[:0], n)[:n]
	for i := range n {
		w.group = append(w.group, int32(i))
		w.members[i] = []int32{w.nodes[i]}
		w.links[i] = nil
	}
	if w.opt.Method == ConnectedComponents || n == 2 && len(edges) == 1 {
		return
	}
	w.observe(edges)
}

// observe fills links; of several edges between two records the heaviest counts.
func (w *worker) observe(edges []int32) {
	for _, e := range edges {
		edge := w.edges[e]
		a, b := w.position(edge.A), w.position(edge.B)
		bits := int64(min(edge.Bits, w.opt.Cap))
		w.link(a, b, bits)
		w.link(b, a, bits)
	}
}

func (w *worker) link(a, b int32, bits int64) {
	if w.links[a] == nil {
		w.links[a] = map[int32]total{}
	}
	if have, ok := w.links[a][b]; !ok || bits > have.sum {
		w.links[a][b] = total{bits, 1}
	}
}

func (w *worker) position(record int32) int32 {
	i, _ := slices.BinarySearch(w.nodes, record)
	return int32(i)
}

// take decides one edge and records the outcome.
func (w *worker) take(e int32) Outcome {
	edge := &w.edges[e]
	a, b := find(w.group, w.position(edge.A)), find(w.group, w.position(edge.B))
	if a == b {
		edge.Outcome = Inside
		return Inside
	}
	if !w.enough(a, b, *edge) {
		edge.Outcome = Weak
		return Weak
	}
	if w.opt.Guard != nil {
		if reason := w.opt.Guard(w.members[a], w.members[b], *edge); reason != "" {
			edge.Outcome = Refused
			w.vetoes = append(w.vetoes, Veto{e, reason})
			return Refused
		}
	}
	w.union(a, b)
	edge.Outcome = Merged
	return Merged
}

// enough compares sums, not quotients, so that all engines agree to the last bit.
func (w *worker) enough(a, b int32, e Edge) bool {
	if e.Tier == Must || e.Tier == Exact && !w.opt.Strict {
		return true
	}
	if w.opt.Method == ConnectedComponents {
		return e.Tier == Exact || e.Bits > w.opt.Stop
	}
	pairs := int64(len(w.members[a])) * int64(len(w.members[b]))
	seen := total{int64(min(e.Bits, w.opt.Cap)), 1}
	if w.links[a] != nil {
		seen = w.links[a][b]
	}
	missing := w.opt.Missing
	if e.Tier == Exact {
		missing = 0 // an unseen pair says nothing against a rule
	}
	sum := seen.sum + int64(missing)*(pairs-int64(seen.pairs))
	return sum > int64(w.opt.Stop)*pairs
}

// union joins the cluster with fewer links into the other; members stay sorted.
func (w *worker) union(a, b int32) {
	if len(w.links[a]) < len(w.links[b]) {
		a, b = b, a
	}
	w.group[b] = a
	w.members[a] = append(w.members[a], w.members[b]...)
	slices.Sort(w.members[a])
	w.members[b] = nil
	delete(w.links[a], b)
	for other, t := range w.links[b] {
		if other == a {
			continue
		}
		have := w.links[a][other]
		merged := total{have.sum + t.sum, have.pairs + t.pairs}
		w.links[a][other] = merged
		delete(w.links[other], b)
		w.links[other][a] = merged
	}
	w.links[b] = nil
}
