package identity

import (
	"context"
	"maps"
	"slices"

	"github.com/zeebo/xxh3"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity/cluster"
	"github.com/unsilo/unsilo/transforms/identity/frame"
)

// A keptEdge is a row of the edge table.
type keptEdge struct {
	a, b                uint64
	tier, rule, outcome string
	pattern, bits       int64
}

func (e *keptEdge) hash() uint64 {
	return mixed(xxh3.HashString(e.tier) + 3*xxh3.HashString(e.rule) + 5*xxh3.HashString(e.outcome) + 7*mixed(uint64(e.pattern)) + 11*mixed(uint64(e.bits)))
}

// readEdges reads the stored edges between affected records, and all of stale and gone ones.
func (n *narrowing) readEdges(ctx context.Context) error {
	words := map[string]string{}
	word := func(v string) string {
		if w, ok := words[v]; ok {
			return w
		}
		v = string([]byte(v)) // it is good until the next row
		words[v] = v
		return v
	}
	var list []uint64
	some := newSieve()
	for i, uid := range n.uids {
		if n.affected[i] || n.state[i] != stood {
			list = append(list, uid)
			some.add(uid)
		}
	}
	touched := func(at int32) bool { return n.affected[at] || n.state[at] != stood }
	keep := func(r tableRow, second bool) {
		one, two := uint64(r.number(0)), uint64(r.number(1))
		if !some.holds(one) && !some.holds(two) {
			return
		}
		a, known := n.at.Find(one)
		b, also := n.at.Find(two)
		if !known || !also || second && touched(a) {
			return // by its first end it was read already
		}
		if n.affected[a] && n.affected[b] || n.state[a] != stood || n.state[b] != stood {
			n.old = append(n.old, keptEdge{n.uids[a], n.uids[b], word(r.view(2)), word(r.view(3)), word(r.view(6)), r.number(4), r.number(5)})
		}
	}
	if !worthSeeking(len(list), len(n.uids)) {
		return n.model.scanRows(ctx, n.req.Warehouse, tableEdge, func(r tableRow) { keep(r, false) })
	}
	for second, end := range []string{"a", "b"} {
		keys := hashKeys(end, list)
		err := n.model.scanSome(ctx, n.req.Warehouse, tableEdge, keys, func(r tableRow) { keep(r, second > 0) })
		keys.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

// mayLose reports whether a record is stale or gone.
func (n *narrowing) mayLose(uid uint64) bool {
	at, ok := n.at.Find(uid)
	return ok && n.state[at] != stood
}

// addEdges adds the stored edges of likeness between records that stand, and those that
// compare found.
func (n *narrowing) addEdges(context.Context) error {
	here := frame.NewIndex(n.frame.UID)
	add := func(a, b uint64, bits int32, pattern uint64) bool {
		x, ok1 := here.Find(a)
		y, ok2 := here.Find(b)
		if ok1 && ok2 {
			n.edges = append(n.edges, cluster.Edge{A: min(x, y), B: max(x, y), Bits: bits, Tier: cluster.Probable, Pattern: pattern})
		}
		return ok1 && ok2
	}
	probable, before := cluster.Probable.String(), len(n.edges)
	for i := range n.old {
		if e := &n.old[i]; e.tier == probable && !n.mayLose(e.a) && !n.mayLose(e.b) {
			add(e.a, e.b, int32(e.bits), uint64(e.pattern))
		}
	}
	n.measure("edges.kept", float64(len(n.edges)-before))
	for _, m := range n.matches {
		if !add(m.a, m.b, m.bits, m.pattern) {
			n.loose = append(n.loose, m)
		}
	}
	return nil
}

// edgesNow lists the edges as they are to be stored.
func (n *narrowing) edgesNow() []keptEdge {
	out := make([]keptEdge, 0, len(n.edges)+len(n.loose))
	for _, e := range n.edges {
		out = append(out, keptEdge{n.frame.UID[e.A], n.frame.UID[e.B], e.Tier.String(), n.ruleOf(e), e.Outcome.String(), int64(e.Pattern), int64(e.Bits)})
	}
	for _, m := range n.loose {
		out = append(out, keptEdge{m.a, m.b, cluster.Probable.String(), n.ruleOf(cluster.Edge{Tier: cluster.Probable}), cluster.Weak.String(),
			int64(m.pattern), int64(m.bits)})
	}
	return out
}

// writeEdges stores the edges of those pairs whose edges are not as they were.
func (n *narrowing) writeEdges(ctx context.Context, tx core.Tx) error {
	type ends struct{ a, b uint64 }
	sums := make(map[ends]uint64, len(n.old))
	for i := range n.old {
		e := &n.old[i]
		sums[ends{e.a, e.b}] += e.hash()
	}
	now := n.edgesNow()
	for i := range now {
		e := &now[i]
		sums[ends{e.a, e.b}] -= e.hash()
	}
	differs := func(e keptEdge) bool { return sums[ends{e.a, e.b}] != 0 }
	removed := slices.DeleteFunc(slices.Clone(n.old), func(e keptEdge) bool { return !differs(e) })
	added := slices.DeleteFunc(now, func(e keptEdge) bool { return !differs(e) })
	t := n.model.output(tableEdge)
	t.Key = []string{"a", "b"} // all edges of a pair go
	err := storeRows(ctx, tx, t, core.WriteDelete, len(removed), func(i int, w *rowWriter) {
		w.add(int64(removed[i].a), int64(removed[i].b), nil, nil, nil, nil, nil)
	})
	if err != nil {
		return err
	}
	t.Key = nil
	if err := storeRows(ctx, tx, t, core.WriteAppend, len(added), func(i int, w *rowWriter) {
		e := &added[i]
		w.number(0, int64(e.a))
		w.number(1, int64(e.b))
		w.text(2, e.tier)
		w.text(3, e.rule)
		w.number(4, e.pattern)
		w.number(5, e.bits)
		w.text(6, e.outcome)
		w.end()
	}); err != nil {
		return err
	}
	all := make([]bool, n.frame.Len())
	for r := range all {
		all[r] = true
	}
	return n.rewrite(ctx, tx, n.model.output(tableVeto), all, len(n.result.Vetoes), func(i int, w *rowWriter) { n.vetoRow(n.result.Vetoes[i], w) })
}

// writeKeys stores the keys of fresh records and drops those of gone ones.
func (n *narrowing) writeKeys(ctx context.Context, tx core.Tx) error {
	table := n.model.output(tableKey)
	if err := n.storeRecords(ctx, tx, table, n.changed(), func(r int32, w *rowWriter) {
		at, _ := n.fresh.Find(n.frame.UID[r])
		keysRow(n.frame.UID[r], &n.keys[at], w)
	}); err != nil {
		return err
	}
	left := n.leaving()
	return storeRows(ctx, tx, table, core.WriteDelete, len(left), func(i int, w *rowWriter) { w.key(int64(left[i])) })
}

// writeTerms drops the frequencies of values that nobody holds any more.
func (n *narrowing) writeTerms(ctx context.Context, tx core.Tx) error {
	lost := map[uint64]bool{}
	for _, keys := range n.formerKeys {
		for _, key := range keys.terms {
			if c := n.tally.counts[key]; c.before+c.more-c.less <= 0 {
				lost[key] = true
			}
		}
	}
	var dropped []uint64
	for _, of := range n.terms {
		maps.DeleteFunc(of.shared, func(h uint64, _ int32) bool {
			if lost[h] {
				dropped = append(dropped, h)
			}
			return lost[h]
		})
	}
	t := n.model.output(tableTerm)
	t.Key = []string{"value"}
	return storeRows(ctx, tx, t, core.WriteDelete, len(dropped), func(i int, w *rowWriter) { w.add(nil, int64(dropped[i]), nil) })
}

// storedModel is the last one, with what has changed since.
func (n *narrowing) storedModel() trained {
	t := *n.last
	for i, s := range n.state {
		if s != stood {
			t.Digest -= recordDigest(n.uids[i], n.contents[i])
		}
	}
	for r, uid := range n.frame.UID {
		if n.altered[r] {
			t.Digest += recordDigest(uid, n.content[r])
		}
	}
	t.TermRows = 0
	for _, of := range n.terms {
		t.TermRows += len(of.shared)
	}
	return t
}

// summarise counts clusters and their sizes, edges and refused links: those of the last
// build, without what was touched and with what became of it.
func (n *narrowing) summarise(ctx context.Context) error {
	sizes, small := map[int]int{}, [64]int{} // nearly all are
	err := n.model.scanRows(ctx, n.req.Warehouse, tableGolden, func(r tableRow) {
		if size := int(r.number(0)); size >= 0 && size < len(small) {
			small[size]++
		} else {
			sizes[size]++
		}
	}, "records")
	if err != nil {
		return err
	}
	for size, n := range small {
		sizes[size] += n
	}
	before := make([]int, len(n.pipeline.former.known))
	for _, k := range n.pipeline.former.idOf {
		before[k]++
	}
	for _, size := range before {
		if size > 0 { // the others are ids that were, or may be
			sizes[size]--
		}
	}
	for _, c := range n.clusters {
		sizes[len(c)]++
	}
	refused := len(n.result.Vetoes)
	err = n.model.scanRows(ctx, n.req.Warehouse, tableVeto, func(r tableRow) {
		if at, ok := n.at.Find(uint64(r.number(0))); ok && n.state[at] == stood && !n.affected[at] {
			refused++
		}
	}, "a")
	n.count(sizes, refused)
	n.measure("edges", float64(n.edgesBefore-int64(len(n.old))+int64(len(n.edges)+len(n.loose))))
	return err
}
