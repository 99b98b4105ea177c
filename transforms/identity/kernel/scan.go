package kernel

import (
	"cmp"
	"context"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/unsilo/unsilo/transforms/identity/fs"
)

// A Scanner compares the pairs of blocks. It keeps nothing of a pair but what it counts or
// emits.
type Scanner struct {
	Blocks      *Blocks
	Comparisons []*Comparison
	coder       fs.Coder
}

// NewScanner makes a scanner; at most 64 comparisons.
func NewScanner(b *Blocks, comparisons []*Comparison) *Scanner {
	levels := make([]int, len(comparisons))
	for i, c := range comparisons {
		levels[i] = len(c.Levels)
	}
	return &Scanner{Blocks: b, Comparisons: comparisons, coder: fs.NewCoder(levels)}
}

// Pattern compares two records; levels receives the level of each comparison.
func (s *Scanner) Pattern(a, b int32, levels []int8) uint64 {
	code := uint64(0)
	for i, c := range s.Comparisons {
		l := c.Level(a, b)
		levels[i] = l
		code = code*s.coder.Radix(i) + uint64(l+1)
	}
	return code
}

// A Match is a pair that reached the floor.
type Match struct {
	A, B    int32
	Bits    int32
	Rule    int16
	Pattern uint64
}

// Result of a scan: pairs compared, how often each pattern occurred (ascending), and the
// matches in a fixed order.
type Result struct {
	Pairs   int64
	Counts  []fs.Count
	Matches []Match
	// RulePairs counts the pairs that each rule was the first to make.
	RulePairs []int64
}

// Options of a scan.
type Options struct {
	// Weigh scores a pattern in millionths of a bit; nil only counts.
	Weigh func(pattern uint64) int32
	// Floor is the least weight of a pattern whose pairs are matches. It looks at the
	// pattern alone, not at the frequency of values, so that whether a pair is kept does not
	// depend on other records.
	Floor int32
	// OneIn compares one pair in so many, chosen by a hash; 0 and 1 mean all.
	OneIn uint64
	// Pass, when set, leaves out pairs for which it is false.
	Pass func(a, b int32) bool
}

// task is a range of blocks of one rule.
type task struct{ rule, from, to int32 }

// taskPairs is about how many pairs a task has, so that work divides evenly.
const taskPairs = 1 << 18

func (b *Blocks) tasks() []task {
	var out []task
	for i := range b.Rules {
		bounds := b.bounds[i]
		pairs, from := 0, 0
		for k := range len(bounds) - 1 {
			size := int(bounds[k+1] - bounds[k])
			pairs += size * (size - 1) / 2
			if pairs >= taskPairs || k == len(bounds)-2 {
				out = append(out, task{int32(i), int32(from), int32(k + 1)})
				pairs, from = 0, k+1
			}
		}
	}
	return out
}

