package coretest

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
)

func defineRules() []warehouseRule {
	return []warehouseRule{
		{name: "DefineCreates", why: "Define creates a table with its schema; it is empty, and both Tables and Scan know it",
			run: defineCreates},
		{name: "DefineAgain", why: "Define with the same table changes nothing", run: defineAgain},
		{name: "DefineAddsColumns", why: "missing columns are added as nullable; columns that the wanted schema lacks stay",
			run: defineAdds},
		{name: "DefineWidens", why: "a narrower type is widened in place and the values stay", run: defineWidens},
		{name: "DefineRefuses", why: "a change that is neither adding nor widening is refused and changes nothing",
			run: defineRefuses},
		{name: "DefineKeepsMeaning", reopens: true,
			why: "meanings and the key survive from Define to Tables, also when the warehouse is opened again", run: defineMeaning},
		{name: "DefineInOneTransactionWithRows", why: "rows can be written in the transaction that defines and changes their table",
			run: defineAndWrite},
		{name: "TablesSorted", why: "Tables lists one schema, or all for an empty name, sorted by name, with the number of rows",
			run: tablesSorted},
	}
}

func defineCreates(s *warehouseSuite) {
	s.define(people(), peopleSchema(), "id")
	t := s.table(people())
	if !t.Schema.Equal(peopleSchema()) {
		s.Errorf("Tables gives %v, want %v", t.Schema, peopleSchema())
	}
	s.same("key", t.Key, []string{"id"})
	s.same("rows", t.Rows, 0)
	s.expect(people())
}

func defineAgain(s *warehouseSuite) {
	s.define(people(), peopleSchema(), "id")
	s.put(core.WriteMerge, `{"id":1,"name":"Ada","score":1.5}`)
	s.define(people(), peopleSchema(), "id")
	s.expect(people(), "1 | Ada | 1.5")
	s.same("columns", s.table(people()).Schema.NumFields(), 3)
}

func defineAdds(s *warehouseSuite) {
	s.define(people(), peopleSchema(), "id")
	s.put(core.WriteMerge, `{"id":1,"name":"Ada","score":1.5}`)
	wider := schemaOf(field("id", arrow.PrimitiveTypes.Int64), arrow.Field{Name: "city", Type: arrow.BinaryTypes.String})
	s.define(people(), wider, "id")
	s.expect(people(), "1 | Ada | 1.5 | null")
	if f := s.table(people()).Schema.Field(3); f.Name != "city" || !f.Nullable {
		s.Errorf("the added column is %v, want a nullable city", f)
	}
	s.same("counts", s.write(core.WriteRequest{Table: people(), Mode: core.WriteMerge, Key: []string{"id"},
		Rows: s.rows(wider, `{"id":1,"city":"Turku"}`)}), core.Counts{Changed: 1})
	s.expect(people(), "1 | null | null | Turku")
}

func defineWidens(s *warehouseSuite) {
	naive := func(u arrow.TimeUnit) arrow.DataType { return &arrow.TimestampType{Unit: u} }
	for _, c := range []struct {
		from, to arrow.DataType
		value    string
		want     string
	}{
		{arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Int16, "-128", "-128"},
		{arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int64, "2147483647", "2147483647"},
		{arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Int64, "4294967295", "4294967295"},
		{arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Float64, "-2147483648", "-2.147483648e+09"},
		{arrow.PrimitiveTypes.Float32, arrow.PrimitiveTypes.Float64, "0.5", "0.5"},
		{arrow.PrimitiveTypes.Int64, &arrow.Decimal128Type{Precision: 38, Scale: 2}, "9007199254740993", "9007199254740993"},
		{&arrow.Decimal128Type{Precision: 8, Scale: 2}, &arrow.Decimal128Type{Precision: 20, Scale: 4}, `"-1234.56"`, "-1234.56"},
		{arrow.FixedWidthTypes.Date32, naive(arrow.Microsecond), `"2026-03-01"`, "2026-03-01T00:00:00"},
		{naive(arrow.Microsecond), naive(arrow.Nanosecond), `"2026-03-01 10:11:12.123456"`, "2026-03-01T10:11:12.123456"},
	} {
		name := core.TableName{Schema: "raw_crm", Name: c.from.String() + " to " + c.to.String()}
		s.define(name, schemaOf(field("a", c.from)))
		s.write(core.WriteRequest{Table: name, Mode: core.WriteAppend, Rows: s.rows(schemaOf(field("a", c.from)), `{"a":`+c.value+`}`)})
		s.define(name, schemaOf(field("a", c.to)))
		if got := s.table(name).Schema.Field(0).Type; !arrow.TypeEqual(got, c.to) {
			s.Errorf("%s: the type is %s now", name, got)
		}
		s.write(core.WriteRequest{Table: name, Mode: core.WriteAppend, Rows: s.rows(schemaOf(field("a", c.from)), `{"a":`+c.value+`}`, `{"a":null}`)})
		got := s.scan(name)
		if len(got) != 3 || got[0] != c.want || got[1] != got[0] || got[2] != "null" {
			s.Errorf("%s: rows are %q, want twice %s and null", name, got, c.want)
		}
	}
}

