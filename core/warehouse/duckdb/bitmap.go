//go:build duckdb_arrow

package duckdb

import (
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

const (
	// pageKeys are the integers of one page.
	pageKeys = 4096
	// pageBytes is what a page costs, with its place in the map.
	pageBytes = pageKeys/8 + 64
	// A bitmap is denser than hashes as long as it takes less than 2 bytes for a key; one
	// that is just beginning may take more.
	denseBytes   = 2
	bitmapStarts = 4 * mib
)

// A bitmap holds integers that are close together, as most ids are that a database counts
// out: a bit for each, in pages. It is never wrong.
type bitmap struct {
	pages map[uint64]*[pageKeys / 64]uint64
	held  int64
	// Most integers come beside the one before.
	near *[pageKeys / 64]uint64
	at   uint64
}

func newBitmap() *bitmap { return &bitmap{pages: map[uint64]*[pageKeys / 64]uint64{}} }

// page gives the page of an integer, a new one if need be.
func (b *bitmap) page(v uint64) *[pageKeys / 64]uint64 {
	at := v / pageKeys
	if b.near != nil && b.at == at {
		return b.near
	}
	page := b.pages[at]
	if page == nil {
		page = new([pageKeys / 64]uint64)
		b.pages[at] = page
	}
	b.near, b.at = page, at
	return page
}

// add reports whether v was there.
func (b *bitmap) add(v uint64) (known bool) {
	word, bit := &b.page(v)[v%pageKeys/64], uint64(1)<<(v%64)
	if *word&bit != 0 {
		return true
	}
	*word |= bit
	b.held++
	return false
}

func (b *bitmap) bytes() int64 { return int64(len(b.pages)) * pageBytes }

// sparse reports whether hashes would take less memory.
func (b *bitmap) sparse() bool { return b.bytes() > bitmapStarts+denseBytes*b.held }

// each passes on the integers, a page at a time.
func (b *bitmap) each(f func([]uint64) bool) {
	var list [pageKeys]uint64
	for at, page := range b.pages {
		n := 0
		for i, word := range page {
			for ; word != 0; word &= word - 1 {
				list[n] = at*pageKeys + uint64(i*64+bits.TrailingZeros64(word))
				n++
			}
		}
		if !f(list[:n]) {
			return
		}
	}
}

// numbers gives the keys of a chunk whose key is one column of integers.
func (s *source) numbers(c *chunk) ([]uint64, bool) {
	if !s.keyIsNumber() {
		return nil, false
	}
	out := make([]uint64, 0, c.rows)
	for _, b := range c.batches {
		out = appendIntegers(out, b.Column(s.key[0]))
	}
	return out, true
}

// keyIsNumber reports whether the key is one column of integers.
func (s *source) keyIsNumber() bool {
	return len(s.key) == 1 && arrow.IsInteger(s.schema.Field(s.key[0]).Type.ID())
}

func appendIntegers(out []uint64, col arrow.Array) []uint64 {
	switch a := col.(type) {
	case *array.Int64:
		return widen(out, a.Int64Values())
	case *array.Int32:
		return widen(out, a.Int32Values())
	case *array.Int16:
		return widen(out, a.Int16Values())
	case *array.Int8:
		return widen(out, a.Int8Values())
	case *array.Uint64:
		return widen(out, a.Uint64Values())
	case *array.Uint32:
		return widen(out, a.Uint32Values())
	case *array.Uint16:
		return widen(out, a.Uint16Values())
	case *array.Uint8:
		return widen(out, a.Uint8Values())
	}
	return out
}

func widen[T ~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64](out []uint64, values []T) []uint64 {
	for _, v := range values {
		out = append(out, uint64(v))
	}
	return out
}
