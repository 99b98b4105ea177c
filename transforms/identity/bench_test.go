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
	start := cpuSeconds()
	before := peakBytes()
	for b.Loop() {
		_, err := model.Build(context.Background(), core.BuildRequest{Warehouse: wh, RunID: "1", At: time.Unix(0, 0),
			Emit: func(e core.Event) { b.Logf("%6.1f cpu s %5.0f MB %s", cpuSeconds()-start, peakBytes()/1e6, e.Message) }})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric((cpuSeconds()-start)/float64(b.N), "cpu-s/op")
	b.ReportMetric(before/1e6, "input-MB")
	b.ReportMetric(peakBytes()/1e6, "peak-MB")
	if n > scored {
		return
	}
	s := score(mapped(b, wh, "person"), truth)
	b.Logf("precision %.4f recall %.4f F1 %.4f B3 %.4f", s.Precision, s.Recall, s.F1, s.B3)
}
