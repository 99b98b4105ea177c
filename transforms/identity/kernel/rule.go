package kernel

import (
	"slices"
	"strings"

	"github.com/unsilo/unsilo/transforms/identity/frame"
)

// A Rule makes candidates of records that share a key. The key of a record is one hash of
// all its atoms; a record that lacks one has no key. A rule over tokens gives a record
// several keys.
type Rule struct {
	Name     string
	Atoms    []Atom
	MaxBlock int
	// Oversize, when set, tells the keys of blocks that are over the limit, where records of
	// theirs are missing.
	Oversize func(key uint64) bool
	// Tokens, when set, makes the keys instead of Atoms.
	Tokens *TokenKeys
}

// Alone reports whether the keys of a record depend on what it says alone. Which words are
// rare is a matter of all texts, unless the column brings their frequencies along.
func (r *Rule) Alone() bool { return r.Tokens == nil || r.Tokens.Column.Words != nil }

// NewRule names a rule by its atoms.
func NewRule(maxBlock int, atoms ...Atom) *Rule {
	var names []string
	for _, a := range atoms {
		names = append(names, a.String())
	}
	return &Rule{Name: strings.Join(names, " + "), Atoms: atoms, MaxBlock: maxBlock}
}

// hashCache keeps the hashes of atoms, which many rules share.
type hashCache map[string][]uint64

func (h hashCache) of(a Atom) []uint64 {
	key := a.String()
	if h[key] == nil {
		h[key] = a.hashes()
	}
	return h[key]
}

// keysOf computes the key of each record in [0, n); 0 is none.
func (r *Rule) keysOf(n int, cache hashCache) []uint64 {
	keys := make([]uint64, n)
	hashes := make([][]uint64, len(r.Atoms))
	for i, a := range r.Atoms {
		hashes[i] = cache.of(a)
	}
	for rec := range keys {
		keys[rec] = r.key(int32(rec), hashes)
	}
	return keys
}

// mix joins two hashes; the order counts.
func mix(a, b uint64) uint64 {
	h := a*0x9E3779B97F4A7C15 ^ b
	h ^= h >> 32
	h *= 0xD6E8FEB86659FD93
	h ^= h >> 29
	return h
}

// TokenKeys are several keys for each record: its rarest words, and pairs of them where a
// word alone is too common.
type TokenKeys struct {
	Column *frame.Column
	// Start and Keys hold the keys of record i in Keys[Start[i]:Start[i+1]], ascending.
	Start []int32
	Keys  []uint64
}

// tokensPerRecord bounds the words of a record that make keys.
const tokensPerRecord = 7

// NewTokenKeys gives each record keys that at most maxBlock records share: its rarest
// words, and pairs among them. Where the column brings the frequencies of words along, the
// keys of a record depend on its text alone.
func NewTokenKeys(c *frame.Column, n, maxBlock int) *TokenKeys {
	var dict frame.Dict
	words := make([][]int32, c.Values.Len())
	for code := range words {
		for _, w := range strings.Fields(c.Values.Value(int32(code))) {
			if len(w) > 1 {
				words[code] = append(words[code], dict.AddString(w))
			}
		}
		slices.Sort(words[code])
		words[code] = slices.Compact(words[code])
	}
	holders := make([]int32, dict.Len())
	if c.Words == nil {
		counts := c.Counts()
		for code, list := range words {
			for _, w := range list {
				holders[w] += counts[code]
			}
		}
	} else {
		for w := range holders {
			holders[w] = knownHolders(c.Words, dict.Bytes(int32(w)))
		}
	}
	rare := func(a, b int32) int {
		if holders[a] != holders[b] {
			return int(holders[a] - holders[b])
		}
		return strings.Compare(dict.Value(a), dict.Value(b))
	}
	perValue := make([][]uint64, len(words))
	for code, list := range words {
		slices.SortFunc(list, rare)
		perValue[code] = tokenHashes(list[:min(len(list), tokensPerRecord)], holders, &dict, maxBlock)
	}
	t := &TokenKeys{Column: c, Start: make([]int32, 1, n+1)}
	for r := range int32(n) {
		if code := c.First(r); code >= 0 {
			t.Keys = append(t.Keys, perValue[code]...)
		}
		t.Start = append(t.Start, int32(len(t.Keys)))
	}
	return t
}

func tokenHashes(list, holders []int32, dict *frame.Dict, maxBlock int) []uint64 {
	var keys []uint64
	hash := func(w int32) uint64 { return nonZero(frame.UID("", "", dict.Value(w))) }
	for i, w := range list {
		if holders[w] < 2 {
			continue
		}
		if int(holders[w]) <= maxBlock {
			keys = append(keys, hash(w))
		}
		for _, v := range list[i+1:] {
			if int(holders[v]) > maxBlock { // otherwise the word alone is a key already
				a, b := hash(w), hash(v)
				keys = append(keys, nonZero(mix(min(a, b), max(a, b))))
			}
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
