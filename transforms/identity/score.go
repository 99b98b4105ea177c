package identity

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/unsilo/unsilo/transforms/identity/cluster"
	"github.com/unsilo/unsilo/transforms/identity/fs"
	"github.com/unsilo/unsilo/transforms/identity/kernel"
)

// Training compares at most trainPairs candidates and randomPairs pairs picked at random.
const (
	trainPairs  = 3_000_000
	randomPairs = 3_000_000
)

// floorBits is the least weight of an edge that is kept, in millionths of a bit: below it
// an observed pair says as little as one that was never compared.
const floorBits = -5_000_000

// prepareScan chooses blocking rules and comparisons; the scanner stays nil when there is
// nothing to compare.
func (p *pipeline) prepareScan() error {
	columns := p.compared()
	if len(columns) == 0 || p.frame.Len() < 2 || p.model.exactOnly() {
		return nil
	}
	p.progress("choosing blocking rules")
	for _, c := range p.texts(columns) {
		c.Words = kernel.CountWords(c, p.wordHash(c.Name))
	}
	rules, err := p.blockingRules(columns)
	if err != nil {
		return err
	}
	comparisons, err := p.comparisons(columns)
	if err != nil {
		return err
	}
	if len(rules) == 0 || len(comparisons) == 0 {
		return nil
	}
	p.scanner = kernel.NewScanner(kernel.NewBlocks(p.frame.Len(), rules, p.nameless()), comparisons)
	return nil
}

// exactOnly reports whether the block wants deterministic rules alone.
func (m *Model) exactOnly() bool { return m.def.Model != nil && m.def.Model.Kind == "exact" }

// probableEdges trains the model and adds an edge for each candidate pair that reaches the
// floor.
func (p *pipeline) probableEdges(ctx context.Context) error {
	if p.trainedOn == nil {
		if err := p.prepareScan(); err != nil || p.scanner == nil {
			return err
		}
		p.firstTerms()
		p.progress("training")
		if err := p.train(ctx); err != nil {
			return err
		}
	}
	p.progress("comparing")
	changed := p.changedRecords()
	opt := kernel.Options{Weigh: p.weigher(), Floor: floorBits}
	if changed != nil {
		opt.Either = func(r int32) bool { return changed[r] }
		if err := p.oldEdges(ctx, changed); err != nil {
			return err
		}
	}
	result, err := p.scanner.Run(ctx, opt)
	if err != nil {
		return err
	}
	p.progress("grouping")
	p.measure("pairs.visited", float64(result.Visited))
	p.measure("pairs.compared", float64(result.Pairs))
	for i, s := range p.scanner.Blocks.Stats {
		p.measure("pairs."+s.Name, float64(result.RulePairs[i]))
		if s.Keyed == 0 && len(p.model.rules.blocking) > 0 {
			p.note("blocking rule %s: no record has a key, so it compares nothing; choose other keys", s.Name)
		}
		if s.Oversize > 0 {
			p.note("blocking rule %s: %d blocks above its limit were not compared (%d pairs)", s.Name, s.Oversize, s.OversizePairs)
		}
	}
	if changed == nil {
		p.neverReached(result.Counts)
	}
	p.scanner.Blocks.Forget()
	matches := 0
	for _, part := range result.Matches {
		matches += len(part)
	}
	p.edges = slices.Grow(p.edges, matches)
	for i, part := range result.Matches {
		for _, m := range part {
			p.edges = append(p.edges, cluster.Edge{A: m.A, B: m.B, Bits: m.Bits, Rule: m.Rule, Tier: cluster.Probable, Pattern: m.Pattern})
		}
		result.Matches[i] = nil // there are many
	}
	return nil
}

// neverReached notes levels of the model block that no candidate pair ever had.
func (p *pipeline) neverReached(counts []fs.Count) {
	if p.model.def.Model == nil {
		return
	}
	coder := p.fitted.Coder()
	pattern := make(fs.Pattern, len(p.fitted.Comparisons))
	seen := make([]map[int8]bool, len(pattern))
	for k := range seen {
		seen[k] = map[int8]bool{}
	}
	for _, c := range counts {
		coder.Decode(c.Pattern, pattern)
		for k, l := range pattern {
			seen[k][l] = true
		}
	}
	for k, c := range p.fitted.Comparisons {
		for l, level := range c.Levels {
			if !seen[k][int8(l)] && l < len(c.Levels)-1 {
				p.note("comparison %s: no pair ever reached the level %q; an earlier level may already cover it", c.Name, level.Name)
			}
		}
	}
}

