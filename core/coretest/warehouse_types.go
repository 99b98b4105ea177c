package coretest

import (
	"math"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal256"

	"github.com/unsilo/unsilo/core"
)

func typeRules() []warehouseRule {
	return []warehouseRule{
		{name: "TypesRoundTrip", reopens: false,
			why: "every type comes back as core.Canonical gives it, with its smallest, largest, empty and null values", run: typesRoundTrip},
		{name: "TypesSurviveReopen", reopens: true, why: "types and values are the same after the warehouse is opened again", run: typesReopen},
		{name: "TypesEncodings", why: "dictionaries, views, large and fixed layouts, other units and wide decimals are kept as what they mean",
			run: typesEncodings},
		{name: "TypesFloats", why: "NaN, infinities and the sign of zero come back; NaN equals NaN when rows are compared", run: typesFloats},
		{name: "TypesText", why: "text is kept byte for byte, zero bytes included; bytes that are no UTF-8 are refused as text", run: typesText},
		{name: "TypesHiddenText", why: "bytes that are no UTF-8 are refused as text in every encoding and depth", run: typesHiddenText},
		{name: "TypesNestedCompare", why: "nested values are compared by content: null and empty lists differ, nulls inside are equal", run: typesNestedCompare},
		{name: "TypesTooWide", why: "a decimal of more than 38 digits is refused, as a type or as a value", run: typesTooWide},
	}
}

// typeCase is a column type and values for it, as JSON.
type typeCase struct {
	name   string
	kind   arrow.DataType
	values []string
}

func typeCases() []typeCase {
	p, f := arrow.PrimitiveTypes, arrow.FixedWidthTypes
	naive := func(u arrow.TimeUnit) arrow.DataType { return &arrow.TimestampType{Unit: u} }
	zoned := func(u arrow.TimeUnit) arrow.DataType {
		return &arrow.TimestampType{Unit: u, TimeZone: "Europe/Helsinki"}
	}
	instant := []string{`"2026-03-01 10:11:12"`, `"1969-12-31 23:59:59"`, `"0001-01-01 00:00:00"`, `"9999-12-31 23:59:59"`}
	person := arrow.StructOf(field("Name", arrow.BinaryTypes.String), field("age \"x\"", p.Int32),
		field("tags", arrow.ListOf(arrow.BinaryTypes.String)))
	return []typeCase{
		{"bool", f.Boolean, []string{"true", "false"}},
		{"int8", p.Int8, []string{"-128", "127", "0"}},
		{"int16", p.Int16, []string{"-32768", "32767"}},
		{"int32", p.Int32, []string{"-2147483648", "2147483647"}},
		{"int64", p.Int64, []string{"-9223372036854775808", "9223372036854775807", "9007199254740993"}},
		{"uint8", p.Uint8, []string{"0", "255"}},
		{"uint16", p.Uint16, []string{"65535"}},
		{"uint32", p.Uint32, []string{"4294967295"}},
		{"uint64", p.Uint64, []string{"18446744073709551615"}},
		{"float32", p.Float32, []string{"1.5", "-3.4028234e38", "1e-45"}},
		{"float64", p.Float64, []string{"0.1", "-1.7976931348623157e308", "5e-324"}},
		{"decimal small", &arrow.Decimal128Type{Precision: 4, Scale: 2}, []string{`"-99.99"`, `"0.01"`}},
		{"decimal money", &arrow.Decimal128Type{Precision: 18, Scale: 4}, []string{`"99999999999999.9999"`, `"-0.0001"`}},
		{"decimal max", &arrow.Decimal128Type{Precision: 38, Scale: 0}, []string{`"99999999999999999999999999999999999999"`, `"-99999999999999999999999999999999999999"`}},
		{"decimal fraction", &arrow.Decimal128Type{Precision: 38, Scale: 38}, []string{`"0.99999999999999999999999999999999999999"`}},
		{"decimal256", &arrow.Decimal256Type{Precision: 38, Scale: 10}, []string{`"-1234567890123456789012345678.0123456789"`, `"1.5"`}},
		{"string", arrow.BinaryTypes.String, []string{`""`, `"null"`, `"åäö 日本語 🎉"`, `"it's \"quoted\"\n\t\\"`, `"` + strings.Repeat("x", 70000) + `"`}},
		{"binary", arrow.BinaryTypes.Binary, []string{`""`, `"AAEC/w=="`, `"//79"`}},
		{"date32", f.Date32, []string{`"1970-01-01"`, `"0001-01-01"`, `"9999-12-31"`}},
		{"time us", f.Time64us, []string{`"00:00:00"`, `"23:59:59.999999"`}},
		{"time s", f.Time32s, []string{`"23:59:59"`}},
		{"time ms", f.Time32ms, []string{`"23:59:59.999"`}},
		{"time ns", f.Time64ns, []string{`"23:59:59.999999"`}},
		{"timestamp s", naive(arrow.Second), instant},
		{"timestamp ms", naive(arrow.Millisecond), append(instant, `"2026-03-01 10:11:12.123"`)},
		{"timestamp us", naive(arrow.Microsecond), append(instant, `"2026-03-01 10:11:12.123456"`)},
		{"timestamp ns", naive(arrow.Nanosecond), []string{`"2026-03-01 10:11:12.123456789"`, `"1678-01-01 00:00:00.000000001"`, `"2261-12-31 23:59:59.999999999"`}},
		{"timestamp s zone", zoned(arrow.Second), []string{`"2026-03-01 10:11:12Z"`, `"1969-12-31 23:59:59Z"`}},
		{"timestamp ms zone", zoned(arrow.Millisecond), []string{`"2026-03-01 10:11:12.123Z"`}},
		{"timestamp us zone", zoned(arrow.Microsecond), []string{`"2026-03-01 10:11:12.123456Z"`, `"1900-01-01 00:00:00Z"`}},
		{"timestamp ns zone", zoned(arrow.Nanosecond), []string{`"2026-03-01 10:11:12.123456Z"`}},
		{"list", arrow.ListOf(p.Int64), []string{"[]", "[1,null,3]", "[null]"}},
		{"list of lists", arrow.ListOf(arrow.ListOf(arrow.BinaryTypes.String)), []string{`[]`, `[[],null,["a",null,""]]`}},
		{"struct", person, []string{`{"Name":"Ada","age \"x\"":36,"tags":["a","b"]}`, `{"Name":null,"age \"x\"":null,"tags":null}`, `{"Name":"","age \"x\"":0,"tags":[]}`}},
		{"list of structs", arrow.ListOf(person), []string{`[{"Name":"Ada","age \"x\"":36,"tags":[null]},null]`, `[]`}},
		{"map", arrow.MapOf(arrow.BinaryTypes.String, p.Int64), []string{`[]`, `[{"key":"a","value":1},{"key":"b","value":null}]`}},
	}
}

