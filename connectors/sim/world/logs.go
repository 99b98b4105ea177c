package world

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/unsilo/unsilo/connectors/sim/dice"
)

// HitsUntil counts the lines of the access log that exist at a time.
func (s *State) HitsUntil(t time.Time) int {
	ms := t.UnixMilli()
	return sort.Search(len(s.Hits), func(i int) bool { return s.Hits[i].At > ms })
}

// RequestID is the web server's id of a request.
func (s *State) RequestID(i int) string {
	d := dice.New(s.Options.Seed, "request", i)
	return fmt.Sprintf("%016x%016x", d.Uint64(), d.Uint64())
}

// EndedCalls lists, in order of their end, the calls that ended after from and not after
// to: the order in which a call detail record is written.
func (s *State) EndedCalls(from, to time.Time) []int {
	a, b := from.UnixMilli(), to.UnixMilli()
	// A call lasts under an hour, so nothing that began earlier can end in the span.
	first := sort.Search(len(s.Calls), func(i int) bool { return s.Calls[i].Start > a-2*hourMillis })
	var list []int
	for i := first; i < len(s.Calls) && s.Calls[i].Start <= b; i++ {
		if end := s.Calls[i].End(); end > a && end <= b {
			list = append(list, i)
		}
	}
	slices.SortStableFunc(list, func(i, j int) int { return cmp.Compare(s.Calls[i].End(), s.Calls[j].End()) })
	return list
}

// withLogs puts the calls that ended and the pages that were asked for between two times
// among the other changes.
func (s *State) withLogs(changes []Change, from, to int64) []Change {
	for _, i := range s.EndedCalls(fromMillis(from), fromMillis(to)) {
		changes = append(changes, Change{fromMillis(s.Calls[i].End()), Calls, "cdr", Create, s.CallID(i)})
	}
	for i := s.HitsUntil(fromMillis(from)); i < s.HitsUntil(fromMillis(to)); i++ {
		changes = append(changes, Change{fromMillis(s.Hits[i].At), Web, "access", Create, s.RequestID(i)})
	}
	slices.SortStableFunc(changes, func(a, b Change) int { return a.At.Compare(b.At) })
	return changes
}
