package kernel

import (
	"math"
	"slices"

	"github.com/unsilo/unsilo/transforms/identity/frame"
)

// Budget bounds the work that Choose plans.
type Budget struct {
	// Records in all.
	Records int
	// Pairs to compare in all, about.
	Pairs float64
	// MaxBlock is the largest block that is used.
	MaxBlock int
	// MaxRules bounds the number of rules.
	MaxRules int
}

// exhaustive is the number of records up to which all pairs are compared.
const exhaustive = 2500

// DefaultBudget compares up to 60 others with each record, and more where there are few
// records.
func DefaultBudget(records int) Budget {
	return Budget{Records: records, Pairs: max(60*float64(records), 4e6), MaxBlock: 5000, MaxRules: 32}
}

// Choose finds blocking rules from the data alone: for every attribute, pair and triple of
// attributes the coarsest key whose blocks stay within the budget. Coarse keys survive
// errors, and many combinations survive errors in any one attribute. joint, when not nil,
// holds full names and adds a rule for swapped names.
func Choose(columns []*frame.Column, joint *frame.Column, budget Budget) []*Rule {
	if budget.Records <= exhaustive {
		return []*Rule{{Name: "all pairs"}}
	}
	c := &chooser{budget: budget, cache: hashCache{}, sample: min(budget.Records, 20000)}
	c.rank(columns)
	if joint != nil {
		c.consider(budget.Pairs/12, []Atom{{joint, "sorted", 0}})
	}
	for _, a := range c.ranked {
		c.coarsest(budget.Pairs/12, a)
	}
	for i, a := range c.ranked {
		for _, b := range c.ranked[i+1:] {
			c.coarsest(budget.Pairs/16, a, b)
		}
	}
	top := c.ranked[:min(len(c.ranked), 5)]
	for i, a := range top {
		for j := i + 1; j < len(top); j++ {
			for _, b := range top[j+1:] {
				c.coarsest(budget.Pairs/32, a, top[j], b)
			}
		}
	}
	rules := c.within()
	for _, col := range columns {
		if wordy(col) {
			size := int(math.Min(math.Max(budget.Pairs/float64(budget.Records)/2, 15), 150))
			rules = append(rules, &Rule{Name: "tokens(" + col.Name + ")", MaxBlock: size, Tokens: NewTokenKeys(col, budget.Records, size)})
		}
	}
	return rules
}

func wordy(c *frame.Column) bool {
	switch c.Kind {
	case frame.Text, frame.Company, frame.Street, frame.FullName, frame.Codes:
		return !c.Masked
	}
	return false
}

type chooser struct {
	budget Budget
	sample int
	cache  hashCache
	ranked []*frame.Column
	rules  []*Rule
	costs  []float64
}

// rank orders columns by how much they tell: the share of records that have a value times
// the bits that an agreement is worth.
func (c *chooser) rank(columns []*frame.Column) {
	type ranked struct {
		column *frame.Column
		worth  float64
	}
	var list []ranked
	for _, col := range columns {
		total, squares := 0.0, 0.0
		for _, n := range col.Counts() {
			total += float64(n)
			squares += float64(n) * float64(n)
		}
		if total == 0 {
			continue
		}
		bits := -math.Log2(squares / (total * total))
		worth := bits * math.Min(total/float64(c.budget.Records), 1)
		if bits >= 3 && worth >= 1 && col.Kind != frame.Number {
			list = append(list, ranked{col, worth})
		}
	}
	slices.SortStableFunc(list, func(a, b ranked) int {
		switch {
		case a.worth > b.worth:
			return -1
		case a.worth < b.worth:
			return 1
		}
		return 0
	})
	for _, r := range list[:min(len(list), 8)] {
		c.ranked = append(c.ranked, r.column)
	}
}

// coarsest tries the combinations of atoms of the columns from coarse to fine and takes
// the first that fits.
func (c *chooser) coarsest(limit float64, columns ...*frame.Column) {
	combos := [][]int{{}}
	atoms := make([][]Atom, len(columns))
	for i, col := range columns {
		atoms[i] = Atoms(col)
		if len(columns) == 1 { // alone, only a full value is worth a block
			atoms[i] = atoms[i][:min(2, len(atoms[i]))]
		}
		var next [][]int
		for _, combo := range combos {
			for k := range atoms[i] {
				next = append(next, append(slices.Clone(combo), k))
			}
		}
		combos = next
	}
	slices.SortStableFunc(combos, func(a, b []int) int { return coarseness(b) - coarseness(a) })
	for _, combo := range combos {
		pick := make([]Atom, len(combo))
		for i, k := range combo {
			pick[i] = atoms[i][k]
		}
		if c.consider(limit, pick) {
			return
		}
	}
}

// coarseness prefers combinations whose parts are equally coarse.
func coarseness(combo []int) int {
	sum, worst := 0, 0
	for _, k := range combo {
		sum += k
		worst = max(worst, k)
	}
	return 4*sum - worst
}

// consider adds a rule when its estimated cost is within the limit, and reports whether
// it is.
func (c *chooser) consider(limit float64, atoms []Atom) bool {
	cost := c.cost(atoms)
	if cost > limit {
		return false
	}
	for _, r := range c.rules {
		if subsumed(atoms, r.Atoms) {
			return true
		}
	}
	c.rules = append(c.rules, NewRule(c.budget.MaxBlock, atoms...))
	c.costs = append(c.costs, cost)
	return true
}

// subsumed reports whether every pair of the atoms is a pair of coarse too.
func subsumed(atoms, coarse []Atom) bool {
	return !slices.ContainsFunc(coarse, func(q Atom) bool {
		return !slices.ContainsFunc(atoms, func(a Atom) bool {
			return a.Column == q.Column && (a == q || a.Function == "exact" || a.Function == "prefix" && q.Function == "prefix" && a.N >= q.N)
		})
	})
}

// cost estimates the pairs of a key from the first records: they are a random sample,
// since records are ordered by a hash.
func (c *chooser) cost(atoms []Atom) float64 {
	hashes := make([][]uint64, len(atoms))
	for i, a := range atoms {
		hashes[i] = c.cache.of(a)
	}
	blocks := make(map[uint64]int32, c.sample)
	for r := range int32(c.sample) {
		key := uint64(0)
		for i, a := range atoms {
			code := a.Column.First(r)
			if code < 0 || hashes[i][code] == 0 {
				key = 0
				break
			}
			key = nonZero(mix(key, hashes[i][code]))
		}
		if key != 0 {
			blocks[key]++
		}
	}
	scale := float64(c.budget.Records) / float64(c.sample)
	pairs, keyed, unused := 0.0, int32(0), int32(0)
	for _, n := range blocks {
		keyed += n
		if c.budget.MaxBlock > 0 && float64(n)*scale > float64(c.budget.MaxBlock) {
			unused += n
			continue
		}
		pairs += float64(n) * float64(n-1) / 2
	}
	if 5*unused > keyed {
		return math.Inf(1) // a key that makes one block of everybody
	}
	return pairs * scale * scale
}

// within keeps rules in the order found until the budget for pairs or rules is used up.
func (c *chooser) within() []*Rule {
	var kept []*Rule
	left := c.budget.Pairs
	for i, r := range c.rules {
		if len(kept) < c.budget.MaxRules && c.costs[i] <= left {
			kept = append(kept, r)
			left -= c.costs[i]
		}
	}
	return kept
}
