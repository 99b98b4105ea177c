package identity

import (
	"context"
	"math"
	"slices"

	"github.com/unsilo/unsilo/transforms/identity/frame"
)

// A sieve answers for most hashes that are not in a set, from a table of bits so small that
// it stays in the processor's cache.
type sieve []uint64

// sieveBits is the width of the table.
const sieveBits = 22

func newSieve() sieve { return make(sieve, 1<<(sieveBits-6)) }

func (s sieve) add(hash uint64) {
	at := mixed(hash) >> (64 - sieveBits)
	s[at>>6] |= 1 << (at & 63)
}

// holds is false for a hash that is certainly not in the set.
func (s sieve) holds(hash uint64) bool {
	at := mixed(hash) >> (64 - sieveBits)
	return s[at>>6]>>(at&63)&1 != 0
}

// keyTally counts the records of the last build that hold keys of interest.
type keyTally struct {
	sieve  sieve
	counts map[uint64]*keyCount
}

type keyCount struct {
	before, less, more int32
	// pairs says that a fresh record has it: who holds it must be compared.
	pairs bool
	// over says that its block is over the limit.
	over bool
}

func newTally(n int) keyTally { return keyTally{newSieve(), make(map[uint64]*keyCount, n)} }

func (t *keyTally) want(key uint64) *keyCount {
	c := t.counts[key]
	if c == nil {
		c = &keyCount{}
		t.counts[key] = c
		t.sieve.add(key)
	}
	return c
}

// find is nil for a key that nobody wants.
func (t *keyTally) find(key uint64) *keyCount {
	if !t.sieve.holds(key) {
		return nil
	}
	return t.counts[key]
}

// linkList holds the link keys of the records of the last build: those of record i are
// keys[start[i]:start[i]+count[i]].
type linkList struct {
	start, count []int32
	keys         []uint64
}

func (l *linkList) of(i int) []uint64 { return l.keys[l.start[i] : l.start[i]+l.count[i]] }

// readKeys finds who shares a block with a fresh record, and what only those held who left.
// It is false when a block is over its limit now and was not, or the other way round.
func (n *narrowing) readKeys(ctx context.Context) (bool, error) {
	if err := n.readFormerKeys(ctx); err != nil {
		return false, err
	}
	n.tally = newTally(16 * (len(n.keys) + len(n.formerKeys)))
	for _, k := range n.keys {
		for _, key := range k.blocks {
			c := n.tally.want(key)
			c.more++
			c.pairs = true
		}
	}
	for _, k := range n.formerKeys {
		for _, key := range k.blocks {
			n.tally.want(key).less++
		}
		for _, key := range k.terms {
			n.tally.want(key).less++
		}
	}
	for _, k := range n.keys {
		for _, key := range k.terms {
			if c := n.tally.find(key); c != nil {
				c.more++
			}
		}
	}
	hits, err := n.countKeys(ctx)
	if err != nil || hits == nil {
		return false, err
	}
	for _, keys := range slices.Concat(n.keys, n.formerKeys) {
		for _, key := range keys.blocks {
			limit, c := int32(n.last.Rules[ruleOfKey(key)].MaxBlock), n.tally.counts[key]
			if limit > 0 && (c.before > limit) != (c.before+c.more-c.less > limit) {
				n.flipped = true
				return false, nil
			}
			c.over = limit > 0 && c.before > limit
			c.pairs = c.pairs && !c.over
		}
	}
	scramble := newScramble(n.tokenKey)
	n.oversize = func(rule int, key uint64) bool {
		c := n.tally.find(scramble.blockKey(rule, key))
		return c != nil && c.over
	}
	n.candidates = make([]bool, len(n.uids))
	for _, h := range hits {
		n.candidates[h.record] = n.candidates[h.record] || h.key.pairs
	}
	return true, nil
}

// Up to leastHits or, for each record, mostHits keys of interest are listed: beyond that a
// build of everything is no more work.
const (
	leastHits = 1 << 22
	mostHits  = 4
)

// A hit is a record that holds a key of interest.
type hit struct {
	key    *keyCount
	record int32
}

