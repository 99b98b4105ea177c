// Package cluster turns a graph of weighted edges between records into clusters, one
// per entity, under guards. Its result depends on the edges alone, not on their order:
// edges are taken in a total order and records are numbered by a stable key. It knows
// neither attributes nor tables.
package cluster

import (
	"cmp"
	"context"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"
)

// Tier is the rank of an edge's kind: lower ones are taken first.
type Tier uint8

// The tiers.
const (
	Must     Tier = iota // a person said so
	Exact                // a deterministic rule
	Probable             // the model's weight
)

// String names the tier as it is stored.
func (t Tier) String() string { return [...]string{"must", "exact", "probable"}[t] }

// An Edge says how strongly two records belong together. A is less than B.
type Edge struct {
	A, B int32
	// Bits is the weight of evidence in millionths of a bit.
	Bits int32
	// Rule is the caller's number of the rule; within Exact a lower one goes first.
	Rule    int16
	Tier    Tier
	Outcome Outcome
	// Pattern is the caller's code of the levels that agreed.
	Pattern uint64
}

// Outcome says what clustering did with an edge.
type Outcome uint8

// The outcomes.
const (
	Weak    Outcome = iota // not enough evidence between the two clusters
	Merged                 // joined two clusters
	Inside                 // its ends were already in one cluster
	Refused                // a guard said no
)

// String names the outcome as it is stored.
func (o Outcome) String() string { return [...]string{"weak", "merged", "inside", "refused"}[o] }

// Method is how probable edges are used.
type Method uint8

// The methods.
const (
	AverageLink         Method = iota // the average weight between two clusters decides
	ConnectedComponents               // any edge above Stop joins
	OneToOne                          // AverageLink, and at most one record of each source
)

// Options of Run. Weights are in millionths of a bit.
type Options struct {
	Method Method
	// Missing is assumed for pairs without an edge, Stop is the average at or below which
	// two clusters stay apart, Cap bounds the weight of one pair in an average.
	Missing, Stop, Cap int32
	// Strict makes exact edges pass the average too, where pairs between the clusters
	// have been compared and speak against it.
	Strict bool
	// Guard, when set, returns why the members a and b may not become one cluster, or "".
	// It is called from several goroutines.
	Guard func(a, b []int32, e Edge) string
}

// A Veto is an edge that a guard refused.
type Veto struct {
	Edge   int32 // index into the edges
	Reason string
}

// A Result has the cluster of each record, named by its smallest record number, and the
// vetoes in order of edges. The merge tree is the edges with outcome Merged, in order.
type Result struct {
	Of     []int32
	Vetoes []Veto
}

// Compare orders edges totally: tier, rule of exact edges, weight, records.
func Compare(x, y Edge) int {
	if c := cmp.Compare(x.Tier, y.Tier); c != 0 {
		return c
	}
	if x.Tier == Exact && x.Rule != y.Rule {
		return cmp.Compare(x.Rule, y.Rule)
	}
	return cmp.Or(-cmp.Compare(x.Bits, y.Bits), cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B),
		cmp.Compare(x.Rule, y.Rule))
}

// Strong reports whether an edge can join two clusters. Without one between any of their
// records the average is at most Stop: likeness that speaks against it only counts where
// something else connects the two.
func (o *Options) Strong(e *Edge) bool {
	return e.Tier != Probable || e.Bits > o.Stop || o.Method != ConnectedComponents && o.Missing > o.Stop
}

// Run clusters n records. It sorts edges, by component and then by Compare, and sets their
// outcomes.
func Run(ctx context.Context, n int, edges []Edge, opt Options) (Result, error) {
	component := components(n, edges, opt.Strong)
	start, count := arrange(component, edges)
	position := make([]int32, n)
	for i := range position {
		position[i] = -1
	}
	workers := runtime.GOMAXPROCS(0)
	vetoes := make([][]Veto, workers)
	g, ctx := errgroup.WithContext(ctx)
	for w := range workers {
		g.Go(func() error {
			run := &worker{opt: opt, edges: edges, of: component, position: position}
			for k := w; k < int(count); k += workers {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				if start[k+1] > start[k] {
					run.component(start[k], start[k+1])
				}
				leaveOut(edges[start[int(count)+k]:start[int(count)+k+1]])
			}
			vetoes[w] = run.vetoes
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return Result{}, err
	}
	all := slices.Concat(vetoes...)
	slices.SortFunc(all, func(x, y Veto) int { return cmp.Compare(x.Edge, y.Edge) })
	return Result{Of: component, Vetoes: all}, nil
}
