package mask_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"pgregory.net/rapid"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/mask"
	"github.com/unsilo/unsilo/transforms/normalize"
)

func newMask(t testing.TB, o mask.Options) core.Transform {
	t.Helper()
	tr, err := mask.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// apply masks one text column and gives its values; nil stands for null.
func apply(t testing.TB, tr core.Transform, means core.Means, values ...string) []string {
	t.Helper()
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	for _, v := range values {
		b.Append(v)
	}
	schema := arrow.NewSchema([]arrow.Field{core.WithMeans(arrow.Field{Name: "c", Type: arrow.BinaryTypes.String, Nullable: true}, means)}, nil)
	in := array.NewRecordBatch(schema, []arrow.Array{b.NewArray()}, int64(len(values)))
	defer in.Release()
	out, err := tr.Apply(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Release()
	got := make([]string, len(values))
	for i := range got {
		got[i] = out.Column(0).ValueStr(i)
	}
	return got
}

func hmacOf(t testing.TB, o mask.Options, means core.Means, value string) string {
	t.Helper()
	o.Columns = map[string]string{"c": mask.HMAC}
	return apply(t, newMask(t, o), means, value)[0]
}

// TestTokens pins the tokens: they must be the same in every run, process and release,
// or stored ones would stop joining.
func TestTokens(t *testing.T) {
	o := mask.Options{Key: testKey, DefaultRegion: "FI"}
	for _, c := range []struct {
		means       core.Means
		value, want string
	}{
		{core.PersonEmail, "Anna.Virtanen+news@Acme.FI", "p1_m42j72zcva43oggnihbghwtndq"},
		{core.PersonPhone, "040 123 4567", "p1_lvnthwyzicw3xxsz3d3kd4dwkq"},
		{core.PersonPhone, "n/a", "p1_raw_3wxybibqghgjybpdreiio2c2te"},
		{"", "A-17", "p1_4qbzo7arun4bw5bqqgr2y7enh4"},
	} {
		if got := hmacOf(t, o, c.means, c.value); got != c.want {
			t.Errorf("%s %q: got %s, want %s", c.means, c.value, got, c.want)
		}
	}
}

func TestTokensJoin(t *testing.T) {
	o := mask.Options{Key: testKey, DefaultRegion: "FI"}
	same := func(a, b string) {
		t.Helper()
		if a != b {
			t.Errorf("%s and %s differ", a, b)
		}
	}
	differ := func(a, b string) {
		t.Helper()
		if a == b {
			t.Errorf("both are %s", a)
		}
	}
	anna := hmacOf(t, o, core.PersonEmail, "anna@acme.fi")
	same(anna, hmacOf(t, o, core.PersonEmail, " ANNA+x@acme.fi"))
	same(hmacOf(t, o, core.PersonPhone, "+358401234567"), hmacOf(t, o, core.PersonPhone, "(040) 123-4567"))
	same(hmacOf(t, o, core.PersonNameFull, "Virtanen, Anna"), hmacOf(t, o, core.PersonNameFull, "anna virtanen"))
	differ(anna, hmacOf(t, o, core.PersonEmail, "bo@acme.fi"))
	// A value that cannot be normalised does not meet a normalised one of the same text.
	differ(hmacOf(t, o, core.PersonEmail, "A-17")[len("p1_raw_"):], hmacOf(t, o, "", "A-17")[len("p1_"):])

	keyed := func(key, id, purpose string) string {
		return hmacOf(t, mask.Options{Key: []byte(key), KeyID: id, Purpose: purpose}, core.PersonEmail, "anna@acme.fi")
	}
	differ(keyed("another key, also long enough", "p1", ""), anna)
	differ(keyed(string(testKey), "p1", "marketing"), anna)
	differ(keyed(string(testKey), "p1", "marketing"), keyed(string(testKey), "p1", "billing"))
	same(keyed(string(testKey), "p1", "marketing"), keyed(string(testKey), "p1", "marketing"))
	same(strings.Replace(keyed(string(testKey), "k2", ""), "k2", "p1", 1), anna)
	if form := regexp.MustCompile(`^p1_[a-z2-7]{26}$`); !form.MatchString(anna) {
		t.Errorf("token %s", anna)
	}
}

// TestTypesJoin proves that a number, a date or a dictionary gives the token of its text.
func TestTypesJoin(t *testing.T) {
	o := mask.Options{Columns: map[string]string{"c": mask.HMAC}, Key: testKey, DefaultRegion: "FI"}
	for _, c := range []struct {
		typ   arrow.DataType
		means core.Means
		text  string
	}{
		{arrow.PrimitiveTypes.Int64, "", "4711"}, {arrow.PrimitiveTypes.Uint8, "", "17"}, {&arrow.Decimal128Type{Precision: 20}, "", "4711"},
		{arrow.BinaryTypes.LargeString, core.PersonEmail, "anna@acme.fi"}, {arrow.BinaryTypes.StringView, core.PersonEmail, "anna@acme.fi"},
		{arrow.FixedWidthTypes.Date32, core.PersonBirthDate, "1980-03-04"}, {&arrow.TimestampType{Unit: arrow.Millisecond}, core.PersonBirthDate, "1980-03-04"},
		{&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}, core.PersonEmail, "anna@acme.fi"},
	} {
		b := array.NewBuilder(memory.DefaultAllocator, c.typ)
		for range 3 {
			if err := b.AppendValueFromString(c.text); err != nil {
				t.Fatal(err)
			}
		}
		schema := arrow.NewSchema([]arrow.Field{core.WithMeans(arrow.Field{Name: "c", Type: c.typ}, c.means)}, nil)
		out, err := newMask(t, o).Apply(context.Background(), array.NewRecordBatch(schema, []arrow.Array{b.NewArray()}, 3))
		if err != nil {
			t.Fatalf("%s: %v", c.typ, err)
		}
		want := apply(t, newMask(t, o), c.means, c.text)[0]
		if got := out.Column(0).ValueStr(2); got != want {
			t.Errorf("%s: got %s, want %s", c.typ, got, want)
		}
	}
}

func TestOtherMasks(t *testing.T) {
	for _, c := range []struct {
		mask  string
		means core.Means
		in    string
		want  string
	}{
		{mask.Partial, core.PersonEmail, "jane.doe@example.com", "j***@example.com"}, {mask.Partial, core.PersonEmail, "jo@example.com", "***@example.com"},
		{mask.Partial, core.PersonEmail, "no address", "***"}, {mask.Partial, core.PersonEmail, "x <jane@example.com>", "***"},
		{mask.Partial, core.PersonPhone, "+358 40 123 4567", "***567"}, {mask.Partial, core.PersonPhone, "040-12345", "***45"}, {mask.Partial, core.PersonPhone, "12345", "***"},
		{mask.Partial, core.PersonIBAN, "FI21 1234 5600 0007 85", "***785"}, {mask.Partial, core.PersonNationalID, "131052-308T", "***8T"},
		{mask.Partial, core.PersonNameFull, "Ädla Svensson", "Ä***"}, {mask.Partial, core.PersonNameGiven, "Bo", "***"}, {mask.Partial, "", "secret", "s***"},
		{mask.Redact, core.TextFree, "anything", "[redacted]"}, {mask.Redact, core.TextFree, "", "[redacted]"},
		{mask.Year, core.PersonBirthDate, "4.3.1980", "1980"}, {mask.Year, core.PersonBirthDate, "unknown", "(null)"},
		{mask.Keep, core.PersonEmail, "jane.doe@example.com", "jane.doe@example.com"},
	} {
		if got := apply(t, newMask(t, mask.Options{Columns: map[string]string{"c": c.mask}}), c.means, c.in)[0]; got != c.want {
			t.Errorf("%s %s %q: got %q, want %q", c.mask, c.means, c.in, got, c.want)
		}
	}
}

// TestPartialHides proves that no more than a quarter of any value can be seen, hosts of
// addresses apart.
func TestPartialHides(t *testing.T) {
	all := []core.Means{core.PersonPhone, core.PersonIBAN, core.PersonNameFull, core.PersonEmail, core.AddressStreet, core.PersonIP, ""}
	rapid.Check(t, func(rt *rapid.T) {
		means := rapid.SampledFrom(all).Draw(rt, "means")
		value := rapid.OneOf(rapid.String(), rapid.StringMatching(`[+0-9 -]{0,16}`), rapid.StringMatching(`[a-z.]{1,9}@[a-z]{1,5}\.[a-z]{2}`)).Draw(rt, "value")
		value = strings.ToValidUTF8(value, "?")
		got := apply(t, newMask(t, mask.Options{Columns: map[string]string{"c": mask.Partial}}), means, value)[0]
		shown := strings.Replace(got, "***", "", 1)
		local := value
		if at := strings.LastIndexByte(value, '@'); means == core.PersonEmail && at >= 0 {
			shown = strings.TrimSuffix(shown, strings.TrimRight(value[at:], " \t\n\r"))
			local = value[:at]
		}
		if 4*utf8.RuneCountInString(shown) > utf8.RuneCountInString(local) {
			rt.Fatalf("%s %q shows %q", means, value, got)
		}
	})
}

func TestSchema(t *testing.T) {
	in := arrow.NewSchema([]arrow.Field{
		core.WithMeans(arrow.Field{Name: "email", Type: arrow.BinaryTypes.String}, core.PersonEmail), {Name: "age", Type: arrow.PrimitiveTypes.Int64},
		{Name: "note", Type: arrow.BinaryTypes.String}, {Name: "born", Type: arrow.FixedWidthTypes.Date32},
	}, nil)
	tr := newMask(t, mask.Options{Columns: map[string]string{"email": mask.HMAC, "note": mask.Drop, "born": mask.Year}, Key: testKey})
	out, err := tr.Schema(in)
	if err != nil {
		t.Fatal(err)
	}
	email := out.Field(0)
	version, _ := email.Metadata.GetValue(core.NormalizerKey)
	name, _ := email.Metadata.GetValue(core.MaskKey)
	if core.MeansOf(email) != core.PersonEmail || name != mask.HMAC || version != normalize.Version {
		t.Errorf("email has metadata %v", email.Metadata)
	}
	if out.NumFields() != 3 || out.Field(2).Type.ID() != arrow.INT32 || !out.Field(2).Nullable || out.Field(1).HasMetadata() {
		t.Errorf("got %s", out)
	}
}

func TestFaults(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "email", Type: arrow.BinaryTypes.String}, {Name: "score", Type: arrow.PrimitiveTypes.Float64}, {Name: "seen", Type: arrow.FixedWidthTypes.Timestamp_us},
	}, nil)
	for _, c := range []struct {
		name         string
		o            mask.Options
		path, inText string
	}{
		{"no key", mask.Options{Columns: map[string]string{"email": "hmac"}}, "mask.email", "privacy"},
		{"short key", mask.Options{Columns: map[string]string{"email": "hmac"}, Key: []byte("short")}, "mask.email", "5 bytes"},
		{"no such mask", mask.Options{Columns: map[string]string{"email": "hamc"}}, "mask.email", `did you mean "hmac"?`},
		{"bad key id", mask.Options{KeyID: "a_b"}, "key_id", "lower-case"},
		{"no such column", mask.Options{Columns: map[string]string{"emial": "redact"}}, "mask.emial", `did you mean "email"?`},
		{"hmac of a fraction", mask.Options{Columns: map[string]string{"score": "hmac"}, Key: testKey}, "mask.score", "float64"},
		{"hmac of a time", mask.Options{Columns: map[string]string{"seen": "hmac"}, Key: testKey}, "mask.seen", "timestamp"},
		{"part of a fraction", mask.Options{Columns: map[string]string{"score": "partial"}}, "mask.score", "redact or drop"},
		{"year of a fraction", mask.Options{Columns: map[string]string{"score": "year"}}, "mask.score", "float64"},
	} {
		tr, err := mask.New(c.o)
		if err == nil {
			_, err = tr.Schema(schema)
		}
		var e *core.Error
		if !errors.As(err, &e) || e.Kind != core.KindConfig || e.Path != c.path || !strings.Contains(e.Error()+e.Try, c.inText) {
			t.Errorf("%s: got %+v", c.name, err)
		}
	}
}

