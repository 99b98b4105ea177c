package frame

import "math/bits"

// An Index finds the position of a hash in a list, in any order. The hashes are even
// already, so their upper bits say where to look.
type Index struct {
	// slots are hashes with their positions side by side, so that one place in memory tells
	// both; one more than the position, 0 is free.
	slots []indexed
	shift int
}

type indexed struct {
	uid  uint64
	next int32
}

// NewIndex indexes hashes; of equal ones the first is found.
func NewIndex(uids []uint64) Index {
	width := bits.Len(uint(len(uids) + len(uids)/2 + 1))
	x := Index{slots: make([]indexed, 1<<width), shift: 64 - width}
	for i, uid := range uids {
		if slot := x.slot(uid); slot.next == 0 {
			*slot = indexed{uid, int32(i) + 1}
		}
	}
	return x
}

// slot is where a hash is, or where it would go.
func (x *Index) slot(uid uint64) *indexed {
	for i := int(uid >> x.shift); ; i++ {
		if i == len(x.slots) {
			i = 0
		}
		if s := &x.slots[i]; s.next == 0 || s.uid == uid {
			return s
		}
	}
}

// Find gives the position of uid, or false when it is not in the list.
func (x *Index) Find(uid uint64) (int32, bool) {
	if len(x.slots) == 0 {
		return 0, false
	}
	next := x.slot(uid).next
	return next - 1, next > 0
}
