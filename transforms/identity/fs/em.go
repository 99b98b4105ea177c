package fs

import (
	"fmt"
	"math"
)

// Fit options.
type FitOptions struct {
	// Pairs is the number of all possible pairs; the counts cover those that were compared,
	// and the others are taken to be of two entities.
	Pairs float64
	// Random are frequencies of each level among random pairs, by comparison, of pairs
	// where both values are present; they hold a few pairs of one entity too.
	Random [][]float64
	// Rivals are the candidates of a sample of records; m is learnt from them. Of several
	// candidates the one with more evidence counts more, so that many half-alike ones do
	// not pass for matches.
	Rivals Rivals
	// RandomCounts are the patterns of the random pairs; dependences are read off them.
	RandomCounts []Count
	// Siblings says that there may be many pairs of different entities that are alike, as
	// the variants of a product are. They become a class of their own, so that m is not
	// learnt from them.
	Siblings bool
	// Strength is the weight of the starting values, in pairs.
	Strength float64
	// MaxIterations bounds the work; 0 means 200.
	MaxIterations int
}

// Fit estimates m and the prior without labels, by expectation maximisation over pattern
// counts. u comes from random pairs, less the share of pairs of one entity in them. The
// values of M in the model are the start and a weak belief.
func (m *Model) Fit(counts []Count, opt FitOptions) {
	if opt.MaxIterations == 0 {
		opt.MaxIterations = 200
	}
	f := newFit(m, counts, opt)
	last := math.Inf(-1)
	m.Converged = false
	for m.Iterations = 1; m.Iterations <= opt.MaxIterations; m.Iterations++ {
		likelihood := f.expect()
		moved := f.maximise()
		if moved < 1e-4 || m.Iterations > 5 && likelihood-last < 1e-9*math.Abs(likelihood) && moved < 1e-2 {
			m.Converged = true
			break
		}
		last = likelihood
	}
	if !m.Converged {
		m.Iterations = opt.MaxIterations
		m.Messages = append(m.Messages, fmt.Sprintf("training stopped after %d rounds before it settled; the weights are the last ones", opt.MaxIterations))
	}
	f.guard()
}

// Rivals list, for each record of a sample, the patterns of all its candidates: those of
// record i are Patterns[Start[i]:Start[i+1]].
type Rivals struct {
	Start    []int32
	Patterns []uint64
}

type fit struct {
	model    *Model
	opt      FitOptions
	patterns []Pattern
	counts   []Count
	start    [][]float64
	sums     [][]float64 // expected matches by comparison and level
	matches  float64
	siblings *siblings // nil without that class
	tree     []joint
	rivals   []int32   // index into patterns, beside opt.Rivals.Patterns
	odds     []float64 // of each pattern
}

func newFit(m *Model, counts []Count, opt FitOptions) *fit {
	f := &fit{model: m, opt: opt, counts: counts}
	coder := m.Coder()
	index := make(map[uint64]int32, len(counts))
	for i, c := range counts {
		index[c.Pattern] = int32(i)
		p := make(Pattern, len(m.Comparisons))
		coder.Decode(c.Pattern, p)
		f.patterns = append(f.patterns, p)
	}
	f.odds = make([]float64, len(counts))
	f.rivals = make([]int32, len(opt.Rivals.Patterns))
	for i, code := range opt.Rivals.Patterns {
		f.rivals[i] = index[code]
	}
	for _, c := range m.Comparisons {
		start := make([]float64, len(c.Levels))
		for l, level := range c.Levels {
			start[l] = level.M
		}
		f.start = append(f.start, start)
		f.sums = append(f.sums, make([]float64, len(c.Levels)))
	}
	f.tree = m.dependences(opt.RandomCounts)
	f.setU()
	if opt.Siblings {
		f.siblings = newSiblings(f.start, opt.Random, m.Prior)
	}
	return f
}

