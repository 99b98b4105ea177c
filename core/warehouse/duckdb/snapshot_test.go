//go:build duckdb_arrow

package duckdb_test

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"go.uber.org/goleak"

	_ "github.com/duckdb/duckdb-go/v2" // the driver "duckdb", to be another program

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/warehouse/duckdb"
)

// asProcess names the environment variable that turns the test binary into another
// process: its value is what to do.
const asProcess = "UNSILO_TEST_PROCESS"

func TestMain(m *testing.M) {
	if what := os.Getenv(asProcess); what != "" {
		if err := process(context.Background(), what, os.Args[1:]); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	// 100 runs of the oracles are for those who ask for them with the flag.
	if err := flag.Set("rapid.checks", "25"); err != nil {
		panic(err)
	}
	code := m.Run()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Println(err)
		code = 1
	}
	os.Exit(code)
}

// process is what the other processes of these tests do.
func process(ctx context.Context, what string, args []string) error {
	switch what {
	case "count": // path
		return countRows(ctx, args[0])
	case "write": // path
		w, err := duckdb.Open(ctx, duckdb.Config{Path: args[0], LockWait: -1, MemoryLimit: "512MiB"})
		if err != nil {
			return err
		}
		return w.Close()
	case "foreign": // path; as the duckdb program would
		db, err := sql.Open("duckdb", args[0])
		if err != nil {
			return err
		}
		return errors.Join(db.PingContext(ctx), db.Close())
	case "newer": // path
		db, err := sql.Open("duckdb", args[0])
		if err != nil {
			return err
		}
		_, err = db.ExecContext(ctx, "UPDATE unsilo.storage_version SET version = 99; CHECKPOINT")
		return errors.Join(err, db.Close())
	case "scan": // path
		return scan(ctx, args[0])
	case "full": // path
		return fillDisk(ctx, args[0])
	case "checkpoint": // path
		return failCheckpoint(ctx, args[0])
	case "batches": // path, schema changes
		return writeBatches(ctx, args[0], args[1] == "drift")
	}
	return fmt.Errorf("unknown process %q", what)
}

func countRows(ctx context.Context, path string) error {
	w, err := duckdb.OpenForReading(ctx, duckdb.Config{Path: path, MemoryLimit: "512MiB"})
	if err != nil {
		return err
	}
	defer w.Close()
	r, err := w.Info().SQL.Query(ctx, "SELECT count(*) FROM raw_crm.people")
	if err != nil {
		return err
	}
	defer r.Release()
	if !r.Next() {
		return r.Err()
	}
	fmt.Printf("%s from %s", r.RecordBatch().Column(0).ValueStr(0), filepath.Base(w.Info().Location))
	return nil
}

// other runs another process and gives what it prints.
func other(t *testing.T, what string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProcess+"="+what)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func people() core.TableName { return core.TableName{Schema: "raw_crm", Name: "people"} }

func peopleSchema() *arrow.Schema {
	return arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "name", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)
}

