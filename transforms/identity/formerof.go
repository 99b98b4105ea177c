package identity

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/identity/naming"
)

// foreseen is how many generations of an id are looked up beforehand.
const foreseen = 2

// readFormerOf reads what the last build published of records that stood, which have a name,
// and of those that have left: their ids, and all ids that these lead to or that the records
// of a frame may mint. stored is the number of records of the last build.
func (m *Model) readFormerOf(ctx context.Context, wh core.Warehouse, f *frame.Frame, stood []recordName, left []uint64, stored int) (*former, error) {
	p := &former{index: map[string]int32{}, names: map[uint64][3]string{}, mayMint: map[string]bool{}}
	gone, err := m.namesOf(ctx, wh, left)
	if err != nil {
		return nil, err
	}
	if p.short = len(gone) < len(left); p.short {
		return p, nil
	}
	for uid, n := range gone {
		p.names[uid] = [3]string{n.source, n.stream, n.key}
		stood = append(stood, n)
	}
	entries, err := m.readMapOf(ctx, wh, stood, stored)
	if err != nil {
		return nil, err
	}
	held := map[string]bool{}
	for _, e := range entries {
		held[e.id] = true
	}
	for r := range int32(f.Len()) {
		for generation := range foreseen {
			p.mayMint[m.mintID(f, r, generation)] = true
		}
	}
	if err := m.readIDsOf(ctx, wh, p, held, stored); err != nil {
		return nil, err
	}
	add := p.add
	for _, k := range p.known { // what a former id leads to is in use, whoever holds it
		if _, ok := p.index[k.Current]; !ok && k.Current != "" {
			add(naming.Known{ID: k.Current, Active: true, Elsewhere: true})
		}
	}
	slices.SortFunc(entries, func(a, b mapEntry) int { return cmp.Compare(a.uid, b.uid) })
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

func (p *former) add(k naming.Known) {
	p.index[k.ID] = int32(len(p.known))
	p.known = append(p.known, k)
}

// A mapEntry is a row of the map.
type mapEntry struct {
	uid uint64
	id  string
}

// readMapOf reads the rows of the map of some of the stored records.
func (m *Model) readMapOf(ctx context.Context, wh core.Warehouse, names []recordName, stored int) ([]mapEntry, error) {
	wanted := make(map[uint64]bool, len(names))
	for _, n := range names {
		wanted[frame.UID(n.source, n.stream, n.key)] = true
	}
	var keys arrow.RecordBatch
	if worthSeeking(len(names), stored) {
		keys = nameKeys(names)
		defer keys.Release()
	}
	var out []mapEntry
	err := m.scanSome(ctx, wh, tableMap, keys, func(r tableRow) {
		if uid := frame.UID(r.view(0), r.view(1), r.view(2)); wanted[uid] {
			out = append(out, mapEntry{uid, r.text(3)})
		}
	})
	return out, err
}

// readIDsOf adds the ids that are held or may be minted, and those that lead to a held one.
func (m *Model) readIDsOf(ctx context.Context, wh core.Warehouse, p *former, held map[string]bool, stored int) error {
	take := func(r tableRow) {
		id := r.view(0)
		if _, known := p.index[id]; known || !held[id] && !p.mayMint[id] && !held[r.view(3)] {
			return
		}
		k := naming.Known{ID: r.text(0), Born: r.number(1), Active: r.flag(2), Current: r.text(3)}
		k.Elsewhere = k.Active && !held[k.ID]
		p.add(k)
	}
	if !worthSeeking(len(held)+len(p.mayMint), stored) {
		return m.scanRows(ctx, wh, tableID, func(r tableRow) {
			p.build = max(p.build, r.number(1))
			take(r)
		})
	}
	if err := m.scanRows(ctx, wh, tableID, func(r tableRow) { p.build = max(p.build, r.number(0)) }, "born"); err != nil {
		return err
	}
	all := maps.Clone(held)
	maps.Copy(all, p.mayMint)
	for i, column := range []string{m.idColumn(), "current"} {
		list := slices.Sorted(maps.Keys([]map[string]bool{all, held}[i]))
		keys := textKeys([]string{column}, len(list), func(i, _ int) string { return list[i] })
		err := m.scanSome(ctx, wh, tableID, keys, take)
		keys.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

// lastBuild finds the number of the last build.
func (m *Model) lastBuild(ctx context.Context, wh core.Warehouse, p *former) error {
	return m.scanRows(ctx, wh, tableMetric, func(r tableRow) { p.build = max(p.build, r.number(0)) }, "build")
}
