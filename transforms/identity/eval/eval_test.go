package eval_test

import (
	"math"
	"testing"

	"github.com/unsilo/unsilo/transforms/identity/eval"
)

func TestClusters(t *testing.T) {
	// Truth: {0 1 2} {3 4} {5}; found: {0 1} {2 3 4} {5}; record 6 has no truth.
	s := eval.Clusters([]int32{0, 0, 1, 1, 1, 2, 0}, []int32{0, 0, 0, 1, 1, 2, -1})
	want := eval.Scores{Records: 6, TruePairs: 4, FoundPairs: 4, RightPairs: 2, Precision: 0.5, Recall: 0.5, F1: 0.5,
		B3Precision: (1 + 1 + 1.0/3 + 2.0/3 + 2.0/3 + 1) / 6, B3Recall: (2.0/3 + 2.0/3 + 1.0/3 + 1 + 1 + 1) / 6, OverMerged: 0.5, Largest: 3}
	want.B3 = 2 * want.B3Precision * want.B3Recall / (want.B3Precision + want.B3Recall)
	if math.Abs(s.B3-want.B3) > 1e-12 {
		t.Errorf("B3 = %v, want %v", s.B3, want.B3)
	}
	s.B3, s.B3Precision, s.B3Recall = want.B3, want.B3Precision, want.B3Recall
	if s != want {
		t.Errorf("scores = %+v, want %+v", s, want)
	}
}

func TestNothingIsPerfect(t *testing.T) {
	if s := eval.Clusters(nil, nil); s.F1 != 1 || s.OverMerged != 0 {
		t.Errorf("scores of nothing = %+v", s)
	}
}