// readFormerKeys reads the keys that stale and gone records had.
func (n *narrowing) readFormerKeys(ctx context.Context) error {
	left := false
	for _, s := range n.state {
		left = left || s != stood
	}
	if !left {
		return nil
	}
	return n.model.scanRows(ctx, n.req.Warehouse, tableKey, func(r tableRow) {
		if at, ok := n.at.Find(uint64(r.number(0))); ok && n.state[at] != stood {
			n.formerKeys = append(n.formerKeys, recordKeys{hashes(nil, r.numbers(1)), hashes(nil, r.numbers(2)), hashes(nil, r.numbers(3))})
		}
	})
}

func hashes(dst []uint64, list []int64) []uint64 {
	for _, v := range list {
		dst = append(dst, uint64(v))
	}
	return dst
}

// countKeys counts the holders of the keys of interest, lists those of keys that fresh
// records have, nil when they are too many, and keeps all links.
func (n *narrowing) countKeys(ctx context.Context) ([]hit, error) {
	hits, most := []hit{}, max(leastHits, mostHits*len(n.uids))
	limit := func(key uint64) int32 {
		if most := n.last.Rules[ruleOfKey(key)].MaxBlock; most > 0 {
			return int32(most)
		}
		return math.MaxInt32
	}
	columns := []string{"record", "links", "blocks"}
	if len(n.formerKeys) > 0 {
		columns = append(columns, "terms")
	}
	n.links.start, n.links.count = make([]int32, len(n.uids)), make([]int32, len(n.uids))
	err := n.model.scanRows(ctx, n.req.Warehouse, tableKey, func(r tableRow) {
		at := int32(-1) // most records have no links, and no key of interest
		find := func() int32 {
			if at < 0 {
				at, _ = n.at.Find(uint64(r.number(0)))
			}
			return at
		}
		if links := r.numbers(1); len(links) > 0 {
			n.links.start[find()], n.links.count[find()] = int32(len(n.links.keys)), int32(len(links))
			n.links.keys = hashes(n.links.keys, links)
		}
		for column := 2; column < len(columns); column++ {
			for _, key := range r.numbers(column) {
				if c := n.tally.find(uint64(key)); c != nil {
					c.before++
					if c.pairs && c.before <= limit(uint64(key)) && len(hits) <= most && n.state[find()] == stood {
						hits = append(hits, hit{c, find()})
					}
				}
			}
		}
	}, columns...)
	if len(hits) > most {
		hits = nil
	}
	return hits, err
}

// reach finds the records that may have to move: those of the groups of stale and gone
// records and of whom a fresh one may join, with all who hold a value that exact rules join
// by, and their groups in turn. It is false when that is much of everything.
func (n *narrowing) reach() bool {
	n.affected = make([]bool, len(n.uids))
	groups, links := make([]bool, len(n.uids)), newTally(0)
	for _, keys := range [][]recordKeys{n.keys, n.formerKeys} {
		for _, k := range keys {
			for _, key := range k.links {
				links.want(key)
			}
		}
	}
	for i, s := range n.state {
		if s != stood {
			groups[n.groupOf[i]] = true
		}
	}
	for _, m := range n.matches {
		if !n.strong(m) {
			continue
		}
		for _, uid := range [2]uint64{m.a, m.b} {
			if at, known := n.at.Find(uid); known {
				groups[n.groupOf[at]] = true
			}
		}
	}
	n.touchDecided(groups)
	touched := 0
	most := largestReach * float64(len(n.uids))
	for grown := true; grown && float64(touched) <= most; {
		grown = false
		for i, is := range n.affected {
			if is || !groups[n.groupOf[i]] && !n.holdsAny(i, &links) {
				continue
			}
			n.affected[i], groups[n.groupOf[i]], grown = true, true, true
			touched++
			for _, key := range n.links.of(i) {
				links.want(key)
			}
		}
	}
	return float64(touched) <= most
}

// touchDecided adds the groups of records that a decision ties to a fresh one: it may have
// waited for it.
func (n *narrowing) touchDecided(groups []bool) {
	for _, d := range n.decisions {
		a, b := frame.UID(d.A.Source, d.A.Stream, d.A.Key), frame.UID(d.B.Source, d.B.Stream, d.B.Key)
		for _, ends := range [2][2]uint64{{a, b}, {b, a}} {
			if _, is := n.fresh.Find(ends[0]); !is {
				continue
			}
			if at, known := n.at.Find(ends[1]); known {
				groups[n.groupOf[at]] = true
			}
		}
	}
}

func (n *narrowing) holdsAny(i int, links *keyTally) bool {
	for _, key := range n.links.of(i) {
		if links.find(key) != nil {
			return true
		}
	}
	return false
}
