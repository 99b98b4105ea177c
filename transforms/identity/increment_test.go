package identity_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/unsilo/unsilo/core"
	warehouse "github.com/unsilo/unsilo/core/warehouse/memory"
	"github.com/unsilo/unsilo/transforms/identity/gen"
)

func people(n int, seed uint64) [][]string {
	g := gen.New(gen.Options{Seed: seed, Records: n, MedianDuplicates: 3})
	var rows [][]string
	for r, ok := g.Next(); ok; r, ok = g.Next() {
		rows = append(rows, r.Values)
	}
	rand.New(rand.NewPCG(seed, 1)).Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	return rows
}

func landPeople(t testing.TB, wh core.Warehouse, rows [][]string) {
	fill(t, wh, core.RawTable("set", "records"), []string{"id"}, plain(gen.Columns()...), rows)
}

// edgeSet reads the edges of the model as text, sorted.
func edgeSet(t testing.TB, wh core.Warehouse) []string {
	return says(t, wh, "person_edge", "a", "b", "pattern", "bits", "outcome")
}

func TestLawIncrementsEqualOneBatch(t *testing.T) {
	const body = "from = source.set.records"
	all := people(4000, 11)
	base := all[:3400]
	final := slices.Clone(all[40:]) // forty records are deleted
	for i := 0; i < 60; i++ {       // and some change
		row := slices.Clone(final[i*7])
		row[2], row[5] = "", "elsewhere"
		final[i*7] = row
	}
	steps, batch := warehouse.New(), warehouse.New()
	for _, wh := range []core.Warehouse{steps, batch} {
		landPeople(t, wh, base)
		build(t, wh, person(t, body), "base")
	}
	for i, end := range []int{3390, 3550, 3700, len(final)} {
		landPeople(t, steps, final[:end])
		build(t, steps, person(t, body), fmt.Sprint("step", i))
	}
	dropTable(t, batch, "person_record") // without it everything is compared again
	landPeople(t, batch, final)
	build(t, batch, person(t, body), "batch")
	if a, b := edgeSet(t, steps), edgeSet(t, batch); !slices.Equal(a, b) {
		t.Errorf("increments gave %d edges, one batch %d, and they differ", len(a), len(b))
	}
	if a, b := groups(mapped(t, steps, "person")), groups(mapped(t, batch, "person")); a != b {
		t.Error("increments and one batch gave different clusters")
	}
	samePublished(t, steps, batch)
	for i := range 4 {
		if kept, ok := metricOf(t, steps, fmt.Sprint("step", i), "edges.kept"); !ok || kept == 0 {
			t.Errorf("step %d reused no stored edge", i)
		}
		if touched, ok := metricOf(t, steps, fmt.Sprint("step", i), "records.touched"); !ok || touched == 0 || touched > 2000 {
			t.Errorf("step %d was not confined to what changed: %v records", i, touched)
		}
	}
}

// says reads the columns of an own table as text, one line for each row, sorted.
func says(t testing.TB, wh core.Warehouse, table string, columns ...string) []string {
	rows, err := wh.Scan(context.Background(), core.ScanRequest{Table: core.TableName{Schema: "identity", Name: table}, Columns: columns})
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Release()
	var out []string
	for rows.Next() {
		b := rows.RecordBatch()
		for i := range int(b.NumRows()) {
			line := ""
			for _, name := range columns {
				line += b.Column(b.Schema().FieldIndices(name)[0]).ValueStr(i) + "|"
			}
			out = append(out, line)
		}
	}
	slices.Sort(out)
	return out
}

// samePublished compares all that does not depend on the ids, which have a history.
func samePublished(t *testing.T, steps, batch core.Warehouse) {
	t.Helper()
	for table, columns := range map[string][]string{
		"person_golden":  append([]string{"records"}, gen.Columns()[1:]...),
		"person_lineage": {"attribute", "rule", "source", "stream", "record_key"},
		"person_record":  {"record", "source", "stream", "record_key", "row_hash"},
		"person_map":     {"source", "stream", "record_key"},
		"person_veto":    {"a", "b", "rule", "reason"},
	} {
		if a, b := says(t, steps, table, columns...), says(t, batch, table, columns...); !slices.Equal(a, b) {
			t.Errorf("%s: increments gave %d rows, one batch %d, and they differ", table, len(a), len(b))
		}
	}
	ids := slices.Compact(says(t, steps, "person_map", "person_id"))
	if golden := says(t, steps, "person_golden", "person_id"); !slices.Equal(golden, ids) {
		t.Errorf("the map has %d ids, and golden records are of %d others", len(ids), len(golden))
	}
	for _, id := range slices.Compact(says(t, steps, "person_lineage", "person_id")) {
		if _, ok := slices.BinarySearch(ids, id); !ok {
			t.Errorf("lineage of %s, which the map does not have", id)
		}
	}
}

func dropTable(t testing.TB, wh core.Warehouse, name string) {
	ctx := context.Background()
	tx, err := wh.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Drop(ctx, core.TableName{Schema: "identity", Name: name}); err != nil {
		t.Fatal(err)
	}
	if err := tx.End(ctx, true); err != nil {
		t.Fatal(err)
	}
}

