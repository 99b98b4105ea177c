package wire_test

import (
	"encoding/binary"
	"hash/crc32"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/plugins/wire"
	wirev1 "github.com/unsilo/unsilo/plugins/wire/v1"
)

// validStream is a read as bytes: each event with its length before it.
func validStream(t testing.TB, schema *arrow.Schema, rows ...int) []byte {
	t.Helper()
	rng := rand.New(rand.NewPCG(9, 9))
	var events []*wirev1.ReadEvent
	enc := wire.NewEncoder(memory.DefaultAllocator, 0, record(&events))
	for _, n := range rows {
		rec := randomRecord(rng, memory.DefaultAllocator, schema, n)
		check(t, enc.Write(rec, core.OpUpsert, []wire.Mark{{Rows: int64(n / 2), After: core.State(`{"a":1}`)}}))
	}
	check(t, enc.End())
	return join(t, events)
}

// feed runs bytes through codec and decoder as a host does, and looks at every value of
// what comes out, as a warehouse does.
func feed(src []byte) (rows int64, err error) {
	dec, codec := wire.NewDecoder(0), wire.Codec()
	for len(src) > 0 {
		n, size := binary.Uvarint(src)
		if size <= 0 || n > uint64(len(src)-size) {
			return rows, nil
		}
		ev := &wire.Event{}
		if err := codec.Unmarshal(mem.BufferSlice{mem.SliceBuffer(src[size : size+int(n)])}, ev); err != nil {
			return rows, err
		}
		src = src[size+int(n):]
		got, err := dec.Next(ev)
		if err != nil {
			return rows, err
		}
		for _, b := range got.Batches {
			if b.Rows != nil {
				rows += b.Rows.NumRows()
				for _, c := range b.Rows.Columns() {
					for i := range min(c.Len(), 2000) {
						_ = c.ValueStr(i)
					}
				}
				b.Rows.Release()
			}
		}
	}
	return rows, nil
}

// allocated measures the bytes that f takes, all in all.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestValidStreamFeeds(t *testing.T) {
	rows, err := feed(validStream(t, allTypesSchema(), 10, 0, 100))
	if err != nil || rows != 110 {
		t.Fatalf("%d rows, %v", rows, err)
	}
}

// FuzzFrames: no bytes crash the decoder, or make it take more memory than a small
// multiple of them. Each input is also tried with true checksums, so that it gets behind them.
func FuzzFrames(f *testing.F) {
	types := plainTypes()
	for i := range types {
		fields := []arrow.Field{{Name: "a", Type: types[i], Nullable: true}, {Name: "b", Type: types[(i*7+3)%len(types)], Nullable: true}}
		f.Add(validStream(f, arrow.NewSchema(fields, nil), i%4, 3))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		if len(src) > 1<<18 {
			return
		}
		inputs := [][]byte{src}
		if events, ok := split(src); ok {
			resum(events)
			inputs = append(inputs, join(t, events))
		}
		for _, in := range inputs {
			var err error
			if got := allocated(func() { _, err = feed(in) }); got > 4<<20+400*uint64(len(in)) {
				t.Fatalf("%d bytes of input took %d bytes of memory (%v)", len(in), got, err)
			}
		}
	})
}

// TestMutatedFrames flips one to eight bytes of a valid stream, many times, and mends the
// checksum so that the bytes reach the Arrow tables.
func TestMutatedFrames(t *testing.T) {
	base := validStream(t, allTypesSchema(), 60)
	events, _ := split(base)
	rng := rand.New(rand.NewPCG(11, 12))
	refused := 0
	for range 6000 {
		mutated := make([]*wirev1.ReadEvent, len(events))
		for i, ev := range events {
			mutated[i] = proto.Clone(ev).(*wirev1.ReadEvent)
		}
		target := mutate(rng, mutated)
		resum(mutated)
		src := join(t, mutated)
		var err error
		if got := allocated(func() { _, err = feed(src) }); got > 32<<20 {
			t.Fatalf("a change of the %s took %d MiB", target, got>>20)
		}
		if err != nil {
			refused++
		}
	}
	if refused < 1000 {
		t.Errorf("only %d of 6000 changed streams were refused: the changes do not reach", refused)
	}
}

// split reads the events of a stream; false when they are none.
func split(src []byte) ([]*wirev1.ReadEvent, bool) {
	var out []*wirev1.ReadEvent
	for len(src) > 0 {
		n, size := binary.Uvarint(src)
		ev := &wirev1.ReadEvent{}
		if size <= 0 || n > uint64(len(src)-size) || proto.Unmarshal(src[size:size+int(n)], ev) != nil {
			return nil, false
		}
		out, src = append(out, ev), src[size+int(n):]
	}
	return out, true
}

// join is the other way.
func join(t testing.TB, events []*wirev1.ReadEvent) []byte {
	t.Helper()
	var out []byte
	for _, ev := range events {
		b, err := proto.Marshal(ev)
		check(t, err)
		out = append(binary.AppendUvarint(out, uint64(len(b))), b...)
	}
	return out
}

// resum makes the checksums true again.
func resum(events []*wirev1.ReadEvent) {
	var frame *wirev1.Frame
	for _, ev := range events {
		if f := ev.GetFrame(); f != nil {
			frame = f
			frame.Crc32C = crc32.Checksum(f.Header, crc32.MakeTable(crc32.Castagnoli))
		}
		if c := ev.GetChunk(); c != nil && frame != nil {
			frame.Crc32C = crc32.Update(frame.Crc32C, crc32.MakeTable(crc32.Castagnoli), c)
		}
	}
}

// mutate changes bytes of an Arrow header, a body, or the fields of a frame.
func mutate(rng *rand.Rand, events []*wirev1.ReadEvent) string {
	var frame *wirev1.Frame
	var chunks [][]byte
	for _, ev := range events {
		if f := ev.GetFrame(); f != nil {
			frame = f
		}
		if c := ev.GetChunk(); c != nil {
			chunks = append(chunks, c)
		}
	}
	target, what := frame.Header, "header"
	if rng.IntN(3) == 0 {
		target, what = chunks[rng.IntN(len(chunks))], "body"
	}
	for range 1 + rng.IntN(8) {
		target[rng.IntN(len(target))] = byte(rng.IntN(256))
	}
	if rng.IntN(4) == 0 {
		at := rng.IntN(len(target) - 8)
		binary.LittleEndian.PutUint64(target[at:], rng.Uint64()>>rng.IntN(64))
	}
	return what
}
