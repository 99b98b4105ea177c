//go:build duckdb_arrow

package duckdb

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
)

// benchRows is the size of the batches that the engine writes.
const benchRows = 122880

func benchSchema() *arrow.Schema {
	f := func(name string, t arrow.DataType) arrow.Field {
		return arrow.Field{Name: name, Type: t, Nullable: true}
	}
	return arrow.NewSchema([]arrow.Field{
		f("id", arrow.PrimitiveTypes.Int64), f("email", arrow.BinaryTypes.String), f("name", arrow.BinaryTypes.String),
		f("city", arrow.BinaryTypes.String), f("amount", &arrow.Decimal128Type{Precision: 18, Scale: 2}),
		f("score", arrow.PrimitiveTypes.Float64), f("visits", arrow.PrimitiveTypes.Int32),
		f("active", arrow.FixedWidthTypes.Boolean), f("updated_at", arrow.FixedWidthTypes.Timestamp_us),
		f("born", arrow.FixedWidthTypes.Date32),
	}, nil)
}

func benchBatches(n int) []arrow.RecordBatch {
	b := array.NewRecordBuilder(memory.DefaultAllocator, benchSchema())
	defer b.Release()
	var out []arrow.RecordBatch
	for i := range n {
		b.Field(0).(*array.Int64Builder).Append(int64(i))
		b.Field(1).(*array.StringBuilder).Append(fmt.Sprintf("user.%d@example%d.com", i*7919%n, i%97))
		b.Field(2).(*array.StringBuilder).Append(fmt.Sprintf("Name %d Family %d", i%1999, i%7001))
		b.Field(3).(*array.StringBuilder).Append([]string{"Helsinki", "Turku", "Oulu", "Tampere"}[i%4])
		b.Field(4).(*array.Decimal128Builder).Append(decimal128.FromI64(int64(i) * 37))
		b.Field(5).(*array.Float64Builder).Append(float64(i%1000) / 7)
		b.Field(6).(*array.Int32Builder).Append(int32(i % 50))
		b.Field(7).(*array.BooleanBuilder).Append(i%3 == 0)
		b.Field(8).(*array.TimestampBuilder).Append(arrow.Timestamp(1_760_000_000_000_000 + int64(i)*1_000_003))
		b.Field(9).(*array.Date32Builder).Append(arrow.Date32(i % 20000))
		if (i+1)%benchRows == 0 || i == n-1 {
			out = append(out, b.NewRecordBatch())
		}
	}
	return out
}

