package cluster_test

import (
	"context"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/unsilo/unsilo/transforms/identity/cluster"
)

func drawEdges(t *rapid.T, n int) []cluster.Edge {
	seen := map[[2]int32]bool{}
	var edges []cluster.Edge
	for range rapid.IntRange(0, 3*n).Draw(t, "edges") {
		a, b := rapid.Int32Range(0, int32(n-1)).Draw(t, "a"), rapid.Int32Range(0, int32(n-1)).Draw(t, "b")
		if a > b {
			a, b = b, a
		}
		if a == b || seen[[2]int32{a, b}] {
			continue
		}
		seen[[2]int32{a, b}] = true
		edges = append(edges, cluster.Edge{A: a, B: b, Bits: rapid.Int32Range(-5, 20).Draw(t, "bits") * 1e6,
			Tier: rapid.SampledFrom([]cluster.Tier{cluster.Exact, cluster.Probable, cluster.Probable}).Draw(t, "tier")})
	}
	return edges
}

// reach finds components breadth first.
func reach(n int, edges []cluster.Edge) []int32 {
	next := make([][]int32, n)
	for _, e := range edges {
		next[e.A], next[e.B] = append(next[e.A], e.B), append(next[e.B], e.A)
	}
	of := make([]int32, n)
	for i := range of {
		of[i] = -1
	}
	for i := range int32(n) {
		if of[i] >= 0 {
			continue
		}
		for queue := []int32{i}; len(queue) > 0; queue = queue[1:] {
			if of[queue[0]] < 0 {
				of[queue[0]] = i
				queue = append(queue, next[queue[0]]...)
			}
		}
	}
	return of
}

func TestComponentsEqualBreadthFirstSearch(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(2, 40).Draw(r, "n")
		edges := drawEdges(r, n)
		if got, want := cluster.Components(n, edges), reach(n, edges); !slices.Equal(got, want) {
			r.Fatalf("components = %v, want %v", got, want)
		}
	})
}

func TestRunDoesNotDependOnOrderAndKeepsGuards(t *testing.T) {
	opt := cluster.Options{Missing: -4e6, Stop: -2e6, Cap: 20e6, Guard: func(a, b []int32, _ cluster.Edge) string {
		if len(a)+len(b) > 5 {
			return "too large"
		}
		return ""
	}}
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(2, 30).Draw(r, "n")
		edges := drawEdges(r, n)
		shuffled := rapid.Permutation(edges).Draw(r, "order")
		edges = slices.Clone(edges)
		one, err := cluster.Run(context.Background(), n, edges, opt)
		if err != nil {
			r.Fatal(err)
		}
		two, err := cluster.Run(context.Background(), n, shuffled, opt)
		if err != nil {
			r.Fatal(err)
		}
		if !slices.Equal(one.Of, two.Of) || !slices.Equal(edges, shuffled) || !slices.Equal(one.Vetoes, two.Vetoes) {
			r.Fatal("the order of edges changed the result")
		}
		size := map[int32]int{}
		for _, root := range one.Of {
			if size[root]++; size[root] > 5 {
				r.Fatalf("cluster %d is larger than its guard allows", root)
			}
		}
		var merged []cluster.Edge
		for _, e := range edges {
			if e.Outcome == cluster.Merged {
				merged = append(merged, e)
			}
		}
		if !slices.Equal(reach(n, merged), one.Of) {
			r.Fatal("the merge tree does not span the clusters")
		}
	})
}