// fillTypes writes every case into a table of its own, one null among the values.
func fillTypes(s *warehouseSuite) {
	for _, c := range typeCases() {
		name := core.TableName{Schema: "types", Name: c.name}
		schema := schemaOf(field("n", arrow.PrimitiveTypes.Int64), field("v", c.kind))
		s.define(name, schema, "n")
		s.write(core.WriteRequest{Table: name, Mode: core.WriteMerge, Key: []string{"n"}, Rows: s.typeRows(schema, c)})
	}
}

func (s *warehouseSuite) typeRows(schema *arrow.Schema, c typeCase) array.RecordReader {
	lines := []string{`{"n":0,"v":null}`}
	for i, v := range c.values {
		lines = append(lines, `{"n":`+string(rune('1'+i))+`,"v":`+v+`}`)
	}
	return s.rows(schema, lines...)
}

// compareTypes reads the tables of fillTypes and compares them with values of the
// canonical type made from the same JSON.
func compareTypes(s *warehouseSuite) {
	for _, c := range typeCases() {
		name := core.TableName{Schema: "types", Name: c.name}
		schema := schemaOf(field("n", arrow.PrimitiveTypes.Int64), field("v", core.Canonical(c.kind)))
		if got := s.table(name).Schema; !got.Equal(schema) {
			s.Errorf("%s: Tables gives %v, want %v", c.name, got, schema)
			continue
		}
		r, err := s.w.Scan(s.Context(), core.ScanRequest{Table: name})
		if err != nil {
			s.Errorf("%s: %v", c.name, err)
			continue
		}
		if !r.Schema().Equal(schema) {
			s.Errorf("%s: Scan gives %v, want %v", c.name, r.Schema(), schema)
		}
		want := s.typeRows(schema, c)
		s.same(c.name, s.texts(r), s.texts(want))
		want.Release()
		r.Release()
	}
}

func typesRoundTrip(s *warehouseSuite) {
	fillTypes(s)
	compareTypes(s)
	for _, c := range typeCases() {
		name := core.TableName{Schema: "types", Name: c.name}
		rows := s.typeRows(schemaOf(field("n", arrow.PrimitiveTypes.Int64), field("v", c.kind)), c)
		got := s.write(core.WriteRequest{Table: name, Mode: core.WriteMerge, Key: []string{"n"}, Rows: rows})
		s.same(c.name+" written again", got, core.Counts{Unchanged: int64(len(c.values) + 1)})
	}
}

func typesReopen(s *warehouseSuite) {
	fillTypes(s)
	s.w = s.reopen(s.T, s.w)
	compareTypes(s)
}

