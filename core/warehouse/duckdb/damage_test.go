//go:build duckdb_arrow

package duckdb_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/warehouse/duckdb"
)

// scan opens a file, reads all of it and prints a line that tells what it holds, or
// "refused" and the error.
func scan(ctx context.Context, path string) error {
	w, err := duckdb.Open(ctx, duckdb.Config{Path: path, MemoryLimit: "512MiB", Threads: 1, NoSnapshot: true})
	if err != nil {
		return refusal(err)
	}
	defer w.Close()
	reports, err := w.Verify(ctx)
	if err != nil {
		return refusal(err)
	}
	states, err := w.States(ctx)
	if err != nil {
		return refusal(err)
	}
	fmt.Println("holds", summary(reports, states))
	return nil
}

func refusal(err error) error {
	var e *core.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("an error without a kind: %w", err)
	}
	fmt.Printf("refused %s: %v: %s\n", e.Kind, err, e.Try)
	return nil
}

func summary(reports []duckdb.TableReport, states []core.StateRow) string {
	var out []string
	for _, r := range reports {
		if r.Name.Schema != core.SchemaSystem {
			out = append(out, fmt.Sprintf("%s:%d:%s", r.Name, r.Rows, r.Checksum))
		}
	}
	for _, s := range states {
		out = append(out, string(s.State))
	}
	return strings.Join(out, " ")
}

// commitBatch adds rows and moves the position on.
func commitBatch(t testing.TB, w *duckdb.Warehouse, n int) {
	t.Helper()
	tx, err := w.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rows := peopleRows(t, n*100, (n+1)*100)
	defer rows.Release()
	err = tx.Define(t.Context(), core.Table{Name: people(), Schema: peopleSchema(), Key: []string{"id"}})
	if err == nil {
		_, err = tx.Write(t.Context(), core.WriteRequest{Table: people(), Mode: core.WriteMerge, Key: []string{"id"}, Rows: rows})
	}
	if err == nil {
		err = tx.SetState(t.Context(), core.StateRow{Source: "crm", Stream: "people", State: core.State(strconv.Itoa(n))})
	}
	if err := errors.Join(err, tx.End(t.Context(), err == nil)); err != nil {
		t.Fatal(err)
	}
}

