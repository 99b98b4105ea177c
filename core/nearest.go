package core

import "strings"

// Nearest finds the name that a misspelt one was meant to be: the known name at most two
// letters away (insertions, deletions, replacements, swapped neighbours), the first of
// equally near ones; "" when there is none. Case does not count.
func Nearest(name string, known []string) string {
	best, distance := "", 3
	for _, k := range known {
		d := typos(strings.ToLower(name), strings.ToLower(k))
		if d < distance && d < len(k) && (d <= 1 || len(k) > 3) {
			best, distance = k, d
		}
	}
	return best
}

// typos counts insertions, deletions, replacements, and swaps of neighbours. Names that
// differ by more than two letters in length are not counted out.
func typos(a, b string) int {
	if len(a)-len(b) > 2 || len(b)-len(a) > 2 {
		return 3
	}
	before, above, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(above[j]+cost, above[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, above, row = above, row, before
	}
	return above[len(b)]
}
