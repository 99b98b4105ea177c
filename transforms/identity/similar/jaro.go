// Package similar compares short ASCII strings and token sets. Every function is pure and
// symmetric, and its definition is fixed: other engines must give the same levels.
package similar

import "math/bits"

// JaroWinkler is the Jaro similarity, raised by up to four common leading bytes with
// weight 0.1 when it is above 0.7. It is 1 for equal strings and 0 when one is empty.
func JaroWinkler(a, b string) float64 {
	if a == b {
		if a == "" {
			return 0
		}
		return 1
	}
	sim := Jaro(a, b)
	if sim <= 0.7 {
		return sim
	}
	prefix := 0
	for prefix < 4 && prefix < len(a) && prefix < len(b) && a[prefix] == b[prefix] {
		prefix++
	}
	return sim + 0.1*float64(prefix)*(1-sim)
}

// JaroWinklerAtLeast reports whether JaroWinkler reaches a bound, mostly without
// computing it: lengths and common letters already tell for most pairs.
func JaroWinklerAtLeast(a, b string, bound float64) bool {
	la, lb := float64(len(a)), float64(len(b))
	if la == 0 || lb == 0 {
		return false
	}
	short := min(la, lb)
	prefix := 0
	for prefix < 4 && prefix < len(a) && prefix < len(b) && a[prefix] == b[prefix] {
		prefix++
	}
	lift := 0.1 * float64(prefix)
	most := (short/la + short/lb + 1) / 3
	if most+lift*(1-most)+1e-9 < bound {
		return false
	}
	return JaroWinkler(a, b) >= bound
}

// Jaro is the Jaro similarity of two byte strings: the mean of the shares of matched
// bytes in either and of matches in order. Bytes match within half the longer length,
// less one.
func Jaro(a, b string) float64 {
	if len(a) > 64 || len(b) > 64 {
		return jaroLong(a, b)
	}
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	window := max(max(len(a), len(b))/2-1, 0)
	var takenA, takenB uint64
	for i := range len(a) {
		lo, hi := max(i-window, 0), min(i+window, len(b)-1)
		c := a[i]
		for j := lo; j <= hi; j++ {
			if b[j] == c && takenB>>j&1 == 0 {
				takenA |= 1 << i
				takenB |= 1 << j
				break
			}
		}
	}
	m := bits.OnesCount64(takenA)
	if m == 0 {
		return 0
	}
	moved := 0
	for ta, tb := takenA, takenB; ta != 0; ta, tb = ta&(ta-1), tb&(tb-1) {
		if a[bits.TrailingZeros64(ta)] != b[bits.TrailingZeros64(tb)] {
			moved++
		}
	}
	return jaroValue(m, moved, len(a), len(b))
}

func jaroValue(m, moved, la, lb int) float64 {
	matched := float64(m)
	return (matched/float64(la) + matched/float64(lb) + (matched-float64(moved/2))/matched) / 3
}

func jaroLong(a, b string) float64 {
	window := max(max(len(a), len(b))/2-1, 0)
	takenB := make([]bool, len(b))
	matched := make([]byte, 0, len(a))
	for i := range len(a) {
		for j := max(i-window, 0); j <= min(i+window, len(b)-1); j++ {
			if b[j] == a[i] && !takenB[j] {
				takenB[j] = true
				matched = append(matched, a[i])
				break
			}
		}
	}
	if len(matched) == 0 {
		return 0
	}
	moved, k := 0, 0
	for j, taken := range takenB {
		if taken {
			if b[j] != matched[k] {
				moved++
			}
			k++
		}
	}
	return jaroValue(len(matched), moved, len(a), len(b))
}

// Letters is the set of letters and digits in a string, one bit each; other bytes share
// one.
func Letters(s string) uint64 {
	set := uint64(0)
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z':
			set |= 1 << (c - 'a')
		case c >= '0' && c <= '9':
			set |= 1 << (c - '0' + 26)
		case c >= 'A' && c <= 'Z':
			set |= 1 << (c - 'A' + 36)
		default:
			set |= 1 << 63
		}
	}
	return set
}
