package cluster

// denseNodes is the size of a component up to which links are a matrix.
const denseNodes = 96

// total is the observed weights between two clusters.
type total struct {
	sum   int64
	pairs int32
}

// links are the observed weights between the clusters of one component, by the position of
// their roots: a matrix for small components, a map for each root in large ones.
type links struct {
	used   bool // false when nobody needs them
	nodes  int
	matrix []total
	sparse []map[int32]total
}

// reset makes room for n clusters without links.
func (l *links) reset(n int) {
	l.nodes, l.sparse = n, nil
	if n > denseNodes {
		l.sparse = make([]map[int32]total, n)
		return
	}
	if cap(l.matrix) < n*n {
		l.matrix = make([]total, n*n)
		return
	}
	l.matrix = l.matrix[:n*n]
	clear(l.matrix)
}

// add observes one pair of records; the heaviest edge of a pair counts.
func (l *links) add(a, b int32, bits int64) {
	if have := l.between(a, b); have.pairs == 0 || bits > have.sum {
		l.set(a, b, total{bits, 1})
	}
}

// size is the work of moving the links of a cluster with so many members.
func (l *links) size(a int32, members int) int {
	if l.used && l.sparse != nil {
		return len(l.sparse[a])
	}
	return members
}

func (l *links) between(a, b int32) total {
	if l.sparse != nil {
		return l.sparse[a][b]
	}
	return l.matrix[int(a)*l.nodes+int(b)]
}

func (l *links) set(a, b int32, t total) {
	if l.sparse == nil {
		l.matrix[int(a)*l.nodes+int(b)] = t
		l.matrix[int(b)*l.nodes+int(a)] = t
		return
	}
	for _, way := range [2][2]int32{{a, b}, {b, a}} {
		if l.sparse[way[0]] == nil {
			l.sparse[way[0]] = map[int32]total{}
		}
		l.sparse[way[0]][way[1]] = t
	}
}

// join moves the links of b to a.
func (l *links) join(a, b int32) {
	if l.sparse == nil {
		for other, t := range l.matrix[int(b)*l.nodes : int(b+1)*l.nodes] {
			if t.pairs > 0 && int32(other) != a {
				have := l.between(a, int32(other))
				l.set(a, int32(other), total{have.sum + t.sum, have.pairs + t.pairs})
				l.matrix[other*l.nodes+int(b)] = total{}
			}
		}
		return
	}
	delete(l.sparse[a], b)
	for other, t := range l.sparse[b] {
		if other == a {
			continue
		}
		have := l.sparse[a][other]
		delete(l.sparse[other], b)
		l.set(a, other, total{have.sum + t.sum, have.pairs + t.pairs})
	}
	l.sparse[b] = nil
}
