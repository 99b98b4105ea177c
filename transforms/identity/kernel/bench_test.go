package kernel_test

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"testing"

	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/identity/fs"
	"github.com/unsilo/unsilo/transforms/identity/gen"
	"github.com/unsilo/unsilo/transforms/identity/kernel"
)

// people builds a frame of n generated records with full names in its last column.
func people(n int) *frame.Frame {
	g := gen.New(gen.Options{Seed: 1, Records: n})
	kinds := map[string]frame.Kind{"first_name": frame.GivenName, "last_name": frame.FamilyName, "birth_date": frame.BirthDate, "postcode": frame.Postcode}
	var columns []frame.Column
	for _, name := range gen.Columns()[1:] {
		kind, ok := kinds[name]
		if !ok {
			kind = frame.Word
		}
		columns = append(columns, frame.Column{Name: name, Kind: kind})
	}
	columns = append(columns, frame.Column{Name: "full name", Kind: frame.FullName})
	b := frame.NewBuilder([]frame.Source{{Record: "r", Source: "s", Stream: "t"}}, columns)
	for r, ok := g.Next(); ok; r, ok = g.Next() {
		b.Record(0, []byte(r.Values[0]), 0, 0)
		for i, v := range r.Values[1:] {
			if v != "" {
				b.Value(i, []byte(v))
			}
		}
		if given, family := r.Values[1], r.Values[3]; given != "" && family != "" {
			b.Value(len(columns)-1, []byte(given+" "+family))
		}
	}
	f := b.Frame()
	for _, c := range f.Columns {
		c.Normalise(func(dst []byte, v string) []byte { return append(dst, v...) })
	}
	return f
}

func peopleScanner(n int) *kernel.Scanner {
	f := people(n)
	joint := f.Column("full name")
	columns := f.Columns[:len(f.Columns)-1]
	given, family := f.Column("first_name"), f.Column("last_name")
	comparisons := kernel.Names(given, family, joint)
	for _, c := range columns {
		if c != given && c != family {
			comparisons = append(comparisons, kernel.Compare(c))
		}
	}
	rules := kernel.Choose(columns, joint, kernel.DefaultBudget(f.Len()))
	return kernel.NewScanner(kernel.NewBlocks(f.Len(), rules, nil), comparisons)
}

// BenchmarkScan compares the candidates among generated people, in nanoseconds of
// processor time for each pair compared, and for each pair visited: one that several rules
// make is visited by each of them and compared once. UNSILO_BENCH_RECORDS sets the number of records.
func BenchmarkScan(b *testing.B) {
	n := 100_000
	if v, err := strconv.Atoi(os.Getenv("UNSILO_BENCH_RECORDS")); err == nil {
		n = v
	}
	s := peopleScanner(n)
	opt := kernel.Options{Weigh: weigher(s, n), Floor: -5_000_000}
	runtime.GC() // what making the data left behind is not to be counted
	pairs, visited, matches, start := 0.0, 0.0, 0.0, cpuNanoseconds()
	for b.Loop() {
		result, err := s.Run(context.Background(), opt)
		if err != nil {
			b.Fatal(err)
		}
		pairs += float64(result.Pairs)
		visited += float64(result.Visited)
		for _, part := range result.Matches {
			matches += float64(len(part))
		}
	}
	cpu := cpuNanoseconds() - start
	b.ReportMetric(cpu/pairs, "cpu-ns/pair")
	b.ReportMetric(cpu/visited, "cpu-ns/visited")
	b.ReportMetric(visited/float64(b.N), "visited/op")
	b.ReportMetric(pairs/float64(b.N), "pairs/op")
	b.ReportMetric(matches/float64(b.N), "matches/op")
}

// weigher weighs values by their frequency, and patterns by a model that knows how often
// random pairs agree.
func weigher(s *kernel.Scanner, n int) func(uint64) int32 {
	model := kernel.Model(s.Comparisons)
	model.Prior = 1 / float64(n)
	shares, _, _ := s.Random(n, 200_000, 1)
	for k, c := range s.Comparisons {
		for l, level := range c.Levels {
			model.Comparisons[k].Levels[l].U = shares[k][l]
			if level.Term != nil {
				level.Term.Weigh(kernel.FrequenciesOf(level.Term.Column.Counts()), shares[k][l], nil)
			}
		}
	}
	coder := model.Coder()
	return func(code uint64) int32 {
		pattern := make(fs.Pattern, len(s.Comparisons))
		coder.Decode(code, pattern)
		return model.Weight(pattern)
	}
}

// BenchmarkRandom compares pairs picked at random, as training does.
func BenchmarkRandom(b *testing.B) {
	s := peopleScanner(100_000)
	pairs, start := 0.0, cpuNanoseconds()
	for b.Loop() {
		_, _, n := s.Random(100_000, 1_000_000, 7)
		pairs += float64(n)
	}
	b.ReportMetric((cpuNanoseconds()-start)/pairs, "cpu-ns/pair")
}

// cpuNanoseconds is the processor time of this process so far.
func cpuNanoseconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Nano() + u.Stime.Nano())
}
