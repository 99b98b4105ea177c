package similar

// UnitWeight is the length of a weighted token vector: weights are integers, so that sums
// do not depend on the order of tokens.
const UnitWeight = 1 << 15

// Cosine is the cosine of two sparse vectors, times UnitWeight squared: tokens ascending,
// weights beside them, each vector of length UnitWeight.
func Cosine(a, b []int32, wa, wb []int32) int64 {
	sum := int64(0)
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch x, y := a[i], b[j]; {
		case x == y:
			sum += int64(wa[i]) * int64(wb[j])
			i++
			j++
		case x < y:
			i++
		default:
			j++
		}
	}
	return sum
}

// Overlap counts the members that two ascending lists share.
func Overlap(a, b []int32) int {
	n := 0
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch x, y := a[i], b[j]; {
		case x == y:
			n++
			i++
			j++
		case x < y:
			i++
		default:
			j++
		}
	}
	return n
}
