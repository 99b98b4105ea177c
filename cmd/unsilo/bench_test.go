package main

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	goduckdb "github.com/duckdb/duckdb-go/v2" // the peer: DuckDB by itself

	"github.com/unsilo/unsilo/connectors/sim"
	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/config"
	"github.com/unsilo/unsilo/core/engine"
	"github.com/unsilo/unsilo/core/warehouse/duckdb"
)

// Every benchmark reports a ratio to a peer or a limit measured in the same run, because
// machines are shared: a ratio of 1 is as fast as the peer, 0.5 takes twice as long.

// cost is what a piece of work took, of this process.
type cost struct{ wall, cpu time.Duration }

func measure(do func()) cost {
	var before, after syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &before)
	began := time.Now()
	do()
	took := time.Since(began)
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &after)
	return cost{took, used(&after) - used(&before)}
}

func used(u *syscall.Rusage) time.Duration { return time.Duration(u.Utime.Nano() + u.Stime.Nano()) }

// mostRows is the largest size: UNSILO_BENCH_ROWS, or a million.
func mostRows() int {
	if most, err := strconv.Atoi(os.Getenv("UNSILO_BENCH_ROWS")); err == nil {
		return most
	}
	return 1_000_000
}

func simSource(rows int) config.Source {
	spec := sim.Connector().Spec()
	values := map[string]any{}
	for _, f := range spec.Fields {
		if f.Default != nil {
			values[f.Name] = f.Default
		}
	}
	values["rows"] = int64(rows)
	return config.Source{Kind: "sim", Name: "made", Spec: spec, Values: values}
}

// replay is a source whose stream was read beforehand: making rows up is no part of
// landing them.
type replay struct {
	core.Source
	batches []core.Batch
}