func typesEncodings(s *warehouseSuite) {
	text := arrow.BinaryTypes.String
	for _, c := range []struct {
		name, value, want string
		kind, stored      arrow.DataType
	}{
		{"dictionary", `"a"`, "a", &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: text}, text},
		{"large string", `"a"`, "a", arrow.BinaryTypes.LargeString, text},
		{"string view", `"longer than twelve bytes"`, "longer than twelve bytes", arrow.BinaryTypes.StringView, text},
		{"large binary", `"AAE="`, "AAE=", arrow.BinaryTypes.LargeBinary, arrow.BinaryTypes.Binary},
		{"fixed binary", `"AAEC"`, "AAEC", &arrow.FixedSizeBinaryType{ByteWidth: 3}, arrow.BinaryTypes.Binary},
		{"date64", `"2026-03-01"`, "2026-03-01", arrow.FixedWidthTypes.Date64, arrow.FixedWidthTypes.Date32},
		{"half float", "0.5", "0.5", arrow.FixedWidthTypes.Float16, arrow.PrimitiveTypes.Float32},
		{"large list", "[1,2]", "[1,2]", arrow.LargeListOf(arrow.PrimitiveTypes.Int8), arrow.ListOf(arrow.PrimitiveTypes.Int8)},
		{"fixed list", "[1,2]", "[1,2]", arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Int8), arrow.ListOf(arrow.PrimitiveTypes.Int8)},
	} {
		name := core.TableName{Schema: "types", Name: c.name}
		schema := schemaOf(field("v", c.kind))
		s.define(name, schema)
		s.write(core.WriteRequest{Table: name, Mode: core.WriteAppend, Rows: s.rows(schema, `{"v":`+c.value+`}`, `{"v":null}`)})
		s.expect(name, c.want, "null")
		if got := s.table(name).Schema.Field(0).Type; !arrow.TypeEqual(got, c.stored) {
			s.Errorf("%s is kept as %s, want %s", c.name, got, c.stored)
		}
	}
}

func typesFloats(s *warehouseSuite) {
	name := core.TableName{Schema: "types", Name: "floats"}
	schema := schemaOf(field("n", arrow.PrimitiveTypes.Int64), field("v", arrow.PrimitiveTypes.Float64))
	s.define(name, schema, "n")
	values := []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 0}
	rows := func() array.RecordReader {
		b := array.NewRecordBuilder(s.mem, schema)
		defer b.Release()
		for i, v := range values {
			b.Field(0).(*array.Int64Builder).Append(int64(i))
			b.Field(1).(*array.Float64Builder).Append(v)
		}
		batch := b.NewRecordBatch()
		defer batch.Release()
		return s.batches(schema, batch)
	}
	s.write(core.WriteRequest{Table: name, Mode: core.WriteMerge, Key: []string{"n"}, Rows: rows()})
	s.same("written again", s.write(core.WriteRequest{Table: name, Mode: core.WriteMerge, Key: []string{"n"}, Rows: rows()}), core.Counts{Unchanged: 5})
	s.expect(name, "0 | NaN", "1 | +Inf", "2 | -Inf", "3 | -0", "4 | 0")
}

func typesText(s *warehouseSuite) {
	s.define(people(), peopleSchema(), "id")
	build := func(text string) array.RecordReader {
		b := array.NewRecordBuilder(s.mem, peopleSchema())
		defer b.Release()
		b.Field(0).(*array.Int64Builder).Append(int64(len(text)))
		b.Field(1).(*array.StringBuilder).Append(text)
		b.Field(2).AppendNull()
		batch := b.NewRecordBatch()
		defer batch.Release()
		return s.batches(peopleSchema(), batch)
	}
	good := []string{"\x00", "a\x00b", "a\x00", "\x00 longer than twelve bytes"}
	for _, text := range good {
		s.write(core.WriteRequest{Table: people(), Mode: core.WriteMerge, Key: []string{"id"}, Rows: build(text)})
	}
	slices.Sort(good)
	s.same("text with zero bytes", strings.Join(s.scan(people(), "name"), ","), strings.Join(good, ","))
	for _, text := range []string{"\xff", "a\xc3", "\xed\xa0\x80", "bad in a long text \xc0\xaf"} {
		s.within(false, func(tx core.Tx) {
			rows := build(text)
			defer rows.Release()
			_, err := tx.Write(s.Context(), core.WriteRequest{Table: people(), Mode: core.WriteAppend, Rows: rows})
			s.refused("text that is no UTF-8", err)
		})
	}
	s.same("rows", len(s.scan(people())), len(good))
}

