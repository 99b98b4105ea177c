package wire

import (
	"sync/atomic"

	"google.golang.org/grpc/mem"

	wirev1 "github.com/unsilo/unsilo/plugins/wire/v1"
)

// Event is one event of a read on its way. A chunk, which is nearly all that travels,
// keeps to the memory it came in; every other event is the protobuf message.
type Event struct {
	message *wirev1.ReadEvent // nil for a chunk
	chunk   mem.BufferSlice
}

// NewEvent makes an Event of a message. It shares the bytes of a chunk.
func NewEvent(m *wirev1.ReadEvent) *Event {
	if c, ok := m.GetEvent().(*wirev1.ReadEvent_Chunk); ok {
		return &Event{chunk: mem.BufferSlice{mem.SliceBuffer(c.Chunk)}}
	}
	return &Event{message: m}
}

// Message gives the event as a message of its own. It copies a chunk.
func (e *Event) Message() *wirev1.ReadEvent {
	if e.message != nil {
		return e.message
	}
	return &wirev1.ReadEvent{Event: &wirev1.ReadEvent_Chunk{Chunk: e.chunk.Materialize()}}
}

// Error is the error of an error event; nil for any other.
func (e *Event) Error() *wirev1.Error { return e.message.GetError() }

// Free lets go of the memory of a chunk. An Event is used no more after it.
func (e *Event) Free() {
	e.chunk.Free()
	e.chunk = nil
}

// pieces of less than this many bytes are copied together; gRPC counts no references on
// shorter ones.
const smallPiece = 4 << 10

// chunkWriter cuts a body into chunks that point into the memory of its batch, which
// stays alive until the last of them has left.
type chunkWriter struct {
	send  func(*Event) error
	owner *owner
	chunk mem.BufferSlice
	size  int
	small []byte // short pieces since the last long one
	err   error
}

// Write takes the next piece of the body, whose memory belongs to the owner.
func (w *chunkWriter) Write(p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 && w.err == nil {
		piece := p[:min(len(p), ChunkSize-w.size)]
		p = p[len(piece):]
		w.size += len(piece)
		if len(piece) < smallPiece {
			w.small = append(w.small, piece...)
		} else {
			w.endSmall()
			w.chunk = append(w.chunk, w.owner.piece(piece))
		}
		if w.size == ChunkSize {
			w.flush()
		}
	}
	return total - len(p), w.err
}

func (w *chunkWriter) endSmall() {
	if len(w.small) > 0 {
		w.chunk = append(w.chunk, mem.SliceBuffer(w.small))
		w.small = nil
	}
}

// flush sends what has come together.
func (w *chunkWriter) flush() {
	w.endSmall()
	if w.size == 0 || w.err != nil {
		return
	}
	ev := &Event{chunk: w.chunk}
	w.err = w.send(ev)
	ev.Free()
	w.chunk, w.size = nil, 0
}

// owner releases the memory of a batch when the last piece of it was let go.
type owner struct {
	refs    atomic.Int32
	release func()
}

func newOwner(release func()) *owner {
	o := &owner{release: release}
	o.refs.Store(1)
	return o
}

func (o *owner) piece(p []byte) mem.Buffer {
	o.refs.Add(1)
	return mem.NewBuffer(&p, o)
}

// Get fulfils mem.BufferPool, which has two methods; nobody asks an owner for memory.
func (o *owner) Get(n int) *[]byte { b := make([]byte, n); return &b }

// Put lets one piece go.
func (o *owner) Put(*[]byte) {
	if o.refs.Add(-1) == 0 {
		o.release()
	}
}
