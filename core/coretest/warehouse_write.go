package coretest

import (
	"errors"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/unsilo/unsilo/core"
)

func writeRules() []warehouseRule {
	return []warehouseRule{
		{name: "Append", why: "WriteAppend adds every row, also one that is there already", run: appendAll},
		{name: "ColumnsByName", why: "columns are matched by name; missing ones become null", run: columnsByName},
		{name: "NarrowerRows", why: "rows of a narrower type are taken; of one that the column cannot hold they are refused",
			run: narrowerRows},
		{name: "UnknownColumn", why: "rows with a column the table lacks are refused: Define comes first", run: unknownColumn},
		{name: "UnknownTable", why: "a table that was not defined cannot be written or scanned", run: unknownTable},
		{name: "EmptyReader", why: "no rows are no error and no change, in every mode", run: emptyReader},
		{name: "FailingReader", why: "an error of the rows is an error of the write, and nothing of it stays", run: failingReader},
		{name: "ReaderStaysCallers", why: "Write does not release the reader", run: readerStays},
	}
}

func mergeRules() []warehouseRule {
	return []warehouseRule{
		{name: "Merge", why: "new keys are inserted, differing rows replaced, equal ones left; each is counted", run: mergeCounts},
		{name: "MergeNulls", why: "null equals null when rows are compared, and differs from every value", run: mergeNulls},
		{name: "MergeDuplicates", why: "of several rows with one key in a request the last wins, and counts once", run: mergeDuplicates},
		{name: "MergeNullKey", why: "a null in a key is refused, and nothing of the request is written", run: mergeNullKey},
		{name: "MergeCompositeKey", why: "a key may have several columns, of any type", run: mergeComposite},
		{name: "MergeKeyNeeded", why: "a mode that works by key needs one, whose columns the rows have", run: mergeKeyNeeded},
		{name: "MergeTwiceInTransaction", why: "a write sees what the transaction wrote before", run: mergeTwice},
	}
}

func appendAll(s *warehouseSuite) {
	s.define(people(), peopleSchema(), "id")
	line := `{"id":1,"name":"Ada","score":1}`
	s.same("counts", s.put(core.WriteAppend, line, line), core.Counts{New: 2})
	s.same("counts", s.put(core.WriteAppend, line, `{"id":null,"name":null,"score":null}`), core.Counts{New: 2})
	s.expect(people(), "1 | Ada | 1", "1 | Ada | 1", "1 | Ada | 1", "null | null | null")
}

func columnsByName(s *warehouseSuite) {
	s.define(people(), peopleSchema(), "id")
	turned := schemaOf(field("score", arrow.PrimitiveTypes.Float64), field("ID", arrow.PrimitiveTypes.Int64))
	s.write(core.WriteRequest{Table: people(), Mode: core.WriteAppend, Rows: s.rows(turned, `{"score":2.5,"ID":7}`)})
	s.write(core.WriteRequest{Table: people(), Mode: core.WriteMerge, Key: []string{"Id"}, Rows: s.rows(turned, `{"score":3.5,"ID":8}`)})
	s.expect(people(), "7 | null | 2.5", "8 | null | 3.5")
	s.same("chosen columns", s.scan(people(), "score", "id"), "[2.5 | 7 3.5 | 8]")
	_, err := s.w.Scan(s.Context(), core.ScanRequest{Table: people(), Columns: []string{"nope"}})
	s.refused("scan of an unknown column", err)
}

func narrowerRows(s *warehouseSuite) {
	s.define(people(), peopleSchema(), "id")
	narrow := schemaOf(field("id", arrow.PrimitiveTypes.Int16), field("score", arrow.PrimitiveTypes.Float32), field("name", arrow.Null))
	s.write(core.WriteRequest{Table: people(), Mode: core.WriteMerge, Key: []string{"id"}, Rows: s.rows(narrow, `{"id":7,"score":0.5}`)})
	s.expect(people(), "7 | null | 0.5")
	for what, schema := range map[string]*arrow.Schema{
		"wider":   schemaOf(field("id", &arrow.Decimal128Type{Precision: 38})),
		"another": schemaOf(field("id", arrow.PrimitiveTypes.Int64), field("name", arrow.PrimitiveTypes.Int64)),
	} {
		s.within(true, func(tx core.Tx) {
			rows := s.rows(schema)
			defer rows.Release()
			_, err := tx.Write(s.Context(), core.WriteRequest{Table: people(), Mode: core.WriteAppend, Rows: rows})
			s.refused(what, err)
		})
	}
}