// damagedWarehouse makes a file with a log that is not empty, in a folder of its own, and
// says what it may hold: the states after each of its commits.
func damagedWarehouse(t *testing.T) (path string, valid map[string]bool) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "w.duckdb")
	w := open(t, duckdb.Config{Path: path, MemoryLimit: "512MiB", NoSnapshot: true})
	valid = map[string]bool{}
	for n := range 12 {
		commitBatch(t, w, n)
		reports, err := w.Verify(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		states, err := w.States(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		valid[summary(reports, states)] = true
	}
	copied := filepath.Join(t.TempDir(), "w.duckdb")
	for _, end := range []string{"", ".wal"} {
		copyFile(t, path+end, copied+end)
	}
	return copied, valid
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

func repeats(t *testing.T, variable string, normal int) int {
	t.Helper()
	if n, err := strconv.Atoi(os.Getenv(variable)); err == nil {
		return n
	}
	if testing.Short() {
		return 3
	}
	return normal
}

// TestDamage cuts and flips bytes of the log and of the file. Opening and reading all of
// it must end in a state that was committed or in a refusal that names the way out; never
// in other rows, and never in a crash.
func TestDamage(t *testing.T) {
	path, valid := damagedWarehouse(t)
	random := rand.New(rand.NewPCG(1, 2))
	ways := map[string]func(string, int64) error{
		"log cut":      func(p string, at int64) error { return os.Truncate(p+".wal", at) },
		"log flipped":  func(p string, at int64) error { return flip(p+".wal", at, byte(1<<random.IntN(8))) },
		"file flipped": func(p string, at int64) error { return flip(p, at, byte(1<<random.IntN(8))) },
		"file cut":     func(p string, at int64) error { return os.Truncate(p, at) },
	}
	seen := map[string]int{}
	for range repeats(t, "UNSILO_DAMAGES", 8) {
		for what, way := range ways {
			dir := t.TempDir()
			copied := filepath.Join(dir, "w.duckdb")
			for _, end := range []string{"", ".wal"} {
				copyFile(t, path+end, copied+end)
			}
			size := sizeOf(t, copied)
			if strings.HasPrefix(what, "log") {
				size = sizeOf(t, copied+".wal")
			}
			at := random.Int64N(size)
			if err := way(copied, at); err != nil {
				t.Fatal(err)
			}
			out, err := other(t, "scan", copied)
			held, opened := strings.CutPrefix(strings.TrimSpace(out), "holds ")
			switch {
			case err != nil:
				t.Errorf("%s at %d: %v: %s", what, at, err, out)
			case opened && !valid[held] && held != "":
				t.Errorf("%s at %d: a wrong answer: %s", what, at, held)
			case !opened && !strings.Contains(out, "unsilo db repair"):
				t.Errorf("%s at %d: the refusal does not name the repair: %s", what, at, out)
			}
			seen[what+" "+strings.Fields(out + " -")[0]]++
		}
	}
	t.Log(seen)
}

func sizeOf(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func flip(path string, at int64, bit byte) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	var b [1]byte
	if _, err := f.ReadAt(b[:], at); err != nil {
		return err
	}
	b[0] ^= bit
	_, err = f.WriteAt(b[:], at)
	return err
}

func TestRepairLog(t *testing.T) {
	path, _ := damagedWarehouse(t)
	if err := flip(path+".wal", sizeOf(t, path+".wal")/2, 1); err != nil {
		t.Fatal(err)
	}
	var e *core.Error
	if _, err := duckdb.Open(t.Context(), duckdb.Config{Path: path}); !errors.As(err, &e) || !strings.Contains(e.Try, "unsilo db repair") {
		t.Fatalf("opening gives %v, want a refusal that names the repair", err)
	}
	report, err := duckdb.Repair(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(report.WALQuarantined, path+".wal.corrupt-") || sizeOf(t, report.WALQuarantined) == 0 {
		t.Errorf("the log was put aside as %q", report.WALQuarantined)
	}
	w := open(t, duckdb.Config{Path: path, MemoryLimit: "512MiB"})
	states, err := w.States(t.Context())
	if err != nil || len(states) > 1 {
		t.Fatal(states, err)
	}
	again, err := duckdb.Repair(t.Context(), path)
	if !errors.Is(err, duckdb.ErrLocked) {
		t.Errorf("repairing an open warehouse gives %v, %v; want ErrLocked", again, err)
	}
	// The position went back with the rows: the next run goes on from there.
	last := -1
	if len(states) == 1 {
		last, _ = strconv.Atoi(string(states[0].State))
	}
	if got := max(rowsOf(t, w), 0); got != int64(last+1)*100 {
		t.Errorf("%d rows, and the position is %d", got, last)
	}
	commitBatch(t, w, last+1)
}

func TestRepairHealthy(t *testing.T) {
	path, valid := damagedWarehouse(t)
	report, err := duckdb.Repair(t.Context(), path)
	if err != nil || report.WALQuarantined != "" {
		t.Fatalf("Repair gives %+v, %v", report, err)
	}
	out, err := other(t, "scan", path)
	if held := strings.TrimPrefix(strings.TrimSpace(out), "holds "); err != nil || !valid[held] || !strings.HasSuffix(held, " 11") {
		t.Errorf("after repairing a healthy file it holds %q, %v", out, err)
	}
}

func TestRepairFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.duckdb")
	w := open(t, duckdb.Config{Path: path, MemoryLimit: "512MiB", NoSnapshot: true})
	for n := range 3 {
		commitBatch(t, w, n)
	}
	if err := w.Backup(t.Context(), path+".backup"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 12288+100); err != nil {
		t.Fatal(err)
	}
	_, err := duckdb.Repair(t.Context(), path)
	var e *core.Error
	if !errors.As(err, &e) || !strings.Contains(e.Try, "backup") {
		t.Errorf("repairing a damaged file gives %v; want to be told of the backup", err)
	}
	restored := open(t, duckdb.Config{Path: path + ".backup", MemoryLimit: "512MiB", NoSnapshot: true})
	if got := rowsOf(t, restored); got != 300 {
		t.Errorf("the backup has %d rows, want 300", got)
	}
}

func TestBackupWhileWriting(t *testing.T) {
	dir := t.TempDir()
	w := open(t, duckdb.Config{Path: filepath.Join(dir, "w.duckdb"), MemoryLimit: "512MiB", NoSnapshot: true})
	for n := range 3 {
		commitBatch(t, w, n)
	}
	tx, err := w.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rows := peopleRows(t, 1000, 200_000)
	defer rows.Release()
	if _, err := tx.Write(t.Context(), core.WriteRequest{Table: people(), Mode: core.WriteAppend, Rows: rows}); err != nil {
		t.Fatal(err)
	}
	dest := filepath.Join(dir, "copy.duckdb")
	for range 2 { // the second replaces the first
		if err := w.Backup(t.Context(), dest); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.End(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	copied := open(t, duckdb.Config{Path: dest, MemoryLimit: "512MiB", NoSnapshot: true})
	if got := rowsOf(t, copied); got != 300 {
		t.Errorf("the backup has %d rows, want the 300 that were committed", got)
	}
	if err := w.Backup(t.Context(), filepath.Join(dir, "no", "such", "folder")); core.KindOf(err) != core.KindUnavailable {
		t.Errorf("a backup into a folder that is not there gives %v", err)
	}
}

func TestNewerStorage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.duckdb")
	w := open(t, duckdb.Config{Path: path, NoSnapshot: true})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if out, err := other(t, "newer", path); err != nil {
		t.Fatal(out, err)
	}
	for _, readOnly := range []bool{false, true} {
		_, err := duckdb.Open(t.Context(), duckdb.Config{Path: path, ReadOnly: readOnly})
		if core.KindOf(err) != core.KindConfig || !strings.Contains(err.Error(), "newer unsilo") {
			t.Errorf("opening a newer file gives %v", err)
		}
	}
}
