package normalize_test

import (
	"testing"

	"pgregory.net/rapid"
)

// TestLaws mixes seeds, pieces of them and random text.
func TestLaws(t *testing.T) {
	piece := rapid.OneOf(rapid.SampledFrom(seeds), rapid.String(), rapid.StringMatching(`[ -~]{0,12}`),
		rapid.StringMatching(`[+0-9 ()-]{0,18}`), rapid.StringMatching(`[a-zA-Zäöß.+]{1,8}@[a-z.ü-]{1,9}`),
		rapid.SampledFrom([]string{" ", ", ", "-", ".", "@", "oy", "dr", "jr", "st", "strasse", "n/a", "0", "co", "&"}))
	rapid.Check(t, func(t *rapid.T) {
		var s string
		for _, p := range rapid.SliceOfN(piece, 0, 5).Draw(t, "pieces") {
			s += p
		}
		checkLaws(t, s)
	})
}
