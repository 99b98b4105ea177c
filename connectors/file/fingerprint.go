package file

import (
	"bytes"
	"errors"
	"io"
	"strconv"

	"github.com/zeebo/xxh3"
)

// How much of a content its fingerprint covers: the first bytes, to find it again; up to
// sumBytes of what was read, and the last bytes before the position, to be sure.
const (
	headBytes = 1 << 10
	tailBytes = 1 << 10
	sumBytes  = 64 << 20
)

// A fingerprint tells a content by what was read of it so far.
type fingerprint struct {
	// Head is the hash of the first HeadSize bytes.
	HeadSize int64
	Head     string
	// Sum is the hash of everything before the position, up to sumBytes.
	Sum string
	// Tail is the hash of the last bytes before the position.
	Tail string
}

// A meter takes the fingerprint of what passes through it, up to a position that lags
// behind what was read.
type meter struct {
	from    io.Reader
	sum     xxh3.Hasher
	summed  int64 // bytes in sum
	head    []byte
	tail    []byte // the last bytes before the position
	pending []byte // read, and past the position
	offset  int64  // the position
	lines   int64  // before the position
	err     error  // what the content broke off with
}

// newMeter starts at the beginning of a content.
func newMeter(from io.Reader) *meter { return &meter{from: from} }

// Read reads and remembers.
func (m *meter) Read(p []byte) (int, error) {
	n, err := m.from.Read(p)
	if n > 0 {
		m.pending = append(m.pending, p[:n]...)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		m.err = err
	}
	return n, err
}

// endsLine reports whether the byte before an offset, which is not before the position,
// ends a line.
func (m *meter) endsLine(offset int64) bool {
	n := offset - m.offset
	return n <= 0 || n > int64(len(m.pending)) || m.pending[n-1] == '\n'
}

// advance moves the position to an offset; what lies between must have been read.
func (m *meter) advance(offset int64) {
	n := min(offset-m.offset, int64(len(m.pending)))
	if n <= 0 {
		return
	}
	passed := m.pending[:n]
	if room := headBytes - len(m.head); room > 0 {
		m.head = append(m.head, passed[:min(room, len(passed))]...)
	}
	if room := sumBytes - m.summed; room > 0 {
		part := passed[:min(room, n)]
		_, _ = m.sum.Write(part) // a hash never fails
		m.summed += int64(len(part))
	}
	m.tail = append(m.tail, passed[max(0, len(passed)-tailBytes):]...)
	m.tail = m.tail[max(0, len(m.tail)-tailBytes):]
	m.lines += int64(bytes.Count(passed, []byte{'\n'}))
	m.pending = append(m.pending[:0], m.pending[n:]...)
	m.offset += n
}

// fingerprint is that of everything before the position.
func (m *meter) fingerprint() fingerprint {
	return fingerprint{
		HeadSize: int64(len(m.head)), Head: hash(m.head),
		Sum: strconv.FormatUint(m.sum.Sum64(), 36), Tail: hash(m.tail),
	}
}

func hash(b []byte) string { return strconv.FormatUint(xxh3.Hash(b), 36) }

// skim moves through a content up to the offset. It reports whether there was as much; an
// error of the content other than its end is returned.
func (m *meter) skim(offset int64) (bool, error) {
	buf := make([]byte, 64<<10)
	for m.offset < offset {
		n, err := m.Read(buf[:min(int64(len(buf)), offset-m.offset)])
		m.advance(m.offset + int64(n))
		switch {
		case errors.Is(err, io.EOF):
			return m.offset == offset, nil
		case err != nil:
			return false, err
		}
	}
	return true, nil
}