// expect gives each pattern its probability of being one entity and sums up; it returns
// the logarithm of the likelihood of the counts.
func (f *fit) expect() float64 {
	m := f.model
	logs := make([][]float64, len(m.Comparisons))
	logU := make([][]float64, len(m.Comparisons))
	for k, c := range m.Comparisons {
		logs[k], logU[k] = make([]float64, len(c.Levels)), make([]float64, len(c.Levels))
		for l, level := range c.Levels {
			logs[k][l], logU[k][l] = math.Log(level.M/level.U), math.Log(level.U)
		}
		clear(f.sums[k])
	}
	f.matches = 0
	f.siblings.expect(logU)
	likelihood := 0.0
	prior := math.Log(m.Prior / (1 - m.Prior))
	for i, p := range f.patterns {
		odds, base := prior, math.Log(1-m.Prior)
		alike := f.siblings.odds(p)
		for k, l := range p {
			if l >= 0 {
				odds += logs[k][l]
				base += logU[k][l]
			}
		}
		for _, d := range m.Dependences {
			if a, b := p[d.A], p[d.B]; a >= 0 && b >= 0 {
				odds -= d.Bits[a][b] * math.Ln2
				base += d.Bits[a][b] * math.Ln2
				alike -= d.Bits[a][b] * math.Ln2
			}
		}
		n := f.counts[i].N
		if f.siblings != nil { // base becomes that of siblings and of all others together
			either := math.Log1p(math.Exp(math.Min(alike, 700)))
			odds, base = odds-either, base+either
			f.siblings.observe(p, n*math.Exp(min(alike, 700)-either)/(1+math.Exp(math.Min(odds, 700))))
		}
		q := n / (1 + math.Exp(-odds))
		likelihood += n * (base + math.Log1p(math.Exp(math.Min(odds, 700))))
		f.matches += q
		f.odds[i] = math.Exp(math.Min(odds, sureOdds))
	}
	f.compete()
	return likelihood
}

// compete gives each record's candidates shares of one match and sums the levels of the
// shares.
func (f *fit) compete() {
	shares := make([]float64, len(f.patterns))
	start := f.opt.Rivals.Start
	for i := range len(start) - 1 {
		list := f.rivals[start[i]:start[i+1]]
		sum := 1.0
		for _, k := range list {
			sum += f.odds[k]
		}
		for _, k := range list {
			shares[k] += f.odds[k] / sum
		}
	}
	for i, share := range shares {
		for k, l := range f.patterns[i] {
			if l >= 0 {
				f.sums[k][l] += share
			}
		}
	}
}

// maximise sets m, u and the prior from the sums, and returns the largest change of an m.
func (f *fit) maximise() float64 {
	m := f.model
	moved := 0.0
	for k := range m.Comparisons {
		levels := m.Comparisons[k].Levels
		total := f.opt.Strength
		for _, s := range f.sums[k] {
			total += s
		}
		if total <= 0 {
			continue
		}
		for l := range levels {
			if levels[l].Fixed {
				continue
			}
			next := math.Max((f.sums[k][l]+f.opt.Strength*f.start[k][l])/total, 1e-6)
			moved = math.Max(moved, math.Abs(next-levels[l].M))
			levels[l].M = next
		}
	}
	m.Prior = math.Min(math.Max(f.matches/f.opt.Pairs, 0.1/f.opt.Pairs), 0.5)
	f.setU()
	return math.Max(moved, f.siblings.maximise(f.opt.Pairs))
}

// setU takes the pairs of one entity out of the random pairs.
func (f *fit) setU() {
	m := f.model
	for k := range m.Comparisons {
		levels := m.Comparisons[k].Levels
		for l := range levels {
			random := f.opt.Random[k][l]
			different := (random - m.Prior*levels[l].M) / (1 - m.Prior)
			levels[l].U = math.Max(different, math.Max(random*0.05, 1e-9))
		}
	}
	m.Dependences = m.Dependences[:0]
	for i := range f.tree {
		m.Dependences = append(m.Dependences, f.tree[i].ratios(m))
	}
}

// guard keeps the best level of a comparison from speaking against a match: that is what
// happens when the two classes have changed places.
func (f *fit) guard() {
	for k := range f.model.Comparisons {
		c := &f.model.Comparisons[k]
		if best := &c.Levels[0]; best.M < best.U && !c.Nominal {
			f.model.Messages = append(f.model.Messages, fmt.Sprintf("%s: agreement was rarer among matches than among others; the comparison is not used", c.Name))
			for l := range c.Levels {
				c.Levels[l].M = c.Levels[l].U
			}
		}
	}
}

// sureOdds is the logarithm of the odds above which all candidates count alike: records
// with many duplicates learn from all of them, not from the best copy alone.
const sureOdds = 6 * math.Ln2