func unknownColumn(s *warehouseSuite) {
	s.define(people(), peopleSchema(), "id")
	s.within(true, func(tx core.Tx) {
		rows := s.rows(schemaOf(field("id", arrow.PrimitiveTypes.Int64), field("town", arrow.BinaryTypes.String)), `{"id":1,"town":"Oulu"}`)
		defer rows.Release()
		_, err := tx.Write(s.Context(), core.WriteRequest{Table: people(), Mode: core.WriteAppend, Rows: rows})
		s.refused("unknown column", err)
		twice := s.rows(schemaOf(field("id", arrow.PrimitiveTypes.Int64), field("ID", arrow.PrimitiveTypes.Int64)))
		defer twice.Release()
		_, err = tx.Write(s.Context(), core.WriteRequest{Table: people(), Mode: core.WriteAppend, Rows: twice})
		s.refused("column twice", err)
	})
	s.expect(people())
}

func unknownTable(s *warehouseSuite) {
	s.within(true, func(tx core.Tx) {
		rows := s.rows(peopleSchema(), `{"id":1}`)
		defer rows.Release()
		_, err := tx.Write(s.Context(), core.WriteRequest{Table: people(), Mode: core.WriteAppend, Rows: rows})
		s.refused("write", err)
		s.refused("swap", tx.Swap(s.Context(), people(), core.TableName{Schema: "raw_crm", Name: "b"}))
		if err := tx.Drop(s.Context(), people()); err != nil {
			s.Errorf("Drop of a table that does not exist: %v, want no error", err)
		}
	})
	_, err := s.w.Scan(s.Context(), core.ScanRequest{Table: people()})
	s.refused("scan", err)
	if missing := (*core.NoTableError)(nil); !errors.As(err, &missing) || missing.Table != people() {
		s.Errorf("the error of a scan is %v, and no NoTableError of the table", err)
	}
}

func emptyReader(s *warehouseSuite) {
	s.define(people(), peopleSchema(), "id")
	for _, lines := range [][]string{nil, {`{"id":1}`}} {
		s.put(core.WriteMerge, lines...)
		for _, mode := range []core.WriteMode{core.WriteAppend, core.WriteMerge, core.WriteDelete} {
			s.same("counts of "+string(mode), s.put(mode), core.Counts{})
		}
	}
	empty, _, err := array.RecordFromJSON(s.mem, peopleSchema(), stringsReader("[]"))
	if err != nil {
		s.Fatal(err)
	}
	defer empty.Release()
	s.write(core.WriteRequest{Table: people(), Mode: core.WriteMerge, Key: []string{"id"}, Rows: s.batches(peopleSchema(), empty, empty)})
	s.expect(people(), "1 | null | null")
}

// A brokenReader gives its rows and then an error.
type brokenReader struct {
	array.RecordReader
	err error
}

func (b brokenReader) Err() error { return errors.Join(b.RecordReader.Err(), b.err) }

func failingReader(s *warehouseSuite) {
	s.define(people(), peopleSchema(), "id")
	broken := errors.New("connection lost")
	for _, mode := range []core.WriteMode{core.WriteAppend, core.WriteMerge, core.WriteHistory, core.WritePrune} {
		s.within(false, func(tx core.Tx) {
			rows := s.rows(peopleSchema(), `{"id":1}`)
			defer rows.Release()
			_, err := tx.Write(s.Context(), core.WriteRequest{Table: people(), Mode: mode, Key: []string{"id"}, At: day(1),
				Rows: brokenReader{rows, broken}})
			if !errors.Is(err, broken) {
				s.Errorf("%s: got error %v, want the reader's", mode, err)
			}
		})
	}
	s.expect(people())
}

func readerStays(s *warehouseSuite) {
	s.define(people(), peopleSchema(), "id")
	rows := s.rows(peopleSchema(), `{"id":1}`)
	s.within(true, func(tx core.Tx) {
		if _, err := tx.Write(s.Context(), core.WriteRequest{Table: people(), Mode: core.WriteAppend, Rows: rows}); err != nil {
			s.Error(err)
		}
	})
	if s.mem.CurrentAlloc() == 0 {
		s.Error("the rows are gone after Write; the caller still holds them")
	}
	rows.Release()
}

