package cluster

// Components gives each of n records the smallest record number of its connected
// component.
func Components(n int, edges []Edge) []int32 {
	parent := make([]int32, n)
	for i := range parent {
		parent[i] = int32(i)
	}
	for _, e := range edges {
		a, b := find(parent, e.A), find(parent, e.B)
		if a < b { // the smaller number is the root
			parent[b] = a
		} else {
			parent[a] = b
		}
	}
	for i := range parent {
		parent[i] = find(parent, int32(i))
	}
	return parent
}

func find(parent []int32, i int32) int32 {
	for parent[i] != i {
		parent[i] = parent[parent[i]]
		i = parent[i]
	}
	return i
}

// groups arranges edge numbers by the component of their first end, keeping their order
// inside a component: the edges of component k are out[start[k]:start[k+1]].
func groups(component []int32, edges []Edge) (out, start []int32) {
	number := make([]int32, len(component))
	for i := range number {
		number[i] = -1
	}
	count := int32(0)
	for i, root := range component {
		if int32(i) == root {
			number[i] = count
			count++
		}
	}
	start = make([]int32, count+1)
	for _, e := range edges {
		start[number[component[e.A]]+1]++
	}
	for k := range count {
		start[k+1] += start[k]
	}
	next := append([]int32(nil), start[:count]...)
	out = make([]int32, len(edges))
	for i, e := range edges {
		k := number[component[e.A]]
		out[next[k]] = int32(i)
		next[k]++
	}
	return out, start
}
