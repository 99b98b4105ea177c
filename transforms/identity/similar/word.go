package similar

import "math/bits"

// A Word is a string made ready for many comparisons: up to wordBytes bytes of it lie side
// by side with its length and its letters, so that one read of memory brings all.
type Word struct {
	letters uint64
	text    [2]uint64 // bytes from the lowest, zeros behind
	length  int32
}

// wordBytes is the length of strings that fit into a Word.
const wordBytes = 16

// NewWord prepares a string.
func NewWord(s string) Word {
	w := Word{letters: Letters(s), length: int32(len(s))}
	for i := range min(len(s), wordBytes) {
		w.text[i>>3] |= uint64(s[i]) << (i & 7 * 8)
	}
	return w
}

// Len is the length of the string in bytes.
func (w *Word) Len() int { return int(w.length) }

// First is the first byte of the string, 0 when it is empty.
func (w *Word) First() byte { return byte(w.text[0]) }

// Fits reports whether the word holds the whole string.
func (w *Word) Fits() bool { return w.length <= wordBytes }

// prefix counts the common leading bytes, up to 4.
func (w *Word) prefix(v *Word) int {
	same := bits.TrailingZeros64(w.text[0]^v.text[0]) / 8
	return min(same, 4, int(w.length), int(v.length))
}

// shares[n] is 1/n, to multiply where a division would take its time.
var shares = func() (out [wordBytes + 1]float64) {
	for n := 1; n <= wordBytes; n++ {
		out[n] = 1 / float64(n)
	}
	return out
}()

// JaroWinklerBelow reports that JaroWinkler of the strings is below a bound, from their
// lengths, letters and first bytes alone; false when these do not tell. Both strings fit.
func (w *Word) JaroWinklerBelow(v *Word, bound float64) bool {
	m := min(int(w.length)-bits.OnesCount64(w.letters&^v.letters), int(v.length)-bits.OnesCount64(v.letters&^w.letters))
	if m <= 0 {
		return true
	}
	sim := (float64(m)*(shares[w.length]+shares[v.length]) + 1) * (1.0 / 3)
	return sim+0.1*float64(w.prefix(v))*(1-sim)+1e-9 < bound
}

// JaroWinkler is the same as the function of that name on the strings. Both fit.
func (w *Word) JaroWinkler(v *Word) float64 {
	if w.length == v.length && w.text == v.text {
		return min(float64(w.length), 1)
	}
	sim := w.jaro(v)
	if sim <= 0.7 {
		return sim
	}
	return sim + 0.1*float64(w.prefix(v))*(1-sim)
}

// jaro is Jaro with the positions of a byte in the other string found at once.
func (w *Word) jaro(v *Word) float64 {
	window := max(int(max(w.length, v.length))/2-1, 0)
	near := uint32(1)<<(window+1) - 1 // positions within the window of position 0
	open := uint32(1)<<v.length - 1   // positions not taken yet
	all, takenA := open, uint32(0)
	text := w.text[0]
	for i := range int(w.length) {
		if i == 8 {
			text = w.text[1]
		}
		c := text & 0xff * 0x0101010101010101
		text >>= 8
		found := equalBytes(v.text[0] ^ c)
		if v.length > 8 {
			found |= equalBytes(v.text[1]^c) << 8
		}
		if found &= near & open; found != 0 {
			open ^= found & -found
			takenA |= 1 << i
		}
		near <<= 1
		if i < window {
			near |= 1
		}
	}
	takenB := all ^ open
	m := bits.OnesCount32(takenA)
	if m == 0 {
		return 0
	}
	moved := 0
	for a, b := takenA, takenB; a != 0; a, b = a&(a-1), b&(b-1) {
		if w.at(bits.TrailingZeros32(a)) != v.at(bits.TrailingZeros32(b)) {
			moved++
		}
	}
	return jaroValue(m, moved, int(w.length), int(v.length))
}

func (w *Word) at(i int) byte { return byte(w.text[i>>3&1] >> (i & 7 * 8)) }

// equalBytes gives a bit for each zero byte, the lowest first.
func equalBytes(x uint64) uint32 {
	const low = 0x7f7f7f7f7f7f7f7f
	zero := ^((x&low + low) | x | low) // 0x80 where a byte is zero
	return uint32(zero >> 7 * 0x0102040810204080 >> 56)
}

// OneTypo is the same as the function of that name on the strings. Both fit.
func (w *Word) OneTypo(v *Word) bool {
	if w.length > v.length {
		w, v = v, w
	}
	lo, hi := w.text[0]^v.text[0], w.text[1]^v.text[1]
	// same counts the common leading bytes; zeros behind the end are common too.
	same := bits.TrailingZeros64(lo) / 8
	if same == 8 {
		same += bits.TrailingZeros64(hi) / 8
	}
	switch v.length - w.length {
	case 0:
		if same >= int(w.length) {
			return true
		}
		if lo, hi := cut(lo, hi, same+1); lo|hi == 0 {
			return true
		}
		if lo, hi := cut(lo, hi, same+2); lo|hi != 0 {
			return false
		}
		return same+1 < int(w.length) && w.at(same) == v.at(same+1) && w.at(same+1) == v.at(same)
	case 1:
		lo, hi := v.text[0]>>8|v.text[1]<<56, v.text[1]>>8 // without its first byte
		lo, hi = cut(lo^w.text[0], hi^w.text[1], min(same, int(w.length)))
		return lo|hi == 0
	}
	return false
}

// cut drops the first n of 16 bytes.
func cut(lo, hi uint64, n int) (uint64, uint64) {
	if n >= 8 {
		return 0, hi >> ((n - 8) * 8)
	}
	return lo >> (n * 8), hi
}
