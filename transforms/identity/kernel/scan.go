package kernel

import (
	"context"
	"math/bits"
	"runtime"

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
// matches in a fixed order, in parts.
type Result struct {
	// Pairs were compared, each once. Visited are those of all rules, so that a pair that
	// several rules make counts as often: all but the first time it is looked at and left.
	Pairs, Visited int64
	Counts         []fs.Count
	Matches        [][]Match
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
	// Either, when set, leaves out pairs of which it holds for neither record.
	Either func(record int32) bool
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
	table := newTable(s.Comparisons, s.Blocks.n)
	g, ctx := errgroup.WithContext(ctx)
	for w := range workers {
		scans[w] = s.scan(table, opt)
		g.Go(func() error {
			for t := w; t < len(tasks); t += workers {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				scans[w].matches = make([]Match, 0, len(scans[w].matches)) // tasks are about equal
				scans[w].run(tasks[t])
				matches[t] = scans[w].matches
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return Result{}, err
	}
	out := Result{Matches: matches, RulePairs: make([]int64, len(s.Blocks.Rules))}
	total := newTally()
	for _, w := range scans {
		w.tally.each(func(e *entry) { total.at(e.pattern).n += e.n })
		out.Visited += w.visited
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
	table     *table
	level     []rowLevel
	tally     tally
	levels    []int8
	matches   []Match
	rulePairs []int64
	visited   int64
	// Of the members of the block: those of which one must be in a pair, their rows and
	// their numbers under earlier rules, side by side in memory.
	picked  []bool
	rows    []int32
	numbers []int32
}

// scan makes a worker.
func (s *Scanner) scan(t *table, opt Options) *scan {
	w := &scan{Scanner: s, opt: opt, table: t, level: t.levels(), tally: newTally(), levels: make([]int8, len(s.Comparisons))}
	if s.Blocks != nil {
		w.rulePairs = make([]int64, len(s.Blocks.Rules))
	}
	return w
}

// gather copies what pairs of the members are told by, under a rule.
func (w *scan) gather(members []int32, rule int) {
	stride := len(w.Blocks.Rules)
	w.rows, w.numbers = w.rows[:0], w.numbers[:0]
	for _, r := range members {
		w.rows = append(w.rows, w.table.row(r)...)
		w.numbers = append(w.numbers, w.Blocks.numbers[int(r)*stride:][:rule]...)
	}
}

// pick finds the records of a block of which one must be in a pair, and reports whether
// there is any.
func (w *scan) pick(members []int32) bool {
	if w.opt.Either == nil {
		return true
	}
	any := false
	w.picked = w.picked[:0]
	for _, r := range members {
		is := w.opt.Either(r)
		w.picked = append(w.picked, is)
		any = any || is
	}
	return any
}

func (w *scan) run(t task) {
	i := int(t.rule)
	bounds := w.Blocks.bounds[i]
	for k := t.from; k < t.to; k++ {
		members := w.Blocks.members[i][bounds[k]:bounds[k+1]]
		if w.pick(members) {
			w.pairs(members, i, k)
		}
	}
}

// pairs compares the records of a block, which ascend, with each other.
func (w *scan) pairs(members []int32, rule int, number int32) {
	w.gather(members, rule)
	b, width := w.Blocks, w.table.width
	tokens := b.Rules[rule].Tokens
	for p, x := range members {
		row, numbers := w.rows[p*width:][:width], w.numbers[p*rule:][:rule]
		for q := p + 1; q < len(members); q++ {
			if w.opt.Either != nil && !w.picked[p] && !w.picked[q] {
				continue
			}
			w.visited++
			if meet(numbers, w.numbers[q*rule:][:rule]) {
				continue
			}
			if y := members[q]; tokens != nil && (b.earlierTokens(rule, x, y) || firstShared(b.tokenBlocks[rule], tokens.Start, x, y) != number) {
				continue
			}
			w.rulePairs[rule]++
			w.pair(row, w.rows[q*width:][:width], int16(rule))
		}
	}
}

// pattern compares two rows of the table.
func (w *scan) pattern(x, y []int32) uint64 {
	code := uint64(0)
	for i, level := range w.level {
		l := level(x, y)
		w.levels[i] = l
		code = code*w.coder.Radix(i) + uint64(l+1)
	}
	return code
}

func (w *scan) pair(x, y []int32, rule int16) {
	code := w.pattern(x, y)
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
	weight := e.weight
	if e.terms != 0 {
		weight += w.extra(e.terms, x, y)
	}
	w.matches = append(w.matches, Match{x[recordSlot], y[recordSlot], weight, rule, code})
}

// extra sums the term weights of the levels reached by two rows.
func (w *scan) extra(terms uint64, x, y []int32) int32 {
	sum := int32(0)
	for ; terms != 0; terms &= terms - 1 {
		i := bits.TrailingZeros64(terms)
		l := w.levels[i]
		slot := w.table.terms[i][l]
		sum += w.Comparisons[i].Levels[l].Term.of(x[slot], y[slot])
	}
	return sum
}

// Terms are the levels of a pattern that weigh values by their frequency.
func (s *Scanner) Terms(pattern uint64) []*Level {
	p := make(fs.Pattern, len(s.Comparisons))
	s.coder.Decode(pattern, p)
	var out []*Level
	for i, l := range p {
		if l >= 0 && s.Comparisons[i].Levels[l].Term != nil {
			out = append(out, &s.Comparisons[i].Levels[l])
		}
	}
	return out
}

// Random compares pairs picked by a hash of seed, or all pairs when there are no more
// than limit, and returns the share of each level among the pairs that could be compared.
func (s *Scanner) Random(n int, limit int64, seed uint64) (shares [][]float64, counts []fs.Count, pairs int64) {
	t := newTable(s.Comparisons, n)
	w := s.scan(t, Options{})
	all := int64(n) * int64(n-1) / 2
	if all <= limit {
		for a := range int32(n) {
			for b := a + 1; b < int32(n); b++ {
				w.tally.at(w.pattern(t.row(a), t.row(b))).n++
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
			w.tally.at(w.pattern(t.row(min(a, b)), t.row(max(a, b)))).n++
			pairs++
		}
	}
	counts = w.tally.counts()
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
