package identity

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity/cluster"
	"github.com/unsilo/unsilo/transforms/identity/frame"
)

// graph is what the stored tables say of all records, or of some.
type graph struct {
	store
	records map[uint64]Record
	edges   []storedEdge
	vetoes  map[pair64]string
	model   *trained
}

type pair64 struct{ a, b uint64 }

type storedEdge struct {
	a, b       uint64
	tier, rule string
	pattern    uint64
	bits       int64
	outcome    string
}

// openGraph makes an empty graph with the stored model.
func openGraph(ctx context.Context, wh core.Warehouse, name string) (*graph, error) {
	g := &graph{store: store{name}, records: map[uint64]Record{}, vetoes: map[pair64]string{}}
	exists, err := hasTable(ctx, wh, g.tableOf(tableMap))
	if err != nil {
		return nil, err
	}
	if !exists {
		return nil, &core.Error{Kind: core.KindConfig, Op: "read identity." + name, Err: fmt.Errorf("it has never been built"), Try: "unsilo run"}
	}
	g.model, err = loadModel(ctx, wh, g.store)
	return g, err
}

// loadAround reads what is said of subjects: each is an id, a record or its bare key. The
// graph holds all records of their persons, every edge of these with the records at its
// other end, and the records also given.
func loadAround(ctx context.Context, wh core.Warehouse, name string, subjects []string, also ...Record) (*graph, error) {
	g, err := openGraph(ctx, wh, name)
	if err != nil {
		return nil, err
	}
	keys, ids := slices.Clone(subjects), map[string]bool{}
	for _, s := range subjects {
		if r, ok := ParseRecord(s); ok {
			keys = append(keys, r.Key)
		}
		ids[s] = true
	}
	named, err := g.readRecords(ctx, wh, textKeys([]string{"record_key"}, len(keys), func(i, _ int) string { return keys[i] }), func(r Record) bool {
		return slices.Contains(subjects, r.Key) || slices.Contains(subjects, r.String())
	})
	if err != nil {
		return nil, err
	}
	for _, uid := range named {
		ids[g.records[uid].ID] = true
	}
	list := slices.Sorted(maps.Keys(ids))
	members, err := g.readRecords(ctx, wh, textKeys([]string{g.idColumn()}, len(list), func(i, _ int) string { return list[i] }), nil)
	if err != nil {
		return nil, err
	}
	if err := g.readEdges(ctx, wh, members); err != nil {
		return nil, err
	}
	g.sortEdges()
	return g, g.readEnds(ctx, wh, also)
}

// readEnds reads the records at the ends of edges that are not known yet, and those also
// given.
func (g *graph) readEnds(ctx context.Context, wh core.Warehouse, also []Record) error {
	var missing []uint64
	for _, e := range g.edges {
		for _, uid := range [2]uint64{e.a, e.b} {
			if _, known := g.records[uid]; !known {
				missing = append(missing, uid)
			}
		}
	}
	slices.Sort(missing)
	missing = slices.Compact(missing)
	names, err := g.namesOf(ctx, wh, missing)
	if err != nil {
		return err
	}
	if len(names) < len(missing) { // the map knows them all
		_, err := g.readRecords(ctx, wh, nil, nil)
		return err
	}
	ends := slices.Collect(maps.Values(names))
	for _, r := range also {
		ends = append(ends, recordName{r.Source, r.Stream, r.Key})
	}
	_, err = g.readRecords(ctx, wh, nameKeys(ends), nil)
	return err
}

// readNamed reads the records at the ends of the edges, and the vetoes of these.
func (g *graph) readNamed(ctx context.Context, wh core.Warehouse) error {
	if err := g.readEnds(ctx, wh, nil); err != nil {
		return err
	}
	keys := hashKeys("a", slices.Collect(maps.Keys(g.records)))
	defer keys.Release()
	return g.readVetoes(ctx, wh, keys)
}

func (g *graph) readVetoes(ctx context.Context, wh core.Warehouse, keys arrow.RecordBatch) error {
	return g.scanSome(ctx, wh, tableVeto, keys, func(r tableRow) {
		g.vetoes[pair64{uint64(r.number(0)), uint64(r.number(1))}] = r.text(3)
	})
}

// readRecords adds the records whose rows of the map are named by keys, all when keys is nil;
// with want, only those it wants. It gives their hashes, and releases keys.
func (g *graph) readRecords(ctx context.Context, wh core.Warehouse, keys arrow.RecordBatch, want func(Record) bool) ([]uint64, error) {
	if keys != nil {
		defer keys.Release()
	}
	var out []uint64
	err := g.scanSome(ctx, wh, tableMap, keys, func(r tableRow) {
		rec := Record{r.text(0), r.text(1), r.text(2), r.text(3)}
		if want == nil || want(rec) {
			uid := frame.UID(rec.Source, rec.Stream, rec.Key)
			g.records[uid] = rec
			out = append(out, uid)
		}
	})
	return out, err
}

// readEdges adds the edges and vetoes of some records, all of them when uids is nil.
func (g *graph) readEdges(ctx context.Context, wh core.Warehouse, uids []uint64) error {
	in := frame.NewIndex(uids)
	for second, end := range []string{"a", "b"} {
		var keys arrow.RecordBatch
		if uids != nil {
			keys = hashKeys(end, uids)
			defer keys.Release()
		} else if second > 0 {
			break
		}
		twice := func(r tableRow) bool { // it was found by its first end
			_, is := in.Find(uint64(r.number(0)))
			return second > 0 && is
		}
		err := g.scanSome(ctx, wh, tableEdge, keys, func(r tableRow) {
			if !twice(r) {
				g.edges = append(g.edges, storedEdge{uint64(r.number(0)), uint64(r.number(1)), r.text(2), r.text(3), uint64(r.number(4)), r.number(5), r.text(6)})
			}
		})
		if err != nil {
			return err
		}
		if err := g.readVetoes(ctx, wh, keys); err != nil {
			return err
		}
	}
	return nil
}

// sortEdges puts the strongest edges first.
func (g *graph) sortEdges() {
	tiers := []string{cluster.Must.String(), cluster.Exact.String(), cluster.Probable.String()}
	slices.SortFunc(g.edges, func(x, y storedEdge) int {
		return cmp.Or(cmp.Compare(slices.Index(tiers, x.tier), slices.Index(tiers, y.tier)), cmp.Compare(y.bits, x.bits),
			cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b), cmp.Compare(x.rule, y.rule))
	})
}