func defineRefuses(s *warehouseSuite) {
	int32s, text := arrow.PrimitiveTypes.Int32, arrow.BinaryTypes.String
	before := schemaOf(field("id", arrow.PrimitiveTypes.Int64), field("name", text))
	s.define(people(), before, "id")
	for what, table := range map[string]core.Table{
		"narrowing":             {Name: people(), Schema: schemaOf(field("extra", text), field("id", int32s))},
		"another kind":          {Name: people(), Schema: schemaOf(field("extra", text), field("name", arrow.FixedWidthTypes.Boolean))},
		"text to number":        {Name: people(), Schema: schemaOf(field("name", arrow.PrimitiveTypes.Int64))},
		"columns twice":         {Name: people(), Schema: schemaOf(field("extra", text), field("EXTRA", text))},
		"key without column":    {Name: people(), Schema: before, Key: []string{"nope"}},
		"no columns":            {Name: core.TableName{Schema: "raw_crm", Name: "none"}, Schema: schemaOf()},
		"column without name":   {Name: core.TableName{Schema: "raw_crm", Name: "none"}, Schema: schemaOf(field("", text))},
		"column without type":   {Name: core.TableName{Schema: "raw_crm", Name: "none"}, Schema: schemaOf(field("a", arrow.Null))},
		"zero byte in the name": {Name: core.TableName{Schema: "raw_crm", Name: "a\x00b"}, Schema: before},
		"table without name":    {Name: core.TableName{Schema: "raw_crm"}, Schema: before},
	} {
		s.within(true, func(tx core.Tx) { s.refused(what, tx.Define(s.Context(), table)) })
	}
	tables, err := s.w.Tables(s.Context(), "")
	if err != nil || len(tables) != 1 || !tables[0].Schema.Equal(before) {
		s.Errorf("after refused changes: %v, %v; want only people as it was", tables, err)
	}
	s.same("key", tables[0].Key, []string{"id"})
}

func defineMeaning(s *warehouseSuite) {
	mail := core.WithMeans(field("mail", arrow.BinaryTypes.String), core.PersonEmail)
	phone := core.WithMeans(field("Phone no", arrow.BinaryTypes.String), core.PersonPhone)
	schema := schemaOf(field("id", arrow.PrimitiveTypes.Int64), field("shop", arrow.BinaryTypes.String), mail, phone)
	s.define(people(), schema, "shop", "id")
	check := func(when string) {
		s.Helper()
		t := s.table(people())
		s.same("key "+when, t.Key, []string{"shop", "id"})
		for i, want := range []core.Means{"", "", core.PersonEmail, core.PersonPhone} {
			s.same("meaning of "+t.Schema.Field(i).Name+" "+when, core.MeansOf(t.Schema.Field(i)), want)
		}
	}
	check("at once")
	r, err := s.w.Scan(s.Context(), core.ScanRequest{Table: people(), Columns: []string{"mail"}})
	if err != nil {
		s.Fatal(err)
	}
	s.same("meaning in Scan", core.MeansOf(r.Schema().Field(0)), core.PersonEmail)
	r.Release()
	if s.reopen != nil {
		s.w = s.reopen(s.T, s.w)
		check("after reopening")
	}
	changed := schemaOf(core.WithMeans(field("mail", arrow.BinaryTypes.String), core.NotPersonal))
	s.define(people(), changed, "mail")
	s.same("changed meaning", core.MeansOf(s.table(people()).Schema.Field(2)), core.NotPersonal)
	s.same("meaning of a column that Define did not name", core.MeansOf(s.table(people()).Schema.Field(3)), core.PersonPhone)
	s.same("changed key", s.table(people()).Key, []string{"mail"})
}

func defineAndWrite(s *warehouseSuite) {
	narrow := schemaOf(field("id", arrow.PrimitiveTypes.Int32))
	wide := schemaOf(field("id", arrow.PrimitiveTypes.Int64), field("name", arrow.BinaryTypes.String))
	s.within(true, func(tx core.Tx) {
		for _, step := range []struct {
			schema *arrow.Schema
			line   string
		}{{narrow, `{"id":1}`}, {wide, `{"id":4294967296,"name":"Bo"}`}} {
			if err := tx.Define(s.Context(), core.Table{Name: people(), Schema: step.schema, Key: []string{"id"}}); err != nil {
				s.Fatal(err)
			}
			s.writeIn(tx, core.WriteRequest{Table: people(), Mode: core.WriteMerge, Key: []string{"id"}, Rows: s.rows(step.schema, step.line)})
		}
	})
	s.expect(people(), "1 | null", "4294967296 | Bo")
}

func tablesSorted(s *warehouseSuite) {
	for _, name := range []core.TableName{{Schema: "raw_b", Name: "z"}, {Schema: "raw_b", Name: "a"}, {Schema: "raw_a", Name: "m"}} {
		s.define(name, peopleSchema(), "id")
	}
	s.write(core.WriteRequest{Table: core.TableName{Schema: "raw_b", Name: "a"}, Mode: core.WriteAppend,
		Rows: s.rows(peopleSchema(), `{"id":1}`, `{"id":2}`)})
	all, err := s.w.Tables(s.Context(), "")
	s.same("all", tableNames(all), "[raw_a.m raw_b.a raw_b.z]")
	one, err2 := s.w.Tables(s.Context(), "raw_b")
	s.same("one schema", tableNames(one), "[raw_b.a raw_b.z]")
	none, err3 := s.w.Tables(s.Context(), "raw_none")
	s.same("unknown schema", len(none), 0)
	if err != nil || err2 != nil || err3 != nil {
		s.Fatal(err, err2, err3)
	}
	s.same("rows of raw_b.a", one[0].Rows, 2)
}
