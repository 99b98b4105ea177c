package similar_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/unsilo/unsilo/transforms/identity/similar"
)

func TestWordsCompareLikeStrings(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		a := rapid.StringMatching(`[a-d1-]{0,16}`).Draw(r, "a")
		b := rapid.OneOf(rapid.StringMatching(`[a-d1-]{0,16}`), rapid.Just(mistyped(r, a))).Draw(r, "b")
		v, w := similar.NewWord(a), similar.NewWord(b)
		if !v.Fits() || !w.Fits() || v.Len() != len(a) {
			r.Fatalf("%q or %q does not fit", a, b)
		}
		sim := similar.JaroWinkler(a, b)
		if got := v.JaroWinkler(&w); got != sim {
			r.Fatalf("JaroWinkler(%q, %q) = %v, want %v", a, b, got, sim)
		}
		for _, bound := range []float64{0.7, 0.82, 0.92} {
			if v.JaroWinklerBelow(&w, bound) && sim >= bound && a != "" && b != "" {
				r.Fatalf("JaroWinkler(%q, %q) = %v, not below %v", a, b, sim, bound)
			}
		}
		if got, want := v.OneTypo(&w), similar.OneTypo(a, b); got != want {
			r.Fatalf("OneTypo(%q, %q) = %v, want %v", a, b, got, want)
		}
	})
}

// mistyped changes a string by up to two typing errors, to at most 16 bytes.
func mistyped(r *rapid.T, s string) string {
	b := []byte(s)
	for range rapid.IntRange(0, 2).Draw(r, "errors") {
		if len(b) == 0 {
			break
		}
		i := rapid.IntRange(0, len(b)-1).Draw(r, "at")
		switch rapid.IntRange(0, 3).Draw(r, "error") {
		case 0:
			b[i] = 'x'
		case 1:
			b = append(b[:i], b[i+1:]...)
		case 2:
			b = append(b[:i], append([]byte("a"), b[i:]...)...)
		default:
			if i+1 < len(b) {
				b[i], b[i+1] = b[i+1], b[i]
			}
		}
	}
	return string(b[:min(len(b), 16)])
}

func TestLongWordsDoNotFit(t *testing.T) {
	if w := similar.NewWord("seventeen letters"); w.Fits() || w.Len() != 17 || w.First() != 's' {
		t.Errorf("a word of 17 letters fits %v, length %d", w.Fits(), w.Len())
	}
}
