package kernel

import "math/bits"

// scan is the state of one worker.
type scan struct {
	*Scanner
	opt    Options
	table  *table
	picked []bool // see Scanner.picked
	level  []batchLevel
	tally  tally
	// matches of a task lie in parts: one that has to grow would be copied every time.
	matches   []Match
	parts     [][]Match
	rulePairs []int64
	visited   int64
	rule      int // whose blocks are compared
	chunk     chunk
	// The batch has n pairs; levels of each comparison and patterns are beside its pairs.
	batch    batch
	n        int
	levels   [][]int8
	patterns [batchPairs]uint64
	tallied  [batchPairs]int32
	kept     [batchPairs]keptPair
	touched  int32 // see touch
}

// chunkRows is about how many rows are gathered at a time: enough that the processor waits
// for many places in memory at once.
const chunkRows = 1024

// A chunk is some blocks of a rule.
type chunk struct {
	members []int32
	// ends of the blocks among members, and their numbers.
	ends    []int32
	numbers []int32
	// picked members are those of which one must be in a pair.
	picked []bool
	// earlier are the numbers of each member under earlier rules, side by side in memory.
	earlier []int32
}

// A keptPair of the batch reached the floor; terms are the comparisons that add the weight
// of a value.
type keptPair struct {
	pair   int32
	weight int32
	terms  uint64
}

// scan makes a worker.
func (s *Scanner) scan(t *table, opt Options) *scan {
	w := &scan{Scanner: s, opt: opt, table: t, level: t.levels(), tally: newTally()}
	w.batch.a, w.batch.b = make([]int32, batchPairs), make([]int32, batchPairs)
	w.batch.columns = make([][]int32, t.width)
	w.levels = make([][]int8, len(s.Comparisons))
	for i := range w.levels {
		w.levels[i] = make([]int8, batchPairs)
	}
	if s.Blocks != nil {
		w.rulePairs = make([]int64, len(s.Blocks.Rules))
	}
	return w
}

// matchPart is how many matches are together in memory.
const matchPart = 1 << 15

// run compares the pairs of some blocks, and gives the matches.
func (w *scan) run(t task) [][]Match {
	w.parts, w.matches = nil, w.matches[len(w.matches):]
	w.rule = int(t.rule)
	bounds := w.Blocks.bounds[t.rule]
	for k := t.from; k < t.to; k++ {
		w.add(w.Blocks.members[t.rule][bounds[k]:bounds[k+1]], k)
		if len(w.chunk.members) >= chunkRows {
			w.compareChunk()
		}
	}
	w.compareChunk()
	w.endPart()
	return w.parts
}

// endPart ends a part of matches. What is left of its memory is for the next one.
func (w *scan) endPart() {
	if len(w.matches) > 0 {
		w.parts = append(w.parts, w.matches[:len(w.matches):len(w.matches)])
		w.matches = w.matches[len(w.matches):]
	}
}

// add puts a block into the chunk, unless none of its pairs is wanted.
func (w *scan) add(members []int32, number int32) {
	c := &w.chunk
	if w.picked != nil {
		any, from := false, len(c.picked)
		for _, place := range members {
			is := w.picked[place]
			c.picked = append(c.picked, is)
			any = any || is
		}
		if !any {
			c.picked = c.picked[:from]
			return
		}
	}
	c.members = append(c.members, members...)
	c.ends = append(c.ends, int32(len(c.members)))
	c.numbers = append(c.numbers, number)
}

// compareChunk compares the pairs of the blocks of the chunk, and empties it.
func (w *scan) compareChunk() {
	c := &w.chunk
	w.gather()
	from := int32(0)
	for i, to := range c.ends {
		w.pairs(from, to, c.numbers[i])
		from = to
	}
	w.flush()
	c.members, c.ends, c.numbers, c.picked = c.members[:0], c.ends[:0], c.numbers[:0], c.picked[:0]
}

// gather copies what pairs of the members are told by.
func (w *scan) gather() {
	c := &w.chunk
	stride := len(w.Blocks.Rules)
	c.earlier = c.earlier[:0]
	for i := range w.batch.columns {
		if cap(w.batch.columns[i]) < len(c.members) {
			w.batch.columns[i] = make([]int32, len(c.members)+chunkRows)
		}
		w.batch.columns[i] = w.batch.columns[i][:len(c.members)]
	}
	w.touch(c.members)
	for p, r := range c.members {
		for i, v := range w.table.row(r) {
			w.batch.columns[i][p] = v
		}
		c.earlier = append(c.earlier, w.Blocks.numbers[int(r)*stride:][:w.rule]...)
	}
}

