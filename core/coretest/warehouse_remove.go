package coretest

import (
	"io"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
)

func stringsReader(s string) io.Reader { return strings.NewReader(s) }

func removeRules() []warehouseRule {
	return []warehouseRule{
		{name: "Delete", why: "WriteDelete removes the rows with the keys given and counts them; unknown keys and other columns are ignored",
			run: deleteKeys},
		{name: "Prune", why: "WritePrune removes every row whose key is not given", run: prune},
		{name: "PruneBrake", why: "a prune of more than MaxShare of the rows removes nothing and says how many of how many", run: pruneBrake},
		{name: "Swap", why: "Swap puts a table in the place of another, with its columns, key and meanings; the old one is gone", run: swap},
		{name: "DropAndDefine", why: "a table can be dropped, made anew and filled in one transaction", run: dropAndDefine},
		{name: "Drop", why: "a dropped table is gone, and one of its name starts anew", run: drop},
	}
}

func ids() *arrow.Schema { return schemaOf(field("id", arrow.PrimitiveTypes.Int64)) }

func (s *warehouseSuite) three() {
	s.Helper()
	s.define(people(), peopleSchema(), "id")
	s.put(core.WriteMerge, `{"id":1,"name":"a"}`, `{"id":2,"name":"b"}`, `{"id":3,"name":"c"}`)
}

func deleteKeys(s *warehouseSuite) {
	s.three()
	more := schemaOf(field("reason", arrow.BinaryTypes.String), field("id", arrow.PrimitiveTypes.Int64))
	got := s.write(core.WriteRequest{Table: people(), Mode: core.WriteDelete, Key: []string{"id"},
		Rows: s.rows(more, `{"id":1}`, `{"id":1}`, `{"id":9}`, `{"id":3}`)})
	s.same("counts", got, core.Counts{Deleted: 2})
	s.expect(people(), "2 | b | null")
}

func prune(s *warehouseSuite) {
	s.three()
	prune := func(share float64, lines ...string) core.Counts {
		return s.write(core.WriteRequest{Table: people(), Mode: core.WritePrune, Key: []string{"id"}, MaxShare: share, Rows: s.rows(ids(), lines...)})
	}
	s.same("all are there", prune(0.01, `{"id":1}`, `{"id":2}`, `{"id":3}`, `{"id":4}`), core.Counts{})
	s.same("one is gone", prune(0.34, `{"id":1}`, `{"id":3}`, `{"id":3}`), core.Counts{Deleted: 1})
	s.expect(people(), "1 | a | null", "3 | c | null")
	s.same("no brake, no keys", prune(0), core.Counts{Deleted: 2})
	s.expect(people())
	s.same("of nothing", prune(0.2), core.Counts{})
}

func pruneBrake(s *warehouseSuite) {
	s.three()
	s.within(true, func(tx core.Tx) {
		for _, lines := range [][]string{nil, {`{"id":2}`}} {
			rows := s.rows(ids(), lines...)
			defer rows.Release()
			_, err := tx.Write(s.Context(), core.WriteRequest{Table: people(), Mode: core.WritePrune, Key: []string{"id"}, MaxShare: 0.2, Rows: rows})
			s.refused("too many", err)
			if err == nil || !strings.Contains(err.Error(), "of 3") {
				s.Errorf("the error %v does not say of how many", err)
			}
		}
	})
	s.expect(people(), "1 | a | null", "2 | b | null", "3 | c | null")
}

func swap(s *warehouseSuite) {
	s.three()
	for _, fresh := range []core.TableName{{Schema: "raw_crm", Name: "people__new"}, {Schema: "staging", Name: "people"}} {
		schema := schemaOf(field("id", arrow.PrimitiveTypes.Int32), core.WithMeans(field("mail", arrow.BinaryTypes.String), core.PersonEmail))
		s.within(true, func(tx core.Tx) {
			if err := tx.Define(s.Context(), core.Table{Name: fresh, Schema: schema, Key: []string{"mail"}}); err != nil {
				s.Fatal(err)
			}
			s.writeIn(tx, core.WriteRequest{Table: fresh, Mode: core.WriteAppend, Rows: s.rows(schema, `{"id":7,"mail":"`+fresh.Schema+`"}`)})
			if err := tx.Swap(s.Context(), fresh, people()); err != nil {
				s.Fatalf("Swap: %v", err)
			}
			s.writeIn(tx, core.WriteRequest{Table: people(), Mode: core.WriteAppend, Rows: s.rows(schema, `{"id":8,"mail":"after"}`)})
		})
		s.expect(people(), "7 | "+fresh.Schema, "8 | after")
		all, err := s.w.Tables(s.Context(), "")
		s.same("tables", tableNames(all), "[raw_crm.people]")
		if err != nil || len(all) != 1 || len(all[0].Key) != 1 || all[0].Key[0] != "mail" || core.MeansOf(all[0].Schema.Field(1)) != core.PersonEmail {
			s.Errorf("after Swap: %v, %v; want the new table's key and meanings", all, err)
		}
	}
	other := core.TableName{Schema: "raw_crm", Name: "others"}
	s.within(true, func(tx core.Tx) {
		if err := tx.Swap(s.Context(), people(), other); err != nil {
			s.Errorf("Swap to a name without a table: %v", err)
		}
		s.refused("Swap with itself", tx.Swap(s.Context(), other, other))
	})
	s.expect(other, "7 | staging", "8 | after")
}

func drop(s *warehouseSuite) {
	s.define(people(), schemaOf(core.WithMeans(field("id", arrow.BinaryTypes.String), core.PersonEmail)), "id")
	s.within(true, func(tx core.Tx) {
		if err := tx.Drop(s.Context(), people()); err != nil {
			s.Fatal(err)
		}
	})
	all, err := s.w.Tables(s.Context(), "")
	if len(all) != 0 || err != nil {
		s.Errorf("after Drop: %v, %v; want nothing", tableNames(all), err)
	}
	s.define(people(), schemaOf(field("id", arrow.PrimitiveTypes.Int64)))
	t := s.table(people())
	if len(t.Key) != 0 || core.MeansOf(t.Schema.Field(0)) != "" || t.Rows != 0 {
		s.Errorf("a table made after Drop is %v; want one without the old key and meanings", t)
	}
}

func dropAndDefine(s *warehouseSuite) {
	s.three()
	schema := schemaOf(field("id", arrow.BinaryTypes.String))
	for range 2 {
		s.within(true, func(tx core.Tx) {
			if err := tx.Drop(s.Context(), people()); err != nil {
				s.Fatal(err)
			}
			if err := tx.Define(s.Context(), core.Table{Name: people(), Schema: schema, Key: []string{"id"}}); err != nil {
				s.Fatal(err)
			}
			s.same("counts", s.writeIn(tx, core.WriteRequest{Table: people(), Mode: core.WriteMerge, Key: []string{"id"},
				Rows: s.rows(schema, `{"id":"a"}`, `{"id":"b"}`)}), core.Counts{New: 2})
			s.same("counts", s.writeIn(tx, core.WriteRequest{Table: people(), Mode: core.WriteMerge, Key: []string{"id"},
				Rows: s.rows(schema, `{"id":"b"}`, `{"id":"c"}`)}), core.Counts{New: 1, Unchanged: 1})
		})
		s.expect(people(), "a", "b", "c")
	}
}
