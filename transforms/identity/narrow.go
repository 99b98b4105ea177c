package identity

import (
	"context"
	"slices"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity/cluster"
	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/identity/kernel"
)

// narrowing is a build that reads what changed since the last one, compares it with the
// records that share a block with it, and groups again what it touches. What it leaves alone
// a build of everything would leave alone too: all that ties two records is a key of both,
// and model and frequencies are those of the last build. Where that is not certain the build
// is made of everything.
type narrowing struct {
	*pipeline
	last *trained
	// The records of the last build: what each said, and the position of the first of its
	// group.
	uids     []uint64
	at       frame.Index
	contents []uint64
	digests  []uint64
	groupOf  []int32
	state    []recordState
	// reports are what the last reading brought to light.
	reports []string
	// fresh are the records that are new or stale, by UID, and keys their keys; formerKeys are
	// those that stale and gone records had.
	fresh            frame.Index
	freshUIDs        []uint64
	freshDigests     []uint64
	freshKeys        map[frame.Source][]string
	keys, formerKeys []recordKeys
	tally            keyTally
	links            linkList
	// candidates share a block with a fresh record, and affected may have to move.
	candidates, affected []bool
	// matches are the pairs that compare found, loose those of them that join nothing, and old
	// the edges that the last build stored of affected records.
	matches, loose []uidEdge
	old            []keptEdge
	edgesBefore    int64
}

type recordState uint8

const (
	gone recordState = iota
	stood
	stale
)

const (
	// largestChange is the share of the records up to which a build is confined to changes,
	// and mostChanges their number: the keys of them are held in memory.
	largestChange = 0.1
	mostChanges   = 250_000
	// largestReach is the share of the records that a confined build may touch.
	largestReach = 0.5
)

// narrowable reports whether a build can be confined to what changed and what it touches:
// where whatever ties two records is a key of both, and nothing that is decided about a
// record depends on all of them.
func (p *pipeline) narrowable() bool {
	d := p.model.def
	if p.scanner == nil || p.layout.entity != entityPerson || !p.pairwise() {
		return false
	}
	if len(d.Stitches) > 0 || len(d.Hierarchies) > 0 || p.model.evaluated() {
		return false
	}
	if b := d.Persistence; b != nil && b.Incremental != nil && !*b.Incremental {
		return false
	}
	if g := d.Guardrail; g != nil && (g.OnViolation == "fail" || g.Alert != nil && g.Alert.EdgeGrowth != "") {
		return false
	}
	if slices.ContainsFunc(p.layout.sources, func(s recordSource) bool { return s.Distinct || len(s.key) == 0 }) {
		return false
	}
	rules := p.scanner.Blocks.Rules
	return len(rules) < 1<<ruleBits &&
		!slices.ContainsFunc(rules, func(r *kernel.Rule) bool { return !r.Alone() })
}

// pairwise reports whether the weight of a pair depends on its two records alone. Texts are
// weighed by the rarity of their words, which other records have a part in unless it belongs
// to the model, and codes are told from features by how many records have them.
func (p *pipeline) pairwise() bool {
	for _, c := range p.scanner.Comparisons {
		if slices.ContainsFunc(c.Words, func(c *frame.Column) bool { return c.Words == nil }) {
			return false
		}
	}
	return !slices.ContainsFunc(p.frame.Columns, func(c *frame.Column) bool { return c.Kind == frame.Codes })
}

// narrow makes the build from what changed, and reports whether that was possible.
func (p *pipeline) narrow(ctx context.Context) (bool, error) {
	last, err := p.resumable(ctx)
	if err != nil || last == nil || !last.Keyed || last.Decided != p.decided {
		return false, err
	}
	q, attributes := *p, slices.Clone(p.layout.attributes)
	n := &narrowing{pipeline: &q, last: last}
	for _, step := range []func(context.Context) (bool, error){n.readStanding, n.readChanges, n.readKeys, n.compare, n.regroup} {
		ok, err := step(ctx)
		if err != nil || !ok {
			p.layout.attributes, p.flipped = attributes, q.flipped
			return false, err
		}
		if q.unchanged {
			break
		}
	}
	*p, n.pipeline = q, p
	return true, nil
}

// readStanding reads what the last build stored of each record.
func (n *narrowing) readStanding(ctx context.Context) (bool, error) {
	n.progress("reading what changed")
	if ok, err := n.tablesStand(ctx); err != nil || !ok {
		return false, err
	}
	var groups []uint64
	err := n.model.scanRows(ctx, n.req.Warehouse, tableRecord, func(r tableRow) {
		n.uids = append(n.uids, uint64(r.number(0)))
		n.contents = append(n.contents, uint64(r.number(1)))
		n.digests = append(n.digests, uint64(r.number(2)))
		groups = append(groups, uint64(r.number(3)))
	}, "record", "row_hash", "digest", "component")
	if err != nil {
		return false, err
	}
	n.at = frame.NewIndex(n.uids)
	n.groupOf = make([]int32, len(n.uids))
	for i, uid := range n.uids {
		first, ok := n.at.Find(groups[i])
		if at, _ := n.at.Find(uid); !ok || int(at) != i {
			return false, nil
		}
		n.groupOf[i] = first
	}
	return true, nil
}

// tablesStand reports whether the tables that a confined build adds to are there, and those
// by which it finds records are whole.
func (n *narrowing) tablesStand(ctx context.Context) (bool, error) {
	tables, err := n.req.Warehouse.Tables(ctx, core.SchemaIdentity)
	if err != nil {
		return false, err
	}
	rows := map[core.TableName]int64{}
	for _, t := range tables {
		rows[t.Name] = t.Rows
	}
	n.edgesBefore = rows[n.model.tableOf(tableEdge)]
	records, known := rows[n.model.tableOf(tableRecord)]
	return known && records > 0 && records == rows[n.model.tableOf(tableMap)] && records == rows[n.model.tableOf(tableKey)] &&
		fit(tables, append(n.model.outputs(), n.model.goldenTable(n.layout), n.model.lineageTable())...), nil
}

