package coretest

import (
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/unsilo/unsilo/core"
)

func nameRules() []warehouseRule {
	return []warehouseRule{
		{name: "NamesOdd", reopens: false,
			why: "schemas, tables and columns may have any name without a zero byte: quotes, spaces, dots, reserved words, any script", run: namesOdd},
		{name: "NamesCase", why: "names that differ only in the case of ASCII letters are the same; the first spelling stays", run: namesCase},
		{name: "NamesOddAllModes", why: "every write mode works whatever the columns are called", run: namesOddAllModes},
		{name: "ManyColumns", why: "a table may have 2000 columns, and gain more", run: manyColumns},
	}
}

func oddNames() []string {
	return []string{
		`a"b`, `a""b`, `"`, `'`, `it's`, `;`, `a; drop table x; --`, `a b`, ` `, `a.b`, `select`, `table`, `order`, `user`, `rowid`, `main`, `temp`,
		`warehouse`, `naïve`, `日本語`, `🎉`, `a` + "\n" + `b`, `a\b`, `/* */`, `--`, `$1`, `?`, `%s`, `{}`, `c0`, `ord`, `0`, `NULL`, strings.Repeat("long", 60),
	}
}

func namesOdd(s *warehouseSuite) {
	fields := make([]arrow.Field, 0, len(oddNames()))
	for _, n := range oddNames() {
		fields = append(fields, core.WithMeans(field(n, arrow.PrimitiveTypes.Int64), core.PersonID("x")))
	}
	schema := schemaOf(fields...)
	for i, n := range oddNames() {
		if n == "main" || n == "temp" || n == "warehouse" {
			continue // as a schema these may mean something to the warehouse
		}
		name := core.TableName{Schema: n, Name: oddNames()[(i+1)%len(oddNames())]}
		key := []string{n, oddNames()[0]}
		s.define(name, schema, key...)
		s.same("key of "+name.String(), s.table(name).Key, key)
	}
	name := core.TableName{Schema: `odd "schema"`, Name: `odd 'table'`}
	s.define(name, schema, oddNames()...)
	b := array.NewRecordBuilder(s.mem, schema)
	for i := range fields {
		b.Field(i).(*array.Int64Builder).AppendValues([]int64{int64(i), int64(i)}, nil)
	}
	batch := b.NewRecordBatch()
	b.Release()
	defer batch.Release()
	got := s.write(core.WriteRequest{Table: name, Mode: core.WriteMerge, Key: oddNames(), Rows: s.batches(schema, batch)})
	s.same("counts", got, core.Counts{New: 1})
	for i, n := range oddNames() {
		s.same("column "+n, s.scan(name, n), fmt.Sprintf("[%d]", i))
	}
	if got := s.table(name).Schema; !got.Equal(schema) {
		s.Errorf("Tables gives %v, want %v", got, schema)
	}
}

func namesOddAllModes(s *warehouseSuite) {
	for i, names := range [][2]string{{"rowid", "ord"}, {"t", "s"}, {"id", "h"}, {"c1", "c0"}, {"since", "changed"}, {"k0", "rowid"}, {`"`, "'"}} {
		name := core.TableName{Schema: "odd", Name: fmt.Sprintf("modes %d", i)}
		schema := schemaOf(field(names[0], arrow.PrimitiveTypes.Int64), field(names[1], arrow.BinaryTypes.String))
		s.define(name, schema, names[0])
		write := func(mode core.WriteMode, history bool, at int, rows ...string) core.Counts {
			b := array.NewRecordBuilder(s.mem, schema)
			defer b.Release()
			for id, value := range rows {
				b.Field(0).(*array.Int64Builder).Append(int64(id))
				b.Field(1).(*array.StringBuilder).Append(value)
			}
			batch := b.NewRecordBatch()
			defer batch.Release()
			return s.write(core.WriteRequest{Table: name, Mode: mode, Key: names[:1], History: history, At: day(at), Rows: s.batches(schema, batch)})
		}
		for what, step := range map[int]struct{ got, want core.Counts }{
			1: {write(core.WriteMerge, false, 1, "a", "b", "c"), core.Counts{New: 3}},
			2: {write(core.WriteMerge, false, 1, "a", "x"), core.Counts{Changed: 1, Unchanged: 1}},
			3: {write(core.WritePrune, false, 1, "", ""), core.Counts{Deleted: 1}},
			4: {write(core.WriteHistory, true, 2, "a", "y", "z"), core.Counts{New: 1, Changed: 1, Unchanged: 1}},
			5: {write(core.WritePrune, true, 3, "", ""), core.Counts{Deleted: 1}},
			6: {write(core.WriteDelete, true, 4, ""), core.Counts{Deleted: 1}},
			7: {write(core.WriteDelete, false, 4, "", ""), core.Counts{Deleted: 3}},
		} {
			s.same(fmt.Sprintf("columns %q, step %d", names, what), step.got, step.want)
		}
		s.same("rows", s.scan(name, names[1], core.HistoryFrom, core.HistoryTo), "[z | 2026-03-02T00:00:00Z | 2026-03-03T00:00:00Z]")
	}
}

