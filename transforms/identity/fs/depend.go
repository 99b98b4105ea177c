package fs

import (
	"cmp"
	"math"
	"slices"
)

// A Dependence says how much more often levels of two comparisons occur together among
// pairs of different entities than they would by chance: post code and city agree
// together. Bits[a][b] is the logarithm of the ratio; it is taken off the weight.
type Dependence struct {
	A    int         `json:"a"`
	B    int         `json:"b"`
	Bits [][]float64 `json:"bits"`
}

// joint counts levels of two comparisons together.
type joint struct {
	a, b   int
	counts [][]float64
	total  float64
	// worth is the mutual information in bits, times the pairs it was seen in.
	worth float64
}

// dependences picks the strongest pairs of dependent comparisons so that they form no
// cycle: then the product of the pairwise ratios is a proper distribution.
func (m *Model) dependences(random []Count) []joint {
	coder := m.Coder()
	n := len(m.Comparisons)
	var all []joint
	for a := range n {
		for b := a + 1; b < n; b++ {
			j := joint{a: a, b: b, counts: make([][]float64, len(m.Comparisons[a].Levels))}
			for l := range j.counts {
				j.counts[l] = make([]float64, len(m.Comparisons[b].Levels))
			}
			all = append(all, j)
		}
	}
	p := make(Pattern, n)
	for _, c := range random {
		coder.Decode(c.Pattern, p)
		for i := range all {
			j := &all[i]
			if la, lb := p[j.a], p[j.b]; la >= 0 && lb >= 0 {
				j.counts[la][lb] += c.N
				j.total += c.N
			}
		}
	}
	for i := range all {
		all[i].worth = all[i].information()
	}
	slices.SortStableFunc(all, func(x, y joint) int { return -cmp.Compare(x.worth, y.worth) })
	root := make([]int, n)
	for i := range root {
		root[i] = i
	}
	find := func(i int) int {
		for root[i] != i {
			i = root[i]
		}
		return i
	}
	var tree []joint
	for _, j := range all {
		if a, b := find(j.a), find(j.b); a != b && j.worth > minInformation {
			root[a] = b
			tree = append(tree, j)
		}
	}
	return tree
}

// minInformation is the least dependence that counts; random noise stays below it.
const minInformation = 1e-5

// information is the mutual information between the two comparisons, in bits.
func (j *joint) information() float64 {
	if j.total < 1000 {
		return 0
	}
	rows, columns := make([]float64, len(j.counts)), make([]float64, len(j.counts[0]))
	for a, row := range j.counts {
		for b, n := range row {
			rows[a] += n
			columns[b] += n
		}
	}
	sum := 0.0
	for a, row := range j.counts {
		for b, n := range row {
			if n > 0 {
				sum += n / j.total * math.Log2(n*j.total/(rows[a]*columns[b]))
			}
		}
	}
	cells := float64((len(rows) - 1) * (len(columns) - 1))
	return sum - cells/(2*math.Ln2*j.total) // what noise alone would show
}

// ratios compares the counts with what u and chance explain, after taking away all pairs
// of one entity that could be among them.
func (j *joint) ratios(m *Model) Dependence {
	const belief = 10 // pairs that say there is no dependence
	d := Dependence{A: j.a, B: j.b, Bits: make([][]float64, len(j.counts))}
	la, lb := m.Comparisons[j.a].Levels, m.Comparisons[j.b].Levels
	for a, row := range j.counts {
		d.Bits[a] = make([]float64, len(row))
		for b, n := range row {
			expected := j.total * la[a].U * lb[b].U
			ours := j.total * m.Prior * math.Min(la[a].M, lb[b].M)
			if n > expected {
				n = math.Max(n-ours, expected)
			}
			d.Bits[a][b] = math.Log2((n + belief) / (expected + belief))
		}
	}
	return d
}
