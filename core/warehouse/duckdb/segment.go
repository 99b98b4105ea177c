//go:build duckdb_arrow

package duckdb

// #include <stdlib.h>
import "C"

import (
	"math/bits"
	"unsafe"
)

// A segment holds 32 bits of each hash, at a place that 32 others choose; 0 is free. A key
// is taken for another in less than one of a billion cases.
type segment struct {
	// slots are not Go's memory: the collector lets the heap grow to twice of what is in use,
	// and there is nothing for it to find in them.
	slots []uint32
	used  int
}

// newSegment makes a segment of 1<<width slots; ok is false when there is no memory.
func newSegment(width int) (s segment, ok bool) {
	memory := C.calloc(1<<width, C.size_t(unsafe.Sizeof(uint32(0))))
	if memory == nil {
		return segment{}, false
	}
	return segment{slots: unsafe.Slice((*uint32)(memory), 1<<width)}, true
}

func (s *segment) free() {
	C.free(unsafe.Pointer(unsafe.SliceData(s.slots)))
	s.slots = nil
}

// full reports whether it is time for another segment: beyond, free places are far away.
func (s *segment) full() bool { return s.used*4 >= len(s.slots)*3 }

func (s *segment) place(h uint64) (at uint64, mark uint32) {
	return h >> (64 - bits.Len(uint(len(s.slots)-1))), uint32(h) | 1
}

// find gives the slot of a hash, or the free one where it belongs.
func (s *segment) find(h uint64) (slot *uint32, mark uint32, known bool) {
	at, mark := s.place(h)
	mask := uint64(len(s.slots) - 1)
	for {
		slot := &s.slots[at]
		if *slot == 0 || *slot == mark {
			return slot, mark, *slot == mark
		}
		at = (at + 1) & mask
	}
}
