package rows_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/unsilo/unsilo/connectors/rows"
	"github.com/unsilo/unsilo/core"
)

// FuzzJSON compares records with what encoding/json makes of them.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		`{"a":1,"b":"x","c":null,"d":true,"e":1.5e3}`, `{"a":[1,2,null],"b":{"c":[{}]}}`, `{"n":123456789012345678901234567890}`,
		`{"t":"2026-01-01T00:00:00Z","d":"2026-02-28"}`, `{"s":"\ud83d\ude00\u00e4\n\\\""}`, `{"a":-0,"b":0.1,"c":1e400,"d":-9223372036854775808}`,
		`[{"a":1},{"a":"x"},{"a":[1]},{"a":{"b":2}},{}]`, `[{"a":1},{"a":1.5},{"a":9007199254740993}]`, `{"a":1,"a":2}`,
		"{\"a\":\"\xff\"}", `{"a":"\u0000"}`, `{"a":01}`, `{"":{"":""}}`, `{"a.b":1,"A":2,"a":3}`, `[[1],2,"x",{"a":[[]]}]`,
	} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, text []byte, structs bool) {
		o := rows.Options{MaxColumns: 64}
		if structs {
			o.Nested = rows.NestedStruct
		}
		b, err := rows.NewBuilder(o)
		if err != nil {
			t.Fatal(err)
		}
		r := rows.NewJSONReader(iotest.HalfReader(bytes.NewReader(text)), nil, rows.Limits{})
		var records []json.RawMessage
		for err == nil {
			n, rejected := b.Len(), b.Rejected()
			if err = r.Next(b); err != nil {
				break
			}
			switch {
			case b.Len() == n+1 && b.Rejected() == rejected:
				records = append(records, bytes.Clone(r.Raw()))
			case b.Len() != n || b.Rejected() != rejected+1:
				t.Fatalf("a record gave %d rows and %d rejects", b.Len()-n, b.Rejected()-rejected)
			}
		}
		whole := errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF)
		if kind := core.KindOf(err); !whole && kind != core.KindData && kind != core.KindUnavailable {
			t.Fatalf("error of kind %q: %v", kind, err)
		}
		if whole && b.Rejected() == 0 && !json.Valid(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))) {
			t.Fatalf("text that is not JSON was read: %q", text)
		}
		if whole && !json.Valid(r.Envelope()) {
			t.Fatalf("envelope is not JSON: %q", r.Envelope())
		}
		if batch := b.Take(); batch != nil {
			defer batch.Release()
			sameRecords(t, batch, records, structs)
		}
		if rejects := b.TakeRejects(); rejects != nil {
			rejects.Release()
		}
	})
}

// sameRecords compares a batch with its records as encoding/json reads them.
func sameRecords(t *testing.T, batch arrow.RecordBatch, records []json.RawMessage, structs bool) {
	t.Helper()
	if int(batch.NumRows()) != len(records) {
		t.Fatalf("%d rows of %d records", batch.NumRows(), len(records))
	}
	wanted, names := make([]map[string]any, len(records)), map[string]any{}
	for i, text := range records {
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&wanted[i]); err != nil {
			t.Fatalf("encoding/json refuses %q: %v", text, err)
		}
		maps.Copy(names, wanted[i])
	}
	for i, text := range records {
		for name, v := range wanted[i] {
			k := batch.Schema().FieldIndices(name)
			if len(k) != 1 {
				if v != nil && !structs && !clashes(names, name) {
					t.Fatalf("column %q is missing for %q", name, text)
				}
				continue
			}
			if !clashes(names, name) && !sameValue(batch.Column(k[0]), i, v, structs) {
				t.Fatalf("%q of %q: got %s", name, text, batch.Column(k[0]).ValueStr(i))
			}
		}
	}
}

// clashes reports whether a name differs from another one of the batch in case only, or could
// be made from it.
func clashes(names map[string]any, name string) bool {
	for other := range names {
		if other != name && strings.EqualFold(strings.TrimRight(other, "_"), strings.TrimRight(name, "_")) {
			return true
		}
	}
	return strings.HasSuffix(name, "_")
}

func sameValue(col arrow.Array, i int, want any, structs bool) bool {
	if want == nil {
		return col.IsNull(i)
	}
	if col.IsNull(i) && want == "" {
		return true // no text, in a column of numbers or times
	}
	if col.IsNull(i) {
		return structs // an object whose members are all null has no columns
	}
	switch col := col.(type) {
	case *array.Boolean:
		return want == col.Value(i)
	case *array.Int64, *array.Decimal128:
		return sameNumber(col.ValueStr(i), want)
	case *array.Float64:
		n, ok := want.(json.Number)
		f, err := n.Float64()
		return ok && err == nil && f == col.Value(i)
	case *array.String:
		return sameText(col.Value(i), want)
	case *array.List:
		items, ok := want.([]any)
		from, to := col.ValueOffsets(i)
		if !ok || int(to-from) != len(items) {
			return false
		}
		for k, item := range items {
			if !sameValue(col.ListValues(), int(from)+k, item, structs) {
				return false
			}
		}
		return true
	case *array.Timestamp, *array.Date32:
		_, ok := want.(string)
		return ok
	case *array.Struct:
		_, ok := want.(map[string]any)
		return ok
	}
	return false
}

