package similar

// OneTypo reports whether the strings are equal or differ by one inserted, deleted,
// replaced byte or one swap of neighbours (Damerau-Levenshtein distance at most 1).
func OneTypo(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) == len(b) {
		if i == len(a) || a[i+1:] == b[i+1:] {
			return true
		}
		return i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
	}
	return a[i:] == b[i+1:]
}

// Typos is the Damerau-Levenshtein distance with neighbours swapped at most once (optimal
// string alignment), or limit+1 when it is above limit.
func Typos(a, b string, limit int) int {
	if limit == 1 {
		if a == b {
			return 0
		}
		if OneTypo(a, b) {
			return 1
		}
		return 2
	}
	if d := len(a) - len(b); d > limit || -d > limit {
		return limit + 1
	}
	var space [3][65]int
	if len(b) > 64 {
		if a == b {
			return 0
		}
		return limit + 1
	}
	before, last, row := &space[0], &space[1], &space[2]
	for j := range len(b) + 1 {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		least := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, before[j-2]+1)
			}
			row[j] = d
			least = min(least, d)
		}
		if least > limit {
			return limit + 1
		}
		before, last, row = last, row, before
	}
	return min(last[len(b)], limit+1)
}
