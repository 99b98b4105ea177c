package cluster

import "slices"

// arrange puts edges in the order of the component of their first end, and those of each
// component in the order of Compare: the edges of the k-th component are
// edges[start[k]:start[k+1]].
func arrange(component []int32, edges []Edge) (start []int32) {
	number, count := numbered(component)
	start = make([]int32, count+1)
	for _, e := range edges {
		start[number[component[e.A]]+1]++
	}
	for k := range count {
		start[k+1] += start[k]
	}
	next := slices.Clone(start[:count])
	// Each edge is swapped to its place, until the one that belongs here comes.
	for k := range count {
		for next[k] < start[k+1] {
			at := next[k]
			home := number[component[edges[at].A]]
			if home == k {
				next[k]++
				continue
			}
			edges[at], edges[next[home]] = edges[next[home]], edges[at]
			next[home]++
		}
	}
	return start
}

// numbered counts the components and numbers them in order of their smallest record.
func numbered(component []int32) (number []int32, count int32) {
	number = make([]int32, len(component))
	for i, root := range component {
		if int32(i) == root {
			number[i] = count
			count++
		}
	}
	return number, count
}
