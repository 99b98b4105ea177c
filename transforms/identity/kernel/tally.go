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

// reserve makes room for n more patterns. Until the next call, places that at gives stand.
func (t *tally) reserve(n int) {
	size := len(t.slots)
	for (t.used+n)*2 > size {
		size *= 2
	}
	if size == len(t.slots) {
		return
	}
	old := t.slots
	t.slots, t.used = make([]entry, size), 0
	for k := range old {
		if old[k].pattern != 0 {
			t.slots[t.at(old[k].pattern-1)] = old[k]
		}
	}
}

// at gives the place of a pattern, which is there from then on; room must be reserved for it.
func (t *tally) at(pattern uint64) int32 {
	mask := uint64(len(t.slots) - 1)
	key := pattern + 1
	for i := key * 0x9E3779B97F4A7C15 >> 20 & mask; ; i = (i + 1) & mask {
		e := &t.slots[i]
		if e.pattern == 0 {
			e.pattern = key
			t.used++
		}
		if e.pattern == key {
			return int32(i)
		}
	}
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

// add adds what another tally counted.
func (t *tally) add(other *tally) {
	t.reserve(other.used)
	other.each(func(e *entry) { t.slots[t.at(e.pattern)].n += e.n })
}
