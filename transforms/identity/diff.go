package identity

import (
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

// Diff lists the events between two runs: which ids were minted, merged, split, restored
// and retired. An empty from means the beginning, an empty to the last run.
func Diff(ctx context.Context, wh core.Warehouse, name, from, to string) (Changes, error) {
	s := store{name}
	build := map[string]int64{}
	last := int64(0)
	err := s.scanRows(ctx, wh, tableMetric, func(r tableRow) {
		build[r.text(0)] = r.number(2)
		last = max(last, r.number(2))
	})
	if err != nil {
		return Changes{}, err
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
	low, err := bound(from, 0)
	if err != nil {
		return Changes{}, err
	}
	high, err := bound(to, last)
	if err != nil {
		return Changes{}, err
	}
	out := Changes{From: from, To: to, Counts: map[string]int64{}}
	type dated struct {
		Change
		build int64
	}
	var list []dated
	err = s.scanRows(ctx, wh, tableEvent, func(r tableRow) {
		if n := r.number(2); n > min(low, high) && n <= max(low, high) {
			list = append(list, dated{Change{r.text(0), r.text(3), r.text(4), r.text(5), r.number(6)}, n})
		}
	})
	slices.SortStableFunc(list, func(a, b dated) int {
		if a.build != b.build {
			return int(a.build - b.build)
		}
		return strings.Compare(a.Kind+a.ID+a.Other, b.Kind+b.ID+b.Other)
	})
	for _, d := range list {
		out.Changes = append(out.Changes, d.Change)
		out.Counts[d.Kind]++
	}
	return out, err
}
