package cluster

import (
	"cmp"
	"slices"
)

// ranked is an edge's number behind the first part of what orders it, so that most
// comparisons are of two numbers.
type ranked struct {
	key uint64
	at  int32
}

// sortEdges puts edges in the order of Compare.
func sortEdges(edges []Edge) {
	order := make([]ranked, len(edges))
	for i, e := range edges {
		order[i] = ranked{leading(e), int32(i)}
	}
	slices.SortFunc(order, func(x, y ranked) int {
		if c := cmp.Compare(x.key, y.key); c != 0 {
			return c
		}
		return Compare(edges[x.at], edges[y.at])
	})
	// Each edge goes to its place along the cycles of the permutation.
	for i := range order {
		if order[i].at < 0 {
			continue
		}
		first := edges[i]
		for at := i; ; {
			from := int(order[at].at)
			order[at].at = -1
			if from == i {
				edges[at] = first
				break
			}
			edges[at] = edges[from]
			at = from
		}
	}
}

// leading packs tier, rule of exact edges, weight and the upper bits of the first record
// into a number that ascends in the order of Compare.
func leading(e Edge) uint64 {
	rule := uint64(0)
	if e.Tier == Exact {
		rule = uint64(uint16(e.Rule) ^ 1<<15)
	}
	heaviest := uint64(^(uint32(e.Bits) ^ 1<<31))
	return uint64(e.Tier)<<62 | rule<<46 | heaviest<<14 | uint64(e.A)>>17
}
