package identity

import (
	"cmp"
	"context"
	"slices"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/identity/naming"
)

// foreseen is how many generations of an id are looked up beforehand.
const foreseen = 2

// readFormerOf reads what the last build published of the records of a frame and of those
// that have left: their ids, and all ids that these lead to or that may be minted.
func (m *Model) readFormerOf(ctx context.Context, wh core.Warehouse, f *frame.Frame, left []uint64) (*former, error) {
	p := &former{index: map[string]int32{}, names: map[uint64][3]string{}, mayMint: map[string]bool{}}
	here, gone := frame.NewIndex(f.UID), frame.NewIndex(left)
	type entry struct {
		uid uint64
		id  string
	}
	var entries []entry
	held := map[string]bool{}
	if err := m.scanRows(ctx, wh, tableMap, func(r tableRow) {
		uid := frame.UID(r.view(0), r.view(1), r.view(2))
		_, is := here.Find(uid)
		if _, was := gone.Find(uid); was {
			is, p.names[uid] = true, [3]string{r.text(0), r.text(1), r.text(2)}
		}
		if is {
			id := r.text(3)
			entries, held[id] = append(entries, entry{uid, id}), true
		}
	}); err != nil {
		return nil, err
	}
	for r := range int32(f.Len()) {
		for generation := range foreseen {
			p.mayMint[m.mintID(f, r, generation)] = true
		}
	}
	add := func(k naming.Known) {
		p.index[k.ID] = int32(len(p.known))
		p.known = append(p.known, k)
	}
	if err := m.scanRows(ctx, wh, tableID, func(r tableRow) {
		p.build = max(p.build, r.number(1))
		if held[r.view(0)] || p.mayMint[r.view(0)] || held[r.view(3)] {
			k := naming.Known{ID: r.text(0), Born: r.number(1), Active: r.flag(2), Current: r.text(3)}
			k.Elsewhere = k.Active && !held[k.ID]
			add(k)
		}
	}); err != nil {
		return nil, err
	}
	for _, k := range p.known { // what a former id leads to is in use, whoever holds it
		if _, ok := p.index[k.Current]; !ok && k.Current != "" {
			add(naming.Known{ID: k.Current, Active: true, Elsewhere: true})
		}
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.uid, b.uid) })
	for _, e := range entries {
		at, ok := p.index[e.id]
		if !ok { // the list of ids was lost
			p.short = true
			return p, nil
		}
		p.uids, p.idOf = append(p.uids, e.uid), append(p.idOf, at)
	}
	p.lookup = frame.NewIndex(p.uids)
	return p, m.lastBuild(ctx, wh, p)
}

// lastBuild finds the number of the last build.
func (m *Model) lastBuild(ctx context.Context, wh core.Warehouse, p *former) error {
	return m.scanRows(ctx, wh, tableMetric, func(r tableRow) { p.build = max(p.build, r.number(0)) }, "build")
}
