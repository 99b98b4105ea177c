package wire

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"strings"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"google.golang.org/grpc/mem"

	"github.com/unsilo/unsilo/core"
	wirev1 "github.com/unsilo/unsilo/plugins/wire/v1"
)

// A Decoder turns the events of one read back into batches. It believes nothing: order,
// lengths, checksums, Arrow tables and totals are checked. It is used by one goroutine.
type Decoder struct {
	maxBody  uint64
	schema   *arrow.Schema
	schemaID uint32
	seen     wirev1.End // totals so far

	frame  *wirev1.Frame // the one whose body is under way
	header batchHeader
	// body grows in a strings.Builder because that takes memory without clearing it first;
	// none of it is looked at before all of it was written.
	body strings.Builder
}

// NewDecoder makes a Decoder that refuses frames with a longer body than maxBody; 0
// means DefaultMaxBody.
func NewDecoder(maxBody uint64) *Decoder {
	if maxBody == 0 {
		maxBody = DefaultMaxBody
	}
	return &Decoder{maxBody: maxBody}
}

// Decoded is what an event completed.
type Decoded struct {
	// Batches are the rows of one frame, cut at its marks. The receiver releases them.
	Batches []core.Batch
	// Done says that the read ended as it should.
	Done bool
	// Failed is the error with which the connector ended the read.
	Failed error
}

// Next takes one event, which stays the caller's to free. An error means that the sender
// broke the rules; the Decoder is then of no further use.
func (d *Decoder) Next(ev *Event) (Decoded, error) {
	if ev.message == nil {
		if d.frame == nil {
			return Decoded{}, fmt.Errorf("a chunk of %d bytes belongs to no frame", ev.chunk.Len())
		}
		return d.addChunk(ev.chunk)
	}
	if d.frame != nil {
		return Decoded{}, fmt.Errorf("frame %d: %d of %d bytes came", d.frame.GetSeq(), d.body.Len(), d.frame.GetBodyLength())
	}
	switch ev := ev.message.GetEvent().(type) {
	case *wirev1.ReadEvent_Schema:
		return Decoded{}, d.setSchema(ev.Schema)
	case *wirev1.ReadEvent_Frame:
		return d.beginFrame(ev.Frame)
	case *wirev1.ReadEvent_Heartbeat:
		return Decoded{}, nil
	case *wirev1.ReadEvent_Error:
		return Decoded{Failed: ErrorFromWire(ev.Error)}, nil
	case *wirev1.ReadEvent_End:
		return d.end(ev.End)
	}
	return Decoded{}, fmt.Errorf("an event of an unknown kind came")
}

func (d *Decoder) setSchema(ev *wirev1.SchemaEvent) error {
	if ev.GetId() != d.schemaID+1 {
		return fmt.Errorf("schema %d came after schema %d", ev.GetId(), d.schemaID)
	}
	schema, err := SchemaFromWire(ev.GetSchema())
	if err != nil {
		return err
	}
	if schema == nil {
		return fmt.Errorf("schema %d is empty", ev.GetId())
	}
	d.schema, d.schemaID = schema, ev.GetId()
	return nil
}

func (d *Decoder) beginFrame(f *wirev1.Frame) (Decoded, error) {
	if err := d.checkFrame(f); err != nil {
		return Decoded{}, fmt.Errorf("frame %d: %w", d.seen.Frames+1, err)
	}
	d.seen.Frames++
	d.seen.Rows += f.GetRows()
	d.seen.Bytes += f.GetBodyLength()
	d.frame = f
	if f.GetBodyLength() > 0 {
		return Decoded{}, nil
	}
	return d.finish()
}

