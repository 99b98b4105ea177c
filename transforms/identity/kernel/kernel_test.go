package kernel_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/identity/fs"
	"github.com/unsilo/unsilo/transforms/identity/kernel"
)

func drawFrame(t *rapid.T) *frame.Frame {
	b := frame.NewBuilder([]frame.Source{{Record: "r", Source: "s", Stream: "t"}},
		[]frame.Column{{Name: "city", Kind: frame.Word}, {Name: "title", Kind: frame.Text}})
	for i := range rapid.IntRange(2, 40).Draw(t, "n") {
		b.Record(0, []byte(fmt.Sprint(i)), 0, 0)
		if v := rapid.SampledFrom([]string{"", "rome", "roma", "turku", "oslo"}).Draw(t, "city"); v != "" {
			b.Value(0, []byte(v))
		}
		if v := rapid.SampledFrom([]string{"", "red chair", "blue chair", "red lamp tall", "tall blue lamp"}).Draw(t, "title"); v != "" {
			b.Value(1, []byte(v))
		}
	}
	f := b.Frame()
	for _, c := range f.Columns {
		c.Normalise(func(dst []byte, v string) []byte { return append(dst, v...) })
	}
	return f
}

func TestEveryCandidatePairIsComparedOnce(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		f := drawFrame(r)
		city, title := f.Column("city"), f.Column("title")
		n := f.Len()
		rules := []*kernel.Rule{
			kernel.NewRule(1000, kernel.Atom{Column: city, Function: "exact"}),
			kernel.NewRule(1000, kernel.Atom{Column: city, Function: "prefix", N: 2}, kernel.Atom{Column: title, Function: "first_word"}),
			{Name: "tokens", MaxBlock: 25, Tokens: kernel.NewTokenKeys(title, n, 25)},
		}
		blocks := kernel.NewBlocks(n, rules, nil)
		s := kernel.NewScanner(blocks, []*kernel.Comparison{kernel.Compare(city)})
		weighTerms(s)
		result, err := s.Run(context.Background(), kernel.Options{Floor: -1 << 30, Weigh: func(uint64) int32 { return 0 }})
		if err != nil {
			r.Fatal(err)
		}
		seen := map[[2]int32]bool{}
		for _, m := range slices.Concat(result.Matches...) {
			k := [2]int32{m.A, m.B}
			if m.A >= m.B || seen[k] || !blocks.Pairs(m.A, m.B) {
				r.Fatalf("pair %v came twice, turned round, or without a key in common", k)
			}
			seen[k] = true
		}
		for a := range int32(n) {
			for b := a + 1; b < int32(n); b++ {
				if same := city.First(a) >= 0 && city.First(a) == city.First(b); (same || blocks.Pairs(a, b)) && !seen[[2]int32{a, b}] {
					r.Fatalf("pair %d %d was never compared", a, b)
				}
			}
		}
		if int(result.Pairs) != len(seen) {
			r.Fatalf("pairs = %d, want %d", result.Pairs, len(seen))
		}
	})
}

func TestAScanComparesAsTwoRecordsAlone(t *testing.T) {
	const n = 400
	s := peopleScanner(n)
	result, err := s.Run(context.Background(), kernel.Options{Weigh: func(uint64) int32 { return -1 }})
	if err != nil {
		t.Fatal(err)
	}
	pairs := int64(s.Blocks.Stats[0].Pairs)
	if result.Pairs != pairs || result.Visited != pairs || pairs < n*(n-1)/2 {
		t.Errorf("compared %d, visited %d of %d pairs", result.Pairs, result.Visited, pairs)
	}
	if len(slices.Concat(result.Matches...)) > 0 {
		t.Errorf("%d pairs below the floor are matches", len(slices.Concat(result.Matches...)))
	}
	weighTerms(s)
	odd := func(r int32) bool { return r%7 == 1 }
	result, err = s.Run(context.Background(), kernel.Options{Weigh: func(uint64) int32 { return 0 }, Either: odd})
	if err != nil {
		t.Fatal(err)
	}
	if err := sameAsAlone(s, slices.Concat(result.Matches...)); err != nil {
		t.Fatal(err)
	}
	for _, m := range slices.Concat(result.Matches...) {
		if !odd(m.A) && !odd(m.B) {
			t.Fatalf("pair %d %d has none of the picked records", m.A, m.B)
		}
	}
	if int64(len(slices.Concat(result.Matches...))) != result.Pairs || result.Pairs == 0 || result.Pairs >= pairs {
		t.Errorf("%d matches, %d pairs with one of the picked records", len(slices.Concat(result.Matches...)), result.Pairs)
	}
}

