//go:build duckdb_arrow

package duckdb

import (
	"strings"
	"sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
)

// While a table is being filled from nothing, almost every key is new, and asking DuckDB
// about each would cost as much as storing the rows. A keyFilter remembers the keys that
// a table may hold, integers that are close together in a bit each and others in 4 to 8
// bytes: a key it does not know is certainly new. One it knows is asked about as usual.
//
// A filter is begun by a transaction that sees its table empty while nobody else has
// changed it. It is that transaction's own until the commit, and then for those that
// begin later. Every row that is added to the table adds its key to the filter, also if
// it is rolled back; whatever cannot do so ends the filter.
type keyFilter struct {
	key   string // columns and classes of the key
	owner *tx    // nil once committed
	since int64  // the warehouse's clock at that commit

	mu       sync.Mutex
	numbers  *bitmap // nil when keys are not integers, or too far from each other
	segments []segment
	bytes    int64
	budget   *atomic.Int64 // what all filters may still take
	ended    bool
}

// filterBytes bounds the memory of all filters of a warehouse: some 12 million keys that
// are no integers.
const filterBytes = 64 << 20

// add remembers hashes and reports whether it may have known one of them. ok is false
// when there is no room; the filter is of no use then.
func (f *keyFilter) add(hashes []uint64) (known, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.addHashes(hashes)
}

func (f *keyFilter) addHashes(hashes []uint64) (known, ok bool) {
	for _, h := range hashes {
		last := len(f.segments) - 1
		if last < 0 || f.segments[last].full() {
			if !f.grow() {
				return known, false
			}
			last++
		}
		seen := false
		for i := range f.segments[:last] {
			if _, _, found := f.segments[i].find(h); found {
				seen = true
				break
			}
		}
		if !seen {
			slot, mark, found := f.segments[last].find(h)
			if seen = found; !found {
				*slot = mark
				f.segments[last].used++
			}
		}
		known = known || seen
	}
	return known, true
}

// addNumbers is add for keys that are integers, as long as they are close together.
func (f *keyFilter) addNumbers(keys []uint64) (known, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, v := range keys {
		if f.numbers == nil {
			seen, ok := f.addHashes(inOrder(hashNumbers(keys[i:])))
			return known || seen, ok
		}
		pages := len(f.numbers.pages)
		if f.numbers.add(v) {
			known = true
		}
		if len(f.numbers.pages) > pages && !(f.take(pageBytes) && (!f.numbers.sparse() || f.spread())) {
			return known, false
		}
	}
	return known, true
}

// spread goes over to hashes.
func (f *keyFilter) spread() (ok bool) {
	numbers := f.numbers
	f.numbers = nil
	f.give(numbers.bytes())
	ok = true
	numbers.each(func(keys []uint64) bool {
		_, ok = f.addHashes(hashNumbers(keys))
		return ok
	})
	return ok
}

func hashNumbers(keys []uint64) []uint64 {
	hashes := make([]uint64, len(keys))
	hashIntegers(hashes, keys)
	return hashes
}

// take reserves memory; false means that there is none left.
func (f *keyFilter) take(size int64) bool {
	if f.ended {
		return false
	}
	if f.budget.Add(-size) < 0 {
		f.budget.Add(size)
		return false
	}
	f.bytes += size
	return true
}

func (f *keyFilter) give(size int64) {
	f.budget.Add(size)
	f.bytes -= size
}

// grow adds a segment, twice as big as the one before.
func (f *keyFilter) grow() bool {
	const least = 18
	width := least + len(f.segments)
	if !f.take(int64(4) << width) {
		return false
	}
	s, ok := newSegment(width)
	if ok {
		f.segments = append(f.segments, s)
	}
	return ok
}

// end gives back the memory.
func (f *keyFilter) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	for i := range f.segments {
		f.segments[i].free()
	}
	f.segments, f.numbers = nil, nil
	f.give(f.bytes)
}

// endFilter forgets the filter of a table, by folded name. The caller holds mu.
func (w *Warehouse) endFilter(name core.TableName) {
	if f := w.filters[name]; f != nil {
		f.end()
		delete(w.filters, name)
	}
}

// touch notes that the transaction changes a table. It must be called before the change.
func (t *tx) touch(name core.TableName) {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	name = foldTable(name)
	t.touched[name] = true
	if f := t.w.filters[name]; f != nil && f.owner != t && (f.owner != nil || f.since > t.since) {
		t.w.endFilter(name) // it does not show what this transaction sees
	}
}

