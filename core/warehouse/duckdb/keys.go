//go:build duckdb_arrow

package duckdb

import (
	"math"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/zeebo/xxh3"
)

// unique reports whether all keys of a chunk are certainly different. It compares hashes,
// so that false may also mean that it cannot tell.
func (s *source) unique(c *chunk) bool {
	if c.rows <= 1 {
		return true
	}
	if _, ok := s.keyClasses(); !ok {
		return false
	}
	set := newHashSet(c.rows)
	for _, b := range c.batches {
		hashes, ok := s.hashes(b)
		if !ok {
			return false
		}
		for _, h := range hashes {
			if !set.add(h) {
				return false
			}
		}
	}
	return true
}

// hashes gives the hash of each row's key. Equal keys have equal hashes; ok is false if
// that cannot be promised for the columns' types.
func (s *source) hashes(b arrow.RecordBatch) (hashes []uint64, ok bool) {
	hashes = make([]uint64, b.NumRows())
	for _, k := range s.key {
		if _, ok := hashClass(b.Column(k).DataType()); !ok || !hashColumn(hashes, b.Column(k)) {
			return nil, false
		}
	}
	return hashes, true
}

// A hashSet holds 64-bit hashes by open addressing. It never grows.
type hashSet struct {
	slots []uint64 // 0 is free
	shift uint
}

func newHashSet(n int64) *hashSet {
	width := bits.Len64(uint64(2*n - 1))
	return &hashSet{slots: make([]uint64, 1<<width), shift: uint(64 - width)}
}

// add reports whether h was not there yet.
func (s *hashSet) add(h uint64) bool {
	if h == 0 {
		h = 1
	}
	mask := uint64(len(s.slots) - 1)
	for i := h >> s.shift; ; i = (i + 1) & mask {
		switch s.slots[i] {
		case 0:
			s.slots[i] = h
			return true
		case h:
			return false
		}
	}
}

// mix folds a value into a hash.
func mix(h, v uint64) uint64 {
	hi, lo := bits.Mul64(h^0x9e3779b97f4a7c15, v^0xd6e8feb86659fd93)
	return (hi ^ lo) * 0xff51afd7ed558ccd
}

// hashColumn folds a column into the hashes of its rows. Values that DuckDB holds for
// equal get equal hashes.
func hashColumn(hashes []uint64, col arrow.Array) bool {
	switch a := col.(type) {
	case *array.String:
		hashTexts(hashes, a.Value)
	case *array.LargeString:
		hashTexts(hashes, a.Value)
	case *array.StringView:
		hashTexts(hashes, a.Value)
	case *array.Binary:
		hashTexts(hashes, a.ValueString)
	case *array.Int64:
		hashIntegers(hashes, a.Int64Values())
	case *array.Int32:
		hashIntegers(hashes, a.Int32Values())
	case *array.Int16:
		hashIntegers(hashes, a.Int16Values())
	case *array.Int8:
		hashIntegers(hashes, a.Int8Values())
	case *array.Uint64:
		hashIntegers(hashes, a.Uint64Values())
	case *array.Uint32:
		hashIntegers(hashes, a.Uint32Values())
	case *array.Uint16:
		hashIntegers(hashes, a.Uint16Values())
	case *array.Uint8:
		hashIntegers(hashes, a.Uint8Values())
	case *array.Timestamp:
		hashIntegers(hashes, a.TimestampValues())
	case *array.Date32:
		hashIntegers(hashes, a.Date32Values())
	case *array.Float64:
		for i, v := range a.Float64Values() {
			hashes[i] = mix(hashes[i], floatBits(v))
		}
	case *array.Decimal128:
		for i, v := range a.Values() {
			hashes[i] = mix(mix(hashes[i], v.LowBits()), uint64(v.HighBits()))
		}
	case *array.Boolean:
		for i := range hashes {
			v := uint64(0)
			if a.Value(i) {
				v = 1
			}
			hashes[i] = mix(hashes[i], v)
		}
	default:
		return false
	}
	return true
}

func hashTexts(hashes []uint64, value func(int) string) {
	for i := range hashes {
		hashes[i] = mix(hashes[i], xxh3.HashString(value(i)))
	}
}

func hashIntegers[T ~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64](hashes []uint64, values []T) {
	for i, v := range values {
		hashes[i] = mix(hashes[i], uint64(v))
	}
}

// floatBits gives zero one sign and NaN one form.
func floatBits(v float64) uint64 {
	switch {
	case v == 0:
		return 0
	case v != v:
		return 1
	}
	return math.Float64bits(v)
}
