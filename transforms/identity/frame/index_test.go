package frame_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/unsilo/unsilo/transforms/identity/frame"
)

func TestIndexFindsWhatIsThere(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 2, 3, 64, 1000} {
		uids := []uint64{}
		for range n {
			uids = append(uids, r.Uint64()>>(r.IntN(2)*40)) // half of them crowd at the start
		}
		x, none := frame.NewIndex(uids), frame.Index{}
		if _, ok := none.Find(uint64(n)); ok {
			t.Fatal("an empty index finds something")
		}
		for _, uid := range append(slices.Clone(uids), 0, 1, 1<<63, ^uint64(0)) {
			want := slices.Index(uids, uid)
			if at, ok := x.Find(uid); ok != (want >= 0) || ok && int(at) != want {
				t.Fatalf("of %d: %x is at %d, %v; want %d", n, uid, at, ok, want)
			}
		}
	}
}
