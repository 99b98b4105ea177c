package dice_test

import (
	"testing"

	"github.com/unsilo/unsilo/connectors/sim/dice"
)

func TestDrawsAreFixedForever(t *testing.T) {
	d := dice.New(42, "people", 7)
	got := []uint64{d.Uint64(), d.Uint64(), uint64(d.N(1000)), uint64(d.Between(5, 9))}
	want := []uint64{0xfa5eb8b04a8c665b, 0xbe2405c5d4828227, 267, 9}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("draw %d: got %#x, want %#x", i, got[i], want[i])
		}
	}
}

func TestStreamsDiffer(t *testing.T) {
	seen := map[uint64]string{}
	for _, label := range []string{"a", "b", "ab"} {
		for n := range 100 {
			h := dice.Hash(1, label, n)
			if other, ok := seen[h]; ok {
				t.Fatalf("%s %d draws the same as %s", label, n, other)
			}
			seen[h] = label
		}
	}
}

func TestShareIsExactInTheMean(t *testing.T) {
	d := dice.New(1, "share")
	sum := 0
	for range 20000 {
		sum += d.Share(3, 100)
	}
	if sum < 5700 || sum > 6300 {
		t.Errorf("3 at 100 per mille over 20000 draws: got %d, want about 6000", sum)
	}
}

func TestBounds(t *testing.T) {
	d := dice.New(1, "bounds")
	counts := make([]int, 5)
	for range 10000 {
		counts[d.Between(0, 4)]++
		if d.N(0) != 0 || d.N(1) != 0 {
			t.Fatal("a choice of one gave another")
		}
		if n := d.Low(3); n < 0 || n > 2 {
			t.Fatalf("Low(3) gave %d", n)
		}
	}
	for i, n := range counts {
		if n < 1800 || n > 2200 {
			t.Errorf("value %d came %d times of 10000, want about 2000", i, n)
		}
	}
}
