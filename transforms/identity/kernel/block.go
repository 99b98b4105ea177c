package kernel

import (
	"cmp"
	"slices"
)

// Blocks hold the candidate pairs of several rules without listing them: for each rule the
// records in order of their key, and for each record its block number under every rule.
type Blocks struct {
	Rules []*Rule
	n     int
	skip  func(int32) bool
	// members and bounds of each rule's blocks: members[bounds[k]:bounds[k+1]]. A member is
	// the place of a record; those of a block ascend by record.
	members [][]int32
	bounds  [][]int32
	// Records that share a block have places near each other, so that the blocks of other
	// rules, which many of them share too, are found in a few pages of memory.
	placeOf, recordAt []int32
	// numbers[p*len(Rules)+i] is the block of the record at place p under rule i. For none it
	// is below 0, and another number for each record. Rules over tokens have none here; they
	// come last.
	numbers []int32
	// tokenBlocks of a rule over tokens: block numbers per record, ascending, laid out like
	// the rule's keys; -1 for none.
	tokenBlocks [][]int32
	Stats       []RuleStats
}

// RuleStats say what a rule costs, before anything is compared.
type RuleStats struct {
	Name string
	// Pairs in blocks that are used, before those of earlier rules are taken out.
	Pairs int64
	// Largest block that is used; Oversize blocks, and their pairs, are not.
	Largest, Oversize int
	OversizePairs     int64
	// Keyed records have a key.
	Keyed int
}

// NewBlocks computes keys and blocks for n records, without those that skip names, when it
// is not nil.
func NewBlocks(n int, rules []*Rule, skip func(record int32) bool) *Blocks {
	slices.SortStableFunc(rules, func(a, b *Rule) int { return cmp.Compare(btoi(a.Tokens != nil), btoi(b.Tokens != nil)) })
	if skip == nil {
		skip = func(int32) bool { return false }
	}
	b := &Blocks{Rules: rules, n: n, skip: skip}
	cache := hashCache{}
	for _, r := range rules {
		if r.Tokens != nil {
			b.collect(r, b.tokenKeys(r))
			continue
		}
		b.collect(r, b.keys(r, r.keysOf(n, cache)))
	}
	b.arrange()
	return b
}

func btoi(v bool) int {
	if v {
		return 1
	}
	return 0
}

type keyed struct {
	key    uint64
	record int32
}

func (b *Blocks) keys(r *Rule, keys []uint64) []keyed {
	list := make([]keyed, 0, len(keys))
	for rec, key := range keys {
		if key != 0 && !b.skip(int32(rec)) && (r.Oversize == nil || !r.Oversize(key)) {
			list = append(list, keyed{key, int32(rec)})
		}
	}
	return list
}

func (b *Blocks) tokenKeys(r *Rule) []keyed {
	t := r.Tokens
	list := make([]keyed, 0, len(t.Keys))
	for rec := range int32(b.n) {
		if b.skip(rec) {
			continue
		}
		for _, key := range t.Keys[t.Start[rec]:t.Start[rec+1]] {
			if r.Oversize == nil || !r.Oversize(key) {
				list = append(list, keyed{key, rec})
			}
		}
	}
	return list
}

// collect sorts by key and keeps blocks of two records up to the rule's limit. Until
// arrange has given records their places, members are records.
func (b *Blocks) collect(r *Rule, list []keyed) {
	sortKeyed(list)
	stats := RuleStats{Name: r.Name, Keyed: len(list)}
	var members []int32
	bounds := []int32{0}
	for from := 0; from < len(list); {
		to := from + 1
		for to < len(list) && list[to].key == list[from].key {
			to++
		}
		size := to - from
		pairs := int64(size) * int64(size-1) / 2
		switch {
		case size == 1:
		case r.MaxBlock > 0 && size > r.MaxBlock:
			stats.Oversize++
			stats.OversizePairs += pairs
		default:
			stats.Pairs += pairs
			stats.Largest = max(stats.Largest, size)
			for _, k := range list[from:to] {
				members = append(members, k.record)
			}
			bounds = append(bounds, int32(len(members)))
		}
		from = to
	}
	b.members = append(b.members, members)
	b.bounds = append(b.bounds, bounds)
	b.Stats = append(b.Stats, stats)
}

