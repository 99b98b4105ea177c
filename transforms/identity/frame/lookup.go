package frame

import (
	"math/bits"
	"slices"
)

// A Lookup finds the position of a number in an ascending list of hashes. Their upper bits
// are even, so a table of where each run of them starts leaves a few to look at.
type Lookup struct {
	uids  []uint64
	shift int
	start []int32
}

// NewLookup indexes hashes that ascend.
func NewLookup(uids []uint64) Lookup {
	width := max(1, bits.Len(uint(len(uids))))
	l := Lookup{uids: uids, shift: 64 - width, start: make([]int32, 1<<width+1)}
	for _, uid := range uids {
		l.start[uid>>l.shift+1]++
	}
	for i := 1; i < len(l.start); i++ {
		l.start[i] += l.start[i-1]
	}
	return l
}

// Find gives the position of uid, or false when it is not in the list.
func (l Lookup) Find(uid uint64) (int, bool) {
	if len(l.uids) == 0 {
		return 0, false
	}
	first := uid >> l.shift
	from, to := int(l.start[first]), int(l.start[first+1])
	at, ok := slices.BinarySearch(l.uids[from:to], uid)
	return from + at, ok
}