// Run compares every candidate pair once.
func (s *Scanner) Run(ctx context.Context, opt Options) (Result, error) {
	tasks := s.Blocks.tasks()
	workers := min(runtime.GOMAXPROCS(0), max(len(tasks), 1))
	scans := make([]*scan, workers)
	matches := make([][]Match, len(tasks))
	g, ctx := errgroup.WithContext(ctx)
	for w := range workers {
		scans[w] = &scan{Scanner: s, opt: opt, levels: make([]int8, len(s.Comparisons)), rulePairs: make([]int64, len(s.Blocks.Rules))}
		g.Go(func() error {
			for t := w; t < len(tasks); t += workers {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				scans[w].matches = nil
				scans[w].run(tasks[t])
				matches[t] = scans[w].matches
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return Result{}, err
	}
	out := Result{Matches: slices.Concat(matches...), RulePairs: make([]int64, len(s.Blocks.Rules))}
	total := newTally()
	for _, w := range scans {
		w.tally.each(func(e *entry) { total.at(e.pattern).n += e.n })
		for i, n := range w.rulePairs {
			out.RulePairs[i] += n
			out.Pairs += n
		}
	}
	out.Counts = total.counts()
	return out, nil
}

// scan is the state of one worker.
type scan struct {
	*Scanner
	opt       Options
	tally     tally
	levels    []int8
	matches   []Match
	rulePairs []int64
}

func (w *scan) run(t task) {
	b := w.Blocks
	i := int(t.rule)
	members, bounds := b.members[i], b.bounds[i]
	tokens := b.Rules[i].Tokens
	if w.tally.slots == nil {
		w.tally = newTally()
	}
	for k := t.from; k < t.to; k++ {
		block := members[bounds[k]:bounds[k+1]]
		for p, x := range block {
			for _, y := range block[p+1:] {
				if w.opt.OneIn > 1 && mix(uint64(x)+1, uint64(y)+1)%w.opt.OneIn != 0 {
					continue
				}
				if w.opt.Pass != nil && !w.opt.Pass(x, y) || b.earlier(i, x, y) {
					continue
				}
				if tokens != nil && firstShared(b.tokenBlocks[i], tokens.Start, x, y) != k {
					continue
				}
				w.rulePairs[i]++
				w.pair(min(x, y), max(x, y), int16(i))
			}
		}
	}
}

func (w *scan) pair(a, b int32, rule int16) {
	code := w.Pattern(a, b, w.levels)
	e := w.tally.at(code)
	e.n++
	if w.opt.Weigh == nil {
		return
	}
	if e.n == 1 {
		e.weight = w.opt.Weigh(code)
		for i, l := range w.levels {
			if l >= 0 && w.Comparisons[i].Levels[l].Term != nil {
				e.terms |= 1 << i
			}
		}
	}
	if e.weight < w.opt.Floor {
		return
	}
	bits := e.weight
	if e.terms != 0 {
		bits += w.extra(e.terms, a, b)
	}
	w.matches = append(w.matches, Match{a, b, bits, rule, code})
}

// extra sums the term weights of the levels reached.
func (w *scan) extra(terms uint64, a, b int32) int32 {
	sum := int32(0)
	for i := 0; terms != 0; i, terms = i+1, terms>>1 {
		if terms&1 != 0 {
			sum += w.Comparisons[i].Levels[w.levels[i]].Extra(a, b)
		}
	}
	return sum
}

// Extra gives the term weights of a pair whose pattern is known.
func (s *Scanner) Extra(pattern uint64, a, b int32) int32 {
	p := make(fs.Pattern, len(s.Comparisons))
	s.coder.Decode(pattern, p)
	sum := int32(0)
	for i, l := range p {
		if l >= 0 {
			sum += s.Comparisons[i].Levels[l].Extra(a, b)
		}
	}
	return sum
}

// Random compares pairs picked by a hash of seed, or all pairs when there are no more
// than limit, and returns the share of each level among the pairs that could be compared.
func (s *Scanner) Random(n int, limit int64, seed uint64) (shares [][]float64, counts []fs.Count, pairs int64) {
	levels := make([]int8, len(s.Comparisons))
	t := newTally()
	all := int64(n) * int64(n-1) / 2
	if all <= limit {
		for a := range int32(n) {
			for b := a + 1; b < int32(n); b++ {
				t.at(s.Pattern(a, b, levels)).n++
			}
		}
		pairs = all
	} else {
		for i := range limit {
			h := mix(seed+1, uint64(i)+0x51ED270B)
			h = mix(h, h>>17+uint64(i))
			a, b := int32(h>>32)&0x7fffffff%int32(n), int32(uint32(h)&0x7fffffff)%int32(n)
			if a == b {
				continue
			}
			t.at(s.Pattern(min(a, b), max(a, b), levels)).n++
			pairs++
		}
	}
	counts = t.counts()
	return s.shares(counts), counts, pairs
}

// shares turns pattern counts into frequencies of levels, with half a pair added to each.
func (s *Scanner) shares(counts []fs.Count) [][]float64 {
	shares := make([][]float64, len(s.Comparisons))
	totals := make([]float64, len(s.Comparisons))
	for k, c := range s.Comparisons {
		shares[k] = make([]float64, len(c.Levels))
		for l := range shares[k] {
			shares[k][l] = 0.5
			totals[k] += 0.5
		}
	}
	p := make(fs.Pattern, len(s.Comparisons))
	for _, c := range counts {
		s.coder.Decode(c.Pattern, p)
		for k, l := range p {
			if l >= 0 {
				shares[k][l] += c.N
				totals[k] += c.N
			}
		}
	}
	for k := range shares {
		for l := range shares[k] {
			shares[k][l] /= totals[k]
		}
	}
	return shares
}

// tally counts patterns in an open table.
type tally struct {
	slots []entry
	used  int
}

type entry struct {
	pattern uint64 // plus one; 0 is free
	n       int64
	terms   uint64
	weight  int32
}

func newTally() tally { return tally{slots: make([]entry, 1024)} }

func (t *tally) at(pattern uint64) *entry {
	mask := uint64(len(t.slots) - 1)
	key := pattern + 1
	i := key * 0x9E3779B97F4A7C15 >> 20 & mask
	for {
		e := &t.slots[i]
		if e.pattern == key {
			return e
		}
		if e.pattern == 0 {
			break
		}
		i = (i + 1) & mask
	}
	if t.used*2 >= len(t.slots) {
		old := t.slots
		t.slots, t.used = make([]entry, 2*len(old)), 0
		for k := range old {
			if old[k].pattern != 0 {
				*t.at(old[k].pattern - 1) = old[k]
			}
		}
		return t.at(pattern)
	}
	t.used++
	t.slots[i].pattern = key
	return &t.slots[i]
}

func (t *tally) each(f func(*entry)) {
	for i := range t.slots {
		if t.slots[i].pattern != 0 {
			e := t.slots[i]
			e.pattern--
			f(&e)
		}
	}
}

func (t *tally) counts() []fs.Count {
	var out []fs.Count
	t.each(func(e *entry) { out = append(out, fs.Count{Pattern: e.pattern, N: float64(e.n)}) })
	slices.SortFunc(out, func(a, b fs.Count) int { return cmp.Compare(a.Pattern, b.Pattern) })
	return out
}