// sortKeyed sorts by key, keeping the order of records, by counting bytes from the
// lowest.
func sortKeyed(list []keyed) {
	if len(list) < 4096 {
		slices.SortStableFunc(list, func(a, b keyed) int { return cmp.Compare(a.key, b.key) })
		return
	}
	from, to := list, make([]keyed, len(list))
	const bitsPerPass, passes = 11, 6
	var counts [1 << bitsPerPass]int
	for p := range passes {
		clear(counts[:])
		shift := p * bitsPerPass
		for i := range from {
			counts[from[i].key>>shift&(1<<bitsPerPass-1)]++
		}
		sum := 0
		for i, n := range counts {
			counts[i] = sum
			sum += n
		}
		for i := range from {
			digit := from[i].key >> shift & (1<<bitsPerPass - 1)
			to[counts[digit]] = from[i]
			counts[digit]++
		}
		from, to = to, from
	}
	// An even number of passes leaves the result in list.
}

// meet reports whether two different records share a block under any of the rules that
// numbers are given for.
func meet(x, y []int32) bool {
	y = y[:len(x)]
	for k, v := range x {
		if v == y[k] {
			return true
		}
	}
	return false
}

// earlierTokens reports whether a rule over tokens before i already pairs x and y.
func (b *Blocks) earlierTokens(i int, x, y int32) bool {
	for k := range i {
		if t := b.Rules[k].Tokens; t != nil && firstShared(b.tokenBlocks[k], t.Start, x, y) >= 0 {
			return true
		}
	}
	return false
}

// firstShared is the lowest block that two records share under a rule over tokens, or -1.
func firstShared(blocks, start []int32, x, y int32) int32 {
	bx, by := blocks[start[x]:start[x+1]], blocks[start[y]:start[y+1]]
	for i, j := 0, 0; i < len(bx) && j < len(by); {
		switch v, w := bx[i], by[j]; {
		case v < 0:
			return -1
		case v == w:
			return v
		case v < w:
			i++
		case w < 0:
			return -1
		default:
			j++
		}
	}
	return -1
}

// numbersOf are the blocks of a record.
func (b *Blocks) numbersOf(record int32) []int32 {
	stride := len(b.Rules)
	return b.numbers[int(b.placeOf[record])*stride:][:stride]
}

// Shared names the rules that pair two records.
func (b *Blocks) Shared(x, y int32) []string {
	var names []string
	inX, inY := b.numbersOf(x), b.numbersOf(y)
	for i, r := range b.Rules {
		if t := r.Tokens; t != nil {
			if firstShared(b.tokenBlocks[i], t.Start, x, y) >= 0 {
				names = append(names, r.Name)
			}
			continue
		}
		if inX[i] == inY[i] && inX[i] >= 0 {
			names = append(names, r.Name)
		}
	}
	return names
}

// Pairs reports whether any rule pairs two records.
func (b *Blocks) Pairs(x, y int32) bool {
	if meet(b.numbersOf(x), b.numbersOf(y)) {
		return true
	}
	for i, r := range b.Rules {
		if t := r.Tokens; t != nil && firstShared(b.tokenBlocks[i], t.Start, x, y) >= 0 {
			return true
		}
	}
	return false
}

// Forget drops the blocks and keeps the rules and their figures.
func (b *Blocks) Forget() {
	b.members, b.bounds, b.numbers, b.tokenBlocks, b.placeOf, b.recordAt = nil, nil, nil, nil, nil, nil
}

// Each calls f with every record of every used block of a rule, in order of blocks.
func (b *Blocks) Each(rule int, f func(block, record int32)) {
	bounds := b.bounds[rule]
	for k := range len(bounds) - 1 {
		for _, place := range b.members[rule][bounds[k]:bounds[k+1]] {
			f(int32(k), b.recordAt[place])
		}
	}
}
