package kernel

import (
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
	matches := make([][][]Match, len(tasks))
	picked := s.picked(opt.Either)
	table := newTable(s.Comparisons, s.Blocks.placeOf)
	g, ctx := errgroup.WithContext(ctx)
	for w := range workers {
		scans[w] = s.scan(table, opt)
		scans[w].picked = picked
		g.Go(func() error {
			for t := w; t < len(tasks); t += workers {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				matches[t] = scans[w].run(tasks[t])
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
		total.add(&w.tally)
		out.Visited += w.visited
		for i, n := range w.rulePairs {
			out.RulePairs[i] += n
			out.Pairs += n
		}
	}
	out.Counts = total.counts()
	return out, nil
}

// picked are the places of records of which one must be in a pair; nil when any may.
func (s *Scanner) picked(either func(int32) bool) []bool {
	if either == nil {
		return nil
	}
	picked := make([]bool, s.Blocks.n)
	for p, r := range s.Blocks.recordAt {
		picked[p] = either(r)
	}
	return picked
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
	order := make([]int32, n)
	for r := range order {
		order[r] = int32(r)
	}
	t := newTable(s.Comparisons, order)
	w := s.scan(t, Options{})
	all := int64(n) * int64(n-1) / 2
	if all <= limit {
		for a := range int32(n) {
			for b := a + 1; b < int32(n); b++ {
				w.random(a, b)
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
			w.random(min(a, b), max(a, b))
			pairs++
		}
	}
	w.flush()
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
