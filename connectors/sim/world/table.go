package world

import (
	"cmp"
	"slices"
	"time"
)

// Change is one step of the event log: a record of a stream was created, updated or
// deleted at a time.
type Change struct {
	At             time.Time
	Source, Stream string
	Op             Op
	// Key is the record's key as the truth file has it.
	Key string
}

// Op is what happened to a record.
type Op string

// The operations.
const (
	Create Op = "create"
	Update Op = "update"
	Delete Op = "delete"
)

// Table is one stream of records that change. Rows shows them as of now, nil for those
// that do not exist yet, or no more; the place of a record in it never changes.
type Table[T any] struct {
	Source, Stream string
	Rows           []*T
	planned        []*T
	stamp          func(*T) int64
	key            func(*T) string
}

// pending is a change that lies in the future of the clock.
type pending struct {
	at    int64
	order int
	apply func() Change
}

// calendar holds what is planned past now.
type calendar struct {
	fast    bool // every change is due at once and nobody asks for the list
	waiting []pending
}

func newTable[T any](source, stream string, stamp func(*T) int64, key func(*T) string) *Table[T] {
	return &Table[T]{Source: source, Stream: stream, stamp: stamp, key: key}
}

// add plans a new record and returns its place.
func (t *Table[T]) add(c *calendar, at int64, row T) int {
	i := len(t.planned)
	t.planned = append(t.planned, &row)
	t.Rows = append(t.Rows, nil)
	t.plan(c, at, i, &row, Create)
	return i
}

// change plans a new version of a record. The edit gets the time to stamp it with, which
// is at, or a second after the version before when that is later.
func (t *Table[T]) change(c *calendar, at int64, i int, edit func(row *T, at int64)) {
	at = max(at, t.stamp(t.planned[i])+1000)
	row := *t.planned[i]
	edit(&row, at)
	t.planned[i] = &row
	t.plan(c, at, i, &row, Update)
}

// end plans the end of a record. keep is the last version of records that stay visible
// as deleted ones, nil for those that vanish.
func (t *Table[T]) end(c *calendar, at int64, i int, mark func(row *T, at int64)) {
	at = max(at, t.stamp(t.planned[i])+1000)
	if mark == nil {
		old := t.planned[i]
		t.planned[i] = nil
		t.planGone(c, at, i, old)
		return
	}
	row := *t.planned[i]
	mark(&row, at)
	t.planned[i] = &row
	t.plan(c, at, i, &row, Delete)
}

func (t *Table[T]) plan(c *calendar, at int64, i int, row *T, op Op) {
	if c.fast {
		t.Rows[i] = row
		return
	}
	c.waiting = append(c.waiting, pending{at, len(c.waiting), func() Change {
		t.Rows[i] = row
		return Change{fromMillis(at), t.Source, t.Stream, op, t.key(row)}
	}})
}

func (t *Table[T]) planGone(c *calendar, at int64, i int, old *T) {
	if c.fast {
		t.Rows[i] = nil
		return
	}
	c.waiting = append(c.waiting, pending{at, len(c.waiting), func() Change {
		t.Rows[i] = nil
		return Change{fromMillis(at), t.Source, t.Stream, Delete, t.key(old)}
	}})
}

// Each calls f for every record that exists now, in order of creation.
func (t *Table[T]) Each(f func(i int, row *T)) {
	for i, row := range t.Rows {
		if row != nil {
			f(i, row)
		}
	}
}

// due applies what is planned up to and including now, in order of time.
func (c *calendar) due(now int64) []Change {
	slices.SortStableFunc(c.waiting, func(a, b pending) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.order, b.order))
	})
	n := 0
	for n < len(c.waiting) && c.waiting[n].at <= now {
		n++
	}
	changes := make([]Change, 0, n)
	for _, p := range c.waiting[:n] {
		changes = append(changes, p.apply())
	}
	c.waiting = slices.Clone(c.waiting[n:])
	for i := range c.waiting {
		c.waiting[i].order = i
	}
	return changes
}

func fromMillis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
