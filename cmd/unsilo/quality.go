package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity/eval"
)

// Models of the quickstart that stand for a stream in an identity: their key is a key of
// the stream's truth.
func standsFor(record string) string {
	switch record {
	case "marts.web_visitors":
		return "web.access"
	case "marts.callers":
		return "calls.cdr"
	}
	return record
}

// showQuality compares the identities with the simulation's hidden truth.
func (p *project) showQuality(ctx context.Context, truthFile string) error {
	truth, err := readTruth(truthFile)
	if err != nil {
		return err
	}
	w, err := p.openWarehouse(ctx, false)
	if err != nil {
		return err
	}
	defer w.Close()
	name, err := p.identityName("")
	if err != nil {
		return err
	}
	found, err := readMap(ctx, w, name)
	if err != nil {
		return err
	}
	s, left := score(found, truth)
	if p.output != "table" {
		return nil
	}
	fmt.Fprintf(p.out, "\nWho is who, against the simulation's hidden truth (%s records; %s more hold nothing that identifies anyone):\n",
		thousands(int64(s.Records)), thousands(left))
	fmt.Fprintf(p.out, "  precision %.4f   recall %.4f   F1 %.4f   largest person %d records\n", s.Precision, s.Recall, s.F1, s.Largest)
	return nil
}

type truthRow struct {
	person     string
	unlinkable bool
}

// readTruth reads truth.parquet: source.stream:key to the person.
func readTruth(name string) (map[string]truthRow, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read truth: %w", err)
	}
	defer f.Close()
	table, err := pqarrow.ReadTable(context.Background(), f, parquet.NewReaderProperties(memory.DefaultAllocator), pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		return nil, fmt.Errorf("read truth: %w", err)
	}
	defer table.Release()
	rows := array.NewTableReader(table, 0)
	defer rows.Release()
	out := map[string]truthRow{}
	for rows.Next() {
		b := rows.RecordBatch()
		col := func(name string) arrow.Array { return b.Column(b.Schema().FieldIndices(name)[0]) }
		source, stream, key, person, pack := col("source"), col("stream"), col("record_key"), col("person_id"), col("pack")
		for i := range int(b.NumRows()) {
			if person.IsNull(i) {
				continue
			}
			id := source.ValueStr(i) + "." + stream.ValueStr(i) + ":" + key.ValueStr(i)
			out[id] = truthRow{person: strings.Clone(person.ValueStr(i)), unlinkable: pack.IsValid(i) && strings.Contains(pack.ValueStr(i), "unlinkable")}
		}
	}
	return out, rows.Err()
}

// readMap reads identity.<name>_map: source.stream:key to the id.
func readMap(ctx context.Context, w core.Warehouse, name string) (map[string]string, error) {
	rows, err := w.Scan(ctx, core.ScanRequest{Table: core.TableName{Schema: core.SchemaIdentity, Name: name + "_map"}, Columns: []string{"source", "stream", "record_key", name + "_id"}})
	if err != nil {
		return nil, fmt.Errorf("read identity map: %w", err)
	}
	defer rows.Release()
	out := map[string]string{}
	for rows.Next() {
		b := rows.RecordBatch()
		for i := range int(b.NumRows()) {
			stream := standsFor(b.Column(0).ValueStr(i) + "." + b.Column(1).ValueStr(i))
			out[stream+":"+b.Column(2).ValueStr(i)] = strings.Clone(b.Column(3).ValueStr(i))
		}
	}
	return out, rows.Err()
}

// score counts the records that the truth knows and that could be linked at all; left is
// how many could not.
func score(found map[string]string, truth map[string]truthRow) (s eval.Scores, left int64) {
	ids, persons := map[string]int32{}, map[string]int32{}
	var a, b []int32
	for record, id := range found {
		t, known := truth[record]
		if !known {
			continue
		}
		if t.unlinkable {
			left++
			continue
		}
		a, b = append(a, number32(ids, id)), append(b, number32(persons, t.person))
	}
	return eval.Clusters(a, b), left
}

func number32(seen map[string]int32, name string) int32 {
	n, ok := seen[name]
	if !ok {
		n = int32(len(seen))
		seen[name] = n
	}
	return n
}
