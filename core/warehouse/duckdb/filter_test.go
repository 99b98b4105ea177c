//go:build duckdb_arrow

package duckdb

import (
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
)

func TestKeyFilter(t *testing.T) {
	var budget atomic.Int64
	budget.Store(16 << 20)
	f := &keyFilter{budget: &budget}
	random := rand.New(rand.NewPCG(3, 4))
	hashes := make([]uint64, 1_000_000)
	for i := range hashes {
		hashes[i] = random.Uint64()
	}
	if known, ok := f.add(hashes); known || !ok {
		t.Errorf("a million different hashes: known %v, ok %v", known, ok)
	}
	for i := 0; i < len(hashes); i += 997 {
		if known, ok := f.add(hashes[i : i+1]); !known || !ok {
			t.Fatalf("hash %d is not known again", i)
		}
	}
	many := make([]uint64, 5_000_000)
	for i := range many {
		many[i] = random.Uint64()
	}
	if _, ok := f.add(many); ok {
		t.Error("the filter takes more than its budget")
	}
	f.end()
	if got := budget.Load(); got != 16<<20 {
		t.Errorf("after its end the budget is %d", got)
	}
	if _, ok := f.add(hashes[:1]); ok {
		t.Error("an ended filter takes keys")
	}
}

func numbers(t *testing.T, from, to int) array.RecordReader {
	t.Helper()
	b := array.NewRecordBuilder(memory.DefaultAllocator, numbersSchema())
	defer b.Release()
	for i := from; i < to; i++ {
		b.Field(0).(*array.Int64Builder).Append(int64(i))
	}
	r, err := array.NewRecordReader(numbersSchema(), []arrow.RecordBatch{b.NewRecordBatch()})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func numbersSchema() *arrow.Schema {
	return arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, nil)
}

// A numberTable is a table of ids and the transactions that write it.
type numberTable struct {
	*testing.T
	w    *Warehouse
	name core.TableName
}