// TestLawIncrementsInAnyOrder deals the records to any number of increments, in any order.
func TestLawIncrementsInAnyOrder(t *testing.T) {
	const body = "from = source.set.records"
	for seed := range uint64(2) {
		all := people(340, 20+seed)
		base := all[:300]
		rest := slices.Clone(all[300:])
		r := rand.New(rand.NewPCG(seed, 9))
		r.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
		steps, batch := warehouse.New(), warehouse.New()
		for _, wh := range []core.Warehouse{steps, batch} {
			landPeople(t, wh, base)
			build(t, wh, person(t, body), "base")
		}
		for i, done := 0, 0; done < len(rest); i++ {
			done = min(done+1+r.IntN(25), len(rest))
			rows := slices.Concat(base, rest[:done])
			r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
			landPeople(t, steps, rows)
			build(t, steps, person(t, body), fmt.Sprint("step", i))
		}
		dropTable(t, batch, "person_record") // compares everything again
		landPeople(t, batch, all)
		build(t, batch, person(t, body), "batch")
		if a, b := edgeSet(t, steps), edgeSet(t, batch); !slices.Equal(a, b) {
			t.Errorf("seed %d: increments gave %d edges, one batch %d, and they differ", seed, len(a), len(b))
		}
		if a, b := groups(mapped(t, steps, "person")), groups(mapped(t, batch, "person")); a != b {
			t.Errorf("seed %d: increments and one batch gave different clusters", seed)
		}
		samePublished(t, steps, batch)
	}
}

func metricOf(t testing.TB, wh core.Warehouse, run, name string) (float64, bool) {
	rows, err := wh.Scan(context.Background(), core.ScanRequest{Table: core.TableName{Schema: "identity", Name: "person_metric"}, Columns: []string{"run_id", "name", "value"}})
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Release()
	for rows.Next() {
		b := rows.RecordBatch()
		for i := range int(b.NumRows()) {
			if b.Column(0).(*array.String).Value(i) == run && b.Column(1).(*array.String).Value(i) == name {
				return b.Column(2).(*array.Float64).Value(i), true
			}
		}
	}
	return 0, false
}

// TestLawTrainingEqualsGoingOn takes away what tells changed records from others: everything
// is compared again under the stored model, and must come out as when the model was trained.
func TestLawTrainingEqualsGoingOn(t *testing.T) {
	const body = "from = source.set.records"
	wh := warehouse.New()
	all := people(1500, 31)
	landPeople(t, wh, all)
	build(t, wh, person(t, body), "trained")
	edges, who := edgeSet(t, wh), mapped(t, wh, "person")
	dropTable(t, wh, "person_record")
	changed := slices.Clone(all)
	landPeople(t, wh, append(changed, []string{"lone", "Zebedee", "Quux", "", "", "", "", "", ""}[:len(all[0])]))
	build(t, wh, person(t, body), "again")
	after := edgeSet(t, wh)
	left := slices.DeleteFunc(slices.Clone(edges), func(e string) bool { _, ok := slices.BinarySearch(after, e); return ok })
	if len(left) > 0 {
		t.Errorf("%d of %d edges changed, such as %s", len(left), len(edges), left[0])
	}
	now := mapped(t, wh, "person")
	for record, id := range who {
		if now[record] != id {
			t.Fatalf("%s was %s and is %s", record, id, now[record])
		}
	}
}

// TestLostTermsTrainAnew drops the frequencies that belong to the model.
func TestLostTermsTrainAnew(t *testing.T) {
	const body = "from = source.set.records"
	wh := warehouse.New()
	all := people(600, 32)
	landPeople(t, wh, all[:590])
	build(t, wh, person(t, body), "1")
	dropTable(t, wh, "person_term")
	landPeople(t, wh, all)
	build(t, wh, person(t, body), "2")
	if _, ok := metricOf(t, wh, "2", "edges.kept"); ok {
		t.Error("a model without its frequencies was used")
	}
	landPeople(t, wh, all[:599])
	build(t, wh, person(t, body), "3")
	if kept, ok := metricOf(t, wh, "3", "edges.kept"); !ok || kept == 0 {
		t.Error("the model that was trained anew was not used")
	}
}

// TestForgottenTerms erases the records that share a value: its frequency goes too.
func TestForgottenTerms(t *testing.T) {
	const body = "from = source.set.records"
	wh := warehouse.New()
	all := people(600, 33)
	landPeople(t, wh, all)
	build(t, wh, person(t, body), "1")
	who, holders := mapped(t, wh, "person"), map[string]map[string]bool{}
	for _, r := range all {
		if holders[r[2]] == nil {
			holders[r[2]] = map[string]bool{}
		}
		holders[r[2]][who["set.records:"+r[0]]] = true
	}
	name := ""
	for _, n := range slices.Sorted(maps.Keys(holders)) {
		if n != "" && len(holders[n]) == 2 {
			name = n
		}
	}
	before := len(says(t, wh, "person_term", "attribute", "value"))
	landPeople(t, wh, slices.DeleteFunc(slices.Clone(all), func(r []string) bool { return r[2] == name }))
	build(t, wh, person(t, body), "2")
	if after := len(says(t, wh, "person_term", "attribute", "value")); after >= before {
		t.Errorf("%d frequencies before both holders of %s were erased, and %d after", before, name, after)
	}
	build(t, wh, person(t, body), "3")
}
