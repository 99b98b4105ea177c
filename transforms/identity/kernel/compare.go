// Package kernel compares records: it makes the candidate pairs of blocking rules and
// turns each into a pattern of agreement levels, without ever holding a table of pairs.
// It decides nothing about who is who.
package kernel

import (
	"math"
	"slices"

	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/identity/fs"
)

// A Comparison turns two records into a level, 0 for the best; Missing when either lacks
// the value.
type Comparison struct {
	Name string
	// Columns that it reads, for reports.
	Columns []string
	Levels  []Level
	// Nominal levels have no order.
	Nominal bool
	// Shape names the comparison's definition, for engines that compare in SQL; Read are
	// the columns that the definition reads, in its order.
	Shape Shape
	Read  []*frame.Column
	// Words are columns of texts that are weighed by the rarity of their words.
	Words []*frame.Column
	// Level must be safe for concurrent use.
	Level func(a, b int32) int8
	// batch, when set, makes a function equal to Level over the pairs of a batch. Each
	// worker makes its own, so that it may remember what it found.
	batch func(slot func(*frame.Column) int) batchLevel
}

// Shape is a definition of levels that other engines know too.
type Shape string

// The shapes. An empty one has no definition but its Go function.
const (
	ByKind    Shape = "by_kind"    // one column, compared as its kind says
	NamesGrid Shape = "names_grid" // given and family name together
	NameAlone Shape = "name_alone" // one name, where the other is missing: Read is the name and the other
	NameOne   Shape = "name_one"   // one name column alone
	Sources   Shape = "sources"    // where the two records come from
)

// Missing is the level of a pair that cannot be compared.
const Missing = int8(-1)

// A Level of a comparison.
type Level struct {
	Name string
	// M is the usual share of this level among pairs of one entity, where training starts.
	M float64
	// Term, when set, weighs the level by how common the value is.
	Term *Term
	// Exact names the columns that agree exactly at this level; none means those of Term.
	Exact []string
	// FixedM and FixedU are values that a user gave; 0 means none.
	FixedM, FixedU float64
}

// A Term holds the frequency of each value of a column.
type Term struct {
	Column *frame.Column
	// Joint, when set, says what the values are put together from.
	Joint *Joint
	// Bits are added to an edge by the code of the agreed value, in millionths of a bit.
	Bits []int32
}

// Joint takes values apart that two columns make together: Of holds their two codes. Such
// a value is at least as common as chance makes it of its parts, since few records show no
// second holder of a common pair.
type Joint struct {
	First, Second *frame.Column
	Of            [][2]int32
}

func newJoint(joint, first, second *frame.Column) *Joint {
	j := &Joint{first, second, make([][2]int32, joint.Values.Len())}
	for r, code := range joint.Codes {
		if code >= 0 {
			j.Of[code] = [2]int32{first.First(int32(r)), second.First(int32(r))}
		}
	}
	return j
}

// Frequencies say how many hold each value of a column, by code, and how many hold any,
// counted once for each value.
type Frequencies struct {
	Holders []int32
	Total   float64
}

// FrequenciesOf adds up the holders of each value.
func FrequenciesOf(holders []int32) Frequencies {
	f := Frequencies{Holders: holders}
	for _, n := range holders {
		f.Total += float64(n)
	}
	return f
}

// Shares gives the share of each value that chance alone explains.
func (j *Joint) Shares(first, second Frequencies) []float64 {
	all := math.Max(first.Total, 1) * math.Max(second.Total, 1)
	out := make([]float64, len(j.Of))
	for code, parts := range j.Of {
		out[code] = float64(first.Holders[parts[0]]) * float64(second.Holders[parts[1]]) / all
	}
	return out
}

// tfFloor bounds the weight of values that occur once in a very large table.
const tfFloor = 1e-6

// Weigh sets Bits from the frequency of each value and the probability base that two
// holders agree by chance: a value rarer than that adds, a common one takes away.
// least, when not nil, are shares that no value falls below.
func (t *Term) Weigh(f Frequencies, base float64, least []float64) {
	t.Bits = make([]int32, len(f.Holders))
	if f.Total == 0 {
		return
	}
	mean := math.Log2(math.Max(base, tfFloor))
	for code, n := range f.Holders {
		share := math.Max(float64(n)/f.Total, tfFloor)
		if least != nil {
			share = math.Max(share, least[code])
		}
		t.Bits[code] = fs.MicroBits(mean - math.Log2(share))
	}
}

// Collisions is the probability that two holders picked at random have the same value.
func Collisions(f Frequencies) float64 {
	if f.Total == 0 {
		return 0
	}
	squares := 0.0
	for _, n := range f.Holders {
		squares += float64(n) * float64(n)
	}
	return squares / (f.Total * f.Total)
}

// Base is the fitted probability that different entities agree on a column: the sum over
// the levels where they do.
func (c *Comparison) Base(column string, m fs.Comparison) float64 {
	sum := 0.0
	for i, l := range c.Levels {
		if slices.Contains(l.Exact, column) || l.Exact == nil && l.Term != nil && l.Term.Column.Name == column {
			sum += m.Levels[i].U
		}
	}
	return sum
}

// Extra gives the bits that the value of record a adds at this level.
func (l *Level) Extra(a, b int32) int32 {
	if l.Term == nil {
		return 0
	}
	return l.Term.of(l.Term.Column.First(a), l.Term.Column.First(b))
}

// of gives the bits that two values add.
func (t *Term) of(x, y int32) int32 {
	if x < 0 || y < 0 {
		return 0
	}
	return min(t.Bits[x], t.Bits[y])
}

// Model makes the starting model of comparisons.
func Model(comparisons []*Comparison) *fs.Model {
	m := &fs.Model{Prior: 1e-4}
	for _, c := range comparisons {
		k := fs.Comparison{Name: c.Name, Nominal: c.Nominal}
		for _, l := range c.Levels {
			k.Levels = append(k.Levels, fs.Level{Name: l.Name, M: l.M, U: 0.01})
		}
		m.Comparisons = append(m.Comparisons, k)
	}
	return m
}

// byCode makes a Level function from one on two codes, taking the best pair of values. A
// pair of values that says nothing counts only where no other does.
func byCode(c *frame.Column, level func(x, y int32) int8) func(a, b int32) int8 {
	if c.Start == nil {
		codes := c.Codes
		return func(a, b int32) int8 {
			x, y := codes[a], codes[b]
			switch {
			case x < 0 || y < 0:
				return Missing
			case x == y:
				return 0
			}
			return level(x, y)
		}
	}
	return func(a, b int32) int8 {
		best := Missing
		for _, x := range c.Of(a) {
			for _, y := range c.Of(b) {
				if x == y {
					return 0
				}
				if l := level(x, y); l != Missing && (best == Missing || l < best) {
					best = l
				}
			}
		}
		return best
	}
}
