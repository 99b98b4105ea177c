package configs_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// truths say whom a record is really about, by source.stream:key.
type truths map[string]someone

type someone struct {
	person string
	packs  string
}

// readTruth reads the simulated company's truth.parquet.
func readTruth(t *testing.T, name string) truths {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // only read
	table, err := pqarrow.ReadTable(context.Background(), f, parquet.NewReaderProperties(memory.DefaultAllocator), pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	defer table.Release()
	rows := array.NewTableReader(table, 0)
	defer rows.Release()
	all := truths{}
	for rows.Next() {
		b := rows.RecordBatch()
		text := func(column string, i int) string {
			col := b.Column(b.Schema().FieldIndices(column)[0])
			if col.IsNull(i) {
				return ""
			}
			return strings.Clone(col.ValueStr(i))
		}
		for i := range int(b.NumRows()) {
			if person := text("person_id", i); person != "" {
				all[text("source", i)+"."+text("stream", i)+":"+text("record_key", i)] = someone{person, text("pack", i)}
			}
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// identities is the id that every record got, by source.stream:key.
func (p program) identities(t *testing.T, project string, env []string) map[string]string {
	t.Helper()
	_, rows := p.query(t, project, env, "SELECT source, stream, record_key, person_id FROM identity.person_map")
	ids := map[string]string{}
	for _, r := range rows {
		record := r[0] + "." + r[1] + ":" + r[2]
		if _, twice := ids[record]; twice {
			t.Errorf("record %s is in the map twice", record)
		}
		ids[record] = r[3]
	}
	return ids
}

// score is how far the ids agree with the truth, in pairs of records: of the pairs that
// were joined, and of the pairs that belong together. stream names the truth of a record
// that the identity knows under another name. Records that hold nothing to go by are left
// out.
func score(ids map[string]string, all truths, stream func(record string) string) (precision, recall float64, records int) {
	type pair struct{ id, person string }
	both, byID, byPerson := map[pair]float64{}, map[string]float64{}, map[string]float64{}
	for record, id := range ids {
		who, ok := all[stream(record)]
		if !ok || strings.Contains(who.packs, "unlinkable") {
			continue
		}
		records++
		both[pair{id, who.person}]++
		byID[id]++
		byPerson[who.person]++
	}
	right, joined, belong := 0.0, 0.0, 0.0
	for _, n := range both {
		right += n * (n - 1) / 2
	}
	for _, n := range byID {
		joined += n * (n - 1) / 2
	}
	for _, n := range byPerson {
		belong += n * (n - 1) / 2
	}
	return right / joined, right / belong, records
}
