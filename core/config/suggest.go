package config

import (
	"fmt"
	"slices"
	"strings"
)

// maxTypos is the edit distance up to which a name is taken for a misspelt one.
const maxTypos = 2

// suggest gives the name nearest to a misspelt one, or "". Of equally near names the
// first in alphabetical order wins.
func suggest(got string, names []string) string {
	best, bestDistance := "", maxTypos+1
	for _, name := range slices.Sorted(slices.Values(names)) {
		if len(name)-len(got) > maxTypos || len(got)-len(name) > maxTypos {
			continue
		}
		d := editDistance(strings.ToLower(got), strings.ToLower(name))
		// A short name that differs in most of its letters is another name.
		if d < bestDistance && d < max(len(name), 2) && (d <= 1 || len(name) > 3) {
			best, bestDistance = name, d
		}
	}
	return best
}

// didYouMean gives the line to try for an unknown name: the nearest known one, or the
// list of them, or otherwise.
func didYouMean(got string, names []string, otherwise string) string {
	if near := suggest(got, names); near != "" {
		return fmt.Sprintf("Did you mean %q?", near)
	}
	if len(names) == 0 || len(names) > 12 {
		return otherwise
	}
	quoted := make([]string, 0, len(names))
	for _, name := range slices.Sorted(slices.Values(names)) {
		quoted = append(quoted, fmt.Sprintf("%q", name))
	}
	return "Write one of " + strings.Join(quoted, ", ") + "."
}

// editDistance counts insertions, deletions, replacements, and swaps of neighbours.
func editDistance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, above, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range above {
		above[j] = j
	}
	for i := range x {
		row[0] = i + 1
		for j := range y {
			cost := 1
			if x[i] == y[j] {
				cost = 0
			}
			row[j+1] = min(above[j]+cost, above[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, above, row = above, row, before
	}
	return above[len(y)]
}
