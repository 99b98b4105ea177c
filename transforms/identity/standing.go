package identity

import (
	"context"

	"github.com/zeebo/xxh3"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity/cluster"
)

// standing is a number for each record that changes with any of its edges: what the last
// build stored of them. An edge counts at both of its ends.
type standing []uint64

// add counts an edge; b is below 0 when the other end has left.
func (s standing) add(a, b int32, tier, rule string, pattern, bits int64, outcome string) {
	h := xxh3.HashString(tier) + 3*xxh3.HashString(rule) + 5*xxh3.HashString(outcome) + 7*mixed(uint64(pattern)) + 11*mixed(uint64(bits))
	for _, end := range [2][2]int32{{a, b}, {b, a}} {
		if end[0] >= 0 {
			s[end[0]] += mixed(h + uint64(uint32(end[1]))<<20)
		}
	}
}

// touchedRecords tells the records of which an edge is not as the last build stored it.
func (p *pipeline) touchedRecords() []bool {
	now := make(standing, p.frame.Len())
	for _, e := range p.edges {
		now.add(e.A, e.B, e.Tier.String(), p.ruleOf(e), int64(e.Pattern), int64(e.Bits), e.Outcome.String())
	}
	touched := make([]bool, len(now))
	for r := range now {
		touched[r] = now[r] != p.standing[r]
	}
	return touched
}

// updateEdges stores the edges of touched records, and the vetoes of all records that are
// connected to one or that say something else than before, of all when other decisions are in
// force: how a group came to be decides what is refused.
func (p *pipeline) updateEdges(ctx context.Context, tx core.Tx) error {
	touched := p.touchedRecords()
	if err := p.rewrite(ctx, tx, p.model.output(tableEdge), touched, len(p.edges), func(i int, w *rowWriter) {
		if touched[p.edges[i].A] {
			p.edgeRow(p.edges[i], w)
		}
	}); err != nil {
		return err
	}
	component := cluster.Components(p.frame.Len(), p.edges)
	stirred := make([]bool, len(component))
	for r, root := range component {
		if touched[r] || p.altered[r] || p.trainedOn.Decided != p.decided {
			stirred[root] = true
		}
	}
	for r, root := range component { // roots come before their records
		stirred[r] = stirred[root]
	}
	return p.rewrite(ctx, tx, p.model.output(tableVeto), stirred, len(p.result.Vetoes), func(i int, w *rowWriter) {
		if v := p.result.Vetoes[i]; stirred[p.edges[v.Edge].A] {
			p.vetoRow(v, w)
		}
	})
}

// rewrite replaces the rows whose first record is picked, or has left.
func (p *pipeline) rewrite(ctx context.Context, tx core.Tx, t core.Table, picked []bool, n int, item func(i int, w *rowWriter)) error {
	keys := p.gone()
	for r, is := range picked {
		if is {
			keys = append(keys, p.frame.UID[r])
		}
	}
	t.Key = []string{"a"} // all rows of a record go
	err := storeRows(ctx, tx, t, core.WriteDelete, len(keys), func(i int, w *rowWriter) { w.key(int64(keys[i])) })
	if err != nil {
		return err
	}
	t.Key = nil
	return storeRows(ctx, tx, t, core.WriteAppend, n, item)
}
