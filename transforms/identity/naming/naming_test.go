package naming_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

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
		"split":                 {[][]int32{{0, 1}, {2}, {3}, {4}}, []int32{0, 0, 0, 1, 2}, []int32{0, 0, 0}, "p0 new1.0 p1 p2", []string{"mint new1.0 ", "split p0 new1.0"}},
		"gone":                  {[][]int32{{0}, {1}}, []int32{0, 1}, []int32{0, 0, 1}, "p0 p1", []string{"retire p2 "}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := naming.Assign(naming.Input{Clusters: test.clusters, Old: test.old, Known: known, Gone: test.gone, Build: 3,
				Mint: func(c, generation int) string { return fmt.Sprintf("new%d.%d", c, generation) }})
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

func TestRetiredHashIdComesBack(t *testing.T) {
	known := []naming.Known{{ID: "h", Born: 1}, {ID: "taken", Born: 1, Active: true}}
	got := naming.Assign(naming.Input{Clusters: [][]int32{{0}, {1}}, Old: []int32{-1, 1}, Known: known, Gone: []int32{0, 0}, Build: 2,
		Mint: func(_, generation int) string { return []string{"h", "h1"}[generation] }})
	if got.IDs[0] != "h" || got.Events[0].Kind != naming.Restore {
		t.Errorf("id = %s by %s, want h restored", got.IDs[0], got.Events[0].Kind)
	}
}

func TestRedirectsLeadToIdsInUse(t *testing.T) {
	known := []naming.Known{{ID: "a", Born: 1, Current: "b"}, {ID: "b", Born: 2, Active: true}, {ID: "c", Born: 3, Active: true}}
	// b's record moves to c, which has more: a must lead to c now.
	got := naming.Assign(naming.Input{Clusters: [][]int32{{0, 1, 2}}, Old: []int32{1, 2, 2}, Known: known, Gone: make([]int32, 3), Build: 4,
		Mint: func(int, int) string { return "" }})
	if got.Known[0].Current != "c" || got.Known[1].Current != "c" {
		t.Errorf("a leads to %q and b to %q, want c", got.Known[0].Current, got.Known[1].Current)
	}
}
