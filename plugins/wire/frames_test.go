package wire_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/plugins/wire"
	wirev1 "github.com/unsilo/unsilo/plugins/wire/v1"
)

// record keeps the events of an Encoder.
func record(events *[]*wirev1.ReadEvent) func(*wire.Event) error {
	return func(ev *wire.Event) error {
		*events = append(*events, proto.Clone(ev.Message()).(*wirev1.ReadEvent))
		return nil
	}
}

// decodeAll runs events through a Decoder and gives the batches.
func decodeAll(t testing.TB, events []*wirev1.ReadEvent) []core.Batch {
	t.Helper()
	d := wire.NewDecoder(0)
	var out []core.Batch
	done := false
	for _, ev := range events {
		got, err := d.Next(wire.NewEvent(ev))
		if err != nil {
			t.Fatalf("decode: %v", err)
		}
		out = append(out, got.Batches...)
		done = done || got.Done
	}
	if !done {
		t.Fatal("the read did not end")
	}
	return out
}

func TestEveryTypeRoundTrips(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 7, 1000} {
		want := randomRecord(rng, mem, allTypesSchema(), n)
		defer want.Release()
		var events []*wirev1.ReadEvent
		enc := wire.NewEncoder(mem, 0, record(&events))
		check(t, enc.Write(want, core.OpUpsert, []wire.Mark{{Rows: int64(n), After: core.State(`{"page":1}`)}}))
		check(t, enc.End())

		batches := decodeAll(t, events)
		if len(batches) != 1 || string(batches[0].After) != `{"page":1}` {
			t.Fatalf("%d rows: got %d batches, want one with its state", n, len(batches))
		}
		if n == 0 {
			continue
		}
		got := batches[0].Rows
		if !array.RecordEqual(got, want) {
			t.Errorf("%d rows: got\n%v\nwant\n%v", n, got, want)
		}
		if !got.Schema().Equal(want.Schema()) || !got.Schema().Metadata().Equal(want.Schema().Metadata()) {
			t.Errorf("schema: got %v, want %v", got.Schema(), want.Schema())
		}
		got.Release()
	}
}

// TestSlicesRoundTrip cuts a record anywhere, sends the parts with marks anywhere, and
// expects the same rows and every mark at its row.
func TestSlicesRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	whole := randomRecord(rng, mem, allTypesSchema(), 300)
	rapid.Check(t, func(rt *rapid.T) {
		from := rapid.Int64Range(0, 300).Draw(rt, "from")
		to := rapid.Int64Range(from, 300).Draw(rt, "to")
		part := whole.NewSlice(from, to)
		defer part.Release()
		var marks []wire.Mark
		at := int64(0)
		for range rapid.IntRange(0, 3).Draw(rt, "marks") {
			at = rapid.Int64Range(at, to-from).Draw(rt, "at")
			marks = append(marks, wire.Mark{Rows: at, After: core.State(fmt.Sprint(at))})
		}
		var events []*wirev1.ReadEvent
		enc := wire.NewEncoder(mem, 0, record(&events))
		check(t, enc.Write(part, core.OpDelete, marks))
		check(t, enc.End())

		row, seen := int64(0), 0
		for _, b := range decodeAll(t, events) {
			if b.Rows != nil {
				want := part.NewSlice(row, row+b.Rows.NumRows())
				if !array.RecordEqual(b.Rows, want) {
					rt.Fatalf("rows from %d differ", row)
				}
				row += b.Rows.NumRows()
				want.Release()
				b.Rows.Release()
			}
			if b.After != nil {
				if got, want := string(b.After), fmt.Sprint(row); got != want {
					rt.Fatalf("state %s after row %s", got, want)
				}
				seen++
			}
			if b.Op != core.OpDelete {
				rt.Fatalf("op %v", b.Op)
			}
		}
		if to > from && (row != to-from || seen != len(marks)) {
			rt.Fatalf("%d rows and %d marks came, want %d and %d", row, seen, to-from, len(marks))
		}
	})
	whole.Release()
	mem.AssertSize(t, 0)
}

func TestDictionariesAndViewsBecomePlain(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	words := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}
	numbers := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.PrimitiveTypes.Int64}
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "word", Type: words, Nullable: true},
		{Name: "number", Type: numbers, Nullable: true},
		{Name: "view", Type: arrow.BinaryTypes.StringView, Nullable: true},
		{Name: "nested", Type: arrow.ListOf(arrow.StructOf(arrow.Field{Name: "w", Type: words, Nullable: true})), Nullable: true},
		{Name: "plain", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	}, nil)
	rec := randomRecord(rand.New(rand.NewPCG(5, 6)), mem, schema, 200)
	defer rec.Release()
	part := rec.NewSlice(13, 180)
	defer part.Release()
	var events []*wirev1.ReadEvent
	enc := wire.NewEncoder(mem, 0, record(&events))
	check(t, enc.Write(part, core.OpUpsert, nil))
	check(t, enc.Write(part, core.OpUpsert, nil))
	check(t, enc.End())
	batches := decodeAll(t, events)
	if len(batches) != 2 {
		t.Fatalf("got %d batches, want 2", len(batches))
	}
	got := batches[1].Rows
	for c := range int(part.NumCols()) {
		for r := range int(part.NumRows()) {
			want := part.Column(c).ValueStr(r)
			if d, ok := part.Column(c).(*array.Dictionary); ok && d.IsValid(r) {
				want = d.Dictionary().ValueStr(d.GetValueIndex(r))
			}
			if g := got.Column(c).ValueStr(r); g != want {
				t.Fatalf("%s, row %d: got %q, want %q", part.ColumnName(c), r, g, want)
			}
		}
	}
}

