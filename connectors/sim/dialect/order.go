package dialect

import (
	"cmp"
	"slices"

	"github.com/unsilo/unsilo/connectors/sim/world"
)

// order is the rows of a sheet in some order, good for one generation of the world.
type order struct {
	generation int
	rows       []int
}

// ordered gives rows that keep accepts, sorted by less, and remembers them under name
// until the world moves.
func (a *api) ordered(s *world.State, name string, n int, keep func(i int) bool, less func(i, j int) int) []int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if o := a.orders[name]; o != nil && o.generation == s.Generation {
		return o.rows
	}
	var rows []int
	for i := range n {
		if keep(i) {
			rows = append(rows, i)
		}
	}
	if less != nil {
		slices.SortStableFunc(rows, less)
	}
	if len(a.orders) > 200 { // searches have many names
		clear(a.orders)
	}
	a.orders[name] = &order{s.Generation, rows}
	return rows
}

// byUpdate gives the live rows of a sheet by time of change, then by age.
func (a *api) byUpdate(s *world.State, sheet *world.Sheet) []int {
	return a.ordered(s, sheet.Source+"."+sheet.Stream+" by update", sheet.Len,
		func(i int) bool { return sheet.Live(i) && sheet.Archived(i).IsZero() },
		func(i, j int) int { return cmp.Or(sheet.Updated(i).Compare(sheet.Updated(j)), cmp.Compare(i, j)) })
}
