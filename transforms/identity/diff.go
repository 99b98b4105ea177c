package identity

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/unsilo/unsilo/core"
)

// A Change is something that happened to an id between two builds.
type Change struct {
	RunID   string `json:"run_id"`
	Kind    string `json:"kind"`
	ID      string `json:"id"`
	Other   string `json:"other_id,omitempty"`
	Records int64  `json:"records"`
}

// Changes lists what happened to ids after build from, up to and with build to.
type Changes struct {
	From    string           `json:"from"`
	To      string           `json:"to"`
	Counts  map[string]int64 `json:"counts"`
	Changes []Change         `json:"changes"`
}

// survive counts the ids that had records at both ends and kept them.
const survive = "survive"

// Diff lists the events between two runs: which ids were minted, merged, split, restored
// and retired; Counts has the ids that survived too. An empty to means the last run, an
// empty from the run before to.
func Diff(ctx context.Context, wh core.Warehouse, name, from, to string) (Changes, error) {
	s := store{name}
	build, run := map[string]int64{}, map[int64]string{}
	last := int64(0)
	err := s.scanRows(ctx, wh, tableMetric, func(r tableRow) {
		build[r.text(0)], run[r.number(2)] = r.number(2), r.text(0)
		last = max(last, r.number(2))
	})
	if err != nil {
		return Changes{}, err
	}
	if last == 0 {
		return Changes{}, &core.Error{Kind: core.KindConfig, Op: "diff identity." + name, Err: fmt.Errorf("it has never been built"), Try: "unsilo run"}
	}
	bound := func(run string, other int64) (int64, error) {
		if run == "" {
			return other, nil
		}
		if n, ok := build[run]; ok {
			return n, nil
		}
		return 0, &core.Error{Kind: core.KindConfig, Op: "diff identity." + name, Err: fmt.Errorf("run %q did not build it", run), Try: "unsilo history"}
	}
	high, err := bound(to, last)
	if err != nil {
		return Changes{}, err
	}
	low, err := bound(from, high-1)
	if err != nil {
		return Changes{}, err
	}
	low, high = min(low, high), max(low, high)
	out := Changes{From: run[low], To: run[high], Counts: map[string]int64{}}
	list, later, err := s.events(ctx, wh, low, high)
	if err != nil {
		return Changes{}, err
	}
	for _, d := range list {
		out.Changes = append(out.Changes, d.Change)
		out.Counts[d.Kind]++
	}
	out.Counts[survive], err = s.survivors(ctx, wh, list, later)
	return out, err
}

type datedChange struct {
	Change
	build int64
}

// events reads what happened after build low up to high, in order, and after high.
func (m store) events(ctx context.Context, wh core.Warehouse, low, high int64) (list, later []datedChange, err error) {
	err = m.scanRows(ctx, wh, tableEvent, func(r tableRow) {
		d := datedChange{Change{r.text(0), r.text(3), r.text(4), r.text(5), r.number(6)}, r.number(2)}
		switch {
		case d.build > high:
			later = append(later, d)
		case d.build > low:
			list = append(list, d)
		}
	})
	slices.SortStableFunc(list, func(a, b datedChange) int {
		return cmp.Or(cmp.Compare(a.build, b.build), strings.Compare(a.Kind+a.ID+a.Other, b.Kind+b.ID+b.Other))
	})
	return list, later, err
}

// survivors counts the ids in use at the end that nothing happened to but a loss of
// records: it goes back from the ids in use now over what came later.
func (m store) survivors(ctx context.Context, wh core.Warehouse, list, later []datedChange) (int64, error) {
	active := map[string]bool{}
	if err := m.scanRows(ctx, wh, tableID, func(r tableRow) { active[r.text(0)] = r.flag(2) }); err != nil {
		return 0, err
	}
	slices.SortStableFunc(later, func(a, b datedChange) int { return cmp.Compare(b.build, a.build) })
	for _, d := range later {
		switch d.Kind {
		case "mint", "restore":
			active[d.ID] = false
		case "merge", "retire":
			active[d.ID] = true
		}
	}
	for _, d := range list {
		if d.Kind == "mint" || d.Kind == "restore" {
			active[d.ID] = false // was not there before
		}
	}
	n := int64(0)
	for _, is := range active {
		if is {
			n++
		}
	}
	return n, nil
}
