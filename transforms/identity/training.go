package identity

import (
	"math"

	"github.com/unsilo/unsilo/transforms/identity/frame"
)

// trainingSize bounds what training compares.
type trainingSize struct {
	candidates float64 // pairs that share a blocking key
	random     int64   // pairs picked at random
}

// training reads max_pairs and u_pairs of the train block.
func (p *pipeline) training() trainingSize {
	size := trainingSize{trainPairs, randomPairs}
	if m := p.model.def.Model; m != nil && m.Train != nil {
		if m.Train.MaxPairs > 0 {
			size.candidates = m.Train.MaxPairs
		}
		if m.Train.UPairs > 0 {
			size.random = int64(math.Min(m.Train.UPairs, 1e9))
		}
	}
	return size
}

// largestPrior keeps the prior of a handful of records below the weight that joins: two of
// which nothing is known must not be one.
const largestPrior = 0.1

// guessPrior sets the probability that two random records are one entity to the pairs that
// the strict rules of the train block find, over the share of all that they are guessed to
// find.
func (p *pipeline) guessPrior() {
	p.fitted.Prior = math.Min(p.fitted.Prior, largestPrior)
	p.settleFixed()
	m := p.model.def.Model
	if m == nil || m.Train == nil || m.Train.RecallGuess <= 0 {
		return
	}
	found := strictPairs(p.frame, m.Train.On)
	if found == 0 {
		p.note("no pair meets a strict rule of model %s: its prior is the trained one, %.3g", m.Name, p.fitted.Prior)
		return
	}
	n := float64(p.frame.Len())
	p.fitted.Prior = math.Min(float64(found)/m.Train.RecallGuess/(n*(n-1)/2), largestPrior)
	p.note("%d pairs meet a strict rule of model %s: the prior is %.3g", found, m.Name, p.fitted.Prior)
}

// settleFixed gives every level the m and u that the block fixes; the other levels share
// the rest.
func (p *pipeline) settleFixed() {
	for k, c := range p.scanner.Comparisons {
		levels := p.fitted.Comparisons[k].Levels
		m, u := make([]*float64, len(levels)), make([]*float64, len(levels))
		fixedM, fixedU := make([]float64, len(levels)), make([]float64, len(levels))
		for l := range levels {
			m[l], u[l] = &levels[l].M, &levels[l].U
			fixedM[l], fixedU[l] = c.Levels[l].FixedM, c.Levels[l].FixedU
		}
		fixShares(m, fixedM)
		fixShares(u, fixedU)
	}
}

// fixShares sets shares to the fixed ones, where these are above 0, and scales the others
// so that all make 1. Without a fixed one nothing changes.
func fixShares(shares []*float64, fixed []float64) {
	taken, free := 0.0, 0.0
	for l, s := range shares {
		if fixed[l] > 0 {
			*s = fixed[l]
			taken += fixed[l]
		} else {
			free += *s
		}
	}
	if taken == 0 || free == 0 {
		return
	}
	scale := math.Max(1-taken, 1e-6) / free
	for l, s := range shares {
		if fixed[l] <= 0 {
			*s *= scale
		}
	}
}

// strictBlock bounds the records of one value that strict rules pair.
const strictBlock = 1000

// strictPairs counts the pairs of records that agree on every attribute of a rule, for any
// of the rules. Values of more than strictBlock records are nobody's.
func strictPairs(f *frame.Frame, rules [][]string) int {
	seen := map[pair]struct{}{}
	for _, on := range rules {
		columns := make([]*frame.Column, 0, len(on))
		for _, name := range on {
			if c := f.Column(name); c != nil {
				columns = append(columns, c)
			}
		}
		if len(columns) < len(on) || len(on) == 0 {
			continue
		}
		for _, holders := range sharing(f, columns) {
			if len(holders) > strictBlock {
				continue
			}
			for i, a := range holders {
				for _, b := range holders[i+1:] {
					seen[ordered(a, b)] = struct{}{}
				}
			}
		}
	}
	return len(seen)
}
