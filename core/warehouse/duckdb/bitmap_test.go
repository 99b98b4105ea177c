//go:build duckdb_arrow

package duckdb

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
)

// TestFilterOfNumbers compares a filter of integers with a set of them, as they come close
// together, far from each other, and first one and then the other.
func TestFilterOfNumbers(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	counted := func(i int) uint64 { return uint64(i) }
	for _, c := range []struct {
		name  string
		key   func(int) uint64
		dense bool
	}{
		{"counted", counted, true},
		{"down from zero", func(i int) uint64 { return uint64(int64(-i)) }, true},
		{"in any order", func(int) uint64 { return 1<<40 + random.Uint64N(1<<20) }, true},
		{"random", func(int) uint64 { return random.Uint64() }, false},
		{"random in the end", func(i int) uint64 {
			if i < 150_000 {
				return uint64(i)
			}
			return random.Uint64()
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var budget atomic.Int64
			budget.Store(filterBytes)
			f := &keyFilter{budget: &budget, numbers: newBitmap()}
			set := map[uint64]bool{}
			for part := range 20 {
				keys, want := make([]uint64, 10_000), false
				for i := range keys {
					keys[i] = c.key(part*len(keys) + i)
					want = want || set[keys[i]]
					set[keys[i]] = true
				}
				if known, ok := f.addNumbers(keys); known != want || !ok {
					t.Fatalf("part %d: known %v, want %v; ok %v", part, known, want, ok)
				}
			}
			for v := range set {
				if known, ok := f.addNumbers([]uint64{v}); !known || !ok {
					t.Fatalf("%d is not known again", v)
				}
			}
			if dense := f.numbers != nil; dense != c.dense {
				t.Errorf("a bitmap: %v, want %v", dense, c.dense)
			}
			if taken := filterBytes - budget.Load(); taken != f.bytes || taken > bitmapStarts+10*int64(len(set)) {
				t.Errorf("%d keys take %d bytes (%d)", len(set), taken, f.bytes)
			}
			f.end()
			if got := budget.Load(); got != filterBytes {
				t.Errorf("after its end the budget is %d", got)
			}
		})
	}
}

// TestFilterOfNumbersWithoutRoom ends where the budget does, whether as a bitmap or on the
// way to hashes.
func TestFilterOfNumbersWithoutRoom(t *testing.T) {
	for _, size := range []int64{0, 10 * pageBytes, 512 << 10} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			var budget atomic.Int64
			budget.Store(size)
			f := &keyFilter{budget: &budget, numbers: newBitmap()}
			for i := uint64(0); ; i++ {
				if _, ok := f.addNumbers([]uint64{i * 100_000}); !ok {
					break
				}
				if i > 1_000_000 {
					t.Fatal("the filter takes more than its budget")
				}
			}
			f.end()
			if got := budget.Load(); got != size {
				t.Errorf("after its end the budget is %d", got)
			}
		})
	}
}