func newNumberTable(t *testing.T) *numberTable {
	t.Helper()
	w, err := Open(t.Context(), Config{MemoryLimit: "512MiB", Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	n := &numberTable{t, w, core.TableName{Schema: "raw", Name: "numbers"}}
	tx := n.begin()
	if err := tx.Define(t.Context(), core.Table{Name: n.name, Schema: numbersSchema(), Key: []string{"id"}}); err != nil {
		t.Fatal(err)
	}
	n.end(tx, true)
	return n
}

func (n *numberTable) begin() core.Tx {
	n.Helper()
	tx, err := n.w.Begin(n.Context())
	if err != nil {
		n.Fatal(err)
	}
	return tx
}

func (n *numberTable) end(tx core.Tx, commit bool) {
	n.Helper()
	if err := tx.End(n.Context(), commit); err != nil {
		n.Fatal(err)
	}
}

func (n *numberTable) write(tx core.Tx, mode core.WriteMode, from, to int) core.Counts {
	n.Helper()
	rows := numbers(n.T, from, to)
	defer rows.Release()
	counts, err := tx.Write(n.Context(), core.WriteRequest{Table: n.name, Mode: mode, Key: []string{"id"}, Rows: rows})
	if err != nil {
		n.Fatal(err)
	}
	return counts
}

// expect merges ids in a transaction of its own and compares the counts.
func (n *numberTable) expect(from, to int, want core.Counts) {
	n.Helper()
	tx := n.begin()
	if got := n.write(tx, core.WriteMerge, from, to); got != want {
		n.Errorf("merging %d..%d counts %+v, want %+v", from, to-1, got, want)
	}
	n.end(tx, true)
}

func (n *numberTable) hasFilter(want bool) {
	n.Helper()
	n.w.mu.Lock()
	defer n.w.mu.Unlock()
	if got := n.w.filters[n.name] != nil; got != want {
		n.Errorf("the table has a filter: %v, want %v", got, want)
	}
}

func TestFilterFollowsTable(t *testing.T) {
	n := newNumberTable(t)
	n.expect(0, 10, core.Counts{New: 10})
	n.hasFilter(true)
	n.expect(5, 15, core.Counts{New: 5, Unchanged: 5})
	tx := n.begin()
	n.write(tx, core.WriteMerge, 100, 110)
	n.end(tx, false)
	n.hasFilter(true)
	n.expect(100, 110, core.Counts{New: 10})
	tx = n.begin()
	n.write(tx, core.WriteDelete, 0, 3)
	n.end(tx, true)
	n.expect(0, 5, core.Counts{New: 3, Unchanged: 2})
	tx = n.begin()
	n.write(tx, core.WriteAppend, 200, 210)
	n.hasFilter(false)
	n.end(tx, true)
	n.expect(195, 215, core.Counts{New: 10, Unchanged: 10})
}

func TestFilterRolledBack(t *testing.T) {
	n := newNumberTable(t)
	tx := n.begin()
	n.write(tx, core.WriteMerge, 0, 10)
	n.hasFilter(true)
	n.end(tx, false)
	n.hasFilter(false)
	n.expect(0, 10, core.Counts{New: 10})
}

// A transaction that does not see what another one has committed begins no filter.
func TestFilterBesideOthers(t *testing.T) {
	n := newNumberTable(t)
	old := n.begin()
	if err := old.SetState(t.Context(), core.StateRow{Source: "s", Stream: "t"}); err != nil {
		t.Fatal(err)
	}
	n.expect(0, 10, core.Counts{New: 10})
	if got := n.write(old, core.WriteAppend, 20, 30); got != (core.Counts{New: 10}) {
		t.Errorf("the older transaction counts %+v", got)
	}
	n.hasFilter(false)
	n.end(old, true)
	n.expect(0, 40, core.Counts{New: 20, Unchanged: 20})
}

// A filter of a transaction that is not committed is of no use to others.
func TestFilterBeforeCommit(t *testing.T) {
	n := newNumberTable(t)
	first, second := n.begin(), n.begin()
	n.write(first, core.WriteMerge, 0, 10)
	n.hasFilter(true)
	n.write(second, core.WriteAppend, 10, 20)
	n.hasFilter(false)
	n.end(first, true)
	n.end(second, true)
	n.expect(0, 25, core.Counts{New: 5, Unchanged: 20})
}

func TestFilterSwapped(t *testing.T) {
	n := newNumberTable(t)
	n.expect(0, 10, core.Counts{New: 10})
	tx := n.begin()
	fresh := core.TableName{Schema: "raw", Name: "fresh"}
	if err := tx.Define(t.Context(), core.Table{Name: fresh, Schema: numbersSchema(), Key: []string{"id"}}); err != nil {
		t.Fatal(err)
	}
	if err := tx.Swap(t.Context(), fresh, n.name); err != nil {
		t.Fatal(err)
	}
	if got := n.write(tx, core.WriteMerge, 0, 5); got != (core.Counts{New: 5}) {
		t.Errorf("into the new table: %+v", got)
	}
	n.end(tx, true)
	n.expect(0, 10, core.Counts{New: 5, Unchanged: 5})
}

func TestGroupMemory(t *testing.T) {
	dir := t.TempDir()
	files := map[string]string{
		"self2":                               "0::/a/b\n",
		"self1":                               "5:cpu:/x\n4:memory:/a\n",
		"selfnone":                            "nothing\n",
		"root/a/memory.max":                   "1000000\n",
		"root/a/b/memory.max":                 "max\n",
		"root/memory/a/memory.limit_in_bytes": "2000000",
		"root/memory/memory.limit_in_bytes":   "9223372036854771712",
	}
	writeFiles(t, dir, files)
	for self, want := range map[string]int64{"self2": 1_000_000, "self1": 2_000_000, "selfnone": 0, "absent": 0} {
		if got := groupMemory(dir+"/"+self, dir+"/root"); got != want {
			t.Errorf("%s: %d, want %d", self, got, want)
		}
	}
	if defaultMemory() < leastMemory || machineMemory() == 0 || freeBytes(dir+"/not/there") == 0 {
		t.Errorf("memory %d of %d, disk %d", defaultMemory(), machineMemory(), freeBytes(dir+"/not/there"))
	}
}

// A request of several chunks leaves all its keys in the filter.
func TestFilterOfManyChunks(t *testing.T) {
	n := newNumberTable(t)
	n.w.chunkRows = 3
	n.expect(0, 1, core.Counts{New: 1})
	batched := n.begin()
	var batches []arrow.RecordBatch
	for i := range 10 {
		r := numbers(t, i, i+1)
		r.Next()
		batches = append(batches, r.RecordBatch())
	}
	rows, err := array.NewRecordReader(numbersSchema(), batches)
	if err != nil {
		t.Fatal(err)
	}
	counts, err := batched.Write(t.Context(), core.WriteRequest{Table: n.name, Mode: core.WriteMerge, Key: []string{"id"}, Rows: rows})
	if err != nil || counts != (core.Counts{New: 9, Unchanged: 1}) {
		t.Errorf("ten rows in chunks of three count %+v, %v", counts, err)
	}
	n.end(batched, true)
	n.hasFilter(true)
	for i := range 10 {
		n.expect(i, i+1, core.Counts{Unchanged: 1})
	}
}

func TestParseMemory(t *testing.T) {
	for text, want := range map[string]int64{"2GB": 2e9, "512MiB": 512 << 20, "1.5 GiB": 3 << 29, "1TB": 1e12, "100 KB": 1e5, "25%": 1 << 30, "many": 0, "7": 0, "9 apples": 0} {
		if got := parseMemory(text, 4<<30); got != want {
			t.Errorf("%s is %d bytes, want %d", text, got, want)
		}
	}
	if rest := (Config{MemoryLimit: "100%"}).Rest(); allowedMemory() > 0 && rest != leastRest {
		t.Errorf("beside a warehouse that may use everything %d bytes are left, want %d", rest, leastRest)
	}
}
