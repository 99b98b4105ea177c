//go:build duckdb_arrow

package duckdb_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/warehouse/duckdb"
)

// batchRows is the number of rows that one commit of the killed process adds.
const batchRows = 500

// writeBatches goes on where the file is: every commit adds batchRows rows with ids of
// their own and sets the position to the number of the batch, and then says so. With
// drift every third commit also changes the table.
func writeBatches(ctx context.Context, path string, drift bool) error {
	w, err := duckdb.Open(ctx, duckdb.Config{Path: path, MemoryLimit: "512MiB", Threads: 2, NoSnapshot: !drift})
	if err != nil {
		return err
	}
	n, err := position(ctx, w)
	if err != nil {
		return err
	}
	fmt.Println("open", n)
	for n++; ; n++ {
		if err := writeBatch(ctx, w, n, drift); err != nil {
			return err
		}
		fmt.Println("committed", n)
	}
}

// position is the number of the last batch; -1 before the first.
func position(ctx context.Context, w *duckdb.Warehouse) (int, error) {
	states, err := w.States(ctx)
	if err != nil || len(states) == 0 {
		return -1, err
	}
	return strconv.Atoi(string(states[0].State))
}

func writeBatch(ctx context.Context, w *duckdb.Warehouse, n int, drift bool) error {
	schema := driftSchema(n, drift)
	rows := driftRows(schema, n*batchRows, (n+1)*batchRows)
	defer rows.Release()
	tx, err := w.Begin(ctx)
	if err != nil {
		return err
	}
	err = tx.Define(ctx, core.Table{Name: people(), Schema: schema, Key: []string{"id"}})
	if err == nil {
		_, err = tx.Write(ctx, core.WriteRequest{Table: people(), Mode: core.WriteMerge, Key: []string{"id"}, Rows: rows})
	}
	if err == nil && drift && n%5 == 4 {
		err = swapPeople(ctx, tx)
	}
	if err == nil {
		err = tx.SetState(ctx, core.StateRow{Source: "s", Stream: "t", State: core.State(strconv.Itoa(n)), At: time.Now()})
	}
	return errors.Join(err, tx.End(ctx, err == nil))
}

// driftRows makes rows with the ids from..to-1.
func driftRows(schema *arrow.Schema, from, to int) array.RecordReader {
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for i := from; i < to; i++ {
		for c := range schema.NumFields() {
			switch b := b.Field(c).(type) {
			case *array.Int32Builder:
				b.Append(int32(i))
			case *array.Int64Builder:
				b.Append(int64(i))
			case *array.StringBuilder:
				b.Append("text " + strconv.Itoa(i))
			}
		}
	}
	rows, err := array.NewRecordReader(schema, []arrow.RecordBatch{b.NewRecordBatch()})
	if err != nil {
		panic(err) // the batch has the schema it was built with
	}
	return rows
}

// driftSchema adds a column every third batch and widens one at the tenth.
func driftSchema(n int, drift bool) *arrow.Schema {
	fields := []arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64}, {Name: "number", Type: arrow.PrimitiveTypes.Int32}, {Name: "text", Type: arrow.BinaryTypes.String}}
	if drift {
		if n >= 10 {
			fields[1].Type = arrow.PrimitiveTypes.Int64
		}
		for i := range min(n/3, 40) {
			fields = append(fields, arrow.Field{Name: fmt.Sprintf("added %d", i), Type: arrow.BinaryTypes.String})
		}
	}
	return arrow.NewSchema(fields, nil)
}

// swapPeople renames the table away and back, as a full refresh does.
func swapPeople(ctx context.Context, tx core.Tx) error {
	aside := core.TableName{Schema: people().Schema, Name: "people__old"}
	return errors.Join(tx.Swap(ctx, people(), aside), tx.Swap(ctx, aside, people()))
}

// TestKill kills a writing process at random times. What it acknowledged is there, rows
// and position agree, and the file opens without help.
func TestKill(t *testing.T) {
	for _, drift := range []string{"plain", "drift"} {
		t.Run(drift, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "w.duckdb")
			random := rand.New(rand.NewPCG(7, 7))
			logs := 0
			for kill := range repeats(t, "UNSILO_KILLS", 15) {
				acked := killed(t, path, drift, time.Duration(random.IntN(250))*time.Millisecond)
				if _, err := os.Stat(path + ".wal"); err == nil {
					logs++
				}
				checkBatches(t, path, acked)
				if t.Failed() {
					t.Fatalf("after kill %d", kill+1)
				}
			}
			t.Logf("a log was left behind %d times", logs)
		})
	}
}

// killed runs the writer until some time after it has opened the file and gives the last
// batch it acknowledged.
func killed(t *testing.T, path, drift string, after time.Duration) (acked int) {
	t.Helper()
	cmd := exec.Command(os.Args[0], path, drift)
	cmd.Env = append(os.Environ(), asProcess+"=batches")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	acked = -1
	var timer *time.Timer
	for lines := bufio.NewScanner(out); lines.Scan(); {
		text := lines.Text()
		if strings.HasPrefix(text, "open ") {
			timer = time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
		}
		if _, err := fmt.Sscanf(text, "committed %d", &acked); err != nil && !strings.HasPrefix(text, "open ") {
			t.Errorf("the writer says %q", text)
		}
	}
	_ = cmd.Wait()
	if timer == nil {
		t.Fatal("the writer did not open the file")
	}
	timer.Stop()
	return acked
}

func checkBatches(t *testing.T, path string, acked int) {
	t.Helper()
	w, err := duckdb.Open(t.Context(), duckdb.Config{Path: path, MemoryLimit: "512MiB", NoSnapshot: true})
	if err != nil {
		t.Fatalf("open after a kill: %v", err)
	}
	defer w.Close()
	n, err := position(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	if n < acked {
		t.Errorf("batch %d was acknowledged and the position is %d", acked, n)
	}
	if n < 0 {
		return
	}
	r, err := w.Info().SQL.Query(t.Context(), "SELECT count(*), count(DISTINCT id), max(id), count(text), sum(number)::BIGINT - sum(id)::BIGINT FROM raw_crm.people")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	if !r.Next() {
		t.Fatal(r.Err())
	}
	rows := int64(n+1) * batchRows
	for i, want := range []int64{rows, rows, rows - 1, rows, 0} {
		if got := r.RecordBatch().Column(i).(*array.Int64).Value(0); got != want {
			t.Errorf("position %d: column %d of the check is %d, want %d", n, i, got, want)
		}
	}
	if _, err := w.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}
