// Package naming gives clusters ids that stay: each new cluster keeps the id that most of
// its records had, and everything that happens to an id is an event. It knows records by
// number and writes nothing.
package naming

import (
	"cmp"
	"slices"
)

// Kind is what happened to an id.
type Kind string

// The kinds of events.
const (
	Mint    Kind = "mint"    // a new cluster got a new id
	Restore Kind = "restore" // a retired or merged id is in use again
	Merge   Kind = "merge"   // the id's records now belong to Other
	Split   Kind = "split"   // some of the id's records now belong to Other
	Retire  Kind = "retire"  // the id has no records left
)

// An Event happened to an id.
type Event struct {
	Kind      Kind
	ID, Other string
	Records   int
}

// Known is an id that was in use, or is retired.
type Known struct {
	ID string
	// Born orders ids by age: the number of the build that minted it, then its order there.
	Born int64
	// Active ids had records after the last build.
	Active bool
	// Current is the id that a merged one leads to.
	Current string
	// Elsewhere tells that its records are none of the input's: nothing happens to it.
	Elsewhere bool
	// Pinned ids win their records against any number of votes.
	Pinned bool
}

// Input of Assign.
type Input struct {
	// Clusters lists the records of each new cluster, by number; clusters are in order of
	// their first record.
	Clusters [][]int32
	// Old is the index into Known of each record's former id, or -1.
	Old   []int32
	Known []Known
	// Gone counts former records, by index into Known, that no longer exist.
	Gone []int32
	// Weight of a record's vote; nil means 1 each.
	Weight []int32
	// Mint gives the id of a cluster by its first record; generation grows while the answer
	// is taken.
	Mint func(record int32, generation int) string
	// Build numbers this build; it becomes the birth of new ids.
	Build int64
	// OldestFirst lets age decide before the number of records: of several ids that meet
	// in a cluster the oldest stays.
	OldestFirst bool
}

// Result of Assign: the id of each cluster, what happened, and all ids as they are now.
type Result struct {
	IDs    []string
	Events []Event
	Known  []Known
}

// A vote of the records that an id and a cluster share.
type vote struct {
	cluster, known int32
	weight, count  int32
	// union counts the records that the id had or the cluster has.
	union int32
	// home tells that the cluster holds the record that the id was minted from.
	home bool
}

// Assign gives each cluster an id by maximum overlap, greedily: more votes first, then a
// larger share of the records of both, then the cluster with the record that the id was
// minted from, then the older id. Votes and shares read the same in both directions and a
// record never leaves home, so that a change and its undoing give back the same ids.
func Assign(in Input) Result {
	votes := ballots(in)
	slices.SortFunc(votes, func(x, y vote) int {
		kx, ky := in.Known[x.known], in.Known[y.known]
		oldest := 0
		if in.OldestFirst {
			oldest = cmp.Compare(kx.Born, ky.Born)
		}
		return cmp.Or(cmp.Compare(btoi(ky.Pinned), btoi(kx.Pinned)), oldest, -cmp.Compare(x.weight, y.weight),
			-cmp.Compare(int64(x.count)*int64(y.union), int64(y.count)*int64(x.union)), cmp.Compare(btoi(y.home), btoi(x.home)),
			cmp.Compare(kx.Born, ky.Born), cmp.Compare(kx.ID, ky.ID), cmp.Compare(x.cluster, y.cluster))
	})
	idOf := make([]int32, len(in.Clusters)) // index into Known, -1
	for i := range idOf {
		idOf[i] = -1
	}
	holder := make([]int32, len(in.Known)) // cluster that keeps the id, -1
	for i := range holder {
		holder[i] = -1
	}
	for _, v := range votes {
		if idOf[v.cluster] < 0 && holder[v.known] < 0 {
			idOf[v.cluster], holder[v.known] = v.known, v.cluster
		}
	}
	a := &assignment{in: in, known: slices.Clone(in.Known), idOf: idOf, holder: holder}
	a.mint()
	a.explain(votes)
	return a.result()
}

func formerSizes(in Input) []int32 {
	sizes := make([]int32, len(in.Known))
	copy(sizes, in.Gone)
	for _, k := range in.Old {
		if k >= 0 {
			sizes[k]++
		}
	}
	return sizes
}

func ballots(in Input) []vote {
	former := formerSizes(in)
	var votes []vote
	for c, records := range in.Clusters {
		first := len(votes)
		for _, r := range records {
			k := in.Old[r]
			if k < 0 {
				continue
			}
			weight := int32(1)
			if in.Weight != nil {
				weight = in.Weight[r]
			}
			at := slices.IndexFunc(votes[first:], func(v vote) bool { return v.known == k })
			if at < 0 {
				votes = append(votes, vote{cluster: int32(c), known: k, weight: weight, count: 1})
				continue
			}
			votes[first+at].weight += weight
			votes[first+at].count++
		}
		for i := range votes[first:] {
			v := &votes[first+i]
			v.union = former[v.known] + int32(len(records)) - v.count
			// Nobody else wants an id whose records all came here, and nothing else.
			v.home = v.union > v.count && in.home(v)
		}
	}
	return votes
}

func (in Input) home(v *vote) bool {
	return slices.ContainsFunc(in.Clusters[v.cluster], func(r int32) bool { return in.Mint(r, 0) == in.Known[v.known].ID })
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