func mustBench(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func benchOpen(b *testing.B) *Warehouse {
	b.Helper()
	w, err := Open(b.Context(), Config{Path: filepath.Join(b.TempDir(), "bench.duckdb"), MemoryLimit: "1GiB"})
	mustBench(b, err)
	return w
}

// A cost is time on the clock and of the processors. On a busy machine only the second
// can be compared.
type cost struct{ wall, cpu time.Duration }

func (c cost) add(d cost) cost { return cost{c.wall + d.wall, c.cpu + d.cpu} }

// measure runs f.
func measure(b *testing.B, f func()) cost {
	b.Helper()
	used := func() time.Duration {
		var u unix.Rusage
		mustBench(b, unix.Getrusage(unix.RUSAGE_SELF, &u))
		return time.Duration(unix.TimevalToNsec(u.Utime) + unix.TimevalToNsec(u.Stime))
	}
	cpu, start := used(), time.Now()
	f()
	return cost{time.Since(start), used() - cpu}
}

// plainInsert is what DuckDB needs by itself for the same batches: one INSERT from an
// Arrow view into an empty table, and a commit.
func plainInsert(b *testing.B, batches []arrow.RecordBatch) cost {
	b.Helper()
	w := benchOpen(b)
	defer w.Close()
	begun, err := w.Begin(b.Context())
	mustBench(b, err)
	t := begun.(*tx)
	mustBench(b, t.Define(b.Context(), core.Table{Name: core.TableName{Schema: "raw", Name: "plain"}, Schema: benchSchema()}))
	rows, err := array.NewRecordReader(benchSchema(), batches)
	mustBench(b, err)
	defer rows.Release()
	took := measure(b, func() {
		mustBench(b, t.helper.with(b.Context(), rows, func(view string) error {
			_, err := t.run(b.Context(), "INSERT INTO "+catalog+".raw.plain SELECT * FROM "+view)
			return err
		}))
		_, err = t.c.exec(b.Context(), "COMMIT")
		mustBench(b, err)
	})
	mustBench(b, t.End(b.Context(), false))
	return took
}

// load writes the batches, per batches to a transaction, and says how long that took.
func load(b *testing.B, w *Warehouse, mode core.WriteMode, key string, batches []arrow.RecordBatch, per int) (cost, core.Counts) {
	b.Helper()
	table := core.TableName{Schema: "raw", Name: "people"}
	begun, err := w.Begin(b.Context())
	mustBench(b, err)
	mustBench(b, begun.Define(b.Context(), core.Table{Name: table, Schema: benchSchema(), Key: []string{key}}))
	mustBench(b, begun.End(b.Context(), true))
	var sum core.Counts
	took := measure(b, func() {
		for i := 0; i < len(batches); i += per {
			rows, err := array.NewRecordReader(benchSchema(), batches[i:min(i+per, len(batches))])
			mustBench(b, err)
			t, err := w.Begin(b.Context())
			mustBench(b, err)
			counts, err := t.Write(b.Context(), core.WriteRequest{Table: table, Mode: mode, Key: []string{key}, Rows: rows, At: time.Now()})
			mustBench(b, err)
			mustBench(b, t.SetState(b.Context(), core.StateRow{Source: "s", Stream: "people", State: core.State("1"), At: time.Now()}))
			mustBench(b, t.End(b.Context(), true))
			rows.Release()
			sum = sum.Add(counts)
		}
	})
	return took, sum
}

// BenchmarkWrite compares each way of writing with DuckDB reading the same Arrow batches
// by itself: "ratio" is its time by ours, so that 1 is as fast as DuckDB
// alone; "cpu-ratio" is the same for processor time.
func BenchmarkWrite(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000} {
		batches := benchBatches(n)
		for _, c := range []struct {
			name string
			mode core.WriteMode
			key  string
			per  int
		}{
			{"append", core.WriteAppend, "id", 1}, {"merge-int-key", core.WriteMerge, "id", 1}, {"merge-text-key", core.WriteMerge, "email", 1},
			{"merge-one-request", core.WriteMerge, "email", 1000}, {"history", core.WriteHistory, "email", 1},
		} {
			b.Run(fmt.Sprintf("%s/%d", c.name, n), func(b *testing.B) {
				var plain, ours, again cost
				for b.Loop() {
					plain = plain.add(plainInsert(b, batches))
					w := benchOpen(b)
					took, counts := load(b, w, c.mode, c.key, batches, c.per)
					if counts.New != int64(n) {
						b.Fatalf("stored %+v of %d rows", counts, n)
					}
					ours = ours.add(took)
					if os.Getenv("UNSILO_BENCH_AGAIN") != "" && c.mode == core.WriteMerge {
						took, counts = load(b, w, c.mode, c.key, batches, c.per)
						if counts.Unchanged != int64(n) {
							b.Fatalf("stored %+v of %d unchanged rows", counts, n)
						}
						again = again.add(took)
					}
					mustBench(b, w.Close())
				}
				b.ReportMetric(plain.wall.Seconds()/ours.wall.Seconds(), "ratio")
				b.ReportMetric(plain.cpu.Seconds()/ours.cpu.Seconds(), "cpu-ratio")
				b.ReportMetric(float64(ours.cpu.Nanoseconds())/float64(n*b.N), "cpu-ns/row")
				if again.cpu > 0 {
					b.ReportMetric(float64(again.cpu.Nanoseconds())/float64(n*b.N), "again-cpu-ns/row")
				}
			})
		}
	}
}

// BenchmarkSmallWrite is what a stream costs that has little or nothing new: a
// transaction with ten rows and a position, on a table of a million.
func BenchmarkSmallWrite(b *testing.B) {
	w := benchOpen(b)
	defer w.Close()
	batches := benchBatches(1_000_000)
	load(b, w, core.WriteMerge, "email", batches, 1)
	few := batches[4].NewSlice(1000, 1010)
	defer few.Release()
	var total cost
	for b.Loop() {
		took, counts := load(b, w, core.WriteMerge, "email", []arrow.RecordBatch{few}, 1)
		if counts.Unchanged != 10 {
			b.Fatal(counts)
		}
		total = total.add(took)
	}
	b.ReportMetric(total.cpu.Seconds()*1000/float64(b.N), "cpu-ms/op")
}

// BenchmarkOpen is what opening and closing an existing file costs, its snapshot included.
func BenchmarkOpen(b *testing.B) {
	w := benchOpen(b)
	load(b, w, core.WriteMerge, "email", benchBatches(1_000_000), 1)
	path := w.config.Path
	mustBench(b, w.Close())
	var total cost
	for b.Loop() {
		total = total.add(measure(b, func() {
			w, err := Open(b.Context(), Config{Path: path, MemoryLimit: "1GiB"})
			mustBench(b, err)
			mustBench(b, w.Close())
		}))
	}
	b.ReportMetric(total.cpu.Seconds()*1000/float64(b.N), "cpu-ms/op")
}
