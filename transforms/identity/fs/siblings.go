package fs

import "math"

// siblings are the class of pairs that are alike and still two entities: more alike than
// chance explains, less than copies are. It takes part in training alone: what a level says
// for a match is measured against random pairs.
type siblings struct {
	levels [][]float64 // probability of each level, by comparison
	prior  float64     // share of all pairs
	logs   [][]float64 // of levels over those of unlike pairs
	sums   [][]float64
	total  float64
}

const (
	// siblingsPerMatch is how many there are of them for each match, to start with.
	siblingsPerMatch = 5
	// siblingBelief keeps levels possible that no pair had, in pairs.
	siblingBelief = 1
)

// newSiblings starts half way between matches and random pairs.
func newSiblings(matches, random [][]float64, prior float64) *siblings {
	s := &siblings{prior: siblingsPerMatch * prior}
	for k, of := range matches {
		levels, sum := make([]float64, len(of)), 0.0
		for l := range levels {
			levels[l] = math.Sqrt(of[l] * random[k][l])
			sum += levels[l]
		}
		for l := range levels {
			levels[l] /= sum
		}
		s.levels, s.logs, s.sums = append(s.levels, levels), append(s.logs, make([]float64, len(of))), append(s.sums, make([]float64, len(of)))
	}
	return s
}

// expect begins a round; logU are the logarithms of u.
func (s *siblings) expect(logU [][]float64) {
	if s == nil {
		return
	}
	s.total = 0
	for k, of := range s.levels {
		clear(s.sums[k])
		for l, share := range of {
			s.logs[k][l] = math.Log(share) - logU[k][l]
		}
	}
}

// odds are the logarithm of how much more a pattern speaks for siblings than for a pair that
// is not alike, dependences left out.
func (s *siblings) odds(p Pattern) float64 {
	if s == nil {
		return math.Inf(-1)
	}
	odds := math.Log(s.prior / (1 - s.prior))
	for k, l := range p {
		if l >= 0 {
			odds += s.logs[k][l]
		}
	}
	return odds
}

// observe takes so many pairs of a pattern for siblings.
func (s *siblings) observe(p Pattern, n float64) {
	s.total += n
	for k, l := range p {
		if l >= 0 {
			s.sums[k][l] += n
		}
	}
}

// maximise sets levels and prior from the sums, and returns the largest change of a level;
// pairs are all possible ones.
func (s *siblings) maximise(pairs float64) float64 {
	if s == nil {
		return 0
	}
	moved := 0.0
	for k, of := range s.sums {
		total := 0.0
		for _, n := range of {
			total += n + siblingBelief
		}
		for l, n := range of {
			next := (n + siblingBelief) / total
			moved = math.Max(moved, math.Abs(next-s.levels[k][l]))
			s.levels[k][l] = next
		}
	}
	s.prior = math.Min(math.Max(s.total/pairs, 0.1/pairs), 0.5)
	return moved
}
