// Package fs fits and applies the Fellegi-Sunter model: how likely each level of
// agreement is among records of one entity (m) and of two (u). It sees counts of
// agreement patterns only, never records.
package fs

import (
	"math"
)

// A Comparison has levels from the best to the worst; the last one is "anything else".
type Comparison struct {
	Name   string  `json:"name"`
	Levels []Level `json:"levels"`
	// Nominal levels have no order: the first one need not speak for a match.
	Nominal bool `json:"nominal,omitempty"`
}

// A Level of agreement, with its probability among pairs of one entity and of two.
type Level struct {
	Name string  `json:"name"`
	M    float64 `json:"m"`
	U    float64 `json:"u"`
	// Fixed keeps the m that was given.
	Fixed bool `json:"fixed,omitempty"`
}

// A Model scores patterns.
type Model struct {
	Comparisons []Comparison `json:"comparisons"`
	// Prior is the probability that two records picked at random are one entity.
	Prior float64 `json:"prior"`
	// Dependences between comparisons among pairs of different entities; they form no cycle.
	Dependences []Dependence `json:"dependences,omitempty"`
	// Iterations of the last fit; Converged says whether it settled before the limit.
	Iterations int      `json:"iterations"`
	Converged  bool     `json:"converged"`
	Messages   []string `json:"messages,omitempty"`
}

// A Pattern holds a level per comparison, -1 where a value is missing.
type Pattern []int8

// Coder packs patterns into one number: mixed radix, 0 is a missing value.
type Coder struct{ radix []uint64 }

// NewCoder makes a coder for a number of levels per comparison.
func NewCoder(levels []int) Coder {
	c := Coder{make([]uint64, len(levels))}
	for i, n := range levels {
		c.radix[i] = uint64(n + 1)
	}
	return c
}

// Coder gives the coder of the model's comparisons.
func (m *Model) Coder() Coder {
	levels := make([]int, len(m.Comparisons))
	for i, c := range m.Comparisons {
		levels[i] = len(c.Levels)
	}
	return NewCoder(levels)
}

// Size is the number of possible patterns; it may overflow to a wrong value above 2^63.
func (c Coder) Size() float64 {
	size := 1.0
	for _, r := range c.radix {
		size *= float64(r)
	}
	return size
}

// Encode packs a pattern.
func (c Coder) Encode(p Pattern) uint64 {
	code := uint64(0)
	for i, r := range c.radix {
		code = code*r + uint64(p[i]+1)
	}
	return code
}

// Radix is the multiplier of comparison i when patterns are packed by hand.
func (c Coder) Radix(i int) uint64 { return c.radix[i] }

// Decode unpacks a code into p.
func (c Coder) Decode(code uint64, p Pattern) {
	for i := len(c.radix) - 1; i >= 0; i-- {
		p[i] = int8(code%c.radix[i]) - 1
		code /= c.radix[i]
	}
}

// Count is how often a pattern occurred.
type Count struct {
	Pattern uint64
	N       float64
}

// MicroBits rounds a weight to millionths of a bit, so that sums are exact everywhere.
func MicroBits(bits float64) int32 {
	return int32(math.Round(math.Max(-1000, math.Min(1000, bits)) * 1e6))
}

// PriorBits is the weight of the prior in millionths of a bit.
func (m *Model) PriorBits() int32 { return MicroBits(math.Log2(m.Prior / (1 - m.Prior))) }

// LevelBits is the weight of one level in millionths of a bit.
func (m *Model) LevelBits(comparison, level int) int32 {
	l := m.Comparisons[comparison].Levels[level]
	return MicroBits(math.Log2(l.M / l.U))
}

// Weight sums the prior, the levels of a pattern and their dependences, in millionths of
// a bit.
func (m *Model) Weight(p Pattern) int32 {
	sum := m.PriorBits()
	for k, level := range p {
		if level >= 0 {
			sum += m.LevelBits(k, int(level))
		}
	}
	for _, d := range m.Dependences {
		if a, b := p[d.A], p[d.B]; a >= 0 && b >= 0 {
			sum -= MicroBits(d.Bits[a][b])
		}
	}
	return sum
}

// Probability turns a weight in millionths of a bit into a probability.
func Probability(micro int64) float64 { return 1 / (1 + math.Exp2(-float64(micro)/1e6)) }