func TestComparisonsAreSymmetricAndInRange(t *testing.T) {
	kinds := []frame.Kind{frame.Word, frame.Text, frame.Postcode, frame.Email, frame.Phone, frame.ID, frame.Category, frame.Company, frame.Street, frame.Codes}
	rapid.Check(t, func(r *rapid.T) {
		f := drawFrame(r)
		c := f.Column("title")
		c.Kind = rapid.SampledFrom(kinds).Draw(r, "kind")
		k := kernel.Compare(c)
		for a := range int32(f.Len()) {
			for b := range int32(f.Len()) {
				l := k.Level(a, b)
				if l != k.Level(b, a) || l < kernel.Missing || int(l) >= len(k.Levels) {
					r.Fatalf("%s: level(%d,%d) = %d, turned %d", c.Kind, a, b, l, k.Level(b, a))
				}
				if (l == kernel.Missing) != (c.First(a) < 0 || c.First(b) < 0) {
					r.Fatalf("%s: level %d, values %d and %d", c.Kind, l, c.First(a), c.First(b))
				}
			}
		}
	})
}

func TestDates(t *testing.T) {
	level := func(a, b string) int8 {
		bld := frame.NewBuilder([]frame.Source{{}}, []frame.Column{{Name: "d", Kind: frame.BirthDate}})
		for i, v := range []string{a, b} {
			bld.Record(0, []byte{byte(i)}, 0, 0)
			bld.Value(0, []byte(v))
		}
		f := bld.Frame()
		f.Columns[0].Normalise(func(dst []byte, v string) []byte { return append(dst, v...) })
		return kernel.Compare(f.Columns[0]).Level(0, 1)
	}
	for pair, want := range map[[2]string]int8{
		{"1980-02-01", "1980-02-01"}: 0, {"1980-02-01", "1980-02-07"}: 1, {"1980-02-01", "1908-02-01"}: 1, {"1980-02-05", "1980-05-02"}: 2,
		{"1980-02-28", "1994-02-28"}: 2, {"1980-02-27", "1980-03-15"}: 3, {"1980-02-27", "1980-11-15"}: 4, {"1980-02-27", "1986-11-15"}: 5,
		{"1980-02-27", "2004-11-15"}: 6,
	} {
		if got := level(pair[0], pair[1]); got != want {
			t.Errorf("%v: level %d, want %d", pair, got, want)
		}
	}
}

func TestFitFindsWhatMadeTheData(t *testing.T) {
	m := &fs.Model{Prior: 0.001, Comparisons: []fs.Comparison{
		{Name: "a", Levels: []fs.Level{{M: 0.6}, {M: 0.4}}}, {Name: "b", Levels: []fs.Level{{M: 0.6}, {M: 0.4}}}, {Name: "c", Levels: []fs.Level{{M: 0.6}, {M: 0.4}}}}}
	truth, chance := []float64{0.9, 0.8, 0.95}, []float64{0.05, 0.1, 0.02}
	const matches, others = 1000.0, 99000.0
	var counts []fs.Count
	coder := m.Coder()
	for i := range 8 {
		p, pm, pu := fs.Pattern{0, 0, 0}, 1.0, 1.0
		for k := range p {
			if i>>k&1 == 1 {
				p[k] = 1
				pm, pu = pm*(1-truth[k]), pu*(1-chance[k])
			} else {
				pm, pu = pm*truth[k], pu*chance[k]
			}
		}
		counts = append(counts, fs.Count{Pattern: coder.Encode(p), N: matches*pm + others*pu})
	}
	random := [][]float64{}
	for k := range truth {
		share := 0.01*truth[k] + 0.99*chance[k]
		random = append(random, []float64{share, 1 - share})
	}
	rivals := fs.Rivals{Start: []int32{0}}
	for _, c := range counts { // every pair is its own record's only candidate
		for range int(c.N / 10) {
			rivals.Patterns = append(rivals.Patterns, c.Pattern)
			rivals.Start = append(rivals.Start, int32(len(rivals.Patterns)))
		}
	}
	m.Fit(counts, fs.FitOptions{Pairs: matches + others, Random: random, Rivals: rivals, Strength: 1})
	for k := range truth {
		if got := m.Comparisons[k].Levels[0].M; got < truth[k]-0.05 || got > truth[k]+0.05 {
			t.Errorf("m of %d = %.3f, want %.3f", k, got, truth[k])
		}
		if got := m.Comparisons[k].Levels[0].U; got < chance[k]*0.8 || got > chance[k]*1.2 {
			t.Errorf("u of %d = %.4f, want %.4f", k, got, chance[k])
		}
	}
	if m.Prior < 0.008 || m.Prior > 0.012 || !m.Converged {
		t.Errorf("prior %.4f, converged %v; want 0.01, true", m.Prior, m.Converged)
	}
}
