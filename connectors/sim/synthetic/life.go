package synthetic

import (
	"math"

	"github.com/unsilo/unsilo/core"
)

// life is the arithmetic of rows: which exist on a day, when each changed last. With a
// change every m days and a delete after at most q:
//
//	row id changes on days d with d = id (mod m), and
//	is deleted on the first day d after its birth with d = q-1-id (mod q).
type life struct {
	opt  Options
	m, q int64 // 0: never
	grow int64 // new rows a day
}

func newLife(o Options) life {
	l := life{opt: o, grow: o.Rows * o.Grow / 1000}
	if o.Change > 0 {
		l.m = 1000 / o.Change
	}
	if o.Delete > 0 {
		l.q = 1000 / o.Delete
	}
	return l
}

// total is the number of ids there ever were by the end of a day.
func (l life) total(day int64) int64 { return l.opt.Rows + l.grow*day }

func (l life) birth(id int64) int64 {
	if id < l.opt.Rows {
		return 0
	}
	return 1 + (id-l.opt.Rows)/l.grow
}

// end is the day on which a row is deleted.
func (l life) end(id, birth int64) int64 {
	if l.q == 0 {
		return math.MaxInt64
	}
	return birth + 1 + modulo(l.q-1-id-(birth+1), l.q)
}

func modulo(a, m int64) int64 { return (a%m + m) % m }

// rejected reports whether an id is a record that cannot be made into a row.
func (l life) rejected(id int64) bool {
	return l.opt.RejectEvery > 0 && id%l.opt.RejectEvery == l.opt.RejectEvery-1
}

// look gives a row as it is on a day: the day of its last change, its version, and
// whether it is deleted. The row must have been born.
func (l life) look(id, day int64) (changed, version int64, gone bool) {
	born := l.birth(id)
	end := l.end(id, born)
	upto := day
	if end <= day {
		gone, upto = true, end-1
	}
	changed, version = born, 1
	if l.m > 0 {
		if last := upto - modulo(upto-id, l.m); last > born {
			first := born + 1 + modulo(id-(born+1), l.m)
			changed, version = last, 2+(last-first)/l.m
		}
	}
	if gone && l.opt.Deletes == core.DeleteFlag {
		return end, version + 1, true
	}
	return changed, version, gone
}

// shown reports whether a row is in the table on a day.
func (l life) shown(id int64, gone bool) bool {
	return !l.rejected(id) && (!gone || l.opt.Deletes == core.DeleteFlag)
}

// The parts of a day's rows, in order of their stamps: rows that changed, rows that are
// new, rows that are flagged as deleted.
const (
	partChanged = iota
	partNew
	partFlagged
	parts
)

// part tells which part of the day of its last change a row is in.
func (l life) part(id, changed int64, gone bool) int64 {
	switch {
	case gone && l.opt.Deletes == core.DeleteFlag:
		return partFlagged
	case l.birth(id) == changed:
		return partNew
	}
	return partChanged
}

// dayMicros is a day; beginMicros the first moment of day 0, 1 January 2026.
const (
	dayMicros   = int64(24 * 3600 * 1e6)
	beginMicros = int64(1767225600 * 1e6)
)

// stamp is when a row of a part of a day changed. Stamps grow with day, part and id, and
// Tie neighbours share one.
func (l life) stamp(day, part, id int64) int64 {
	rank := id
	switch part {
	case partChanged:
		rank = id / max(l.m, 1)
	case partNew:
		if day > 0 {
			rank = id - l.total(day-1)
		}
	default:
		rank = id / max(l.q, 1)
	}
	return beginMicros + day*dayMicros + part*dayMicros/parts + rank/l.opt.Tie
}

// span gives the ids that can be in a part of a day: from first, every step, below end.
func (l life) span(day, part int64) (first, step, end int64) {
	switch part {
	case partNew:
		if day == 0 {
			return 0, 1, l.opt.Rows
		}
		return l.total(day - 1), 1, l.total(day)
	case partChanged:
		if day == 0 || l.m == 0 {
			return 0, 1, 0
		}
		return modulo(day, l.m), l.m, l.total(day - 1)
	default:
		if day == 0 || l.q == 0 || l.opt.Deletes != core.DeleteFlag {
			return 0, 1, 0
		}
		return modulo(l.q-1-day, l.q), l.q, l.total(day - 1)
	}
}

// Sum tells what a stream (from 1) holds on a day: the number of its rows, flagged ones
// included, and the sum of their checksums.
func (o Options) Sum(stream, day int) (rows, checksum int64) {
	l := newLife(o)
	for id := range l.total(int64(day)) {
		_, version, gone := l.look(id, int64(day))
		if l.shown(id, gone) {
			rows++
			checksum += o.Checksum(stream, id, version)
		}
	}
	return rows, checksum
}

// Checksum is the value of the column checksum for a row of a stream (from 1): from 0
// to 2^31-1, so that sums fit.
func (o Options) Checksum(stream int, id, version int64) int64 {
	return int64(rowHash(o.Seed, stream, id, version) >> 33)
}

// rowHash is what all further values of a row are made of.
func rowHash(seed uint64, stream int, id, version int64) uint64 {
	z := uint64(id)*0x9e3779b97f4a7c15 + uint64(version)*0xd1342543de82ef95 + seed*0x2545f4914f6cdd1d + uint64(stream)<<56
	z = (z ^ z>>32) * 0xbf58476d1ce4e5b9
	return z ^ z>>29
}
