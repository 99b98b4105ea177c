package identity

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity/cluster"
	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/identity/naming"
)

// publish writes the result of a build in one transaction.
func (p *pipeline) publish(ctx context.Context) error {
	p.progress("writing")
	tx, err := p.req.Warehouse.Begin(ctx)
	if err != nil {
		return err
	}
	if err := p.write(ctx, tx); err != nil {
		_ = tx.End(ctx, false) // the write's error is the one to tell
		return err
	}
	return tx.End(ctx, true)
}

func (p *pipeline) write(ctx context.Context, tx core.Tx) error {
	if p.unchanged { // only the run is noted, so that its number is known
		p.former.build--
		p.metrics = []metric{{"unchanged", 1}}
		return p.writeLog(ctx, tx)
	}
	for _, t := range p.model.outputs() {
		if err := tx.Define(ctx, t); err != nil {
			return err
		}
	}
	for _, step := range []func(context.Context, core.Tx) error{p.writeMap, p.writeRecords, p.writeEdges, p.writeIDs, p.writeTerms, p.writeKeys, p.writeModel, p.writeGolden, p.writeHierarchies, p.dropOrphans, p.writeLog} {
		if err := step(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

// writeMap stores only the rows that differ from the last build's.
func (p *pipeline) writeMap(ctx context.Context, tx core.Tx) error {
	f, old := p.frame, p.former
	table := p.model.output(tableMap)
	clusterOf := make([]int32, f.Len())
	var changed []int32
	for c, records := range p.clusters {
		for _, r := range records {
			clusterOf[r] = int32(c)
		}
	}
	for r, uid := range f.UID {
		if k := old.find(uid); k < 0 || old.known[k].ID != p.ids.IDs[clusterOf[r]] {
			changed = append(changed, int32(r))
		}
	}
	err := p.storeRecords(ctx, tx, table, changed, func(r int32, w *rowWriter) {
		s := f.Sources[f.Source[r]]
		w.text(0, s.Source)
		w.text(1, s.Stream)
		w.text(2, f.RecordKey(r))
		w.text(3, p.ids.IDs[clusterOf[r]])
		w.end()
	})
	if err != nil {
		return err
	}
	return p.deleteGone(ctx, tx, table)
}

// storeRecords stores rows of records: those that the last build did not have are new to the
// table, which need not be searched for them.
func (p *pipeline) storeRecords(ctx context.Context, tx core.Tx, table core.Table, records []int32, row func(r int32, w *rowWriter)) error {
	var old, fresh []int32
	for _, r := range records {
		if p.former.find(p.frame.UID[r]) < 0 {
			fresh = append(fresh, r)
		} else {
			old = append(old, r)
		}
	}
	err := storeRows(ctx, tx, table, core.WriteMerge, len(old), func(i int, w *rowWriter) { row(old[i], w) })
	if err != nil {
		return err
	}
	return storeRows(ctx, tx, table, core.WriteAppend, len(fresh), func(i int, w *rowWriter) { row(fresh[i], w) })
}

// gone lists the records of the last build that left their streams.
func (p *pipeline) gone() []uint64 {
	var out []uint64
	for _, uid := range p.former.uids {
		if _, ok := slices.BinarySearch(p.frame.UID, uid); !ok {
			out = append(out, uid)
		}
	}
	return out
}

// deleteGone takes records that left their streams out of the map.
func (p *pipeline) deleteGone(ctx context.Context, tx core.Tx, table core.Table) error {
	gone := p.gone()
	if len(gone) == 0 {
		return nil
	}
	var keys [][3]string
	for _, uid := range gone {
		if name, ok := p.former.names[uid]; ok {
			keys = append(keys, name)
		}
	}
	remove := func() error {
		return storeRows(ctx, tx, table, core.WriteDelete, len(keys), func(i int, w *rowWriter) { w.add(keys[i][0], keys[i][1], keys[i][2], nil) })
	}
	if p.former.names != nil {
		return remove()
	}
	err := p.model.scanRows(ctx, p.req.Warehouse, tableMap, func(r tableRow) {
		if _, ok := slices.BinarySearch(gone, frame.UID(r.text(0), r.text(1), r.text(2))); ok {
			keys = append(keys, [3]string{r.text(0), r.text(1), r.text(2)})
		}
	})
	if err != nil {
		return err
	}
	return remove()
}

// writeRecords stores the records that are not as they were, or are in another group; all of
// them when that is not known. A group is named by its first record.
func (p *pipeline) writeRecords(ctx context.Context, tx core.Tx) error {
	f, table := p.frame, p.model.output(tableRecord)
	group := cluster.Groups(f.Len(), p.edges, p.options)
	row := func(r int32, w *rowWriter) {
		s := f.Sources[f.Source[r]]
		w.number(0, int64(f.UID[r]))
		w.text(1, s.Source)
		w.text(2, s.Stream)
		w.text(3, f.RecordKey(r))
		w.number(4, int64(p.content[r]))
		w.number(5, int64(f.RowHash[r]))
		w.number(6, int64(f.UID[group[r]]))
		w.end()
	}
	if p.altered == nil {
		return replaceRows(ctx, tx, table, f.Len(), func(i int, w *rowWriter) { row(int32(i), w) })
	}
	var changed []int32
	for r, altered := range p.altered {
		if altered || p.groups[r] != f.UID[group[r]] {
			changed = append(changed, int32(r))
		}
	}
	if err := p.storeRecords(ctx, tx, table, changed, row); err != nil {
		return err
	}
	gone := p.gone()
	return storeRows(ctx, tx, table, core.WriteDelete, len(gone), func(i int, w *rowWriter) { w.key(int64(gone[i])) })
}

func (p *pipeline) ruleOf(e cluster.Edge) string {
	switch e.Tier {
	case cluster.Must:
		return "override"
	case cluster.Exact:
		return p.ruleName[e.Rule]
	}
	return "model"
}

// writeEdges stores edges and vetoes, and forgets them: there are many.
func (p *pipeline) writeEdges(ctx context.Context, tx core.Tx) error {
	err := p.storeEdges(ctx, tx)
	p.edges, p.result.Vetoes = nil, nil
	return err
}

func (p *pipeline) storeEdges(ctx context.Context, tx core.Tx) error {
	switch {
	case p.confined != nil:
		return p.confined.writeEdges(ctx, tx)
	case p.standing != nil:
		return p.updateEdges(ctx, tx)
	}
	err := replaceRows(ctx, tx, p.model.output(tableEdge), len(p.edges), func(i int, w *rowWriter) { p.edgeRow(p.edges[i], w) })
	if err != nil {
		return err
	}
	return replaceRows(ctx, tx, p.model.output(tableVeto), len(p.result.Vetoes), func(i int, w *rowWriter) { p.vetoRow(p.result.Vetoes[i], w) })
}

func (p *pipeline) edgeRow(e cluster.Edge, w *rowWriter) {
	w.number(0, int64(p.frame.UID[e.A]))
	w.number(1, int64(p.frame.UID[e.B]))
	w.text(2, e.Tier.String())
	w.text(3, p.ruleOf(e))
	w.number(4, int64(e.Pattern))
	w.number(5, int64(e.Bits))
	w.text(6, e.Outcome.String())
	w.end()
}

func (p *pipeline) vetoRow(v cluster.Veto, w *rowWriter) {
	e := p.edges[v.Edge]
	w.number(0, int64(p.frame.UID[e.A]))
	w.number(1, int64(p.frame.UID[e.B]))
	w.text(2, p.ruleOf(e))
	w.text(3, v.Reason)
	w.end()
}

func (p *pipeline) writeIDs(ctx context.Context, tx core.Tx) error {
	var changed, merged []naming.Known
	var restored []string
	for i, k := range p.ids.Known {
		last := naming.Known{}
		if i < len(p.former.known) {
			last = p.former.known[i]
		}
		if last == k {
			continue
		}
		changed = append(changed, k)
		switch {
		case k.Current != "":
			merged = append(merged, k)
		case last.Current != "":
			restored = append(restored, k.ID)
		}
	}
	mode := core.WriteMerge
	if len(p.former.known) == 0 {
		mode = core.WriteAppend
	}
	err := storeRows(ctx, tx, p.model.output(tableID), mode, len(changed), func(i int, w *rowWriter) {
		w.add(changed[i].ID, changed[i].Born, changed[i].Active, changed[i].Current)
	})
	if err != nil {
		return err
	}
	redirects := p.model.output(tableRedirect)
	err = storeRows(ctx, tx, redirects, core.WriteDelete, len(restored), func(i int, w *rowWriter) { w.key(restored[i]) })
	if err != nil {
		return err
	}
	return storeRows(ctx, tx, redirects, core.WriteMerge, len(merged), func(i int, w *rowWriter) { w.add(merged[i].ID, merged[i].Current) })
}

func (p *pipeline) writeModel(ctx context.Context, tx core.Tx) error {
	model, err := json.Marshal(p.storedModel())
	if err != nil {
		return fmt.Errorf("write model: %w", err)
	}
	return replaceRows(ctx, tx, p.model.output(tableModel), 1, func(_ int, w *rowWriter) { w.add(p.req.RunID, string(model)) })
}

func (p *pipeline) writeLog(ctx context.Context, tx core.Tx) error {
	at, build := p.req.At.UnixMicro(), p.former.build+1
	err := storeRows(ctx, tx, p.model.output(tableEvent), core.WriteAppend, len(p.ids.Events), func(i int, w *rowWriter) {
		e := p.ids.Events[i]
		w.add(p.req.RunID, at, build, string(e.Kind), e.ID, e.Other, int64(e.Records))
	})
	if err != nil {
		return err
	}
	slices.SortFunc(p.metrics, func(a, b metric) int { return strings.Compare(a.name, b.name) })
	return storeRows(ctx, tx, p.model.output(tableMetric), core.WriteAppend, len(p.metrics), func(i int, w *rowWriter) {
		w.add(p.req.RunID, at, build, p.metrics[i].name, p.metrics[i].value)
	})
}
