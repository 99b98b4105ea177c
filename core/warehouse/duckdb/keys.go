//go:build duckdb_arrow

package duckdb

import (
	"encoding/binary"
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
	set := newHashSet(c.rows)
	var hashes []uint64
	for _, b := range c.batches {
		hashes = append(hashes[:0], make([]uint64, b.NumRows())...)
		for _, k := range s.key {
			if !hashColumn(hashes, b.Column(k)) {
				return false
			}
		}
		for _, h := range hashes {
			if !set.add(h) {
				return false
			}
		}
	}
	return true
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
	hi, lo := bits.Mul64(h^0x9e3779b97f4a7c15^v, 0xd6e8feb86659fd93)
	return hi ^ lo ^ v<<1
}

// hashColumn folds a column into the hashes of its rows. Values that DuckDB holds for
// equal get equal hashes; false means that this cannot be promised for the type.
func hashColumn(hashes []uint64, col arrow.Array) bool {
	switch a := col.(type) {
	case *array.String:
		for i := range hashes {
			hashes[i] = mix(hashes[i], xxh3.HashString(a.Value(i)))
		}
	case *array.Binary:
		for i := range hashes {
			hashes[i] = mix(hashes[i], xxh3.Hash(a.Value(i)))
		}
	case *array.LargeString:
		for i := range hashes {
			hashes[i] = mix(hashes[i], xxh3.HashString(a.Value(i)))
		}
	case *array.StringView:
		for i := range hashes {
			hashes[i] = mix(hashes[i], xxh3.HashString(a.Value(i)))
		}
	case *array.Int64:
		for i, v := range a.Int64Values() {
			hashes[i] = mix(hashes[i], uint64(v))
		}
	case *array.Int32:
		for i, v := range a.Int32Values() {
			hashes[i] = mix(hashes[i], uint64(v))
		}
	case *array.Uint64:
		for i, v := range a.Uint64Values() {
			hashes[i] = mix(hashes[i], v)
		}
	case *array.Float64:
		for i, v := range a.Float64Values() {
			hashes[i] = mix(hashes[i], floatBits(v))
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
		return hashFixed(hashes, col)
	}
	return true
}

func floatBits(v float64) uint64 {
	switch {
	case v == 0:
		return 0
	case v != v:
		return 1
	}
	return math.Float64bits(v)
}

// hashFixed folds columns whose values are equal when their bytes are.
func hashFixed(hashes []uint64, col arrow.Array) bool {
	switch t := col.DataType().(type) {
	case *arrow.TimestampType:
		// DuckDB keeps zoned nanoseconds as microseconds: different values may become one.
		if t.TimeZone != "" && t.Unit == arrow.Nanosecond {
			return false
		}
	case *arrow.Int8Type, *arrow.Int16Type, *arrow.Uint8Type, *arrow.Uint16Type, *arrow.Uint32Type, *arrow.Date32Type,
		*arrow.Decimal128Type, *arrow.FixedSizeBinaryType:
	default:
		return false
	}
	width := col.DataType().(arrow.FixedWidthDataType).Bytes()
	values := col.Data().Buffers()[1].Bytes()[col.Data().Offset()*width:]
	var padded [8]byte
	for i := range hashes {
		v := values[i*width : (i+1)*width]
		if width <= 8 {
			padded = [8]byte{}
			copy(padded[:], v)
			hashes[i] = mix(hashes[i], binary.LittleEndian.Uint64(padded[:]))
		} else {
			hashes[i] = mix(hashes[i], xxh3.Hash(v))
		}
	}
	return true
}
