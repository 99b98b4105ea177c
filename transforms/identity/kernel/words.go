package kernel

import "github.com/unsilo/unsilo/transforms/identity/frame"

const (
	// fewHolders is the number of records that share a word up to which its count is not
	// kept: what few hold tells of them rather than of the language.
	fewHolders = 4
	// rareHolders is the count of words that are not kept.
	rareHolders = 2
)

// CountWords counts the records that hold each word, and each piece of one, of a column of
// texts; hash stands for a word.
func CountWords(c *frame.Column, hash func(word []byte) uint64) *frame.Words {
	t, holders := tokensOf(c), map[uint64]int32{}
	out := &frame.Words{Holders: holders, Hash: hash}
	for _, n := range c.Counts() {
		out.Total += float64(n)
	}
	for token, n := range t.holders() {
		if n > fewHolders {
			holders[hash(t.dict.Bytes(int32(token)))] = int32(n)
		}
	}
	return out
}

// tokens are the bags of words and pieces of the values of a column.
type tokens struct {
	column *frame.Column
	dict   frame.Dict
	bags   [][]int32
}

func tokensOf(c *frame.Column) *tokens {
	t := &tokens{column: c, bags: make([][]int32, c.Values.Len())}
	for code := range t.bags {
		t.bags[code] = bag(&t.dict, c.Values.Value(int32(code)))
	}
	return t
}

// holders counts the records of the column that hold each token.
func (t *tokens) holders() []int64 {
	out, counts := make([]int64, t.dict.Len()), t.column.Counts()
	for code, bag := range t.bags {
		for _, token := range bag {
			out[token] += int64(counts[code])
		}
	}
	return out
}

// known gives the counts that the column brings along, and those of its records without.
func (t *tokens) known() (holders []int64, total float64) {
	words := t.column.Words
	if words == nil {
		for _, n := range t.column.Counts() {
			total += float64(n)
		}
		return t.holders(), total
	}
	holders = make([]int64, t.dict.Len())
	for token := range holders {
		holders[token] = int64(knownHolders(words, t.dict.Bytes(int32(token))))
	}
	return holders, words.Total
}

func knownHolders(words *frame.Words, word []byte) int32 {
	if n, ok := words.Holders[words.Hash(word)]; ok {
		return n
	}
	return rareHolders
}
