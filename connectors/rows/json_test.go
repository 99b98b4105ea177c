package rows_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/unsilo/unsilo/connectors/rows"
	"github.com/unsilo/unsilo/core"
)

// result is what a text became: rows as JSON by column, and rejects as "path: reason".
type result struct {
	schema  string
	rows    []string
	rejects []string
}

// read runs a reader to its end.
func read(t *testing.T, r rows.Reader, b *rows.Builder) (result, error) {
	t.Helper()
	var err error
	for err == nil {
		err = r.Next(b)
	}
	if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return taken(t, b), err
}

// taken empties a builder.
func taken(t *testing.T, b *rows.Builder) result {
	t.Helper()
	var got result
	if batch := b.Take(); batch != nil {
		got.schema = describe(batch.Schema())
		got.rows = rowsOf(t, batch)
		batch.Release()
	}
	if batch := b.TakeRejects(); batch != nil {
		reason, path := batch.Column(1).(*array.String), batch.Column(2).(*array.String)
		for i := range int(batch.NumRows()) {
			got.rejects = append(got.rejects, path.Value(i)+": "+reason.Value(i))
		}
		batch.Release()
	}
	return got
}

func describe(s *arrow.Schema) string {
	var parts []string
	for _, f := range s.Fields() {
		parts = append(parts, f.Name+" "+f.Type.String())
	}
	return strings.Join(parts, ", ")
}

// rowsOf writes every row as its values, nulls as null.
func rowsOf(t *testing.T, batch arrow.RecordBatch) []string {
	t.Helper()
	var out []string
	for i := range int(batch.NumRows()) {
		var cells []string
		for _, c := range batch.Columns() {
			cell := "null"
			if c.IsValid(i) {
				v := c.GetOneForMarshal(i)
				text, err := json.Marshal(v)
				if err != nil {
					t.Fatalf("marshal cell: %v", err)
				}
				if s, ok := v.(string); ok {
					text = []byte(s)
				}
				cell = string(text)
			}
			cells = append(cells, cell)
		}
		out = append(out, strings.Join(cells, " | "))
	}
	return out
}

func check(t *testing.T, got, want result) {
	t.Helper()
	if got.schema != want.schema {
		t.Errorf("schema\n got %s\nwant %s", got.schema, want.schema)
	}
	if g, w := strings.Join(got.rows, "\n"), strings.Join(want.rows, "\n"); g != w {
		t.Errorf("rows\n got %s\nwant %s", g, w)
	}
	if g, w := strings.Join(got.rejects, "\n"), strings.Join(want.rejects, "\n"); g != w {
		t.Errorf("rejects\n got %s\nwant %s", g, w)
	}
}

