package identity_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity/gen"
)

// cpuSeconds is the processor time of this process so far.
func cpuSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}

// peakBytes is the largest resident size of this process so far.
func peakBytes() float64 {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb * 1024
		}
	}
	return 0
}

// scored is the number of records up to which the benchmark keeps the truth: beside more
// it would be most of the memory.
const scored = 200_000

// generated lands n generated records and returns the truth by record.
func generated(t testing.TB, wh core.Warehouse, n int) map[string]string {
	g := gen.New(gen.Options{Seed: 1, Records: n})
	truth := map[string]string{}
	var rows [][]string
	first := true
	land := func() {
		if first {
			fill(t, wh, core.RawTable("set", "records"), []string{"id"}, plain(gen.Columns()...), rows)
		} else {
			add(t, wh, core.RawTable("set", "records"), plain(gen.Columns()...), rows)
		}
		first, rows = false, rows[:0]
	}
	for {
		r, ok := g.Next()
		if !ok {
			break
		}
		rows = append(rows, r.Values)
		if n <= scored {
			truth["set.records:"+r.Values[0]] = fmt.Sprint(r.Person)
		}
		if len(rows) == 100_000 {
			land()
		}
	}
	land()
	return truth
}

// BenchmarkBuild measures a whole build over generated people, in CPU seconds and peak
// memory. UNSILO_BENCH_RECORDS sets the number of records, 100000 by default.
func BenchmarkBuild(b *testing.B) {
	n := 100_000
	if v, err := strconv.Atoi(os.Getenv("UNSILO_BENCH_RECORDS")); err == nil {
		n = v
	}
	wh := benchWarehouse(b)
	truth := generated(b, wh, n)
	model, diags := parse(b, "person", "from = source.set.records")
	if diags.HasErrors() {
		b.Fatal(diags)
	}
	runtime.GC()
	phases := newPhases(b)
	before := peakBytes()
	for b.Loop() {
		_, err := model.Build(context.Background(), core.BuildRequest{Warehouse: wh, RunID: "1", At: time.Unix(0, 0), Emit: phases.emit})
		if err != nil {
			b.Fatal(err)
		}
	}
	cpu := cpuSeconds() - phases.start
	b.ReportMetric(cpu/float64(b.N), "cpu-s/op")
	b.ReportMetric(before/1e6, "input-MB")
	b.ReportMetric(peakBytes()/1e6, "peak-MB")
	pairs, _ := metricOf(b, wh, "1", "pairs.compared")
	visited, _ := metricOf(b, wh, "1", "pairs.visited")
	b.ReportMetric(pairs, "pairs/op")
	b.ReportMetric(visited, "visited/op")
	b.ReportMetric(phases.cpu["comparing"]/float64(b.N)/visited*1e9, "cpu-ns/visited")
	b.ReportMetric(phases.cpu["comparing"]/float64(b.N)/pairs*1e9, "cpu-ns/pair")
	if n > scored {
		return
	}
	s := score(mapped(b, wh, "person"), truth)
	b.Logf("precision %.4f recall %.4f F1 %.4f B3 %.4f", s.Precision, s.Recall, s.F1, s.B3)
}

// phases adds up the processor time of each step of a build.
type phases struct {
	b           *testing.B
	start, last float64
	step        string
	cpu         map[string]float64
}

func newPhases(b *testing.B) *phases {
	now := cpuSeconds()
	return &phases{b: b, start: now, last: now, cpu: map[string]float64{}}
}

func (p *phases) emit(e core.Event) {
	now := cpuSeconds()
	p.cpu[p.step] += now - p.last
	p.last, p.step = now, e.Message
	p.b.Logf("%6.1f cpu s %5.0f MB %s", now-p.start, peakBytes()/1e6, e.Message)
}

// BenchmarkIncrement measures a build after one record in a hundred is new or has changed,
// as a share of the processor time of the full build before it.
func BenchmarkIncrement(b *testing.B) {
	n := 100_000
	if v, err := strconv.Atoi(os.Getenv("UNSILO_BENCH_RECORDS")); err == nil {
		n = v
	}
	wh := benchWarehouse(b)
	generated(b, wh, n)
	model, diags := parse(b, "person", "from = source.set.records")
	if diags.HasErrors() {
		b.Fatal(diags)
	}
	run := func(id string) float64 {
		runtime.GC()
		p := newPhases(b)
		if _, err := model.Build(context.Background(), core.BuildRequest{Warehouse: wh, RunID: id, At: time.Unix(0, 0), Emit: p.emit}); err != nil {
			b.Fatal(err)
		}
		return cpuSeconds() - p.start
	}
	full := run("full")
	more := gen.New(gen.Options{Seed: 2, Records: n})
	increment := 0.0
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		var rows [][]string
		for len(rows) < n/100 {
			r, ok := more.Next()
			if !ok {
				b.Skip("no more records")
			}
			r.Values[0] = fmt.Sprintf("new-%d-%s", i, r.Values[0])
			rows = append(rows, r.Values)
		}
		add(b, wh, core.RawTable("set", "records"), plain(gen.Columns()...), rows)
		b.StartTimer()
		increment += run(fmt.Sprint("increment", i))
	}
	for _, name := range []string{"records.compared", "records.touched", "edges.kept"} {
		v, _ := metricOf(b, wh, "increment0", name)
		b.ReportMetric(v, name)
	}
	b.ReportMetric(full, "full-cpu-s")
	b.ReportMetric(increment/float64(b.N), "cpu-s/op")
	b.ReportMetric(100*increment/float64(b.N)/full, "%-of-full")
}