// TestDeletes sends a batch that lacks a masked column, as deletes do.
func TestDeletes(t *testing.T) {
	b := array.NewInt64Builder(memory.DefaultAllocator)
	b.Append(7)
	in := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64}}, nil), []arrow.Array{b.NewArray()}, 1)
	out, err := newMask(t, mask.Options{Columns: map[string]string{"email": mask.Redact}}).Apply(context.Background(), in)
	if err != nil || out.NumRows() != 1 {
		t.Errorf("got %v, %v", out, err)
	}
}

// BenchmarkBareHMAC is the floor under the hmac mask.
func BenchmarkBareHMAC(b *testing.B) {
	mac, value, sum := hmac.New(sha256.New, testKey), []byte("anna.virtanen@acme.fi"), make([]byte, 0, 32)
	for b.Loop() {
		mac.Reset()
		mac.Write(value)
		sum = mac.Sum(sum[:0])
	}
}

func BenchmarkApply(b *testing.B) {
	for _, c := range []struct {
		name, mask string
		means      core.Means
		value      string
	}{
		{"hmac id", mask.HMAC, "", "0031x00000AbCdE"}, {"hmac email", mask.HMAC, core.PersonEmail, "anna.virtanen@acme.fi"},
		{"hmac phone", mask.HMAC, core.PersonPhone, "040 123 4567"}, {"partial email", mask.Partial, core.PersonEmail, "anna.virtanen@acme.fi"},
		{"redact", mask.Redact, "", "anything"}, {"keep", mask.Keep, "", "anything"},
	} {
		b.Run(c.name, func(b *testing.B) {
			const rows = 10_000
			values := array.NewStringBuilder(memory.DefaultAllocator)
			for range rows {
				values.Append(c.value)
			}
			schema := arrow.NewSchema([]arrow.Field{core.WithMeans(arrow.Field{Name: "c", Type: arrow.BinaryTypes.String}, c.means)}, nil)
			in := array.NewRecordBatch(schema, []arrow.Array{values.NewArray()}, rows)
			tr := newMask(b, mask.Options{Columns: map[string]string{"c": c.mask}, Key: testKey, DefaultRegion: "FI"})
			b.ReportAllocs()
			for b.Loop() {
				out, err := tr.Apply(context.Background(), in)
				if err != nil {
					b.Fatal(err)
				}
				out.Release()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/value")
		})
	}
}

// Keys that are normalised alike stay two rows; spellings that are normal already have the
// token that they have in any other column, and all join as before.
func TestKeysOfOneSpellingEach(t *testing.T) {
	field := core.WithMeans(arrow.Field{Name: "id", Type: arrow.BinaryTypes.String}, core.PersonEmail)
	values := []string{"a@x.fi", "A@x.fi", " a@x.fi", "A@X.fi", "n/a", "N/A"}
	tokens := func(name string) []string {
		tr, err := mask.New(mask.Options{Columns: map[string]string{"id": name}, Key: testKey})
		if err != nil {
			t.Fatal(err)
		}
		b := array.NewStringBuilder(memory.DefaultAllocator)
		b.AppendValues(values, nil)
		col := b.NewArray()
		in := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{field}, nil), []arrow.Array{col}, int64(len(values)))
		out, err := tr.Apply(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		if m, _ := out.Schema().Field(0).Metadata.GetValue(core.MaskKey); m != mask.HMAC {
			t.Errorf("%s: the metadata say %q", name, m)
		}
		var got []string
		for i := range values {
			got = append(got, strings.Clone(out.Column(0).(*array.String).Value(i)))
		}
		return got
	}
	plain, keys := tokens(mask.HMAC), tokens(mask.HMACKey)
	seen := map[string]string{}
	for i, token := range keys {
		if other, ok := seen[token]; ok {
			t.Errorf("%q and %q have one token, %s", other, values[i], token)
		}
		seen[token] = values[i]
		joined, ok := normalize.AppendToken(nil, token)
		if wantJoin := i < 4; ok != wantJoin || ok && string(joined) != plain[i] {
			t.Errorf("%q joins as %s, want %s", values[i], joined, plain[i])
		}
	}
	if keys[0] != plain[0] {
		t.Errorf("a normal spelling has the token %s as a key and %s elsewhere", keys[0], plain[0])
	}
	if plain[0] != plain[1] || plain[1] != plain[2] {
		t.Errorf("spellings of one address have the tokens %v", plain[:4])
	}
}