// peopleRows makes rows with the ids from..to-1.
func peopleRows(t testing.TB, from, to int) array.RecordReader {
	t.Helper()
	b := array.NewRecordBuilder(memory.DefaultAllocator, peopleSchema())
	defer b.Release()
	for i := from; i < to; i++ {
		b.Field(0).(*array.Int64Builder).Append(int64(i))
		b.Field(1).(*array.StringBuilder).Append(fmt.Sprintf("person %d", i))
	}
	r, err := array.NewRecordReader(peopleSchema(), []arrow.RecordBatch{b.NewRecordBatch()})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// put defines people and merges the ids from..to-1.
func put(t testing.TB, w *duckdb.Warehouse, from, to int) {
	t.Helper()
	if err := putIn(t, w, people(), from, to); err != nil {
		t.Fatal(err)
	}
}

func putIn(t testing.TB, w *duckdb.Warehouse, table core.TableName, from, to int) error {
	t.Helper()
	tx, err := w.Begin(t.Context())
	if err != nil {
		return err
	}
	rows := peopleRows(t, from, to)
	defer rows.Release()
	err = tx.Define(t.Context(), core.Table{Name: table, Schema: peopleSchema(), Key: []string{"id"}})
	if err == nil {
		_, err = tx.Write(t.Context(), core.WriteRequest{Table: table, Mode: core.WriteMerge, Key: []string{"id"}, Rows: rows})
	}
	return errors.Join(err, tx.End(t.Context(), err == nil))
}

func TestSnapshotForOtherProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.duckdb")
	w := open(t, duckdb.Config{Path: path, MemoryLimit: "512MiB"})
	put(t, w, 0, 1000)
	count := func(want string) {
		t.Helper()
		if got, err := other(t, "count", path); got != want || err != nil {
			t.Errorf("another process counts %q, %v; want %q", got, err, want)
		}
	}
	publish := func() {
		t.Helper()
		if err := w.PublishSnapshot(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	publish()
	count("1000 from w.duckdb.snapshot")
	put(t, w, 1000, 400_000)
	publish()
	count("400000 from w.duckdb.snapshot")
	tx, err := w.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rows := peopleRows(t, 0, 500_000)
	defer rows.Release()
	if _, err := tx.Write(t.Context(), core.WriteRequest{Table: people(), Mode: core.WriteAppend, Rows: rows}); err != nil {
		t.Fatal(err)
	}
	put(t, w, 400_000, 400_001)
	publish()
	count("400001 from w.duckdb.snapshot")
	if err := tx.End(t.Context(), false); err != nil {
		t.Fatal(err)
	}

	if out, err := other(t, "write", path); err == nil || !strings.Contains(out, "open elsewhere") {
		t.Errorf("another process could open the file for writing: %q, %v", out, err)
	}
	if out, err := other(t, "foreign", path); err == nil || !strings.Contains(out, "lock") {
		t.Errorf("another program could open the file: %q, %v", out, err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	count("400001 from w.duckdb")
	for _, name := range []string{path, duckdb.SnapshotPath(path)} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, %v; want 0600", name, info.Mode(), err)
		}
	}
}

func TestSnapshotWhileRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.duckdb")
	w := open(t, duckdb.Config{Path: path, MemoryLimit: "512MiB"})
	put(t, w, 0, 200_000)
	if err := w.PublishSnapshot(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := reading(t, path)
	for i := 1; i <= 3; i++ {
		put(t, w, 200_000*i, 200_000*(i+1))
		if err := w.PublishSnapshot(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := rowsOf(t, before); got != 200_000 {
			t.Errorf("a reader that was there before sees %d rows, want 200000", got)
		}
		if got := rowsOf(t, reading(t, path)); got != int64(200_000*(i+1)) {
			t.Errorf("a new reader sees %d rows, want %d", got, 200_000*(i+1))
		}
	}
}

func reading(t *testing.T, path string) *duckdb.Warehouse {
	t.Helper()
	w, err := duckdb.OpenForReading(t.Context(), duckdb.Config{Path: path, MemoryLimit: "512MiB"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

func rowsOf(t *testing.T, w *duckdb.Warehouse) int64 {
	t.Helper()
	reports, err := w.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range reports {
		if r.Name == people() {
			return r.Rows
		}
	}
	return -1
}

func TestSnapshotInterrupted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.duckdb")
	w := open(t, duckdb.Config{Path: path, MemoryLimit: "512MiB"})
	put(t, w, 0, 300_000)
	if err := w.PublishSnapshot(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	// As a crash in the middle of publishing leaves it: no first pages, some old blocks.
	f, err := os.OpenFile(duckdb.SnapshotPath(path), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(make([]byte, 400_000), 0); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	w = open(t, duckdb.Config{Path: path, MemoryLimit: "512MiB"})
	if got := rowsOf(t, reading(t, path)); got != 300_000 {
		t.Errorf("after opening again the snapshot has %d rows, want 300000", got)
	}
	_ = w
}

func TestNoSnapshotYet(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.duckdb")
	w := open(t, duckdb.Config{Path: path, MemoryLimit: "512MiB", NoSnapshot: true})
	put(t, w, 0, 10)
	_, err := duckdb.OpenForReading(t.Context(), duckdb.Config{Path: path})
	if core.KindOf(err) != core.KindUnavailable || !strings.Contains(err.Error(), "no snapshot yet") {
		t.Errorf("got %v, want that there is no snapshot yet", err)
	}
	if _, err := os.Stat(duckdb.SnapshotPath(path)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a snapshot was made: %v", err)
	}
}
