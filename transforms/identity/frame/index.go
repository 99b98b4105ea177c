package frame

import "math/bits"

// An Index finds the position of a hash in a list, in any order. The hashes are even
// already, so their upper bits say where to look.
type Index struct {
	uids  []uint64
	slots []int32 // positions, -1 is free
	shift int
}

// NewIndex indexes hashes; of equal ones the first is found.
func NewIndex(uids []uint64) Index {
	width := bits.Len(uint(2*len(uids) + 1))
	x := Index{uids: uids, slots: make([]int32, 1<<width), shift: 64 - width}
	for i := range x.slots {
		x.slots[i] = -1
	}
	for i, uid := range uids {
		if slot, found := x.slot(uid); !found {
			x.slots[slot] = int32(i)
		}
	}
	return x
}

// slot is where a hash is, or where it would go.
func (x *Index) slot(uid uint64) (slot int, found bool) {
	for i := int(uid >> x.shift); ; i++ {
		if i == len(x.slots) {
			i = 0
		}
		at := x.slots[i]
		if at < 0 {
			return i, false
		}
		if x.uids[at] == uid {
			return i, true
		}
	}
}

// Find gives the position of uid, or false when it is not in the list.
func (x *Index) Find(uid uint64) (int32, bool) {
	if len(x.slots) == 0 {
		return 0, false
	}
	slot, found := x.slot(uid)
	return x.slots[slot], found
}
