package fs_test

import (
	"math/rand/v2"
	"testing"

	"github.com/unsilo/unsilo/transforms/identity/fs"
)

// catalogue draws the patterns of a list in which every record has six that are alike, as
// the variants of a product are, and one record in twenty has a copy: whether title, code,
// maker and price agree.
func catalogue() (m *fs.Model, counts []fs.Count, opt fs.FitOptions) {
	const records, variants = 20_000, 6
	copies := []float64{0.8, 0.85, 0.95, 0.7}
	alike := []float64{0.3, 0.002, 0.9, 0.2}
	random := []float64{1e-4, 1e-5, 0.02, 0.02}
	rng := rand.New(rand.NewPCG(3, 4))
	m = &fs.Model{Prior: 1.0 / records}
	for k, name := range []string{"title", "code", "maker", "price"} {
		m.Comparisons = append(m.Comparisons, fs.Comparison{Name: name, Levels: []fs.Level{{M: 0.7}, {M: 0.3}}})
		opt.Random = append(opt.Random, []float64{random[k], 1 - random[k]})
	}
	coder := m.Coder()
	seen := map[uint64]float64{}
	draw := func(shares []float64) {
		p := make(fs.Pattern, len(shares))
		for k, share := range shares {
			if rng.Float64() >= share {
				p[k] = 1
			}
		}
		code := coder.Encode(p)
		seen[code]++
		opt.Rivals.Patterns = append(opt.Rivals.Patterns, code)
	}
	opt.Rivals.Start = []int32{0}
	for r := range records {
		for range variants {
			draw(alike)
		}
		if r%20 == 0 {
			draw(copies)
		}
		opt.Rivals.Start = append(opt.Rivals.Start, int32(len(opt.Rivals.Patterns)))
	}
	for code := range uint64(coder.Size()) {
		if n := seen[code]; n > 0 {
			counts = append(counts, fs.Count{Pattern: code, N: n / 2}) // both records of a pair drew it
		}
	}
	opt.Pairs, opt.Strength = records*(records-1)/2, 20
	return m, counts, opt
}

// Many pairs that are alike must not teach what copies look like.
func TestSiblingsAreNotMatches(t *testing.T) {
	m, counts, opt := catalogue()
	opt.Siblings = true
	m.Fit(counts, opt)
	for k, want := range []float64{0.8, 0.85, 0.95, 0.7} {
		if got := m.Comparisons[k].Levels[0].M; got < want-0.15 || got > want+0.15 {
			t.Errorf("%s: m %.3f, want %.2f", m.Comparisons[k].Name, got, want)
		}
	}
	if matches := m.Prior * opt.Pairs; matches < 250 || matches > 1000 {
		t.Errorf("%.0f matches, want about 500", matches)
	}
	variant := fs.Pattern{0, 1, 0, 1}
	if bits := float64(m.Weight(variant)) / 1e6; bits > 0 {
		t.Errorf("title and maker alone weigh %.1f bits: a variant", bits)
	}
	if bits := float64(m.Weight(fs.Pattern{0, 0, 0, 1})) / 1e6; bits < 7 {
		t.Errorf("title, code and maker weigh %.1f bits: a copy", bits)
	}
}

// Where nothing is alike but copies, the class of siblings takes nothing from them.
func TestSiblingsThatAreNotThere(t *testing.T) {
	m, _, opt := catalogue()
	coder := m.Coder()
	copies := []float64{0.8, 0.85, 0.95, 0.7}
	var counts []fs.Count
	opt.Rivals = fs.Rivals{Start: []int32{0}}
	for code := range uint64(coder.Size()) {
		p := make(fs.Pattern, len(copies))
		coder.Decode(code, p)
		share, chance := 1.0, 1.0
		for k, l := range p {
			switch l {
			case 0:
				share, chance = share*copies[k], chance*opt.Random[k][0]
			case 1:
				share, chance = share*(1-copies[k]), chance*opt.Random[k][1]
			default:
				share, chance = 0, 0
			}
		}
		n := 10_000*share + opt.Pairs*chance
		if share == 0 || n < 1 {
			continue
		}
		counts = append(counts, fs.Count{Pattern: code, N: n})
		for range int(10_000*share) + 1 {
			opt.Rivals.Patterns = append(opt.Rivals.Patterns, code)
			opt.Rivals.Start = append(opt.Rivals.Start, int32(len(opt.Rivals.Patterns)))
		}
	}
	opt.Siblings = true
	m.Fit(counts, opt)
	for k, want := range copies {
		if got := m.Comparisons[k].Levels[0].M; got < want-0.1 {
			t.Errorf("%s: m %.3f, want %.2f", m.Comparisons[k].Name, got, want)
		}
	}
}
