package coretest

import (
	"context"
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/unsilo/unsilo/core"
)

func scanRules() []warehouseRule {
	return []warehouseRule{
		{name: "ScanByKeys", why: "Scan reads the rows that keys name, each once, however often a key comes; a key nobody has names none", run: scanByKeys},
		{name: "ScanByAnyColumn", why: "keys name rows by any columns of the table, which need not be read and need not be unique", run: scanByAnyColumn},
		{name: "ScanByNarrowerKeys", why: "keys of a narrower type than the column's name the same rows; case of column names does not count", run: scanByNarrower},
		{name: "ScanByNoKeys", why: "keys without rows name no rows", run: scanByNoKeys},
		{name: "ScanByManyKeys", why: "keys may be many, and come from another column's values as they are", run: scanByMany},
		{name: "ScanByKeysIsStable", why: "a reader by keys goes on with what was committed when Scan was called, while a transaction writes", run: scanByKeysStable},
		{name: "ScanRefusesKeys", why: "keys with a null, of another type, of no or of an unknown column are refused", run: scanRefuses},
	}
}

// keys reads JSON objects into one batch.
func (s *warehouseSuite) keys(schema *arrow.Schema, lines ...string) arrow.RecordBatch {
	s.Helper()
	batch, _, err := array.RecordFromJSON(s.mem, schema, strings.NewReader("["+strings.Join(lines, ",")+"]"))
	if err != nil {
		s.Fatalf("read test keys: %v", err)
	}
	return batch
}

// named reads the rows of people that keys name.
func (s *warehouseSuite) named(keys arrow.RecordBatch, columns ...string) []string {
	s.Helper()
	r, err := s.w.Scan(s.Context(), core.ScanRequest{Table: people(), Columns: columns, Keys: keys})
	keys.Release() // the reader must not need it any more
	if err != nil {
		s.Fatalf("Scan by keys: %v", err)
	}
	defer r.Release()
	return s.texts(r)
}

func scanByKeys(s *warehouseSuite) {
	s.three()
	s.same("rows", s.named(s.keys(ids(), `{"id":3}`, `{"id":1}`, `{"id":3}`, `{"id":9}`)), "[1 | a | null 3 | c | null]")
	s.same("a column", s.named(s.keys(ids(), `{"id":2}`), "name"), "[b]")
	s.same("nobody", s.named(s.keys(ids(), `{"id":-2}`)), "[]")
}

func scanByAnyColumn(s *warehouseSuite) {
	s.define(people(), peopleSchema())
	s.put(core.WriteAppend, `{"id":1,"name":"a","score":1}`, `{"id":2,"name":"a","score":2}`, `{"id":3,"name":"b","score":1}`, `{"id":4}`)
	name, score := field("name", arrow.BinaryTypes.String), field("score", arrow.PrimitiveTypes.Float64)
	s.same("by name", s.named(s.keys(schemaOf(name), `{"name":"a"}`), "id"), "[1 2]")
	s.same("by two", s.named(s.keys(schemaOf(score, name), `{"name":"a","score":1}`, `{"name":"b","score":2}`), "id"), "[1]")
}

func scanByNarrower(s *warehouseSuite) {
	s.three()
	narrow := schemaOf(field("ID", arrow.PrimitiveTypes.Int16))
	s.same("rows", s.named(s.keys(narrow, `{"ID":2}`), "name"), "[b]")
}

func scanByNoKeys(s *warehouseSuite) {
	s.three()
	s.same("rows", s.named(s.keys(ids())), "[]")
}

func scanByMany(s *warehouseSuite) {
	s.define(people(), peopleSchema(), "id")
	var lines, odd []string
	for i := range 9000 {
		lines = append(lines, fmt.Sprintf(`{"id":%d,"name":"n%d","score":0}`, i, i))
		if i%2 == 1 {
			odd = append(odd, fmt.Sprintf(`{"name":"n%d"}`, i))
		}
	}
	batch := s.keys(peopleSchema(), lines...)
	defer batch.Release()
	rows, err := array.NewRecordReader(batch.Schema(), []arrow.RecordBatch{batch})
	if err != nil {
		s.Fatal(err)
	}
	s.write(core.WriteRequest{Table: people(), Mode: core.WriteAppend, Rows: rows})
	got := s.named(s.keys(schemaOf(field("name", arrow.BinaryTypes.String)), odd...), "id")
	s.same("rows", len(got), 4500)
	for _, id := range got {
		if !strings.ContainsAny(id[len(id)-1:], "13579") {
			s.Fatalf("row %s was not named", id)
		}
	}
}

func scanByKeysStable(s *warehouseSuite) {
	s.three()
	keys := s.keys(ids(), `{"id":1}`, `{"id":4}`)
	defer keys.Release()
	s.within(true, func(tx core.Tx) {
		s.writeIn(tx, core.WriteRequest{Table: people(), Mode: core.WriteDelete, Key: []string{"id"}, Rows: s.rows(ids(), `{"id":1}`)})
		r, err := s.w.Scan(s.Context(), core.ScanRequest{Table: people(), Columns: []string{"id"}, Keys: keys})
		if err != nil {
			s.Fatal(err)
		}
		defer r.Release()
		s.writeIn(tx, core.WriteRequest{Table: people(), Mode: core.WriteAppend, Rows: s.rows(peopleSchema(), `{"id":4}`)})
		s.same("while it is open", s.texts(r), "[1]")
	})
	keys.Retain()
	s.same("after the commit", s.named(keys, "id"), "[4]")
}

func scanRefuses(s *warehouseSuite) {
	s.three()
	for what, keys := range map[string]arrow.RecordBatch{
		"a null":            s.keys(ids(), `{"id":1}`, `{"id":null}`),
		"a text":            s.keys(schemaOf(field("id", arrow.BinaryTypes.String)), `{"id":"1"}`),
		"an unknown column": s.keys(schemaOf(field("nope", arrow.PrimitiveTypes.Int64)), `{"nope":1}`),
		"no column":         array.NewRecordBatch(schemaOf(), nil, 1),
	} {
		r, err := s.w.Scan(context.WithoutCancel(s.Context()), core.ScanRequest{Table: people(), Keys: keys})
		if err == nil {
			r.Release()
		}
		s.refused(what, err)
		keys.Release()
	}
}