func mergeCounts(s *warehouseSuite) {
	s.define(people(), peopleSchema(), "id")
	s.same("first", s.put(core.WriteMerge, `{"id":1,"name":"Ada","score":1}`, `{"id":2,"name":"Bo","score":2}`), core.Counts{New: 2})
	s.same("again", s.put(core.WriteMerge, `{"id":1,"name":"Ada","score":1}`, `{"id":2,"name":"Bo","score":2}`), core.Counts{Unchanged: 2})
	s.same("mixed", s.put(core.WriteMerge, `{"id":1,"name":"Ada","score":1}`, `{"id":2,"name":"Bob","score":2}`, `{"id":3,"name":"Cy","score":3}`),
		core.Counts{New: 1, Changed: 1, Unchanged: 1})
	s.same("only new", s.put(core.WriteMerge, `{"id":4,"name":"Di","score":4}`, `{"id":5,"name":"Ed","score":5}`), core.Counts{New: 2})
	s.expect(people(), "1 | Ada | 1", "2 | Bob | 2", "3 | Cy | 3", "4 | Di | 4", "5 | Ed | 5")
}

func mergeNulls(s *warehouseSuite) {
	s.define(people(), peopleSchema(), "id")
	s.put(core.WriteMerge, `{"id":1,"name":null,"score":1}`, `{"id":2,"name":"","score":2}`)
	s.same("null to null", s.put(core.WriteMerge, `{"id":1,"name":null,"score":1}`), core.Counts{Unchanged: 1})
	s.same("null to text, empty to null", s.put(core.WriteMerge, `{"id":1,"name":"","score":1}`, `{"id":2,"name":null,"score":2}`), core.Counts{Changed: 2})
	s.expect(people(), "1 |  | 1", "2 | null | 2")
}

func mergeDuplicates(s *warehouseSuite) {
	s.define(people(), peopleSchema(), "id")
	first := []string{`{"id":1,"name":"a","score":1}`, `{"id":2,"name":"x","score":2}`, `{"id":1,"name":"b","score":1}`, `{"id":1,"name":"c","score":1}`}
	s.same("into nothing", s.put(core.WriteMerge, first...), core.Counts{New: 2})
	s.expect(people(), "1 | c | 1", "2 | x | 2")
	s.same("changed and back", s.put(core.WriteMerge, `{"id":1,"name":"z","score":1}`, `{"id":1,"name":"c","score":1}`), core.Counts{Unchanged: 1})
	s.same("changed", s.put(core.WriteMerge, `{"id":1,"name":"c","score":1}`, `{"id":1,"name":"d","score":1}`, `{"id":3,"name":"n","score":3}`,
		`{"id":3,"name":"n","score":4}`), core.Counts{New: 1, Changed: 1})
	s.expect(people(), "1 | d | 1", "2 | x | 2", "3 | n | 4")
	one, _, err := array.RecordFromJSON(s.mem, peopleSchema(), stringsReader("["+first[0]+","+first[2]+","+first[3]+"]"))
	if err != nil {
		s.Fatal(err)
	}
	defer one.Release()
	s.same("in one batch", s.write(core.WriteRequest{Table: people(), Mode: core.WriteMerge, Key: []string{"id"}, Rows: s.batches(peopleSchema(), one)}),
		core.Counts{Changed: 1})
	s.expect(people(), "1 | c | 1", "2 | x | 2", "3 | n | 4")
}

func mergeNullKey(s *warehouseSuite) {
	s.define(people(), peopleSchema(), "id")
	s.put(core.WriteMerge, `{"id":1,"name":"Ada","score":1}`)
	for _, mode := range []core.WriteMode{core.WriteMerge, core.WriteHistory, core.WriteDelete, core.WritePrune} {
		s.within(true, func(tx core.Tx) {
			rows := s.rows(peopleSchema(), `{"id":1,"name":"new","score":1}`, `{"id":5,"name":"Eve","score":1}`, `{"id":null,"name":"x","score":1}`)
			defer rows.Release()
			_, err := tx.Write(s.Context(), core.WriteRequest{Table: people(), Mode: mode, Key: []string{"id"}, Rows: rows, At: day(1)})
			s.refused(string(mode), err)
		})
	}
	s.same("rows", s.scan(people(), "id", "name"), "[1 | Ada]")
}

