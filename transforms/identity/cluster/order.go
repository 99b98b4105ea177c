package cluster

import "slices"

// arrange puts edges in the order of their component: those of the k-th of count components
// are edges[start[k]:start[k+1]]. Behind all of them come, from start[count+k], those that
// lead from the k-th component to another.
func arrange(component []int32, edges []Edge) (start []int32, count int32) {
	number, count := numbered(component)
	home := func(e *Edge) int32 {
		if component[e.A] != component[e.B] {
			return count + number[component[e.A]]
		}
		return number[component[e.A]]
	}
	start = make([]int32, 2*count+1)
	for i := range edges {
		start[home(&edges[i])+1]++
	}
	for k := range 2 * count {
		start[k+1] += start[k]
	}
	next := slices.Clone(start)
	// Each edge is swapped to its place, until the one that belongs here comes.
	for k := range 2 * count {
		for next[k] < start[k+1] {
			at := next[k]
			to := home(&edges[at])
			if to == k {
				next[k]++
				continue
			}
			edges[at], edges[next[to]] = edges[next[to]], edges[at]
			next[to]++
		}
	}
	return start, count
}

// leaveOut marks edges between components.
func leaveOut(edges []Edge) {
	slices.SortFunc(edges, Compare)
	for i := range edges {
		edges[i].Outcome = Weak
	}
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
