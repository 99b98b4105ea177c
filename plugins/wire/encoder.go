package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/crc32"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
	wirev1 "github.com/unsilo/unsilo/plugins/wire/v1"
)

// Sizes of what travels, in bytes.
const (
	ChunkSize      = 1 << 20   // of one message
	TargetBody     = 4 << 20   // of a frame that was cut out of a longer batch
	largestBody    = 8 << 20   // a batch up to this size goes in one frame
	DefaultMaxBody = 256 << 20 // the longest frame body a host takes when it does not say
)

// MessageLimit is the largest event of a read. Everything long is cut into chunks; what
// is left is the header of a very wide batch, or a long state.
const MessageLimit = 16 << 20

// Mark is a position within a batch: once its first Rows rows and all batches before it
// are stored, After is safe to keep.
type Mark struct {
	Rows  int64
	After core.State
}

// An Encoder turns the batches of one read into events. It is used by one goroutine.
type Encoder struct {
	send    func(*Event) error
	maxBody uint64
	mem     memory.Allocator

	given, plain *arrow.Schema // the last one that came, and its form in plain types
	sent         *arrow.Schema // the last one announced
	schemaID     uint32
	totals       wirev1.End
}

// NewEncoder makes an Encoder that passes every event to send. Events are lent until send
// returns. A maxBody of 0 means DefaultMaxBody.
func NewEncoder(mem memory.Allocator, maxBody uint64, send func(*Event) error) *Encoder {
	if maxBody == 0 {
		maxBody = DefaultMaxBody
	}
	return &Encoder{send: send, maxBody: maxBody, mem: mem}
}

// Write sends one batch, in as many frames as its size asks for. Marks are in rising
// order. rows may be nil when there are only marks. A single row that is longer than
// the limit is sent as a reject row that tells its size and SHA-256.
func (e *Encoder) Write(rows arrow.RecordBatch, op core.Op, marks []Mark) error {
	if rows == nil || rows.NumRows() == 0 {
		return e.writeMarks(op, marks)
	}
	rows, err := e.prepare(rows)
	if err != nil {
		return err
	}
	defer rows.Release()
	return e.writeRows(rows, op, marks)
}

// End sends the totals.
func (e *Encoder) End() error {
	return e.send(&Event{message: &wirev1.ReadEvent{Event: &wirev1.ReadEvent_End{End: &e.totals}}})
}

// Fail sends the error that ended the read.
func (e *Encoder) Fail(err error) error {
	return e.send(&Event{message: &wirev1.ReadEvent{Event: &wirev1.ReadEvent_Error{Error: ErrorToWire(err)}}})
}

// prepare gives the rows in plain types; the caller releases them.
func (e *Encoder) prepare(rows arrow.RecordBatch) (arrow.RecordBatch, error) {
	if rows.Schema() != e.given {
		e.given, e.plain = rows.Schema(), plainSchema(rows.Schema())
	}
	if e.plain == e.given {
		rows.Retain()
		return rows, nil
	}
	out, err := plainRecord(e.mem, e.plain, rows)
	if err != nil {
		return nil, &core.Error{Kind: core.KindInternal, Op: "send rows", Err: err}
	}
	return out, nil
}

// announce sends the schema when it differs from the last one.
func (e *Encoder) announce(s *arrow.Schema) error {
	if e.sent == s || (e.sent != nil && sameSchema(e.sent, s)) {
		return nil
	}
	w, err := SchemaToWire(s)
	if err != nil {
		return &core.Error{Kind: core.KindInternal, Op: "send rows", Err: err}
	}
	e.sent = s
	e.schemaID++
	ev := &wirev1.SchemaEvent{Id: e.schemaID, Schema: w}
	return e.send(&Event{message: &wirev1.ReadEvent{Event: &wirev1.ReadEvent_Schema{Schema: ev}}})
}

// sameSchema also compares metadata: it carries meaning.
func sameSchema(a, b *arrow.Schema) bool {
	return a.Equal(b) && a.Metadata().Equal(b.Metadata())
}

func (e *Encoder) writeMarks(op core.Op, marks []Mark) error {
	if len(marks) == 0 {
		return nil
	}
	return e.sendFrame(&wirev1.Frame{Op: wirev1.Frame_Op(op), Marks: marksToWire(marks)}, nil, nil)
}

