package truth_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/unsilo/unsilo/connectors/sim"
	"github.com/unsilo/unsilo/connectors/sim/population"
	"github.com/unsilo/unsilo/connectors/sim/truth"
)

// readTruth gives the rows of a truth file as texts.
func readTruth(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := file.OpenParquetFile(name, false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}()
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	r, err := pqarrow.NewFileReader(f, pqarrow.ArrowReadProperties{}, mem)
	if err != nil {
		t.Fatal(err)
	}
	table, err := r.ReadTable(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer table.Release()
	rows := make([][]string, table.NumRows())
	for c := range int(table.NumCols()) {
		n := 0
		for _, chunk := range table.Column(c).Data().Chunks() {
			for i := range chunk.Len() {
				if c == 0 {
					rows[n] = make([]string, table.NumCols())
				}
				if chunk.IsValid(i) {
					rows[n][c] = chunk.(*array.String).Value(i)
				}
				n++
			}
		}
	}
	return rows
}

// Every record of every stream about people or companies has its truth, and no other.
func TestTruthCoversEveryRecord(t *testing.T) {
	c := sim.New(sim.Options{Customers: 600, Seed: 3})
	dir := t.TempDir()
	if err := c.WriteTruth(dir); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	packs := map[string]int{}
	for _, row := range readTruth(t, filepath.Join(dir, "truth.parquet")) {
		known[row[0]+"."+row[1]+" "+row[2]] = true
		if row[3] == "" && row[5] == "" && row[0] != "web" {
			t.Errorf("nobody is behind %v", row)
		}
		for _, pack := range strings.Split(row[6], ",") {
			packs[pack]++
		}
	}
	total := 0
	for _, name := range sim.Streams() {
		table, err := c.Expected(name.Source, name.Stream)
		if err != nil {
			t.Fatal(err)
		}
		key := map[string]int{"web.access": 7, "calls.cdr": 16, "calls.queue_log": 1}[name.Source+"."+name.Stream]
		if name.Source == "ads" || name.Stream == "owners" {
			continue
		}
		records := map[string]bool{}
		for _, row := range table.Rows {
			records[fmt.Sprint(row[key])] = true
		}
		for _, key := range table.Archived {
			records[key] = true
		}
		total += len(records)
		for record := range records {
			if !known[name.Source+"."+name.Stream+" "+record] {
				t.Fatalf("%v: record %s has no truth", name, record)
			}
		}
	}
	if total != len(known) {
		t.Errorf("%d records, %d with truth", total, len(known))
	}
	for _, pack := range population.PackNames() {
		if packs[pack] == 0 {
			t.Errorf("no record is in the pack %s", pack)
		}
	}
}

func TestEffectsFile(t *testing.T) {
	c := sim.New(sim.Options{Customers: 500, Seed: 3})
	dir := t.TempDir()
	if err := c.WriteTruth(dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "truth_effects.json"))
	if err != nil {
		t.Fatal(err)
	}
	var e truth.Effects
	if err := json.Unmarshal(text, &e); err != nil {
		t.Fatal(err)
	}
	if e.Trap != c.Effects().Trap || len(e.Outage.SilentNumbers) != e.Outage.Silent {
		t.Errorf("the file says %+v", e)
	}
}
