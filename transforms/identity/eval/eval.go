// Package eval measures clusters against known truth: pairs, B-cubed, and how often
// different entities were merged. It knows numbers of records only.
package eval

// Scores of a clustering. Pair figures count pairs of records in one cluster; B-cubed
// averages over records.
type Scores struct {
	Records     int     `json:"records"`
	TruePairs   int64   `json:"true_pairs"`
	FoundPairs  int64   `json:"found_pairs"`
	RightPairs  int64   `json:"right_pairs"`
	Precision   float64 `json:"precision"`
	Recall      float64 `json:"recall"`
	F1          float64 `json:"f1"`
	B3Precision float64 `json:"b3_precision"`
	B3Recall    float64 `json:"b3_recall"`
	B3          float64 `json:"b3"`
	// OverMerged is the share of clusters of two records and more that hold more than one
	// entity.
	OverMerged float64 `json:"over_merged"`
	Largest    int     `json:"largest_cluster"`
}

// Clusters compares the cluster of each record with its true entity. Records with truth
// below 0 are not counted.
func Clusters(found, truth []int32) Scores {
	type cell struct{ found, truth int32 }
	both := map[cell]int64{}
	inFound, inTruth := map[int32]int64{}, map[int32]int64{}
	s := Scores{}
	for i, t := range truth {
		if t < 0 {
			continue
		}
		s.Records++
		both[cell{found[i], t}]++
		inFound[found[i]]++
		inTruth[t]++
	}
	pairs := func(n int64) int64 { return n * (n - 1) / 2 }
	entities := map[int32]int{}
	for c, n := range both {
		s.RightPairs += pairs(n)
		s.B3Precision += float64(n) * float64(n) / float64(inFound[c.found])
		s.B3Recall += float64(n) * float64(n) / float64(inTruth[c.truth])
		entities[c.found]++
	}
	merged, clusters := 0, 0
	for c, n := range inFound {
		s.FoundPairs += pairs(n)
		s.Largest = max(s.Largest, int(n))
		if n > 1 {
			clusters++
			if entities[c] > 1 {
				merged++
			}
		}
	}
	for _, n := range inTruth {
		s.TruePairs += pairs(n)
	}
	s.Precision, s.Recall = ratio(s.RightPairs, s.FoundPairs), ratio(s.RightPairs, s.TruePairs)
	s.F1 = harmonic(s.Precision, s.Recall)
	if s.Records > 0 {
		s.B3Precision /= float64(s.Records)
		s.B3Recall /= float64(s.Records)
	}
	s.B3 = harmonic(s.B3Precision, s.B3Recall)
	if clusters > 0 {
		s.OverMerged = float64(merged) / float64(clusters)
	}
	return s
}

// ratio of nothing to nothing is 1: no pair was there to miss.
func ratio(a, b int64) float64 {
	if b == 0 {
		return 1
	}
	return float64(a) / float64(b)
}

func harmonic(a, b float64) float64 {
	if a+b == 0 {
		return 0
	}
	return 2 * a * b / (a + b)
}

// Pairs scores labelled pairs alone: right of those linked, and of those that should be.
func Pairs(right, linked, same int64) Scores {
	s := Scores{TruePairs: same, FoundPairs: linked, RightPairs: right, Precision: ratio(right, linked), Recall: ratio(right, same)}
	s.F1 = harmonic(s.Precision, s.Recall)
	return s
}