func TestAverageLinkStopsChains(t *testing.T) {
	edge := func(a, b int32, bits int32) cluster.Edge {
		return cluster.Edge{A: a, B: b, Bits: bits * 1e6, Tier: cluster.Probable}
	}
	// Two triangles, and one weak edge between them.
	edges := []cluster.Edge{edge(0, 1, 15), edge(1, 2, 15), edge(0, 2, 15), edge(3, 4, 15), edge(4, 5, 15), edge(3, 5, 15), edge(2, 3, 1)}
	result, err := cluster.Run(context.Background(), 6, edges, cluster.Options{Missing: -4e6, Stop: -2e6, Cap: 20e6})
	if err != nil {
		t.Fatal(err)
	}
	if want := []int32{0, 0, 0, 3, 3, 3}; !slices.Equal(result.Of, want) {
		t.Errorf("clusters = %v, want %v", result.Of, want)
	}
	result, err = cluster.Run(context.Background(), 6, edges, cluster.Options{Method: cluster.ConnectedComponents, Stop: -2e6})
	if err != nil {
		t.Fatal(err)
	}
	if want := []int32{0, 0, 0, 0, 0, 0}; !slices.Equal(result.Of, want) {
		t.Errorf("components = %v, want %v", result.Of, want)
	}
}

// TestSizeOfAComponentChangesNoCluster ties many records to a small graph by edges that are too
// weak to join: large components are kept in another form than small ones.
func TestSizeOfAComponentChangesNoCluster(t *testing.T) {
	opt := cluster.Options{Missing: -4e6, Stop: -2e6, Cap: 20e6}
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(2, 20).Draw(r, "n")
		edges := drawEdges(r, n)
		alone, err := cluster.Run(context.Background(), n, slices.Clone(edges), opt)
		if err != nil {
			r.Fatal(err)
		}
		const more = 150
		for i := range int32(n + more) {
			if i > 0 && !slices.ContainsFunc(edges, func(e cluster.Edge) bool { return e.A == 0 && e.B == i }) {
				edges = append(edges, cluster.Edge{B: i, Bits: -4e6, Tier: cluster.Probable})
			}
		}
		together, err := cluster.Run(context.Background(), n+more, edges, opt)
		if err != nil {
			r.Fatal(err)
		}
		if !slices.Equal(alone.Of, together.Of[:n]) {
			r.Fatalf("clusters = %v, among others %v", alone.Of, together.Of[:n])
		}
	})
}

// naive clusters by the book: all edges in one order, every average summed anew.
func naive(n int, edges []cluster.Edge, opt cluster.Options) []int32 {
	slices.SortFunc(edges, cluster.Compare)
	of := make([]int32, n)
	for i := range of {
		of[i] = int32(i)
	}
	enough := func(a, b int32, e cluster.Edge) bool {
		if e.Tier != cluster.Probable {
			return true
		}
		if opt.Method == cluster.ConnectedComponents {
			return e.Bits > opt.Stop
		}
		pairs, seen, sum := int64(0), int64(0), int64(0)
		for x := range of {
			for y := range of {
				if of[x] == a && of[y] == b {
					pairs++
				}
			}
		}
		for _, o := range edges {
			if x, y := of[o.A], of[o.B]; x == a && y == b || x == b && y == a {
				seen++
				sum += int64(min(o.Bits, opt.Cap))
			}
		}
		return sum+int64(opt.Missing)*(pairs-seen) > int64(opt.Stop)*pairs
	}
	for range 2 { // what was too weak gets a second turn
		for _, e := range edges {
			a, b := of[e.A], of[e.B]
			if a == b || !enough(a, b, e) {
				continue
			}
			for i := range of {
				if of[i] == max(a, b) {
					of[i] = min(a, b)
				}
			}
		}
	}
	return of
}

// TestRunEqualsTheBook also holds that edges which cannot join anything may be left aside.
func TestRunEqualsTheBook(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(2, 14).Draw(r, "n")
		edges := drawEdges(r, n)
		opt := cluster.Options{Missing: rapid.Int32Range(-5, 1).Draw(r, "missing") * 1e6, Stop: rapid.Int32Range(-4, 4).Draw(r, "stop") * 1e6, Cap: 12e6,
			Method: rapid.SampledFrom([]cluster.Method{cluster.AverageLink, cluster.ConnectedComponents}).Draw(r, "method")}
		want := naive(n, slices.Clone(edges), opt)
		got, err := cluster.Run(context.Background(), n, edges, opt)
		if err != nil {
			r.Fatal(err)
		}
		if !slices.Equal(got.Of, want) {
			r.Fatalf("clusters = %v, want %v", got.Of, want)
		}
	})
}