// readChanges reads all rows and keeps those that are not as they were.
func (n *narrowing) readChanges(ctx context.Context) (bool, error) {
	n.state = make([]recordState, len(n.uids))
	repeated := false
	err := n.read(ctx, pick{differs: func(uid, digest uint64) bool {
		at, known := n.at.Find(uid)
		if !known {
			return true
		}
		repeated = repeated || n.state[at] != gone
		if n.state[at] = stood; digest != n.digests[at] {
			n.state[at] = stale
		}
		return n.state[at] == stale
	}})
	if err != nil {
		return false, err
	}
	left := 0
	for _, s := range n.state {
		if s == gone {
			left++
		}
	}
	n.notes = append(n.notes, n.reports...)
	f := n.frame
	changes, all := f.Len()+left, len(n.uids)
	grown := f.Len() - left
	for _, s := range n.state {
		if s == stale {
			grown--
		}
	}
	if n.unchanged = changes == 0; n.unchanged {
		return n.noChange(ctx)
	}
	total := all + grown
	for r := 1; r < f.Len(); r++ { // two blocks may read one table
		repeated = repeated || f.UID[r] == f.UID[r-1]
	}
	if repeated || slices.Max(f.Repeated) > 0 || float64(changes) > min(largestChange*float64(all), mostChanges) || retrains(total, n.last.Records) {
		return false, nil
	}
	n.freshKeys = map[frame.Source][]string{}
	for r := range int32(f.Len()) {
		s := f.Sources[f.Source[r]]
		n.freshKeys[s] = append(n.freshKeys[s], f.RecordKey(r))
	}
	n.freshUIDs, n.freshDigests, n.fresh = slices.Clone(f.UID), slices.Clone(f.RowHash), frame.NewIndex(f.UID)
	n.measure("records.changed", float64(f.Len()))
	if ok, err := n.prepare(ctx); err != nil || !ok {
		return false, err
	}
	ring := n.newKeyring()
	for r := range int32(f.Len()) {
		keys := ring.of(r)
		n.keys = append(n.keys, recordKeys{slices.Clone(keys.links), slices.Clone(keys.blocks), slices.Clone(keys.terms)})
	}
	return true, nil
}

// noChange is a build of nothing.
func (n *narrowing) noChange(ctx context.Context) (bool, error) {
	n.note("no record has changed")
	n.total = len(n.uids)
	var err error
	n.pipeline.former, err = n.model.readFormerOf(ctx, n.req.Warehouse, n.frame, nil, nil, len(n.uids))
	return true, err
}

// prepare sets the scanner up for the frame; false when the model does not fit it.
func (n *narrowing) prepare(ctx context.Context) (bool, error) {
	ok, err := n.thaw(ctx, n.last, n.columnsOf(n.last))
	return ok && n.narrowable(), err
}

// uidEdge is a pair that was found to be alike.
type uidEdge struct {
	a, b    uint64
	bits    int32
	pattern uint64
}

// compare weighs the pairs of fresh records and their candidates.
func (n *narrowing) compare(ctx context.Context) (bool, error) {
	n.progress("comparing")
	if ok, err := n.readAgain(ctx, n.candidates); err != nil || !ok {
		return false, err
	}
	n.measure("records.compared", float64(n.frame.Len()))
	if ok, err := n.prepare(ctx); err != nil || !ok {
		return false, err
	}
	uids := n.frame.UID
	result, err := n.scanner.Run(ctx, kernel.Options{Weigh: n.weigher(), Floor: floorBits,
		Either: func(r int32) bool { _, is := n.fresh.Find(uids[r]); return is }})
	if err != nil {
		return false, err
	}
	n.measure("pairs.visited", float64(result.Visited))
	n.measure("pairs.compared", float64(result.Pairs))
	for _, part := range result.Matches {
		for _, m := range part {
			n.matches = append(n.matches, uidEdge{uids[m.A], uids[m.B], m.Bits, m.Pattern})
		}
	}
	n.scanner.Blocks.Forget()
	return true, nil
}

// regroup groups what the changes touch.
func (n *narrowing) regroup(ctx context.Context) (bool, error) {
	n.progress("grouping")
	if !n.reach() {
		return false, nil
	}
	if ok, err := n.readAgain(ctx, n.affected); err != nil || !ok {
		return false, err
	}
	n.measure("records.touched", float64(n.frame.Len()))
	n.frozenSurnames()
	n.content = contents(n.frame)
	n.altered, n.groups = make([]bool, n.frame.Len()), make([]uint64, n.frame.Len())
	for r, uid := range n.frame.UID {
		_, n.altered[r] = n.fresh.Find(uid)
		if at, known := n.at.Find(uid); known {
			n.groups[r] = n.uids[n.groupOf[at]]
		}
	}
	var err error
	if n.pipeline.former, err = n.model.readFormerOf(ctx, n.req.Warehouse, n.frame, n.standing(), n.leaving(), len(n.uids)); err != nil || n.pipeline.former.short {
		return false, err
	}
	n.overrides()
	if err := n.readEdges(ctx); err != nil {
		return false, err
	}
	if err := n.pipeline.group(ctx, n.addEdges); err != nil {
		return false, err
	}
	n.confined = n
	return true, n.summarise(ctx)
}

// strong reports whether a match can join anything.
func (n *narrowing) strong(m uidEdge) bool {
	options := n.model.clusterOptions(&guards{})
	return options.Strong(&cluster.Edge{Bits: m.bits, Tier: cluster.Probable})
}
