package frame

import (
	"unsafe"

	"github.com/zeebo/xxh3"
)

// A Dict numbers distinct byte strings from 0 in the order they are first added. Values
// live in one arena, so that ten million of them cost no garbage collection.
type Dict struct {
	arena []byte
	ends  []uint64
	slots []int32 // code+1, open addressing; 0 is free
}

// Len is the number of distinct values.
func (d *Dict) Len() int { return len(d.ends) }

// Bytes gives value i; the slice must not be changed.
func (d *Dict) Bytes(i int32) []byte {
	start := uint64(0)
	if i > 0 {
		start = d.ends[i-1]
	}
	return d.arena[start:d.ends[i]:d.ends[i]]
}

// Value gives value i without copying it.
func (d *Dict) Value(i int32) string {
	b := d.Bytes(i)
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// Add returns the code of the value, giving it the next one if it is new.
func (d *Dict) Add(value []byte) int32 {
	if len(d.ends)*4 >= len(d.slots)*3 {
		d.grow()
	}
	slot := d.slot(value)
	if code := d.slots[slot]; code != 0 {
		return code - 1
	}
	d.arena = append(d.arena, value...)
	d.ends = append(d.ends, uint64(len(d.arena)))
	d.slots[slot] = int32(len(d.ends))
	return int32(len(d.ends) - 1)
}

// AddString is Add for a string.
func (d *Dict) AddString(value string) int32 {
	return d.Add(unsafe.Slice(unsafe.StringData(value), len(value)))
}

// Find returns the code of a value, or -1.
func (d *Dict) Find(value string) int32 {
	if len(d.slots) == 0 {
		return -1
	}
	return d.slots[d.slot(unsafe.Slice(unsafe.StringData(value), len(value)))] - 1
}

// Compact frees the index that Add and Find need; they build it again when used.
func (d *Dict) Compact() { d.slots = nil }

func (d *Dict) slot(value []byte) uint64 {
	mask := uint64(len(d.slots) - 1)
	i := xxh3.Hash(value) & mask
	for d.slots[i] != 0 && string(d.Bytes(d.slots[i]-1)) != string(value) {
		i = (i + 1) & mask
	}
	return i
}

func (d *Dict) grow() {
	size := max(64, 2*len(d.slots))
	for size*3 <= len(d.ends)*4 {
		size *= 2
	}
	d.slots = make([]int32, size)
	mask := uint64(size - 1)
	for code := range d.ends {
		i := xxh3.Hash(d.Bytes(int32(code))) & mask
		for d.slots[i] != 0 {
			i = (i + 1) & mask
		}
		d.slots[i] = int32(code) + 1
	}
}