// forget ends the filter of a table, which is about to become another.
func (t *tx) forget(name core.TableName) {
	t.touch(name)
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	t.w.endFilter(foldTable(name))
}

// untouch settles the filters of a transaction that has ended.
func (w *Warehouse) untouch(t *tx, committed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock++
	for name := range t.touched {
		w.ended[name] = w.clock
		if committed {
			w.written[name] = w.clock
		}
		if w.writers[name] == t {
			delete(w.writers, name)
		}
		if f := w.filters[name]; f != nil && f.owner == t {
			if !committed {
				w.endFilter(name)
				continue
			}
			f.owner, f.since = nil, w.clock
		}
	}
}

// filter gives the filter of the table being written, if it has one for this key, and
// begins one if the table is empty.
func (w *writing) filter(empty bool) *keyFilter {
	key, ok := w.src.keyClasses()
	house, name := w.tx.w, foldTable(w.table.Name)
	house.mu.Lock()
	defer house.mu.Unlock()
	f := house.filters[name]
	if f != nil && (!ok || f.key != key) {
		house.endFilter(name)
		f = nil
	}
	if f != nil || !empty || !ok || house.ended[name] > w.tx.since {
		return f
	}
	for other := range house.txs {
		if other != w.tx && other.touched[name] {
			return nil
		}
	}
	f = &keyFilter{key: key, owner: w.tx, budget: &house.filterBudget}
	if w.src.keyIsNumber() {
		f.numbers = newBitmap()
	}
	house.filters[name] = f
	return f
}

// remember adds the keys of a chunk to the filter and reports whether all of them are
// certainly new and different. A filter that cannot take them has come to its end.
func (w *writing) remember(c *chunk) (fresh bool) {
	known, ok := false, true
	if numbers, are := w.src.numbers(c); are {
		known, ok = w.keys.addNumbers(numbers)
	} else {
		hashes := make([]uint64, 0, c.rows)
		for _, b := range c.batches {
			part, can := w.src.hashes(b)
			hashes, ok = append(hashes, part...), ok && can
		}
		if ok {
			known, ok = w.keys.add(inOrder(hashes))
		}
	}
	if !ok {
		w.tx.forget(w.table.Name)
		w.keys = nil
	}
	return ok && !known
}

// inOrder gives hashes roughly in order, so that a filter, which is bigger than the caches,
// is gone through once and not at random.
func inOrder(hashes []uint64) []uint64 {
	const width = 11
	var ends [1<<width + 1]int
	for _, h := range hashes {
		ends[h>>(64-width)+1]++
	}
	for i := range ends[1:] {
		ends[i+1] += ends[i]
	}
	out := make([]uint64, len(hashes))
	for _, h := range hashes {
		at := &ends[h>>(64-width)]
		out[*at] = h
		*at++
	}
	return out
}

// keyClasses names the key columns and how each is hashed; false if one cannot be.
func (s *source) keyClasses() (string, bool) {
	var out strings.Builder
	for _, k := range s.key {
		class, ok := hashClass(s.schema.Field(k).Type)
		if !ok {
			return "", false
		}
		out.WriteString(quote(fold(s.columns[k].Name)) + class)
	}
	return out.String(), len(s.key) > 0
}

// hashClass says which column types have equal hashes for equal values.
func hashClass(t arrow.DataType) (string, bool) {
	switch t := t.(type) {
	case *arrow.StringType, *arrow.LargeStringType, *arrow.StringViewType:
		return "text", true
	case *arrow.BinaryType:
		return "bytes", true
	case *arrow.Int8Type, *arrow.Int16Type, *arrow.Int32Type, *arrow.Int64Type,
		*arrow.Uint8Type, *arrow.Uint16Type, *arrow.Uint32Type, *arrow.Uint64Type:
		return "integer", true
	case *arrow.TimestampType:
		// Zoned nanoseconds are kept as microseconds: different values may become one.
		return t.String(), t.TimeZone == "" || t.Unit != arrow.Nanosecond
	case *arrow.Float64Type, *arrow.BooleanType, *arrow.Date32Type, *arrow.Decimal128Type:
		return t.String(), true
	}
	return "", false
}
