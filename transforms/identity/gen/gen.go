// Package gen makes labelled records from a seed: people with spelling errors, missing
// values and a long-tailed number of duplicates, and the truth about who is who. Names and
// places are made of syllables; no real person is in it.
package gen

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
)

// Options say how much to make.
type Options struct {
	Seed uint64
	// Records in all, about; the last person may bring a few more.
	Records int
	// MedianDuplicates of a person; 0 means 8. The number follows a Zipf law from 1 to 35.
	MedianDuplicates int
	// ErrorRate is the share of values that carry an error; 0 means 0.2.
	ErrorRate float64
	// MissingRate is the share of values that are missing; 0 means 0.1.
	MissingRate float64
}

// Columns are the names of a Record's values, in order.
var columns = []string{"id", "first_name", "middle_name", "last_name", "birth_date", "city", "postcode", "occupation"}

// Columns lists the columns of a record; the first one is its key.
func Columns() []string { return append([]string(nil), columns...) }

// A Record has values by column and the number of the person it is about.
type Record struct {
	Values []string
	Person int
}

// Generator makes records one person after the other.
type Generator struct {
	opt         Options
	rng         *rand.Rand
	given       []string
	family      []string
	cities      []string
	occupations []string
	person      int
	record      int
	queue       []Record
}

// New makes a generator.
func New(opt Options) *Generator {
	if opt.MedianDuplicates == 0 {
		opt.MedianDuplicates = 8
	}
	if opt.ErrorRate == 0 {
		opt.ErrorRate = 0.2
	}
	if opt.MissingRate == 0 {
		opt.MissingRate = 0.1
	}
	g := &Generator{opt: opt, rng: rand.New(rand.NewPCG(opt.Seed, 0x756e73696c6f))}
	g.given = g.words(800, 2, 3)
	g.family = g.words(max(2000, opt.Records/40), 2, 4)
	g.cities = g.words(600, 2, 3)
	g.occupations = g.words(120, 3, 4)
	return g
}

// Next gives the next record, and false when there are no more.
func (g *Generator) Next() (Record, bool) {
	if len(g.queue) == 0 {
		if g.record >= g.opt.Records {
			return Record{}, false
		}
		g.makePerson()
	}
	r := g.queue[0]
	g.queue = g.queue[1:]
	return r, true
}

var onsets = []string{"b", "br", "c", "ch", "d", "f", "g", "gr", "h", "j", "k", "kl", "l", "m", "n", "p", "r", "s", "st", "t", "tr", "v", "w"}
var vowels = []string{"a", "e", "i", "o", "u", "ai", "ea", "ou"}
var codas = []string{"", "", "", "l", "n", "r", "s", "th", "ck", "nd"}

// words makes distinct words of some syllables.
func (g *Generator) words(n, low, high int) []string {
	seen := map[string]bool{}
	var out []string
	for len(out) < n {
		var b strings.Builder
		for range low + g.rng.IntN(high-low+1) {
			b.WriteString(onsets[g.rng.IntN(len(onsets))] + vowels[g.rng.IntN(len(vowels))])
		}
		b.WriteString(codas[g.rng.IntN(len(codas))])
		if w := b.String(); !seen[w] {
			seen[w] = true
			out = append(out, w)
		}
	}
	return out
}

// common picks with a Zipf-like law: the first words are the most common.
func (g *Generator) common(words []string) string {
	return words[int(math.Pow(float64(len(words)), g.rng.Float64()))-1]
}

func (g *Generator) makePerson() {
	year, month, day := 1930+g.rng.IntN(75), 1+g.rng.IntN(12), 1+g.rng.IntN(28)
	city := g.rng.IntN(len(g.cities))
	truth := []string{"", g.common(g.given), g.common(g.given), g.common(g.family), fmt.Sprintf("%04d-%02d-%02d", year, month, day),
		g.cities[city], fmt.Sprintf("%03d%02d", city, g.rng.IntN(100)), g.common(g.occupations)}
	for range g.duplicates() {
		values := make([]string, len(truth))
		for i, v := range truth {
			values[i] = g.corrupt(v, i)
		}
		values[0] = fmt.Sprintf("r%d", g.record)
		g.queue = append(g.queue, Record{values, g.person})
		g.record++
	}
	g.person++
}

// duplicates draws from 1 to 35 with the median asked for.
func (g *Generator) duplicates() int {
	n := int(float64(g.opt.MedianDuplicates) * math.Pow(2, 2*(g.rng.Float64()-0.5)*1.6))
	return min(max(n, 1), 35)
}

func (g *Generator) corrupt(v string, column int) string {
	if column > 0 && g.rng.Float64() < g.opt.MissingRate {
		return ""
	}
	if column == 0 || v == "" || g.rng.Float64() >= g.opt.ErrorRate {
		return v
	}
	if column == 1 && g.rng.IntN(4) == 0 {
		return v[:1]
	}
	b := []byte(v)
	at := g.rng.IntN(len(b))
	letter := byte('a' + g.rng.IntN(26))
	if column == 4 || column == 6 {
		letter = byte('0' + g.rng.IntN(10))
		if b[at] == '-' {
			at--
		}
		b[at] = letter
		return string(b)
	}
	switch g.rng.IntN(4) {
	case 0:
		b[at] = letter
	case 1:
		b = append(b[:at], b[at+1:]...)
	case 2:
		b = append(b[:at], append([]byte{letter}, b[at:]...)...)
	default:
		if at > 0 {
			b[at-1], b[at] = b[at], b[at-1]
		}
	}
	return string(b)
}