func newReplay(b *testing.B, cfg core.Config) *replay {
	s, err := sim.Connector().Open(b.Context(), cfg)
	if err != nil {
		b.Fatal(err)
	}
	streams, err := s.Streams(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	r := &replay{Source: s}
	err = s.Read(b.Context(), core.ReadRequest{Stream: streams[0]}, func(x core.Batch) error {
		if x.Rows != nil {
			x.Rows.Retain()
		}
		r.batches = append(r.batches, x)
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return r
}

// Read sends what was read, always from the start.
func (r *replay) Read(_ context.Context, _ core.ReadRequest, emit func(core.Batch) error) error {
	for _, x := range r.batches {
		if err := emit(x); err != nil {
			return err
		}
	}
	return nil
}

// BenchmarkLand lands made-up rows through the engine, against DuckDB by itself reading
// the same Arrow batches.
func BenchmarkLand(b *testing.B) {
	for rows := 100_000; rows <= mostRows(); rows *= 10 {
		b.Run(strconv.Itoa(rows), func(b *testing.B) {
			src := simSource(rows)
			cfg := core.Config{Source: "made", Values: src.Values}
			for b.Loop() {
				source := newReplay(b, cfg)
				ours := timeEngine(b, src, source)
				peer := timePlain(b, source)
				b.ReportMetric(peer.wall.Seconds()/ours.wall.Seconds(), "ratio-to-duckdb")
				b.ReportMetric(peer.cpu.Seconds()/ours.cpu.Seconds(), "cpu-ratio-to-duckdb")
				b.ReportMetric(float64(rows)/ours.wall.Seconds(), "rows/s")
			}
		})
	}
}

func timeEngine(b *testing.B, src config.Source, from core.Source) cost {
	w := benchWarehouse(b)
	e := &engine.Engine{Project: &config.Project{Sources: []config.Source{src}}, Warehouse: w,
		Connect: func(context.Context, config.Source) (core.Source, error) { return from, nil }}
	p, ds, err := e.Plan(b.Context())
	if err != nil || ds.HasErrors() {
		b.Fatal(err, ds)
	}
	var res *engine.Result
	took := measure(func() { res, err = e.Run(b.Context(), p, engine.Options{}) })
	if err != nil || res.Status != engine.StatusDone {
		b.Fatal(err, res.Errors())
	}
	if err := e.Close(); err != nil {
		b.Fatal(err)
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	return took
}

func benchWarehouse(b *testing.B) *duckdb.Warehouse {
	w, err := duckdb.Open(b.Context(), duckdb.Config{Path: filepath.Join(b.TempDir(), "w.duckdb"), MemoryLimit: "2GB"})
	if err != nil {
		b.Fatal(err)
	}
	return w
}

// timePlain lets DuckDB by itself read the same Arrow batches into a table on disk.
func timePlain(b *testing.B, from *replay) cost {
	var batches []arrow.RecordBatch
	for _, x := range from.batches {
		if x.Rows != nil && x.Op == core.OpUpsert {
			batches = append(batches, x.Rows)
		}
	}
	rows, err := array.NewRecordReader(batches[0].Schema(), batches)
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Release()
	db, err := goduckdb.NewConnector(filepath.Join(b.TempDir(), "peer.duckdb"), nil)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	conn, err := db.Connect(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	peer, err := goduckdb.NewArrowFromConn(conn)
	if err != nil {
		b.Fatal(err)
	}
	return measure(func() {
		release, err := peer.RegisterView(rows, "batches")
		if err != nil {
			b.Fatal(err)
		}
		defer release()
		for _, statement := range []string{"CREATE TABLE plain AS SELECT * FROM batches", "CHECKPOINT"} {
			if _, err := conn.(driver.ExecerContext).ExecContext(b.Context(), statement, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}

const jsonPage = 10_000

// BenchmarkJSON lands JSON over HTTP, against DuckDB's own read_json over the same bytes
// on disk.
func BenchmarkJSON(b *testing.B) {
	const rows = 500_000
	pages, disk := jsonRows(b, rows)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		offset, _ := strconv.Atoi(r.URL.Query().Get("offset"))
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"items":[%s],"total":%d}`, pages[min(offset/jsonPage, len(pages)-1)], rows)
	}))
	defer server.Close()
	dir := b.TempDir()
	project := fmt.Sprintf(`unsilo {
  isolation = "none"
}
connector "rest" "bench" {
  client {
    base_url = %q
  }
  stream "items" {
    path        = "/items"
    records     = "items"
    primary_key = ["id"]
    means       = { name = "none" }
    paginate "offset" {
      size       = %d
      size_param = "limit"
      param      = "offset"
      total      = response.body.total
    }
  }
}
source "bench" "made" {
  stream "items" {
    means = { name = "none", city = "none", note = "none" }
  }
}
`, server.URL, jsonPage)
	if err := os.WriteFile(filepath.Join(dir, "p.hcl"), []byte(project), 0o644); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		ours := measure(func() {
			var out, errs strings.Builder
			if code := Main([]string{"-C", dir, "run", "-o", "json"}, strings.NewReader(""), &out, &errs, os.Getenv); code != 0 {
				b.Fatal(out.String(), errs.String())
			}
		})
		peer := timeReadJSON(b, disk, rows)
		b.ReportMetric(peer.wall.Seconds()/ours.wall.Seconds(), "ratio-to-read_json")
		b.ReportMetric(peer.cpu.Seconds()/ours.cpu.Seconds(), "cpu-ratio-to-read_json")
		b.ReportMetric(rows/ours.wall.Seconds(), "rows/s")
		if err := os.Remove(filepath.Join(dir, "warehouse.duckdb")); err != nil {
			b.Fatal(err)
		}
	}
}

// jsonRows makes the rows beforehand: as pages to be served, and as lines on disk.
func jsonRows(b *testing.B, rows int) (pages [][]byte, disk string) {
	disk = filepath.Join(b.TempDir(), "rows.json")
	f, err := os.Create(disk)
	if err != nil {
		b.Fatal(err)
	}
	for from := 0; from < rows; from += jsonPage {
		var page bytes.Buffer
		for i := from; i < min(from+jsonPage, rows); i++ {
			fmt.Fprintf(&page, `{"id":%d,"name":"customer %d","score":%d.%02d,"active":%t,"joined":"2026-01-%02dT08:00:%02dZ","city":"City %d","note":"line %d of many"}`+"\n",
				i, i, i%1000, i%100, i%2 == 0, i%28+1, i%60, i%500, i)
		}
		if _, err := f.Write(page.Bytes()); err != nil {
			b.Fatal(err)
		}
		pages = append(pages, bytes.ReplaceAll(bytes.TrimSpace(page.Bytes()), []byte("\n"), []byte(",")))
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return pages, disk
}

func timeReadJSON(b *testing.B, file string, rows int64) cost {
	db, err := sql.Open("duckdb", filepath.Join(b.TempDir(), "peer.duckdb"))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	took := measure(func() {
		if _, err := db.Exec("CREATE TABLE t AS SELECT * FROM read_json('" + file + "')"); err != nil {
			b.Fatal(err)
		}
	})
	var n int64
	if err := db.QueryRow("SELECT count(*) FROM t").Scan(&n); err != nil || n != rows {
		b.Fatalf("read_json gave %d rows: %v", n, err)
	}
	return took
}

// BenchmarkRun runs the built program by size, the connector in process and as a plugin:
// rows a second, the ratio of the two, CPU seconds and peak memory beside a memory limit
// of 1 GB, which must not grow with the rows.
func BenchmarkRun(b *testing.B) {
	program := builtProgram(b)
	for rows := 100_000; rows <= mostRows(); rows *= 10 {
		b.Run(strconv.Itoa(rows), func(b *testing.B) {
			for b.Loop() {
				near, _ := timeProgram(b, program, simProject(b, "none", 1, rows))
				far, usage := timeProgram(b, program, simProject(b, "process", 1, rows))
				b.ReportMetric(float64(rows)/far.wall.Seconds(), "rows/s")
				b.ReportMetric(near.wall.Seconds()/far.wall.Seconds(), "ratio-to-in-process")
				b.ReportMetric(near.cpu.Seconds()/far.cpu.Seconds(), "cpu-ratio-to-in-process")
				b.ReportMetric(far.cpu.Seconds(), "cpu-s")
				b.ReportMetric(float64(usage.Maxrss)/1024, "peak-MiB")
			}
		})
	}
}

// BenchmarkIdle runs 20 streams that have not changed: the fixed cost of a run.
func BenchmarkIdle(b *testing.B) {
	program := builtProgram(b)
	dir := simProject(b, "process", 20, 1000)
	timeProgram(b, program, dir)
	for b.Loop() {
		took, _ := timeProgram(b, program, dir)
		b.ReportMetric(took.wall.Seconds(), "wall-s")
		b.ReportMetric(took.cpu.Seconds(), "cpu-s")
	}
}

func builtProgram(b *testing.B) string {
	program, err := filepath.Abs("../../bin/unsilo")
	if err == nil {
		_, err = os.Stat(program)
	}
	if err != nil {
		b.Skip("bin/unsilo is not built: run make build")
	}
	return program
}

func simProject(b *testing.B, isolation string, streams, rows int) string {
	dir := b.TempDir()
	text := fmt.Sprintf("unsilo {\n  isolation = %q\n}\nwarehouse \"duckdb\" {\n  path         = \"w.duckdb\"\n  memory_limit = \"1GB\"\n}\nsource \"sim\" \"made\" {\n  rows    = %d\n  streams = %d\n}\n", isolation, rows, streams)
	if err := os.WriteFile(filepath.Join(dir, "p.hcl"), []byte(text), 0o644); err != nil {
		b.Fatal(err)
	}
	return dir
}

// timeProgram runs a project; what its plugins used is counted with it.
func timeProgram(b *testing.B, program, dir string) (cost, *syscall.Rusage) {
	cmd := exec.Command(program, "-C", dir, "run", "-o", "json")
	began := time.Now()
	out, err := cmd.CombinedOutput()
	if err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	wall, usage := time.Since(began), cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return cost{wall, used(usage)}, usage
}
