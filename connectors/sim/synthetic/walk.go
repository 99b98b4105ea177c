package synthetic

import "math"

// place is a position: after row ID of a part of a day.
type place struct {
	day, part, id int64
}

// bounds of a walk, in microseconds: From is included, until is not.
type bounds struct{ from, until int64 }

// walker goes through the rows of a stream as they are on a day, in order of updated_at
// and id.
type walker struct {
	life   life
	today  int64
	at     place // next to look at
	bounds bounds
	low    int64 // ids of the shard, from low
	high   int64 // to below high
	// keys walks over all rows in order of id, whatever their stamps.
	keys bool

	ids, versions, stamps []int64
	rejects               []int64
	gone                  []bool
	last                  place
}

func newWalker(l life, today int64) *walker {
	return &walker{
		life: l, today: today, bounds: bounds{math.MinInt64, math.MaxInt64}, high: math.MaxInt64,
		last: place{-1, 0, 0}, at: place{0, partNew, 0},
	}
}

// after makes the walk begin behind a place.
func (w *walker) after(p place) {
	w.at = place{p.day, p.part, p.id + 1}
	w.last = p
}

// fill looks at ids until n rows are found; it reports whether there may be more.
func (w *walker) fill(n int64) bool {
	w.ids, w.versions, w.stamps = make([]int64, 0, n), make([]int64, 0, n), make([]int64, 0, n)
	w.rejects, w.gone = nil, nil
	for w.at.day <= w.today {
		if w.fillPart(n) {
			return true
		}
		w.at.id = 0
		// The new rows of day 0 are all there is on that day.
		if w.at.part++; w.at.part == parts || w.at.day == 0 {
			w.at.day, w.at.part = w.at.day+1, partChanged
		}
	}
	return false
}

// fillPart goes through the present part; it reports whether the batch is full.
func (w *walker) fillPart(n int64) bool {
	first, step, end := w.life.span(w.at.day, w.at.part)
	id := max(first, w.low)
	id = max(id, w.at.id)
	id = first + (id-first+step-1)/step*step
	end = min(end, w.high)
	if w.plain() {
		return w.run(id, end, n)
	}
	for ; id < end; id += step {
		stamp := w.life.stamp(w.at.day, w.at.part, id)
		if stamp >= w.bounds.until {
			w.at.day = w.today + 1
			return false
		}
		changed, version, gone := w.life.look(id, w.today)
		if changed != w.at.day || w.life.part(id, changed, gone) != w.at.part || stamp < w.bounds.from {
			continue
		}
		if !w.life.shown(id, gone) {
			if w.life.rejected(id) && !gone {
				w.rejects = append(w.rejects, id)
			}
			continue
		}
		w.ids, w.versions, w.stamps = append(w.ids, id), append(w.versions, version), append(w.stamps, stamp)
		w.gone = append(w.gone, gone)
		w.last = place{w.at.day, w.at.part, id}
		if int64(len(w.ids)) == n {
			w.at.id = id + 1
			return true
		}
	}
	return false
}

// plain reports whether the present part is the first one and nothing but the day
// decides which of its ids are rows.
func (w *walker) plain() bool {
	return w.at.day == 0 && w.life.opt.RejectEvery == 0 && w.bounds == (bounds{math.MinInt64, math.MaxInt64})
}

// run takes the rows of the first part from id to below end that nothing has happened to
// since day 0. It counts along what look would work out by division.
func (w *walker) run(id, end, n int64) bool {
	have := int64(len(w.ids))
	ids, versions, stamps := w.ids[:n], w.versions[:n], w.stamps[:n]
	tie, m, q := w.life.opt.Tie, w.life.m, w.life.q
	next, stamp := (id/tie+1)*tie, w.life.stamp(0, partNew, id)
	// The first day of a change, and the day of the end, both from 1.
	change, gone := int64(math.MaxInt64), int64(math.MaxInt64)
	if m > 0 {
		change = 1 + modulo(id-1, m)
	}
	if q > 0 {
		gone = 1 + modulo(q-2-id, q)
	}
	for ; id < end && have < n; id++ {
		if id == next {
			next, stamp = next+tie, stamp+1
		}
		if change > w.today && gone > w.today {
			ids[have], versions[have], stamps[have] = id, 1, stamp
			have++
		}
		if m > 0 {
			if change++; change > m {
				change = 1
			}
		}
		if q > 0 {
			if gone--; gone < 1 {
				gone = q
			}
		}
	}
	if have > int64(len(w.ids)) {
		w.last = place{0, partNew, ids[have-1]}
	}
	w.at.id = id
	w.ids, w.versions, w.stamps = ids[:have], versions[:have], stamps[:have]
	return have == n
}

// deleted lists the ids that were deleted on a day, within the shard.
func (w *walker) deleted(day int64) []int64 {
	var ids []int64
	l := w.life
	if l.q == 0 {
		return nil
	}
	for id := modulo(l.q-1-day, l.q); id < l.total(day-1); id += l.q {
		if id >= w.low && id < w.high && !l.rejected(id) && l.end(id, l.birth(id)) == day {
			ids = append(ids, id)
		}
	}
	return ids
}
