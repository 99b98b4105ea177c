package kernel

import (
	"math"
	"slices"
	"strings"

	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/identity/similar"
)

// Vectors hold a weighted token vector for each value of a column: words, weighed by
// their rarity, and pieces of three letters, which survive typing errors.
type Vectors struct {
	start   []int32
	tokens  []int32
	weights []int32
}

const (
	// pieceShare is the weight of a piece of a word against a word of the same rarity.
	pieceShare = 0.35
	// pieceWords is the longest text that is cut into pieces; longer ones have words enough.
	pieceWords = 16
	// vectorMax keeps the rarest tokens of very long texts.
	vectorMax = 96
)

// NewVectors builds the vectors; rarity counts records, not distinct values.
func NewVectors(c *frame.Column) *Vectors {
	t := tokensOf(c)
	holders, total := t.known()
	rarity := make([]float64, len(holders))
	for token, n := range holders {
		rarity[token] = math.Log(1 + total/float64(max(n, 1)))
		if t.dict.Bytes(int32(token))[0] == '\x01' {
			rarity[token] *= pieceShare
		}
	}
	v := &Vectors{start: make([]int32, 1, len(t.bags)+1)}
	for _, bag := range t.bags {
		v.append(bag, rarity, &t.dict)
	}
	return v
}

// bag lists the distinct tokens of a text, ascending.
func bag(dict *frame.Dict, text string) []int32 {
	words := strings.Fields(text)
	var tokens []int32
	piece := make([]byte, 0, 8)
	for _, w := range words {
		tokens = append(tokens, dict.AddString(w))
		if len(words) > pieceWords || len(w) < 3 {
			continue
		}
		padded := "^" + w + "$"
		for i := 0; i+3 <= len(padded); i++ {
			piece = append(append(piece[:0], 1), padded[i:i+3]...)
			tokens = append(tokens, dict.Add(piece))
		}
	}
	slices.Sort(tokens)
	return slices.Compact(tokens)
}

func (v *Vectors) append(tokens []int32, rarity []float64, dict *frame.Dict) {
	if len(tokens) > vectorMax {
		slices.SortFunc(tokens, func(a, b int32) int {
			if rarity[a] != rarity[b] {
				return int(math.Copysign(1, rarity[b]-rarity[a]))
			}
			return strings.Compare(dict.Value(a), dict.Value(b)) // numbers depend on other texts
		})
		tokens = tokens[:vectorMax]
		slices.Sort(tokens)
	}
	// The sum runs over ascending weights, so that it does not depend on token numbers.
	weights := make([]float64, len(tokens))
	for i, t := range tokens {
		weights[i] = rarity[t]
	}
	ascending := slices.Clone(weights)
	slices.Sort(ascending)
	sum := 0.0
	for _, w := range ascending {
		sum += w * w
	}
	length := math.Sqrt(sum)
	for i, t := range tokens {
		v.tokens = append(v.tokens, t)
		v.weights = append(v.weights, int32(math.Round(weights[i]/length*similar.UnitWeight)))
	}
	v.start = append(v.start, int32(len(v.tokens)))
}

// Cosine compares the texts of two codes, from 0 to 1.
func (v *Vectors) Cosine(x, y int32) float64 {
	a, b := v.start[x], v.start[y]
	c, d := v.start[x+1], v.start[y+1]
	return float64(similar.Cosine(v.tokens[a:c], v.tokens[b:d], v.weights[a:c], v.weights[b:d])) / (similar.UnitWeight * similar.UnitWeight)
}

// textBounds are the least cosines of the levels after the exact one.
var textBounds = [...]float64{0.85, 0.7, 0.55, 0.4, 0.25}

func textLevel(c *frame.Column) func(x, y int32) int8 {
	v := NewVectors(c)
	return func(x, y int32) int8 {
		s := v.Cosine(x, y)
		for i, bound := range textBounds {
			if s >= bound {
				return int8(i + 1)
			}
		}
		return int8(len(textBounds) + 1)
	}
}

// CodesOf finds model numbers and the like in a text as it came: words that mix letters
// and digits, or numbers of four digits and more, in lower case and without signs.
func CodesOf(text string) []string {
	var codes []string
	for _, w := range strings.Fields(text) {
		var code []byte
		letters, digits := 0, 0
		for i := range len(w) {
			switch c := w[i] | 0x20; {
			case w[i] >= '0' && w[i] <= '9':
				digits++
				code = append(code, w[i])
			case c >= 'a' && c <= 'z':
				letters++
				code = append(code, c)
			}
		}
		if digits >= 2 && letters > 0 && len(code) >= 4 || digits >= 4 && letters == 0 && !strings.ContainsAny(w, "$.%") {
			codes = append(codes, string(code))
		}
	}
	return codes
}

// Each calls f with the tokens and weights of a value.
func (v *Vectors) Each(code int32, f func(token, weight int32)) {
	for i := v.start[code]; i < v.start[code+1]; i++ {
		f(v.tokens[i], v.weights[i])
	}
}

// TextBounds are the least cosines of the levels of a text after the exact one.
func TextBounds() []float64 { return slices.Clone(textBounds[:]) }
