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
