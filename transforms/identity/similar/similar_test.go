package similar_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/unsilo/unsilo/transforms/identity/similar"
)

func TestJaroWinkler(t *testing.T) {
	tests := []struct {
		a, b string
		want float64
	}{
		{"martha", "marhta", 0.9611}, {"dwayne", "duane", 0.8400}, {"dixon", "dicksonx", 0.8133},
		{"", "", 0}, {"a", "", 0}, {"same", "same", 1}, {"abc", "xyz", 0},
	}
	for _, test := range tests {
		if got := similar.JaroWinkler(test.a, test.b); math.Abs(got-test.want) > 1e-4 {
			t.Errorf("JaroWinkler(%q, %q) = %.4f, want %.4f", test.a, test.b, got, test.want)
		}
	}
}

func words(t *rapid.T, label string) string {
	return rapid.StringMatching(`[abcde]{0,12}`).Draw(t, label)
}

func TestBoundsNeverLie(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		a, b := words(r, "a"), words(r, "b")
		sim := similar.JaroWinkler(a, b)
		if sim < 0 || sim > 1 {
			r.Fatalf("JaroWinkler(%q, %q) = %v", a, b, sim)
		}
		for _, least := range []float64{0.7, 0.82, 0.88, 0.92} {
			if got := similar.JaroWinklerAtLeast(a, b, least); got != (sim >= least) {
				r.Fatalf("JaroWinklerAtLeast(%q, %q, %v) = %v, similarity %v", a, b, least, got, sim)
			}
		}
	})
}

// distance is optimal string alignment, written the slow way.
func distance(a, b string) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}

func TestTyposEqualsTheTable(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		a, b := words(r, "a"), words(r, "b")
		want := distance(a, b)
		if got := similar.OneTypo(a, b); got != (want <= 1) {
			r.Fatalf("OneTypo(%q, %q) = %v, distance %d", a, b, got, want)
		}
		for limit := 1; limit <= 4; limit++ {
			if got := similar.Typos(a, b, limit); got != min(want, limit+1) {
				r.Fatalf("Typos(%q, %q, %d) = %d, distance %d", a, b, limit, got, want)
			}
		}
	})
}
