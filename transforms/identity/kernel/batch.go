package kernel

// batchPairs is how many pairs are compared at a time. One comparison after the other runs
// over all of them, so that what it reads stays in the processor's cache. Whether values are
// equal, missing or neither cannot be guessed, so no branch depends on it: only the pairs
// that have to be looked at closely are listed.
const batchPairs = 1024

// A batch holds rows of a table, column by column, and pairs of them.
type batch struct {
	columns [][]int32
	// The pairs are those of the rows a[k] and b[k].
	a, b []int32
	// todo and more are pairs that a comparison has to look at closely.
	todo, more [batchPairs]int32
}

// A batchLevel writes the level of each pair of a batch.
type batchLevel func(b *batch, out []int8)

// differing writes 0 for pairs of the same code and Missing where one lacks it, and gives
// the other pairs.
func (b *batch) differing(codes []int32, out []int8) []int32 {
	n := 0
	other := b.b[:len(out)]
	for k, p := range b.a[:len(out)] {
		x, y := codes[p], codes[other[k]]
		missing := (x | y) >> 31
		out[k] = int8(missing)
		b.todo[n&(batchPairs-1)] = int32(k)
		n += bit((x ^ y) &^ missing)
	}
	return b.todo[:n]
}

// differingTwo is differing for two columns: it gives the pairs that differ in the first one
// and those that differ in the second, and writes Missing where a code of either is.
func (b *batch) differingTwo(first, second []int32, out []int8) (inFirst, inSecond []int32) {
	n, m := 0, 0
	other := b.b[:len(out)]
	for k, p := range b.a[:len(out)] {
		q := other[k]
		x, y, u, v := first[p], first[q], second[p], second[q]
		missing := (x | y | u | v) >> 31
		out[k] = int8(missing)
		b.todo[n&(batchPairs-1)] = int32(k)
		n += bit((x ^ y) &^ missing)
		b.more[m&(batchPairs-1)] = int32(k)
		m += bit((u ^ v) &^ missing)
	}
	return b.todo[:n], b.more[:m]
}

// differingAlone is differing for pairs of which one lacks the other column, and writes
// Missing for those of which both have it.
func (b *batch) differingAlone(codes, others []int32, out []int8) []int32 {
	n := 0
	other := b.b[:len(out)]
	for k, p := range b.a[:len(out)] {
		q := other[k]
		x, y := codes[p], codes[q]
		missing := (x|y)>>31 | ^((others[p] | others[q]) >> 31)
		out[k] = int8(missing)
		b.todo[n&(batchPairs-1)] = int32(k)
		n += bit((x ^ y) &^ missing)
	}
	return b.todo[:n]
}

// bit is 1 for any number but 0.
func bit(v int32) int { return int(uint32(v|-v) >> 31) }