// typesHiddenText writes broken text where an encoding or a nesting hides it.
func typesHiddenText(s *warehouseSuite) {
	text := arrow.BinaryTypes.String
	for what, kind := range map[string]arrow.DataType{
		"dictionary":  &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: text},
		"large":       arrow.BinaryTypes.LargeString,
		"view":        arrow.BinaryTypes.StringView,
		"list":        arrow.ListOf(text),
		"struct":      arrow.StructOf(field("a", text)),
		"list struct": arrow.ListOf(arrow.StructOf(field("a", text))),
	} {
		schema := schemaOf(field("v", kind))
		name := core.TableName{Schema: "types", Name: what}
		s.define(name, schema)
		b := array.NewRecordBuilder(s.mem, schema)
		appendText(b.Field(0), "good")
		appendText(b.Field(0), "this is not text: \xff")
		batch := b.NewRecordBatch()
		b.Release()
		defer batch.Release()
		s.within(false, func(tx core.Tx) {
			rows := s.batches(schema, batch)
			defer rows.Release()
			_, err := tx.Write(s.Context(), core.WriteRequest{Table: name, Mode: core.WriteAppend, Rows: rows})
			s.refused(what, err)
		})
		head := batch.NewSlice(0, 1)
		good := s.batches(schema, head)
		head.Release()
		got := s.write(core.WriteRequest{Table: name, Mode: core.WriteAppend, Rows: good})
		s.same(what, got, core.Counts{New: 1})
	}
}

// appendText adds a text to a builder of a type that holds text somewhere.
func appendText(b array.Builder, text string) {
	switch b := b.(type) {
	case *array.StringBuilder:
		b.Append(text)
	case *array.LargeStringBuilder:
		b.Append(text)
	case *array.StringViewBuilder:
		b.Append(text)
	case *array.BinaryDictionaryBuilder:
		_ = b.AppendString(text) // a new dictionary has room for two
	case *array.ListBuilder:
		b.Append(true)
		appendText(b.ValueBuilder(), text)
	case *array.StructBuilder:
		b.Append(true)
		appendText(b.FieldBuilder(0), text)
	}
}

func typesNestedCompare(s *warehouseSuite) {
	name := core.TableName{Schema: "types", Name: "nested"}
	schema := schemaOf(field("n", arrow.PrimitiveTypes.Int64), field("l", arrow.ListOf(arrow.BinaryTypes.String)),
		field("s", arrow.StructOf(field("a", arrow.PrimitiveTypes.Int64), field("b", arrow.ListOf(arrow.PrimitiveTypes.Float64)))))
	s.define(name, schema, "n")
	write := func(line string) core.Counts {
		return s.write(core.WriteRequest{Table: name, Mode: core.WriteMerge, Key: []string{"n"}, Rows: s.rows(schema, line)})
	}
	s.same("first", write(`{"n":1,"l":["a",null],"s":{"a":1,"b":[1,null]}}`), core.Counts{New: 1})
	for _, line := range []string{
		`{"n":1,"l":["a",null],"s":{"a":1,"b":[1,2]}}`, `{"n":1,"l":["a",null],"s":{"a":null,"b":[1,2]}}`, `{"n":1,"l":["a"],"s":{"a":null,"b":[1,2]}}`,
		`{"n":1,"l":[],"s":{"a":null,"b":null}}`, `{"n":1,"l":null,"s":{"a":null,"b":null}}`, `{"n":1,"l":null,"s":{"a":null,"b":[]}}`, `{"n":1,"l":null,"s":null}`,
	} {
		s.same("changed to "+line, write(line), core.Counts{Changed: 1})
		s.same("again "+line, write(line), core.Counts{Unchanged: 1})
	}
}

func typesTooWide(s *warehouseSuite) {
	s.within(true, func(tx core.Tx) {
		s.refused("39 digits as a type", tx.Define(s.Context(), core.Table{Name: people(),
			Schema: schemaOf(field("v", &arrow.Decimal256Type{Precision: 39, Scale: 0}))}))
	})
	s.define(people(), schemaOf(field("v", &arrow.Decimal128Type{Precision: 38, Scale: 0})))
	wide := schemaOf(field("v", &arrow.Decimal256Type{Precision: 38, Scale: 0}))
	b := array.NewRecordBuilder(s.mem, wide)
	b.Field(0).(*array.Decimal256Builder).Append(decimal256.FromI64(1))
	b.Field(0).(*array.Decimal256Builder).Append(decimal256.New(0, 500, 0, 0))
	batch := b.NewRecordBatch()
	b.Release()
	defer batch.Release()
	s.within(false, func(tx core.Tx) {
		rows := s.batches(wide, batch)
		defer rows.Release()
		_, err := tx.Write(s.Context(), core.WriteRequest{Table: people(), Mode: core.WriteAppend, Rows: rows})
		s.refused("42 digits as a value", err)
	})
	s.expect(people())
}
