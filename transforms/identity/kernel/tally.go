package kernel

import (
	"cmp"
	"slices"

	"github.com/unsilo/unsilo/transforms/identity/fs"
)

// tally counts patterns in an open table.
type tally struct {
	slots []entry
	used  int
}

type entry struct {
	pattern uint64 // plus one; 0 is free
	n       int64
	terms   uint64
	weight  int32
}

func newTally() tally { return tally{slots: make([]entry, 1024)} }

func (t *tally) at(pattern uint64) *entry {
	mask := uint64(len(t.slots) - 1)
	key := pattern + 1
	i := key * 0x9E3779B97F4A7C15 >> 20 & mask
	for {
		e := &t.slots[i]
		if e.pattern == key {
			return e
		}
		if e.pattern == 0 {
			break
		}
		i = (i + 1) & mask
	}
	if t.used*2 >= len(t.slots) {
		old := t.slots
		t.slots, t.used = make([]entry, 2*len(old)), 0
		for k := range old {
			if old[k].pattern != 0 {
				*t.at(old[k].pattern - 1) = old[k]
			}
		}
		return t.at(pattern)
	}
	t.used++
	t.slots[i].pattern = key
	return &t.slots[i]
}

func (t *tally) each(f func(*entry)) {
	for i := range t.slots {
		if t.slots[i].pattern != 0 {
			e := t.slots[i]
			e.pattern--
			f(&e)
		}
	}
}

func (t *tally) counts() []fs.Count {
	var out []fs.Count
	t.each(func(e *entry) { out = append(out, fs.Count{Pattern: e.pattern, N: float64(e.n)}) })
	slices.SortFunc(out, func(a, b fs.Count) int { return cmp.Compare(a.Pattern, b.Pattern) })
	return out
}