func TestInference(t *testing.T) {
	tests := map[string]struct {
		text string
		want result
	}{
		"scalars": {`[{"a":1,"b":2.5,"c":"x","d":true},{"a":-2,"b":1e3,"c":"","d":false}]`, result{
			schema: "a int64, b float64, c utf8, d bool",
			rows:   []string{"1 | 2.5 | x | true", "-2 | 1000 |  | false"}}},
		"null and missing": {`[{"a":null,"b":null},{"b":1},{"a":"x"},{}]`, result{
			schema: "a utf8, b int64",
			rows:   []string{"null | null", "null | 1", "x | null", "null | null"}}},
		"only nulls": {`[{"a":null,"b":1}]`, result{schema: "b int64", rows: []string{"1"}}},
		"exact integers": {`[{"a":9007199254740993},{"a":-9223372036854775808},{"a":9223372036854775807}]`, result{
			schema: "a int64", rows: []string{"9007199254740993", "-9223372036854775808", "9223372036854775807"}}},
		"beyond int64": {`[{"a":1},{"a":9223372036854775808},{"a":-99999999999999999999999999999999999999}]`, result{
			schema: "a decimal(38, 0)",
			rows:   []string{`1`, `9223372036854775808`, `-99999999999999999999999999999999999999`}}},
		"beyond decimal": {`[{"a":1},{"a":100000000000000000000000000000000000000}]`, result{
			schema: "a utf8", rows: []string{"1", "100000000000000000000000000000000000000"}}},
		"int to float": {`[{"a":1},{"a":1.5}]`, result{schema: "a float64", rows: []string{"1", "1.5"}}},
		"big int then float stays exact": {`[{"a":9007199254740993},{"a":0.5}]`, result{
			schema: "a utf8", rows: []string{"9007199254740993", "0.5"}}},
		"float then big int stays exact": {`[{"a":0.5},{"a":9007199254740993}]`, result{
			schema: "a utf8", rows: []string{"0.5", "9007199254740993"}}},
		"float overflow": {`[{"a":1e400}]`, result{schema: "a utf8", rows: []string{"1e400"}}},
		"to text":        {`[{"a":1},{"a":"x"},{"a":true},{"a":[1]},{"a":{"b": 1}}]`, result{schema: "a utf8", rows: []string{"1", "x", "true", "[1]", `{"b":1}`}}},
		"times": {`[{"a":"2026-02-28T23:59:59.123456+02:00","b":"2024-02-29"},{"a":"2026-01-01T00:00:00Z","b":"1969-12-31"}]`, result{
			schema: "a timestamp[us, tz=UTC], b date32",
			rows:   []string{`2026-02-28T21:59:59.123456Z | 2024-02-29`, `2026-01-01T00:00:00Z | 1969-12-31`}}},
		"not quite times": {`[{"a":"2026-02-29","b":"2026-01-01T00:00:00"},{"a":"2026-02-28","b":"2026-01-01T00:00:00Z"}]`, result{
			schema: "a utf8, b utf8",
			rows:   []string{"2026-02-29 | 2026-01-01T00:00:00", "2026-02-28 | 2026-01-01T00:00:00Z"}}},
		"nested": {`[{"a":{"b": [1, {"c":"x y"}]},"d":[1, 2],"e":["p",null],"f":[[1]]}]`, result{
			schema: "a utf8, d list<item: int64, nullable>, e list<item: utf8, nullable>, f utf8",
			rows:   []string{`{"b":[1,{"c":"x y"}]} | [1,2] | ["p",null] | [[1]]`}}},
		"list stops being simple": {`[{"d":[1,2]},{"d":[]},{"d":null},{"d":[{"x":1}]}]`, result{
			schema: "d utf8", rows: []string{"[1,2]", "[]", "null", `[{"x":1}]`}}},
		"empty list is not null": {`[{"d":[]},{"d":null},{}]`, result{
			schema: "d list<item: utf8, nullable>", rows: []string{"[]", "null", "null"}}},
		"escapes": {`[{"a\u0062":"\"\\\/\b\f\n\r\t\u00e4\ud83d\ude00"}]`, result{
			schema: "ab utf8", rows: []string{"\"\\/\b\f\n\r\tä😀"}}},
		"names": {`[{"a.b":1,"A":2,"a":3}]`, result{schema: "a.b int64, A int64, a_ int64", rows: []string{"1 | 2 | 3"}}},
		"refused": {"[{\"a\":\"\xff\"},{\"a\":\"\\ud800\"},{\"a\":{\"b\":\"\\u0000\"}},{\"a\":\"\\x\"},{\"a\":\"\x01\"},{\"a\":1,\"a\":2},7,{\"a\":01},{\"a\":5}]", result{
			schema: "a int64", rows: []string{"5"},
			rejects: []string{"$.a: invalid UTF-8", "$.a: half of a surrogate pair in text", "$.a: NUL character in text",
				"$.a: invalid escape in text", "$.a: control character in text", "$.a: the name appears twice in one object",
				"$: not a JSON object", "$.a: not a number that JSON allows"}}},
		"deep": {`[{"a":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `},{"b":1}]`, result{
			schema: "b int64", rows: []string{"1"}, rejects: []string{"$.a: nested too deeply"}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for _, r := range []io.Reader{strings.NewReader(tt.text), iotest.OneByteReader(strings.NewReader(tt.text))} {
				b := newBuilder(t, rows.Options{})
				got, err := read(t, rows.NewJSONReader(r, nil, rows.Limits{}), b)
				if err != nil {
					t.Fatal(err)
				}
				check(t, got, tt.want)
			}
		})
	}
}

func newBuilder(t *testing.T, o rows.Options) *rows.Builder {
	t.Helper()
	b, err := rows.NewBuilder(o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDocument(t *testing.T) {
	tests := map[string]struct {
		text, path string
		rows       int
		envelope   string
		kind       core.Kind // of the error; "" for none
	}{
		"root list":       {`[{"a":1},{"a":2}]`, "", 2, `[]`, ""},
		"root object":     {` {"a":1} `, "", 1, `[]`, ""},
		"at a path":       {`{"n":1,"data":{"x":[0],"items":[{"a":1},{"a":2}],"y":"z"},"next":{"c":"t"}}`, "data.items", 2, `{"n":1,"data":{"x":[0],"items":[],"y":"z"},"next":{"c":"t"}}`, ""},
		"single at path":  {`{"item":{"a":1},"k":2}`, "item", 1, `{"item":[],"k":2}`, ""},
		"null at path":    {`{"items":null}`, "items", 0, `{"items":null}`, ""},
		"no path":         {`{"error":"x"}`, "items", 0, `{"error":"x"}`, ""},
		"empty":           {`{"items":[ ],"more":true}`, "items", 0, `{"items":[],"more":true}`, ""},
		"byte order mark": {"\xef\xbb\xbf[{\"a\":1}]", "", 1, `[]`, ""},
		"number":          {`42`, "", 0, `42`, ""},
		"cut in a record": {`[{"a":1},{"a":`, "", 1, "", core.KindUnavailable},
		"cut after rows":  {`{"items":[{"a":1}],"ne`, "items", 1, "", core.KindUnavailable},
		"nothing":         {``, "", 0, "", core.KindUnavailable},
		"html":            {`<html><body>Sorry</body></html>`, "items", 0, "", core.KindData},
		"trailing text":   {`[{"a":1}] x`, "", 1, "", core.KindData},
		"trailing comma":  {`[{"a":1},]`, "", 1, "", core.KindData},
		"member comma":    {`{"items":[],}`, "items", 0, "", core.KindData},
		"two commas":      {`[{"a":1},,{"a":2}]`, "", 1, "", core.KindData},
		"no comma":        {`[{"a":1} {"a":2}]`, "", 1, "", core.KindData},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBuilder(t, rows.Options{})
			var path []string
			if tt.path != "" {
				path = strings.Split(tt.path, ".")
			}
			r := rows.NewJSONReader(iotest.HalfReader(strings.NewReader(tt.text)), path, rows.Limits{})
			var err error
			for err == nil {
				err = r.Next(b)
			}
			if tt.kind == "" && err != io.EOF { //nolint:errorlint // exactly EOF
				t.Fatalf("Next: %v", err)
			}
			if tt.kind != "" && core.KindOf(err) != tt.kind {
				t.Errorf("error kind: got %q of %v, want %q", core.KindOf(err), err, tt.kind)
			}
			if b.Len() != tt.rows {
				t.Errorf("rows: got %d, want %d", b.Len(), tt.rows)
			}
			if tt.kind == "" && string(r.Envelope()) != tt.envelope {
				t.Errorf("envelope: got %s, want %s", r.Envelope(), tt.envelope)
			}
		})
	}
}

