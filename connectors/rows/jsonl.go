package rows

import (
	"bytes"
	"errors"
	"io"
	"strconv"
)

// JSONLReader reads JSON lines: one object a line. A line that is not one is rejected
// with its number and reading goes on; blank lines are skipped.
type JSONLReader struct {
	// WholeLines leaves a last line without its line feed unread, as one still being
	// written; set it before the first Next.
	WholeLines bool

	w      window
	limits Limits
	raw    []byte
	line   int
}

// NewJSONLReader reads from r.
func NewJSONLReader(r io.Reader, l Limits) *JSONLReader {
	return &JSONLReader{w: newWindow(r), limits: l.withDefaults()}
}

// Raw is the line that Next read last, without its end.
func (r *JSONLReader) Raw() []byte { return r.raw }

// Offset is the number of bytes up to the end of that line.
func (r *JSONLReader) Offset() int64 { return r.w.offset() }

// Line is the number of that line, from 1.
func (r *JSONLReader) Line() int { return r.line }

// Next appends the object on the next line.
func (r *JSONLReader) Next(b *Builder) error {
	r.w.skipMark()
	for {
		line, err := r.w.line(r.limits.Record, r.WholeLines)
		tooLong := errors.Is(err, errTooLong)
		if err != nil && !tooLong {
			return err
		}
		r.line++
		r.raw = line
		i := skipSpace(line, 0)
		switch {
		case tooLong:
			b.Reject(line, "the line is longer than the limit", r.place())
			return nil
		case i == len(line):
			continue
		case line[i] != '{':
			b.Reject(line, "not a JSON object", r.place())
			return nil
		}
		next, err := b.record(line, i)
		if err != nil {
			b.rejectErr(line, err)
			return nil
		}
		if skipSpace(line, next) != len(line) {
			b.Truncate(b.Len() - 1)
			b.Reject(line, "more than one value on the line", r.place())
		}
		return nil
	}
}

func (r *JSONLReader) place() string { return "line " + strconv.Itoa(r.line) }

var errTooLong = errors.New("line too long")

// line returns the next line without its end and steps over it. A line above max is
// returned cut, with errTooLong. At the end it returns io.EOF.
func (w *window) line(maxLen int, whole bool) ([]byte, error) {
	from := 0
	for {
		rest := w.rest()
		if k := bytes.IndexByte(rest[from:], '\n'); k >= 0 {
			end := from + k
			w.pos += end + 1
			return bytes.TrimSuffix(rest[:end], []byte{'\r'}), nil
		}
		from = len(rest)
		if from > maxLen {
			return w.skipLine()
		}
		if w.more() {
			continue
		}
		switch rest = w.rest(); {
		case w.err != nil:
			return nil, w.cut()
		case len(rest) == 0 || whole:
			return nil, io.EOF
		}
		w.pos += len(rest)
		return bytes.TrimSuffix(rest, []byte{'\r'}), nil
	}
}

// skipLine steps over a line that is too long, keeping its start.
func (w *window) skipLine() ([]byte, error) {
	head := bytes.Clone(w.rest()[:min(len(w.rest()), maxRejectText+1)])
	for {
		if k := bytes.IndexByte(w.rest(), '\n'); k >= 0 {
			w.pos += k + 1
			return head, errTooLong
		}
		w.pos = len(w.buf)
		if !w.more() {
			if w.err != nil {
				return nil, w.cut()
			}
			return head, errTooLong
		}
	}
}