// sameNumber compares whole numbers without rounding.
func sameNumber(got string, want any) bool {
	n, ok := want.(json.Number)
	if !ok {
		return false
	}
	g, ok1 := new(big.Int).SetString(got, 10)
	w, ok2 := new(big.Int).SetString(n.String(), 10)
	return ok1 && ok2 && g.Cmp(w) == 0
}

// sameText compares text with a value that may have been widened to text.
func sameText(got string, want any) bool {
	switch w := want.(type) {
	case string:
		return got == w || timeLike(w)
	case bool:
		return got == strconv.FormatBool(w)
	case json.Number:
		f1, _, err1 := big.ParseFloat(got, 10, 4096, big.ToNearestEven)
		f2, _, err2 := big.ParseFloat(w.String(), 10, 4096, big.ToNearestEven)
		if err1 != nil || err2 != nil {
			return got == w.String()
		}
		if f1.Cmp(f2) == 0 {
			return true
		}
		a, _ := f1.Float64() // a float64 column that was widened
		b, _ := f2.Float64()
		return a == b
	}
	d := json.NewDecoder(strings.NewReader(got))
	d.UseNumber()
	var v any
	return d.Decode(&v) == nil && (reflect.DeepEqual(v, want) || alikeJSON(v, want))
}

// timeLike text may have been a time before its column became text.
func timeLike(s string) bool { return len(s) >= 10 && s[4] == '-' && s[7] == '-' }

// alikeJSON compares JSON whose numbers and times were rewritten by widening a list.
func alikeJSON(a, b any) bool {
	listA, okA := a.([]any)
	listB, okB := b.([]any)
	if okA && okB {
		if len(listA) != len(listB) {
			return false
		}
		for i := range listA {
			if !alikeJSON(listA[i], listB[i]) {
				return false
			}
		}
		return true
	}
	mapA, okA := a.(map[string]any)
	mapB, okB := b.(map[string]any)
	if okA && okB {
		for k, v := range mapB {
			if !alikeJSON(mapA[k], v) {
				return false
			}
		}
		return true
	}
	text, ok := a.(string)
	if n, isNumber := a.(json.Number); isNumber {
		text, ok = n.String(), true
	}
	return reflect.DeepEqual(a, b) || (ok && b != nil && sameText(text, b))
}

// FuzzCSV compares records with what encoding/csv makes of them.
func FuzzCSV(f *testing.F) {
	for _, seed := range []string{
		"a,b\n1,2\n", "a,b\r\n\"x,y\",\"q\"\"q\"\r\n", "a\n\"line\nbreak\"\n", "a,b\n1\n1,2,3\n", "a,a\n1,2", "\"a\n1",
		"a,b\n,\"\"\n", "a\n2026-01-01\nx\n", "a\n007\n7\n", "\xef\xbb\xbfa\n1\n", "a,b\n\"x\"y,2\n", "a\n\xff\n", "\n\n\na\n\n1\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := rows.NewBuilder(rows.Options{Untyped: true, MaxColumns: 64})
		if err != nil {
			t.Fatal(err)
		}
		r := rows.NewCSVReader(iotest.HalfReader(bytes.NewReader(text)), rows.CSVOptions{})
		n := 0
		for err == nil {
			if err = r.Next(b); err == nil {
				n++
			}
		}
		if !errors.Is(err, io.EOF) && core.KindOf(err) != core.KindData {
			t.Fatalf("error: %v", err)
		}
		if b.Len()+b.Rejected() != n {
			t.Fatalf("%d rows and %d rejects of %d records", b.Len(), b.Rejected(), n)
		}
		clean := b.Rejected() == 0
		batch := b.Take()
		if batch == nil {
			return
		}
		defer batch.Release()
		oracle := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))))
		oracle.LazyQuotes = true
		want, err := oracle.ReadAll()
		if err != nil || !clean || !plainCSV(text) || len(want) < 2 {
			return // the oracle is stricter, or drops what we keep
		}
		if int(batch.NumRows()) != len(want)-1 {
			t.Fatalf("%d rows, want %d: %q", batch.NumRows(), len(want)-1, text)
		}
		for k, col := range batch.Columns() {
			name := batch.ColumnName(k)
			at := indexOnce(want[0], name)
			text, ok := col.(*array.String)
			if at < 0 || !ok {
				continue
			}
			for i := range text.Len() {
				if w := want[i+1][at]; text.IsValid(i) && text.Value(i) != w && !timeLike(w) || text.IsNull(i) && w != "" {
					t.Fatalf("row %d, %q: got %q, want %q", i, name, text.ValueStr(i), w)
				}
			}
		}
	})
}

// plainCSV reports whether both readers follow the same rules for the text: encoding/csv
// turns CRLF inside quotes into LF, and takes quotes inside a field in its own way.
func plainCSV(text []byte) bool {
	if !utf8.Valid(text) || bytes.ContainsAny(text, "\r\x00") {
		return false
	}
	inside := false
	for i, c := range text {
		if c != '"' {
			continue
		}
		starts := i == 0 || text[i-1] == ',' || text[i-1] == '\n'
		ends := i+1 == len(text) || text[i+1] == ',' || text[i+1] == '\n'
		if !inside && !starts || inside && !ends {
			return false
		}
		inside = !inside
	}
	return !inside
}

func indexOnce(names []string, name string) int {
	at := -1
	for i, n := range names {
		if strings.EqualFold(n, name) {
			if at >= 0 {
				return -1
			}
			at = i
		}
	}
	return at
}