func TestLongBatchesAreCut(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "body", Type: arrow.BinaryTypes.String}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for i := range 40_000 {
		b.Field(0).(*array.StringBuilder).Append(fmt.Sprintf("%08d%s", i, strings.Repeat("x", 1000)))
	}
	rec := b.NewRecordBatch()
	defer rec.Release()
	var events []*wirev1.ReadEvent
	enc := wire.NewEncoder(memory.DefaultAllocator, 0, record(&events))
	check(t, enc.Write(rec, core.OpUpsert, []wire.Mark{{Rows: 40_000, After: core.State("1")}}))
	check(t, enc.End())
	row := int64(0)
	batches := decodeAll(t, events)
	for i, batch := range batches {
		want := rec.NewSlice(row, row+batch.Rows.NumRows())
		if !array.RecordEqual(batch.Rows, want) {
			t.Fatalf("rows from %d differ", row)
		}
		row += batch.Rows.NumRows()
		if (batch.After != nil) != (i == len(batches)-1) {
			t.Errorf("batch %d of %d has state %s", i, len(batches), batch.After)
		}
	}
	if row != 40_000 || len(batches) < 5 {
		t.Errorf("got %d rows in %d batches, want 40000 in several", row, len(batches))
	}
	for _, ev := range events {
		if n := proto.Size(ev); n > wire.ChunkSize+64 {
			t.Errorf("an event of %d bytes is longer than a chunk", n)
		}
	}
}

func TestRowOverTheLimitIsRejectedNotDropped(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "body", Type: arrow.BinaryTypes.String}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for _, s := range []string{"small", strings.Repeat("secret", 1<<19), "last"} {
		b.Field(0).(*array.StringBuilder).Append(s)
	}
	rec := b.NewRecordBatch()
	defer rec.Release()
	var events []*wirev1.ReadEvent
	enc := wire.NewEncoder(memory.DefaultAllocator, 1<<20, record(&events))
	check(t, enc.Write(rec, core.OpUpsert, []wire.Mark{{Rows: 3, After: core.State("3")}}))
	check(t, enc.End())
	var upserts, rejects int64
	batches := decodeAll(t, events)
	for _, batch := range batches {
		switch batch.Op {
		case core.OpUpsert:
			upserts += batch.Rows.NumRows()
		case core.OpReject:
			rejects += batch.Rows.NumRows()
			if text := batch.Rows.Column(0).ValueStr(0); strings.Contains(text, "secret") || !strings.Contains(text, "sha256") {
				t.Errorf("rejected as %q", text)
			}
		}
	}
	if upserts != 2 || rejects != 1 || string(batches[len(batches)-1].After) != "3" {
		t.Errorf("got %d rows and %d rejects, last state %s; want 2, 1, 3", upserts, rejects, batches[len(batches)-1].After)
	}
}

func TestSchemaChangeMidRead(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	one := arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64}}, nil)
	two := arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64},
		{Name: "name", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)
	var events []*wirev1.ReadEvent
	enc := wire.NewEncoder(memory.DefaultAllocator, 0, record(&events))
	for _, s := range []*arrow.Schema{one, two, one, one} {
		check(t, enc.Write(randomRecord(rng, memory.DefaultAllocator, s, 3), core.OpUpsert, nil))
	}
	check(t, enc.End())
	batches := decodeAll(t, events)
	for i, want := range []int64{1, 2, 1, 1} {
		if got := batches[i].Rows.NumCols(); got != want {
			t.Errorf("batch %d: %d columns, want %d", i, got, want)
		}
	}
}

func TestConnectorErrorEndsTheRead(t *testing.T) {
	var events []*wirev1.ReadEvent
	enc := wire.NewEncoder(memory.DefaultAllocator, 0, record(&events))
	want := &core.Error{Kind: core.KindQuota, Op: "read page 3", Err: errors.New("used up")}
	check(t, enc.Fail(want))
	got, err := wire.NewDecoder(0).Next(wire.NewEvent(events[0]))
	check(t, err)
	if got.Failed == nil || got.Failed.Error() != want.Error() || core.KindOf(got.Failed) != core.KindQuota {
		t.Errorf("got %v, want %v", got.Failed, want)
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
