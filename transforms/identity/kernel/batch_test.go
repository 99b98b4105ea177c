package kernel_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/identity/kernel"
)

// forms are values of each kind, few enough that records share them.
func forms() map[frame.Kind]string {
	return map[frame.Kind]string{
		frame.GivenName: `[ab]{1,3}|william|bill`, frame.FamilyName: `[abc]{1,4}|seventeen letters`, frame.BirthDate: `19[78]0-0[12]-0[123]`,
		frame.Postcode: `[12]0{2}[12]{2}|SW1A[12]AA`, frame.Email: `[ab]{1,4}(\.berg)?[12]?@[ab]\.example`, frame.Phone: `[12]{2}12345[67]{2}`,
		frame.ID: `[12]{5,6}`, frame.Number: `1[0-9]{1,2}`, frame.Year: `199[0-9]`, frame.Category: `[abc]`, frame.Word: `[ab]{3,5}`,
		frame.Text: `(red|blue|tall)( lamp| chair){1,2}`, frame.Codes: `[ab][12]{3,4}`,
	}
}

// drawRecords makes records with a column of each kind, with values that are missing and
// records that have several.
func drawRecords(r *rapid.T) *frame.Frame {
	form := forms()
	columns := []frame.Column{{Name: "joint", Kind: frame.FullName}, {Name: "token", Kind: frame.Token, Masked: true}}
	pools := [][]string{{"a b", "a c", "b a"}, {"x", "y"}}
	for _, k := range slices.Sorted(maps.Keys(form)) {
		columns = append(columns, frame.Column{Name: string(k), Kind: k})
		pools = append(pools, rapid.SliceOfN(rapid.StringMatching(form[k]), 2, 6).Draw(r, string(k)))
	}
	most := rapid.IntRange(1, 2).Draw(r, "most values")
	b := frame.NewBuilder([]frame.Source{{Record: "r", Source: "s", Stream: "t"}}, columns)
	for i := range rapid.IntRange(2, 70).Draw(r, "n") {
		b.Record(0, []byte(fmt.Sprint(i)), 0, 0)
		// One number makes the whole record: drawing each value by itself takes its time.
		h := rapid.Uint64().Draw(r, "record")
		for c := range columns {
			for range int(h>>60) % (most + 1) {
				h = h*0x9E3779B97F4A7C15 + 1
				b.Value(c, []byte(pools[c][int(h>>33)%len(pools[c])]))
			}
			h = h*0x9E3779B97F4A7C15 + 1
		}
	}
	f := b.Frame()
	for _, c := range f.Columns {
		c.Normalise(func(dst []byte, v string) []byte { return append(dst, v...) })
	}
	return f
}

// sameAsAlone reports the first match whose pattern or weight is not that of its two records.
func sameAsAlone(s *kernel.Scanner, matches []kernel.Match) error {
	levels := make([]int8, len(s.Comparisons))
	for _, m := range matches {
		want, bits := s.Pattern(m.A, m.B, levels), int32(0)
		for _, l := range s.Terms(want) {
			bits += l.Extra(m.A, m.B)
		}
		if m.Pattern != want || m.Bits != bits {
			return fmt.Errorf("records %d and %d: pattern %d, weight %d; alone %d, %d (levels %v)", m.A, m.B, m.Pattern, m.Bits, want, bits, levels)
		}
	}
	return nil
}

func weighTerms(s *kernel.Scanner) {
	for _, c := range s.Comparisons {
		for i := range c.Levels {
			if term := c.Levels[i].Term; term != nil {
				term.Weigh(kernel.FrequenciesOf(term.Column.Counts()), 0.1, nil)
			}
		}
	}
}

func TestBatchesCompareAsTwoRecordsAlone(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		f := drawRecords(r)
		given, family := f.Column(string(frame.GivenName)), f.Column(string(frame.FamilyName))
		comparisons := append(kernel.Names(given, family, f.Column("joint")), kernel.One(given, true))
		for _, c := range f.Columns {
			if c.Kind != frame.FullName {
				comparisons = append(comparisons, kernel.Compare(c))
			}
		}
		n := int64(f.Len())
		for _, some := range slices.Collect(slices.Chunk(comparisons, 6)) { // patterns fit a number
			s := kernel.NewScanner(kernel.NewBlocks(f.Len(), []*kernel.Rule{kernel.NewRule(0)}, nil), some)
			weighTerms(s)
			result, err := s.Run(context.Background(), kernel.Options{Weigh: func(uint64) int32 { return 0 }})
			if err != nil {
				r.Fatal(err)
			}
			matches := slices.Concat(result.Matches...)
			if err := sameAsAlone(s, matches); err != nil || int64(len(matches)) != n*(n-1)/2 {
				r.Fatal(len(matches), err)
			}
			if _, counts, _ := s.Random(f.Len(), n*n, 1); !slices.Equal(counts, result.Counts) {
				r.Fatalf("all pairs have patterns %v, blocks %v", counts, result.Counts)
			}
		}
	})
}

func TestManyBlocks(t *testing.T) {
	f := people(6000)
	columns := []*frame.Column{f.Column("birth_date"), f.Column("postcode"), f.Column("city")}
	var rules []*kernel.Rule
	var comparisons []*kernel.Comparison
	want := map[[2]int32]bool{}
	for _, c := range columns {
		rules = append(rules, kernel.NewRule(0, kernel.Atom{Column: c, Function: "exact"}))
		comparisons = append(comparisons, kernel.Compare(c))
		holders := make([][]int32, c.Values.Len())
		for r := range int32(f.Len()) {
			if code := c.First(r); code >= 0 {
				for _, other := range holders[code] {
					want[[2]int32{other, r}] = true
				}
				holders[code] = append(holders[code], r)
			}
		}
	}
	s := kernel.NewScanner(kernel.NewBlocks(f.Len(), rules, nil), comparisons)
	weighTerms(s)
	result, err := s.Run(context.Background(), kernel.Options{Weigh: func(uint64) int32 { return 0 }})
	if err != nil {
		t.Fatal(err)
	}
	matches := slices.Concat(result.Matches...)
	if err := sameAsAlone(s, matches); err != nil {
		t.Fatal(err)
	}
	for _, m := range matches {
		pair := [2]int32{m.A, m.B}
		if !want[pair] || rules[m.Rule].Atoms[0].Column.First(m.A) != rules[m.Rule].Atoms[0].Column.First(m.B) {
			t.Fatalf("pair %v came twice, or without a value in common", pair)
		}
		delete(want, pair)
	}
	if len(want) > 0 || result.Pairs != int64(len(matches)) {
		t.Errorf("%d pairs were not compared; %d counted, %d matches", len(want), result.Pairs, len(matches))
	}
}