func namesCase(s *warehouseSuite) {
	s.define(core.TableName{Schema: "Raw_Crm", Name: "People"}, schemaOf(field("Id", arrow.PrimitiveTypes.Int32), field("Ääni", arrow.BinaryTypes.String)), "ID")
	s.define(people(), schemaOf(field("ID", arrow.PrimitiveTypes.Int64), field("ääni", arrow.BinaryTypes.String)), "id")
	all, err := s.w.Tables(s.Context(), "RAW_CRM")
	if err != nil || len(all) != 1 || all[0].Name.String() != "Raw_Crm.People" || all[0].Schema.NumFields() != 3 || all[0].Schema.Field(0).Name != "Id" {
		s.Fatalf("Tables gives %v, %v; want Raw_Crm.People (Id, Ääni, ääni)", all, err)
	}
	s.write(core.WriteRequest{Table: people(), Mode: core.WriteMerge, Key: []string{"iD"}, Rows: s.rows(schemaOf(field("iD", arrow.PrimitiveTypes.Int64)), `{"iD":7}`)})
	s.same("rows", s.scan(core.TableName{Schema: "RAW_crm", Name: "PEOPLE"}, "ID"), "[7]")
	s.within(true, func(tx core.Tx) {
		if err := tx.Drop(s.Context(), core.TableName{Schema: "raw_CRM", Name: "pEOPLE"}); err != nil {
			s.Error(err)
		}
	})
	all, err = s.w.Tables(s.Context(), "")
	s.same("after Drop", tableNames(all), "[]")
	if err != nil {
		s.Error(err)
	}
}

func manyColumns(s *warehouseSuite) {
	fields := []arrow.Field{field("id", arrow.PrimitiveTypes.Int64)}
	for i := 1; i < 2000; i++ {
		fields = append(fields, field(fmt.Sprintf("column_%04d", i), []arrow.DataType{arrow.PrimitiveTypes.Int64, arrow.BinaryTypes.String}[i%2]))
	}
	schema := schemaOf(fields...)
	s.define(people(), schema, "id")
	write := func(schema *arrow.Schema, line string) core.Counts {
		return s.write(core.WriteRequest{Table: people(), Mode: core.WriteMerge, Key: []string{"id"}, Rows: s.rows(schema, line)})
	}
	s.same("new", write(schema, `{"id":1,"column_0001":"x","column_1998":5}`), core.Counts{New: 1})
	s.same("changed", write(schema, `{"id":1,"column_0001":"x","column_1998":6}`), core.Counts{Changed: 1})
	wider := schemaOf(append(fields, field("one more", arrow.FixedWidthTypes.Boolean))...)
	s.define(people(), wider, "id")
	s.same("unchanged", write(wider, `{"id":1,"column_0001":"x","column_1998":6}`), core.Counts{Unchanged: 1})
	s.same("some", s.scan(people(), "column_1998", "one more", "column_0001"), "[6 | null | x]")
	s.same("columns", s.table(people()).Schema.NumFields(), 2001)
}
