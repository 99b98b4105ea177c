package naming_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/unsilo/unsilo/transforms/identity/naming"
)

func TestAssign(t *testing.T) {
	known := []naming.Known{{ID: "p0", Born: 1, Active: true}, {ID: "p1", Born: 1, Active: true}, {ID: "p2", Born: 2, Active: true}}
	tests := map[string]struct {
		clusters [][]int32
		old      []int32
		gone     []int32
		ids      string
		events   []string
	}{
		"unchanged":             {[][]int32{{0, 1}, {2}, {3}}, []int32{0, 0, 1, 2}, []int32{0, 0, 0}, "p0 p1 p2", nil},
		"new record joins":      {[][]int32{{0, 1, 4}, {2}, {3}}, []int32{0, 0, 1, 2, -1}, []int32{0, 0, 0}, "p0 p1 p2", nil},
		"more records win":      {[][]int32{{0, 1, 2}, {3}}, []int32{1, 1, 0, 2}, []int32{0, 0, 0}, "p1 p2", []string{"merge p0 p1"}},
		"tie goes to the older": {[][]int32{{0, 1}, {2}}, []int32{2, 0, 1}, []int32{0, 0, 0}, "p0 p1", []string{"merge p2 p0"}},
		"split":                 {[][]int32{{0, 1}, {2}, {3}, {4}}, []int32{0, 0, 0, 1, 2}, []int32{0, 0, 0}, "p0 new2.0 p1 p2", []string{"mint new2.0 ", "split p0 new2.0"}},
		"gone":                  {[][]int32{{0}, {1}}, []int32{0, 1}, []int32{0, 0, 1}, "p0 p1", []string{"retire p2 "}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := naming.Assign(naming.Input{Clusters: test.clusters, Old: test.old, Known: known, Gone: test.gone, Build: 3,
				Mint: mint})
			if ids := strings.Join(got.IDs, " "); ids != test.ids {
				t.Errorf("ids = %s, want %s", ids, test.ids)
			}
			var events []string
			for _, e := range got.Events {
				events = append(events, fmt.Sprintf("%s %s %s", e.Kind, e.ID, e.Other))
			}
			if !slices.Equal(events, test.events) {
				t.Errorf("events = %q, want %q", events, test.events)
			}
		})
	}
}

func mint(record int32, generation int) string { return fmt.Sprintf("new%d.%d", record, generation) }

// Whatever a change does to the clusters, its undoing gives back every id.
func TestLawUndoingRestoresIds(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(r, "records")
		groups := func(label string) [][]int32 {
			lists := make([][]int32, n)
			for i, g := range rapid.SliceOfN(rapid.IntRange(0, n-1), n, n).Draw(r, label) {
				lists[g] = append(lists[g], int32(i))
			}
			lists = slices.DeleteFunc(lists, func(l []int32) bool { return len(l) == 0 })
			slices.SortFunc(lists, func(a, b []int32) int { return cmp.Compare(a[0], b[0]) })
			return lists
		}
		var known []naming.Known
		old := slices.Repeat([]int32{-1}, n)
		build := func(number int64, clusters [][]int32) []string {
			got := naming.Assign(naming.Input{Clusters: clusters, Old: old, Known: known, Gone: make([]int32, len(known)), Build: number, Mint: mint})
			known = got.Known
			for c, records := range clusters {
				for _, record := range records {
					old[record] = int32(slices.IndexFunc(known, func(k naming.Known) bool { return k.ID == got.IDs[c] }))
				}
			}
			return got.IDs
		}
		clusters := groups("before")
		before := build(1, clusters)
		for i := range known {
			known[i].Born = rapid.Int64Range(0, 3).Draw(r, "born")
		}
		changed := groups("changed")
		during := build(4, changed)
		if after := build(5, clusters); !slices.Equal(before, after) {
			r.Fatalf("%v had %q; %v had %q; then %q", clusters, before, changed, during, after)
		}
	})
}

func TestRetiredHashIdComesBack(t *testing.T) {
	known := []naming.Known{{ID: "h", Born: 1}, {ID: "taken", Born: 1, Active: true}}
	got := naming.Assign(naming.Input{Clusters: [][]int32{{0}, {1}}, Old: []int32{-1, 1}, Known: known, Gone: []int32{0, 0}, Build: 2,
		Mint: func(_ int32, generation int) string { return []string{"h", "h1"}[generation] }})
	if got.IDs[0] != "h" || got.Events[0].Kind != naming.Restore {
		t.Errorf("id = %s by %s, want h restored", got.IDs[0], got.Events[0].Kind)
	}
}

func TestRedirectsLeadToIdsInUse(t *testing.T) {
	known := []naming.Known{{ID: "a", Born: 1, Current: "b"}, {ID: "b", Born: 2, Active: true}, {ID: "c", Born: 3, Active: true}}
	// b's record moves to c, which has more: a must lead to c now.
	got := naming.Assign(naming.Input{Clusters: [][]int32{{0, 1, 2}}, Old: []int32{1, 2, 2}, Known: known, Gone: make([]int32, 3), Build: 4,
		Mint: func(int32, int) string { return "" }})
	if got.Known[0].Current != "c" || got.Known[1].Current != "c" {
		t.Errorf("a leads to %q and b to %q, want c", got.Known[0].Current, got.Known[1].Current)
	}
}