func (d *Decoder) checkFrame(f *wirev1.Frame) error {
	if f.GetSeq() != d.seen.Frames+1 {
		return fmt.Errorf("it calls itself frame %d", f.GetSeq())
	}
	if f.GetOp() < 0 || f.GetOp() > wirev1.Frame_REJECT {
		return fmt.Errorf("operation %d does not exist", f.GetOp())
	}
	if err := checkMarks(f); err != nil {
		return err
	}
	if f.GetRows() == 0 {
		if f.GetBodyLength() != 0 || len(f.GetHeader()) != 0 {
			return fmt.Errorf("it has a body and no rows")
		}
		return nil
	}
	if d.schema == nil || f.GetSchemaId() != d.schemaID {
		return fmt.Errorf("it names schema %d where %d holds", f.GetSchemaId(), d.schemaID)
	}
	if f.GetBodyLength() > d.maxBody {
		return fmt.Errorf("a body of %d bytes is over the limit of %d", f.GetBodyLength(), d.maxBody)
	}
	var err error
	if d.header, err = readBatchHeader(f.GetHeader()); err != nil {
		return err
	}
	if uint64(d.header.bodyLength) != f.GetBodyLength() || uint64(d.header.rows) != f.GetRows() {
		return fmt.Errorf("it says %d rows in %d bytes, its header %d rows in %d bytes",
			f.GetRows(), f.GetBodyLength(), d.header.rows, d.header.bodyLength)
	}
	return nil
}

func checkMarks(f *wirev1.Frame) error {
	var last uint64
	for _, m := range f.GetMarks() {
		if m.GetRows() < last || m.GetRows() > f.GetRows() {
			return fmt.Errorf("a position at row %d of %d is out of place", m.GetRows(), f.GetRows())
		}
		if !json.Valid(m.GetAfter()) {
			return fmt.Errorf("a position is not JSON")
		}
		last = m.GetRows()
	}
	return nil
}

// addChunk grows the body by what really came, never by what was announced.
func (d *Decoder) addChunk(chunk mem.BufferSlice) (Decoded, error) {
	want := d.frame.GetBodyLength()
	have := uint64(d.body.Len() + chunk.Len())
	if chunk.Len() == 0 || have > want {
		return Decoded{}, fmt.Errorf("frame %d: %d bytes came where %d were announced", d.frame.GetSeq(), have, want)
	}
	if have > uint64(d.body.Cap()) {
		d.body.Grow(int(min(want, 4*have)) - d.body.Len())
	}
	for _, piece := range chunk {
		d.body.Write(piece.ReadOnlyData())
	}
	if have < want {
		return Decoded{}, nil
	}
	return d.finish()
}

// finish makes the batches of a frame that is complete.
func (d *Decoder) finish() (Decoded, error) {
	f, text := d.frame, d.body.String()
	body := unsafe.Slice(unsafe.StringData(text), len(text))
	d.frame = nil
	d.body.Reset()
	if f.GetRows() == 0 {
		return Decoded{Batches: cutAtMarks(nil, f)}, nil
	}
	table := crc32.MakeTable(crc32.Castagnoli)
	if sum := crc32.Update(crc32.Checksum(f.GetHeader(), table), table, body); sum != f.GetCrc32C() {
		return Decoded{}, fmt.Errorf("frame %d: checksum %08x is not the announced %08x", f.GetSeq(), sum, f.GetCrc32C())
	}
	rec, err := loadBatch(d.schema, d.header, body)
	if err != nil {
		return Decoded{}, fmt.Errorf("frame %d: %w", f.GetSeq(), err)
	}
	defer rec.Release()
	return Decoded{Batches: cutAtMarks(rec, f)}, nil
}

// cutAtMarks gives the batches of a frame; rec stays the caller's.
func cutAtMarks(rec arrow.RecordBatch, f *wirev1.Frame) []core.Batch {
	var out []core.Batch
	op := core.Op(f.GetOp())
	from, rows := int64(0), int64(f.GetRows())
	for _, m := range f.GetMarks() {
		b := core.Batch{Op: op, After: m.GetAfter()}
		if to := int64(m.GetRows()); to > from {
			b.Rows = rec.NewSlice(from, to)
			from = to
		}
		out = append(out, b)
	}
	if from < rows {
		out = append(out, core.Batch{Op: op, Rows: rec.NewSlice(from, rows)})
	}
	return out
}

func (d *Decoder) end(e *wirev1.End) (Decoded, error) {
	if e.GetFrames() != d.seen.Frames || e.GetRows() != d.seen.Rows || e.GetBytes() != d.seen.Bytes {
		return Decoded{}, fmt.Errorf("the end says %d frames, %d rows, %d bytes; %d frames, %d rows, %d bytes came",
			e.GetFrames(), e.GetRows(), e.GetBytes(), d.seen.Frames, d.seen.Rows, d.seen.Bytes)
	}
	return Decoded{Done: true}, nil
}
