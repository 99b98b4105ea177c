package cluster

import "slices"

// worker clusters one component after the other, reusing its space. Components share no
// record, so workers write to disjoint parts of edges, of and position.
type worker struct {
	opt    Options
	edges  []Edge
	of     []int32
	vetoes []Veto
	// position of a record in nodes, -1 before its component's turn.
	position []int32

	nodes   []int32   // record numbers of the component, ascending
	single  []int32   // a copy of nodes, in which members start
	group   []int32   // union-find over positions in nodes
	members [][]int32 // record numbers by root
	weak    []int32   // edges that had too little evidence at their turn
	links   links
}

// component clusters the component whose edges are those from one number to another.
func (w *worker) component(from, to int32) {
	edges := w.edges[from:to]
	slices.SortFunc(edges, Compare)
	w.load(edges)
	w.weak = w.weak[:0]
	for e := from; e < to; e++ {
		if w.take(e) == Weak {
			w.weak = append(w.weak, e)
		}
	}
	for _, e := range w.weak {
		w.take(e)
	}
	for i, record := range w.nodes {
		root := find(w.group, int32(i))
		w.of[record] = w.members[root][0]
	}
}

func (w *worker) load(edges []Edge) {
	w.nodes = w.nodes[:0]
	for i := range edges {
		for _, record := range [2]int32{edges[i].A, edges[i].B} {
			if w.position[record] < 0 {
				w.position[record] = 0
				w.nodes = append(w.nodes, record)
			}
		}
	}
	slices.Sort(w.nodes)
	n := len(w.nodes)
	w.single = append(w.single[:0], w.nodes...)
	w.group = w.group[:0]
	w.members = slices.Grow(w.members[:0], n)[:n]
	for i, record := range w.nodes {
		w.position[record] = int32(i)
		w.group = append(w.group, int32(i))
		w.members[i] = w.single[i : i+1 : i+1]
	}
	w.links.used = w.opt.Method != ConnectedComponents && (n > 2 || len(edges) > 1)
	if w.links.used {
		w.links.reset(n)
		w.observe(edges)
	}
}

// observe fills links; of several edges between two records the heaviest counts.
func (w *worker) observe(edges []Edge) {
	for i := range edges {
		edge := &edges[i]
		w.links.add(w.position[edge.A], w.position[edge.B], int64(min(edge.Bits, w.opt.Cap)))
	}
}

// take decides one edge and records the outcome.
func (w *worker) take(e int32) Outcome {
	edge := &w.edges[e]
	a, b := find(w.group, w.position[edge.A]), find(w.group, w.position[edge.B])
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
	if w.links.used {
		seen = w.links.between(a, b)
	}
	missing := w.opt.Missing
	if e.Tier == Exact {
		missing = 0 // an unseen pair says nothing against a rule
	}
	sum := seen.sum + int64(missing)*(pairs-int64(seen.pairs))
	return sum > int64(w.opt.Stop)*pairs
}

// union joins the cluster that is less work to move into the other; members stay sorted.
func (w *worker) union(a, b int32) {
	if w.links.size(a, len(w.members[a])) < w.links.size(b, len(w.members[b])) {
		a, b = b, a
	}
	w.group[b] = a
	w.members[a] = mergeSorted(w.members[a], w.members[b])
	w.members[b] = nil
	if w.links.used {
		w.links.join(a, b)
	}
}

// mergeSorted adds b to a, both ascending, from the end, so that it needs no other space.
func mergeSorted(a, b []int32) []int32 {
	i, j := len(a)-1, len(b)-1
	a = append(a, b...)
	for k := len(a) - 1; j >= 0; k-- {
		if i >= 0 && a[i] > b[j] {
			a[k] = a[i]
			i--
		} else {
			a[k] = b[j]
			j--
		}
	}
	return a
}