func mergeComposite(s *warehouseSuite) {
	name := core.TableName{Schema: "raw_crm", Name: "visits"}
	schema := schemaOf(field("shop", arrow.BinaryTypes.String), field("at", arrow.FixedWidthTypes.Timestamp_us), field("day", arrow.FixedWidthTypes.Date32),
		field("code", arrow.BinaryTypes.Binary), field("price", &arrow.Decimal128Type{Precision: 9, Scale: 2}), field("open", arrow.FixedWidthTypes.Boolean),
		field("share", arrow.PrimitiveTypes.Float64), field("n", arrow.PrimitiveTypes.Int32))
	key := []string{"shop", "at", "day", "code", "price", "open", "share"}
	s.define(name, schema, key...)
	line := func(shop, share, n string) string {
		return `{"shop":` + shop + `,"at":"2026-03-01 10:00:00.000001Z","day":"2026-03-01","code":"AQI=","price":"1.50","open":true,"share":` + share + `,"n":` + n + `}`
	}
	write := func(lines ...string) core.Counts {
		return s.write(core.WriteRequest{Table: name, Mode: core.WriteMerge, Key: key, Rows: s.rows(schema, lines...)})
	}
	s.same("new", write(line(`"a"`, "0.5", "1"), line(`"ab"`, "0.5", "1"), line(`""`, "0.5", "1")), core.Counts{New: 3})
	s.same("by every part", write(line(`"a"`, "0.5", "2"), line(`"a"`, "0.25", "2"), line(`""`, "0.5", "1")), core.Counts{New: 1, Changed: 1, Unchanged: 1})
	s.same("zero has one sign", write(line(`"z"`, "0.0", "1"), line(`"z"`, "-0.0", "2")), core.Counts{New: 1})
	s.same("rows", s.scan(name, "shop", "n"), "[ | 1 a | 2 a | 2 ab | 1 z | 2]")
}

func mergeKeyNeeded(s *warehouseSuite) {
	s.define(people(), peopleSchema(), "id")
	s.within(true, func(tx core.Tx) {
		for what, key := range map[string][]string{"no key": nil, "unknown key": {"nope"}, "key the rows lack": {"score"}} {
			rows := s.rows(schemaOf(field("id", arrow.PrimitiveTypes.Int64)), `{"id":1}`)
			defer rows.Release()
			_, err := tx.Write(s.Context(), core.WriteRequest{Table: people(), Mode: core.WriteMerge, Key: key, Rows: rows})
			s.refused(what, err)
		}
		rows := s.rows(peopleSchema(), `{"id":1}`)
		defer rows.Release()
		_, err := tx.Write(s.Context(), core.WriteRequest{Table: people(), Mode: "upsert", Key: []string{"id"}, Rows: rows})
		s.refused("unknown mode", err)
	})
	s.expect(people())
}

func mergeTwice(s *warehouseSuite) {
	s.define(people(), peopleSchema(), "id")
	s.within(true, func(tx core.Tx) {
		for i, want := range []core.Counts{{New: 1}, {Changed: 1}, {Unchanged: 1}} {
			line := []string{`{"id":1,"name":"a"}`, `{"id":1,"name":"b"}`, `{"id":1,"name":"b"}`}[i]
			s.same("counts", s.writeIn(tx, core.WriteRequest{Table: people(), Mode: core.WriteMerge, Key: []string{"id"}, Rows: s.rows(peopleSchema(), line)}), want)
		}
		s.same("delete", s.writeIn(tx, core.WriteRequest{Table: people(), Mode: core.WriteDelete, Key: []string{"id"}, Rows: s.rows(peopleSchema(), `{"id":1}`)}), core.Counts{Deleted: 1})
		s.same("new again", s.writeIn(tx, core.WriteRequest{Table: people(), Mode: core.WriteMerge, Key: []string{"id"}, Rows: s.rows(peopleSchema(), `{"id":1,"name":"c"}`)}), core.Counts{New: 1})
	})
	s.expect(people(), "1 | c | null")
}