// train fits the model on a sample of candidate pairs.
func (p *pipeline) train(ctx context.Context) error {
	candidates := int64(0)
	for _, s := range p.scanner.Blocks.Stats {
		candidates += s.Pairs
	}
	training := p.training()
	share := min(1, training.candidates/float64(max(candidates, 1)))
	sampled := p.sampler(1 - math.Sqrt(1-share))
	sample, err := p.scanner.Run(ctx, kernel.Options{Floor: math.MinInt32, Weigh: func(uint64) int32 { return 0 },
		Either: sampled})
	if err != nil {
		return err
	}
	for i := range sample.Counts {
		sample.Counts[i].N /= share
	}
	shares, random, _ := p.scanner.Random(p.frame.Len(), training.random, uint64(p.seed()))
	n := float64(p.frame.Len())
	p.fitted = kernel.Model(p.scanner.Comparisons)
	p.fitted.Prior = 1 / n
	for k, c := range p.scanner.Comparisons {
		for l, level := range c.Levels {
			if level.FixedM > 0 {
				p.fitted.Comparisons[k].Levels[l].M, p.fitted.Comparisons[k].Levels[l].Fixed = level.FixedM, true
			}
			if level.FixedU > 0 {
				shares[k][l] = level.FixedU
			}
		}
	}
	p.fitted.Fit(sample.Counts, fs.FitOptions{Pairs: n * (n - 1) / 2, Random: shares, RandomCounts: random, Strength: 20, Siblings: p.layout.entity != entityPerson,
		Rivals: rivals(p.frame.Len(), slices.Concat(sample.Matches...), sampled)})
	p.guessPrior()
	for _, message := range p.fitted.Messages {
		p.note("%s", message)
	}
	return nil
}

// sampler picks a share of the records by their stable hash.
func (p *pipeline) sampler(share float64) func(int32) bool {
	if share >= 1 {
		return func(int32) bool { return true }
	}
	limit := uint64(share * (1 << 32))
	return func(r int32) bool { return p.frame.UID[r]*0x9E3779B97F4A7C15>>32 < limit }
}

// rivals lists the candidates of each sampled record.
func rivals(n int, pairs []kernel.Match, sampled func(int32) bool) fs.Rivals {
	out := fs.Rivals{Start: make([]int32, n+1)}
	each := func(f func(r int32, pattern uint64)) {
		for _, m := range pairs {
			for _, r := range [2]int32{m.A, m.B} {
				if sampled(r) {
					f(r, m.Pattern)
				}
			}
		}
	}
	each(func(r int32, _ uint64) { out.Start[r+1]++ })
	for r := range n {
		out.Start[r+1] += out.Start[r]
	}
	next := slices.Clone(out.Start)
	out.Patterns = make([]uint64, out.Start[n])
	each(func(r int32, pattern uint64) {
		out.Patterns[next[r]] = pattern
		next[r]++
	})
	return out
}

func (p *pipeline) seed() int {
	if p.model.def.Seed != nil {
		return *p.model.def.Seed
	}
	return 7
}

func (p *pipeline) weigher() func(uint64) int32 {
	coder := p.fitted.Coder()
	return func(code uint64) int32 {
		pattern := make(fs.Pattern, len(p.fitted.Comparisons))
		coder.Decode(code, pattern)
		return p.fitted.Weight(pattern)
	}
}

// describe writes the fitted model for people.
func describe(m *fs.Model) string {
	out := fmt.Sprintf("prior %.3g, %d iterations, converged %v\n", m.Prior, m.Iterations, m.Converged)
	for _, d := range m.Dependences {
		out += fmt.Sprintf("%s %s %.1f\n", m.Comparisons[d.A].Name, m.Comparisons[d.B].Name, d.Bits)
	}
	for k, c := range m.Comparisons {
		out += c.Name + "\n"
		for l, level := range c.Levels {
			out += fmt.Sprintf("  %-50s m %.5f u %.7f bits %6.2f\n", level.Name, level.M, level.U, float64(m.LevelBits(k, l))/1e6)
		}
	}
	return out
}
