package cluster

// Components gives each of n records the smallest record number of its connected
// component.
func Components(n int, edges []Edge) []int32 {
	return components(n, edges, func(*Edge) bool { return true })
}

// Groups gives each of n records the smallest record number of those that edges which can
// join anything connect it with. What Run makes of a group depends on nothing outside.
func Groups(n int, edges []Edge, opt Options) []int32 { return components(n, edges, opt.Strong) }

// components looks only at the edges that hold.
func components(n int, edges []Edge, holds func(*Edge) bool) []int32 {
	parent := make([]int32, n)
	for i := range parent {
		parent[i] = int32(i)
	}
	for i := range edges {
		e := &edges[i]
		if !holds(e) {
			continue
		}
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
