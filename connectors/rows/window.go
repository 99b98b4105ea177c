package rows

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/unsilo/unsilo/core"
)

// Limits bound what a Reader holds in memory.
type Limits struct {
	// Record is the largest record in bytes; a larger one is rejected, or in a JSON
	// document is an error. 0 means 16 MiB.
	Record int
	// Envelope is how much of a JSON document outside its records is kept; 0 means 1 MiB.
	Envelope int
}

const (
	defaultRecord   = 16 << 20
	defaultEnvelope = 1 << 20
	firstWindow     = 64 << 10
)

func (l Limits) withDefaults() Limits {
	if l.Record <= 0 {
		l.Record = defaultRecord
	}
	if l.Envelope <= 0 {
		l.Envelope = defaultEnvelope
	}
	return l
}

// A Reader finds the records of a text. It is used by one goroutine at a time.
type Reader interface {
	// Next appends the next record to b as a row, or as a reject when it cannot become
	// one. It returns io.EOF after the last record, an Error of KindUnavailable that wraps
	// io.ErrUnexpectedEOF when the text ends too early, and one of KindData when it is not
	// the promised format.
	Next(b *Builder) error
	// Raw is the text of the record that Next found last, valid until the next call.
	Raw() []byte
	// Offset is the number of bytes up to and including that record.
	Offset() int64
}

// window is a moving view of a byte stream.
type window struct {
	src  io.Reader
	buf  []byte
	pos  int   // first byte not yet used
	done int64 // bytes before buf
	eof  bool
	err  error
}

func newWindow(src io.Reader) window { return window{src: src, buf: make([]byte, 0, firstWindow)} }

func (w *window) rest() []byte  { return w.buf[w.pos:] }
func (w *window) offset() int64 { return w.done + int64(w.pos) }

// more reads on, keeping the bytes from pos on. It reports whether there was more.
func (w *window) more() bool {
	if w.eof || w.err != nil {
		return false
	}
	if w.pos > 0 {
		kept := copy(w.buf, w.buf[w.pos:])
		w.done += int64(w.pos)
		w.buf, w.pos = w.buf[:kept], 0
	}
	if cap(w.buf)-len(w.buf) < cap(w.buf)/2 {
		bigger := make([]byte, len(w.buf), 2*cap(w.buf))
		copy(bigger, w.buf)
		w.buf = bigger
	}
	for range 100 {
		n, err := w.src.Read(w.buf[len(w.buf):cap(w.buf)])
		w.buf = w.buf[:len(w.buf)+n]
		switch {
		case errors.Is(err, io.EOF):
			w.eof = true
		case err != nil:
			w.err = err
		}
		if n > 0 || err != nil {
			return n > 0
		}
	}
	w.err = io.ErrNoProgress
	return false
}

// skipMark steps over a byte order mark at the start.
func (w *window) skipMark() {
	if w.offset() > 0 {
		return
	}
	for len(w.rest()) < len(byteOrderMark) && w.more() {
	}
	if bytes.HasPrefix(w.rest(), []byte(byteOrderMark)) {
		w.pos += len(byteOrderMark)
	}
}

const byteOrderMark = "\xef\xbb\xbf"

// ErrFormat says that a text is not what a Reader was told to expect.
var ErrFormat = errors.New("broken text")

// cut is the error of a text that ends too early, or that cannot be read on.
func (w *window) cut() error {
	err := w.err
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	var e *core.Error
	if errors.As(err, &e) {
		return err // the stream itself says what is wrong
	}
	return &core.Error{Kind: core.KindUnavailable, Op: "read records",
		Err: fmt.Errorf("the text stops in the middle, after %d bytes: %w", w.done+int64(len(w.buf)), err)}
}

// broken is the error of a text that is not the promised format.
func (w *window) broken(format, why string) error {
	return &core.Error{Kind: core.KindData, Op: "read records",
		Err: fmt.Errorf("%w: not %s at byte %d: %s", ErrFormat, format, w.offset(), why)}
}