// touch reads a little of each row and of its numbers, so that the processor waits for many
// places in memory at once. The sum is kept lest the compiler leaves it out.
func (w *scan) touch(members []int32) {
	stride := len(w.Blocks.Rules)
	for _, place := range members {
		at := int(place) * stride
		w.touched += w.Blocks.numbers[at] + w.Blocks.numbers[at+w.rule] + w.table.cells[int(place)*w.table.width]
	}
}

// pairs takes up the pairs of a block, whose records ascend.
func (w *scan) pairs(from, to, number int32) {
	b, c, rule := w.Blocks, &w.chunk, w.rule
	tokens, records := b.Rules[rule].Tokens, w.batch.columns[recordSlot]
	visited, fresh := int64(0), int64(0)
	for p := from; p < to; p++ {
		numbers := c.earlier[int(p)*rule:][:rule]
		for q := p + 1; q < to; q++ {
			if w.picked != nil && !c.picked[p] && !c.picked[q] {
				continue
			}
			visited++
			if meet(numbers, c.earlier[int(q)*rule:][:rule]) {
				continue
			}
			if tokens != nil {
				x, y := records[p], records[q]
				if b.earlierTokens(rule, x, y) || firstShared(b.tokenBlocks[rule], tokens.Start, x, y) != number {
					continue
				}
			}
			fresh++
			w.pair(p, q)
		}
	}
	w.visited += visited
	w.rulePairs[rule] += fresh
}

// pair puts two rows into the batch.
func (w *scan) pair(p, q int32) {
	w.batch.a[w.n], w.batch.b[w.n] = p, q
	if w.n++; w.n == batchPairs {
		w.flush()
	}
}

// random puts two records into the batch.
func (w *scan) random(x, y int32) {
	if w.n == 0 {
		for i := range w.batch.columns {
			w.batch.columns[i] = w.batch.columns[i][:0]
		}
	}
	for _, r := range [2]int32{x, y} {
		for i, v := range w.table.row(r) {
			w.batch.columns[i] = append(w.batch.columns[i], v)
		}
	}
	w.pair(int32(2*w.n), int32(2*w.n+1))
}

// flush compares the pairs of the batch, counts their patterns and keeps the matches.
func (w *scan) flush() {
	patterns := w.patterns[:w.n]
	w.n = 0
	clear(patterns)
	for i, level := range w.level {
		out := w.levels[i][:len(patterns)]
		level(&w.batch, out)
		radix := w.coder.Radix(i)
		for k, l := range out {
			patterns[k] = patterns[k]*radix + uint64(l+1)
		}
	}
	w.count(patterns)
	if w.opt.Weigh != nil {
		w.keep(patterns)
	}
}

// count adds the patterns of the batch to the tally and notes where each stands there.
func (w *scan) count(patterns []uint64) {
	w.tally.reserve(len(patterns))
	for k, code := range patterns {
		at := w.tally.at(code)
		w.tallied[k] = at
		if e := &w.tally.slots[at]; e.n == 0 && w.opt.Weigh != nil {
			e.weight, e.terms = w.opt.Weigh(code), w.terms(k)
		}
		w.tally.slots[at].n++
	}
}

// keep takes the pairs of the batch that reached the floor.
func (w *scan) keep(patterns []uint64) {
	n := 0
	for k := range patterns {
		e := &w.tally.slots[w.tallied[k]]
		w.kept[n&(batchPairs-1)] = keptPair{int32(k), e.weight, e.terms}
		n += btoi(e.weight >= w.opt.Floor) // no branch: it could not be guessed
	}
	if cap(w.matches)-len(w.matches) < n {
		w.endPart()
		w.matches = make([]Match, 0, matchPart)
	}
	records := w.batch.columns[recordSlot]
	for _, p := range w.kept[:n] {
		x, y := w.batch.a[p.pair], w.batch.b[p.pair]
		w.matches = append(w.matches, Match{records[x], records[y], p.weight + w.extra(p.terms, p.pair, x, y), int16(w.rule), patterns[p.pair]})
	}
}

// terms are the comparisons of which a pair reached a level that weighs its value.
func (w *scan) terms(k int) (terms uint64) {
	for i, c := range w.Comparisons {
		if l := w.levels[i][k]; l >= 0 && c.Levels[l].Term != nil {
			terms |= 1 << i
		}
	}
	return terms
}

// extra sums the weights of the values by which a pair agrees.
func (w *scan) extra(terms uint64, k, x, y int32) int32 {
	sum := int32(0)
	for ; terms != 0; terms &= terms - 1 {
		i := bits.TrailingZeros64(terms)
		t := &w.table.terms[i][w.levels[i][k]]
		sum += t.term.of(w.batch.columns[t.slot][x], w.batch.columns[t.slot][y])
	}
	return sum
}
