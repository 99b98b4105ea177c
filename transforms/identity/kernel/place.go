package kernel

import "slices"

// arrange gives records their places, numbers the blocks of each record, and puts the blocks
// of a rule in order of places: one block after the other is then found in memory near the
// one before.
func (b *Blocks) arrange() {
	b.place()
	stride := len(b.Rules)
	b.numbers = make([]int32, b.n*stride)
	for i := range b.numbers {
		b.numbers[i] = -1 - int32(i/stride)
	}
	b.tokenBlocks = make([][]int32, stride)
	for i, r := range b.Rules {
		if r.Tokens != nil {
			b.numberTokens(i, r.Tokens)
			continue
		}
		b.sortBlocks(i)
	}
}

// neighbours is the most records that are put together because they share blocks: their
// rows fill a few pages of memory.
const neighbours = 64

// place gives every record a place, such that records that share many blocks are mostly
// together: those of a block join into a heap until it is full, then the heaps are laid out
// one after the other.
func (b *Blocks) place() {
	heap, size := make([]int32, b.n), make([]int32, b.n)
	for r := range heap {
		heap[r], size[r] = int32(r), 1
	}
	find := func(r int32) int32 {
		for heap[r] != r {
			heap[r] = heap[heap[r]]
			r = heap[r]
		}
		return r
	}
	join := func(block []int32) {
		x := find(block[0])
		for _, r := range block[1:] {
			y := find(r)
			if x != y && size[x]+size[y] <= neighbours {
				heap[y] = x
				size[x] += size[y]
			} else {
				x = y
			}
		}
	}
	for i, members := range b.members {
		for k := range len(b.bounds[i]) - 1 {
			join(members[b.bounds[i][k]:b.bounds[i][k+1]])
		}
	}
	b.placeOf, b.recordAt = make([]int32, b.n), make([]int32, b.n)
	next := int32(0)
	for r := range heap { // from here on, size is where the next record of a heap goes
		if int(heap[r]) == r {
			next, size[r] = next+size[r], next
		}
	}
	for r := range int32(b.n) {
		root := find(r)
		b.placeOf[r] = size[root]
		b.recordAt[size[root]] = r
		size[root]++
	}
}

// sortBlocks orders the blocks of a rule by their first place and numbers them.
func (b *Blocks) sortBlocks(i int) {
	members, bounds := b.members[i], b.bounds[i]
	blockAt := make([]int32, b.n) // one more than the block that starts at a place
	for k := range len(bounds) - 1 {
		first := int32(b.n)
		for j := bounds[k]; j < bounds[k+1]; j++ {
			members[j] = b.placeOf[members[j]]
			first = min(first, members[j])
		}
		blockAt[first] = int32(k + 1)
	}
	stride := len(b.Rules)
	sorted, ends := make([]int32, 0, len(members)), make([]int32, 1, len(bounds))
	for _, k := range blockAt {
		if k == 0 {
			continue
		}
		for _, place := range members[bounds[k-1]:bounds[k]] {
			b.numbers[int(place)*stride+i] = int32(len(ends) - 1)
			sorted = append(sorted, place)
		}
		ends = append(ends, int32(len(sorted)))
	}
	b.members[i], b.bounds[i] = sorted, ends
}

// numberTokens numbers the blocks of a rule over tokens. They stay in order of keys: a
// record's keys ascend, so its block numbers do too.
func (b *Blocks) numberTokens(i int, t *TokenKeys) {
	blocks := make([]int32, len(t.Keys))
	for k := range blocks {
		blocks[k] = -1
	}
	next := slices.Clone(t.Start[:b.n]) // counts how many keys of a record have been seen
	members, bounds := b.members[i], b.bounds[i]
	for k := range len(bounds) - 1 {
		for j := bounds[k]; j < bounds[k+1]; j++ {
			r := members[j]
			blocks[next[r]] = int32(k)
			next[r]++
			members[j] = b.placeOf[r]
		}
	}
	b.tokenBlocks[i] = blocks
}
