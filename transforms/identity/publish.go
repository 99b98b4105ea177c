package identity

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity/cluster"
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
	for _, t := range p.model.outputs() {
		if err := tx.Define(ctx, t); err != nil {
			return err
		}
	}
	for _, step := range []func(context.Context, core.Tx) error{p.writeMap, p.writeRecords, p.writeEdges, p.writeIDs, p.writeModel, p.writeGolden, p.writeHierarchies, p.writeLog} {
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
	changed, gone := newRowWriter(table), newRowWriter(table)
	alive := make(map[uint64]struct{}, len(old.keys))
	for c, records := range p.clusters {
		id := p.ids.IDs[c]
		for _, r := range records {
			k, known := old.idOf[f.UID[r]]
			if known {
				alive[f.UID[r]] = struct{}{}
			}
			if !known || old.known[k].ID != id {
				s := f.Sources[f.Source[r]]
				changed.add(s.Source, s.Stream, f.RecordKey(r), id)
			}
		}
	}
	for uid, key := range old.keys {
		if _, ok := alive[uid]; !ok {
			gone.add(key[0], key[1], key[2], nil)
		}
	}
	mode := core.WriteMerge
	if len(old.keys) == 0 {
		mode = core.WriteAppend
	}
	if _, err := changed.write(ctx, tx, mode); err != nil {
		gone.release()
		return err
	}
	_, err := gone.write(ctx, tx, core.WriteDelete)
	return err
}

func (p *pipeline) writeRecords(ctx context.Context, tx core.Tx) error {
	w := newRowWriter(p.model.output(tableRecord))
	f := p.frame
	for r := range int32(f.Len()) {
		s := f.Sources[f.Source[r]]
		w.add(int64(f.UID[r]), s.Source, s.Stream, f.RecordKey(r), int64(f.RowHash[r]))
	}
	return w.replace(ctx, tx)
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

func (p *pipeline) writeEdges(ctx context.Context, tx core.Tx) error {
	w := newRowWriter(p.model.output(tableEdge))
	uid := p.frame.UID
	for _, e := range p.edges {
		w.add(int64(uid[e.A]), int64(uid[e.B]), e.Tier.String(), p.ruleOf(e), int64(e.Pattern), int64(e.Bits), e.Outcome.String())
	}
	if err := w.replace(ctx, tx); err != nil {
		return err
	}
	v := newRowWriter(p.model.output(tableVeto))
	for _, veto := range p.result.Vetoes {
		e := p.edges[veto.Edge]
		v.add(int64(uid[e.A]), int64(uid[e.B]), p.ruleOf(e), veto.Reason)
	}
	return v.replace(ctx, tx)
}

func (p *pipeline) writeIDs(ctx context.Context, tx core.Tx) error {
	ids, redirects := newRowWriter(p.model.output(tableID)), newRowWriter(p.model.output(tableRedirect))
	for i, k := range p.ids.Known {
		if i < len(p.former.known) && p.former.known[i] == k {
			continue
		}
		ids.add(k.ID, k.Born, k.Active, k.Current)
	}
	mode := core.WriteMerge
	if len(p.former.known) == 0 {
		mode = core.WriteAppend
	}
	if _, err := ids.write(ctx, tx, mode); err != nil {
		redirects.release()
		return err
	}
	for _, k := range p.ids.Known {
		if k.Current != "" {
			redirects.add(k.ID, k.Current)
		}
	}
	return redirects.replace(ctx, tx)
}

func (p *pipeline) writeModel(ctx context.Context, tx core.Tx) error {
	if p.fitted == nil {
		return nil
	}
	model, err := json.Marshal(p.model.storedModel(p))
	if err != nil {
		return fmt.Errorf("write model: %w", err)
	}
	w := newRowWriter(p.model.output(tableModel))
	w.add(p.req.RunID, string(model))
	return w.replace(ctx, tx)
}

func (p *pipeline) writeLog(ctx context.Context, tx core.Tx) error {
	at, build := p.req.At.UnixMicro(), p.former.build+1
	events, metrics := newRowWriter(p.model.output(tableEvent)), newRowWriter(p.model.output(tableMetric))
	for _, e := range p.ids.Events {
		events.add(p.req.RunID, at, build, string(e.Kind), e.ID, e.Other, int64(e.Records))
	}
	if _, err := events.write(ctx, tx, core.WriteAppend); err != nil {
		metrics.release()
		return err
	}
	slices.SortFunc(p.metrics, func(a, b metric) int { return compareText(a.name, b.name) })
	for _, m := range p.metrics {
		metrics.add(p.req.RunID, at, build, m.name, m.value)
	}
	_, err := metrics.write(ctx, tx, core.WriteAppend)
	return err
}

func compareText(a, b string) int {
	if a < b {
		return -1
	}
	if a > b {
		return 1
	}
	return 0
}

func (m *Model) storedModel(p *pipeline) trained {
	t := trained{Model: *p.fitted, Version: p.req.RunID, Keep: bandBits(0.2), Link: bandBits(0.99)}
	if d := m.def.Decision; d != nil {
		if d.Keep != nil {
			t.Keep = bandBits(*d.Keep)
		}
		if d.Link != nil {
			t.Link = bandBits(*d.Link)
		}
	}
	return t
}
