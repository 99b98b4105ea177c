// Package dice draws pseudo-random numbers that are the same on every platform and in
// every Go version: splitmix64 and integer arithmetic only. A Dice is named by a seed, a
// label and numbers, so that a draw for one thing never depends on draws for another.
//
// It is for made-up data. It is not for secrets.
package dice

import "math/bits"

const (
	golden = 0x9e3779b97f4a7c15
	fnvInc = 0x100000001b3
	fnvOff = 0xcbf29ce484222325
)

// Dice is a stream of draws. The zero value is a valid stream; copies go their own ways.
type Dice struct{ state uint64 }

// New gives the stream of a seed, a label and any numbers that tell it from others.
func New(seed uint64, label string, numbers ...int) Dice {
	h := uint64(fnvOff)
	for i := 0; i < len(label); i++ {
		h = (h ^ uint64(label[i])) * fnvInc
	}
	s := mix(seed+golden) ^ mix(h)
	for _, n := range numbers {
		s = mix(s + golden + uint64(n))
	}
	return Dice{s}
}

// Hash gives one number for a seed, a label and numbers.
func Hash(seed uint64, label string, numbers ...int) uint64 {
	d := New(seed, label, numbers...)
	return d.Uint64()
}

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Uint64 gives 64 bits.
func (d *Dice) Uint64() uint64 {
	d.state += golden
	return mix(d.state)
}

// N gives a number from 0 to n-1; n below 2 gives 0.
func (d *Dice) N(n int) int {
	if n < 2 {
		return 0
	}
	hi, _ := bits.Mul64(d.Uint64(), uint64(n))
	return int(hi)
}

// Between gives a number from a to b, both included.
func (d *Dice) Between(a, b int) int { return a + d.N(b-a+1) }

// Chance is true in perMille of 1000 draws.
func (d *Dice) Chance(perMille int) bool { return d.N(1000) < perMille }

// Share turns a count per 1000 into a whole number: count*perMille/1000, rounded up or
// down by chance so that the mean is exact.
func (d *Dice) Share(count, perMille int) int {
	x := count * perMille
	n := x / 1000
	if d.N(1000) < x%1000 {
		n++
	}
	return n
}

// Low gives a number from 0 to n-1 that is more often a low one.
func (d *Dice) Low(n int) int { return min(d.N(n), d.N(n)) }

// Pick gives one element; the list must not be empty.
func Pick[T any](d *Dice, list []T) T { return list[d.N(len(list))] }