func TestDeclared(t *testing.T) {
	dec := &arrow.Decimal128Type{Precision: 10, Scale: 2}
	utc := arrow.FixedWidthTypes.Timestamp_us
	tests := map[string]struct {
		col    rows.Column
		values string // comma separated JSON
		want   []string
		reject []string
	}{
		"decimal": {rows.Column{Field: arrow.Field{Type: dec}}, `1,"2.50",-0.01,1e2,12345678.90,0.00,""`,
			[]string{"1", "2.5", "-0.01", "100", "12345678.9", "0", "null"}, nil},
		"decimal refused": {rows.Column{Field: arrow.Field{Type: dec}}, `0.001,123456789.00,1e99,"x",true,[1]`, nil,
			[]string{"more decimals than the column's 2", "more digits than the column's 10", "more digits than the column's 10",
				"not a decimal number", "not a decimal number", "not a decimal number"}},
		"int":   {rows.Column{Field: arrow.Field{Type: arrow.PrimitiveTypes.Int64}}, `1,"2",3.0,1e3,1.5`, []string{"1", "2", "3", "1000"}, []string{"not a whole number"}},
		"float": {rows.Column{Field: arrow.Field{Type: arrow.PrimitiveTypes.Float64}}, `1,"2.5",9007199254740993`, []string{"1", "2.5", "9007199254740992"}, nil},
		"bool":  {rows.Column{Field: arrow.Field{Type: arrow.FixedWidthTypes.Boolean}}, `true,"false",0`, []string{"true", "false"}, []string{"not a boolean"}},
		"text":  {rows.Column{Field: arrow.Field{Type: arrow.BinaryTypes.String}}, `"x",12345678901234567890,true,{"a": 1},"2024-01-01"`, []string{"x", "12345678901234567890", "true", `{"a":1}`, "2024-01-01"}, nil},
		"json":  {rows.Column{Field: arrow.Field{Type: arrow.BinaryTypes.String}, JSON: true}, `"x",1,null,[ ]`, []string{`"x"`, "1", "null", "[]"}, nil},
		"epoch seconds": {rows.Column{Field: arrow.Field{Type: utc}, Format: "epoch_s"}, `0,1767225600,"1767225600",1767225600.123456789,-1`,
			[]string{"1970-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.123456Z", "1969-12-31T23:59:59Z"}, nil},
		"epoch millis": {rows.Column{Field: arrow.Field{Type: utc}, Format: "epoch_ms"}, `1767225600123,"2026-01-01"`,
			[]string{"2026-01-01T00:00:00.123Z"}, []string{"not a time"}},
		"time":     {rows.Column{Field: arrow.Field{Type: utc}}, `"2026-01-01T00:00:00+02:00","2026-01-01 00:00","2026-01-01",1767225600`, []string{"2025-12-31T22:00:00Z", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"}, []string{"not a time"}},
		"rfc2822":  {rows.Column{Field: arrow.Field{Type: utc}, Format: "rfc2822"}, `"Tue, 31 Aug 2010 20:36:28 +0000"`, []string{"2010-08-31T20:36:28Z"}, nil},
		"pattern":  {rows.Column{Field: arrow.Field{Type: utc}, Format: "%d.%m.%Y %H:%M"}, `"31.12.2025 23:59","2025"`, []string{"2025-12-31T23:59:00Z"}, []string{"not a time"}},
		"date":     {rows.Column{Field: arrow.Field{Type: arrow.FixedWidthTypes.Date32}}, `"2024-02-29","2024-02-29T00:00:00Z","2024-02-30"`, []string{"2024-02-29", "2024-02-29"}, []string{"not a date"}},
		"list":     {rows.Column{Field: arrow.Field{Type: arrow.ListOf(arrow.PrimitiveTypes.Int64)}}, `[1,2],[],null,["3"],[{}],5`, []string{"[1,2]", "[]", "null", "[3]"}, []string{"not a list of a whole number", "not a list"}},
		"widening": {rows.Column{Field: arrow.Field{Type: arrow.PrimitiveTypes.Int64}, Widen: true}, `1,2.5`, []string{"1", "2.5"}, nil},
		"struct": {rows.Column{Field: arrow.Field{Type: arrow.StructOf(arrow.Field{Name: "x", Type: arrow.PrimitiveTypes.Int64, Nullable: true})}},
			`{"x":1,"y":2},{},null,{"x":"q"}`, []string{`{"x":1}`, `{"x":null}`, "null"}, []string{"not a whole number"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.col.Field.Name = "v"
			b := newBuilder(t, rows.Options{Columns: []rows.Column{tt.col}})
			var values []json.RawMessage
			if err := json.Unmarshal([]byte("["+tt.values+"]"), &values); err != nil {
				t.Fatal(err)
			}
			var text strings.Builder
			for _, v := range values {
				fmt.Fprintf(&text, "{\"v\":%s}\n", v)
			}
			got, err := read(t, rows.NewJSONLReader(strings.NewReader(text.String()), rows.Limits{}), b)
			if err != nil {
				t.Fatal(err)
			}
			var rejects []string
			for _, r := range got.rejects {
				rejects = append(rejects, strings.SplitN(r, ": ", 2)[1])
			}
			if g, w := strings.Join(got.rows, "\n"), strings.Join(tt.want, "\n"); g != w {
				t.Errorf("rows\n got %s\nwant %s", g, w)
			}
			if g, w := strings.Join(rejects, "\n"), strings.Join(tt.reject, "\n"); g != w {
				t.Errorf("rejects\n got %s\nwant %s", g, w)
			}
		})
	}
}