// writeRows sends rows in one frame when they fit, and else cuts them.
func (e *Encoder) writeRows(rows arrow.RecordBatch, op core.Op, marks []Mark) error {
	n := rows.NumRows()
	pieces := (n + MaxRows - 1) / MaxRows
	if pieces > 1 {
		return e.cut(rows, op, marks, pieces)
	}
	payload, err := ipc.GetRecordBatchPayload(rows, ipc.WithAllocator(e.mem))
	if err != nil {
		return &core.Error{Kind: core.KindInternal, Op: "send rows", Err: err}
	}
	body := newOwner(payload.Release)
	defer body.Put(nil)
	meta := payload.Meta()
	defer meta.Release()
	sum := &bodySum{crc: crc32.New(crc32.MakeTable(crc32.Castagnoli))}
	sum.crc.Write(meta.Bytes())
	if err := payload.SerializeBody(sum); err != nil {
		return &core.Error{Kind: core.KindInternal, Op: "send rows", Err: err}
	}
	switch {
	case n > 1 && sum.size > min(largestBody, e.maxBody):
		return e.cut(rows, op, marks, min(n, int64((sum.size+TargetBody-1)/TargetBody)+1))
	case sum.size > e.maxBody:
		return e.rejectRow(&payload, sum.size, op, marks)
	}
	if err := e.announce(rows.Schema()); err != nil {
		return err
	}
	frame := &wirev1.Frame{
		SchemaId: e.schemaID, Op: wirev1.Frame_Op(op), Rows: uint64(n), Header: meta.Bytes(),
		BodyLength: sum.size, Crc32C: sum.crc.Sum32(), Marks: marksToWire(marks),
	}
	return e.sendFrame(frame, &payload, body)
}

// cut sends rows in that many pieces of about equal length.
func (e *Encoder) cut(rows arrow.RecordBatch, op core.Op, marks []Mark, pieces int64) error {
	n := rows.NumRows()
	for i := range pieces {
		from, to := n*i/pieces, n*(i+1)/pieces
		var own []Mark
		for _, m := range marks {
			if (m.Rows > from || from == 0) && m.Rows <= to {
				own = append(own, Mark{m.Rows - from, m.After})
			}
		}
		piece := rows.NewSlice(from, to)
		err := e.writeRows(piece, op, own)
		piece.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

// rejectRow sends a row that tells about one that is too long to send.
func (e *Encoder) rejectRow(payload *ipc.Payload, size uint64, op core.Op, marks []Mark) error {
	if op == core.OpDelete {
		return &core.Error{Kind: core.KindData, Op: "send rows",
			Err: fmt.Errorf("the key of a deleted row is %d bytes long", size)}
	}
	digest := sha256.New()
	if err := payload.SerializeBody(digest); err != nil {
		return &core.Error{Kind: core.KindInternal, Op: "send rows", Err: err}
	}
	b := array.NewRecordBuilder(e.mem, core.RejectSchema())
	defer b.Release()
	b.Field(0).(*array.StringBuilder).Append(
		fmt.Sprintf(`{"bytes":%d,"sha256":%q}`, size, hex.EncodeToString(digest.Sum(nil))))
	b.Field(1).(*array.StringBuilder).Append(
		fmt.Sprintf("the record is longer than the %d bytes that can leave a plugin", e.maxBody))
	b.Field(2).AppendNull()
	rec := b.NewRecordBatch()
	defer rec.Release()
	return e.Write(rec, core.OpReject, marks)
}

// sendFrame sends a frame and its body, and counts them.
func (e *Encoder) sendFrame(frame *wirev1.Frame, payload *ipc.Payload, body *owner) error {
	e.totals.Frames++
	e.totals.Rows += frame.Rows
	e.totals.Bytes += frame.BodyLength
	frame.Seq = e.totals.Frames
	if err := e.send(&Event{message: &wirev1.ReadEvent{Event: &wirev1.ReadEvent_Frame{Frame: frame}}}); err != nil {
		return err
	}
	if payload == nil {
		return nil
	}
	w := &chunkWriter{send: e.send, owner: body}
	// SerializeBody wraps the writer's error; the first one is what the caller must see.
	if err := payload.SerializeBody(w); err != nil && w.err == nil {
		w.chunk.Free()
		return &core.Error{Kind: core.KindInternal, Op: "send rows", Err: err}
	}
	w.flush()
	return w.err
}

func marksToWire(marks []Mark) []*wirev1.Mark {
	var out []*wirev1.Mark
	for _, m := range marks {
		out = append(out, &wirev1.Mark{Rows: uint64(m.Rows), After: m.After})
	}
	return out
}

// bodySum measures a body without keeping it.
type bodySum struct {
	crc  hash.Hash32
	size uint64
}

func (s *bodySum) Write(p []byte) (int, error) {
	s.size += uint64(len(p))
	return s.crc.Write(p)
}
