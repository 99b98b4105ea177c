package rows

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/unsilo/unsilo/core"
)

// CSVOptions describe a CSV text. The zero value is RFC 4180 with a header line.
type CSVOptions struct {
	// Comma separates fields; 0 means ','.
	Comma byte
	// Header names the columns of a text that has no header line.
	Header []string
	// Nulls are unquoted texts that mean null; an unquoted empty field always does.
	Nulls []string
	// WholeLines leaves a last record without its line feed unread.
	WholeLines bool
	Limits     Limits
}

// CSVReader reads delimited text. Quoted fields may hold separators, quotes (doubled)
// and line ends. A record with a wrong number of fields, text that is not UTF-8, or a
// quote that never ends is rejected with its line number and reading goes on. The
// Builder must be made with Options.Untyped.
type CSVReader struct {
	opts    CSVOptions
	w       window
	fields  []field
	entries []int // of the Builder's root, by field
	quotes  bool  // the record has a quoted field
	raw     []byte
	line    int // of the record's start
	lines   int // read so far
}

// field is one field of a record, as indexes into the window.
type field struct {
	from, to int
	quoted   bool
	doubled  bool // has doubled quotes
}

// NewCSVReader reads from r.
func NewCSVReader(r io.Reader, o CSVOptions) *CSVReader {
	if o.Comma == 0 {
		o.Comma = ','
	}
	o.Limits = o.Limits.withDefaults()
	return &CSVReader{opts: o, w: newWindow(r)}
}

// Raw is the text of the last record, without its end.
func (r *CSVReader) Raw() []byte { return r.raw }

// Offset is the number of bytes up to the end of the last record.
func (r *CSVReader) Offset() int64 { return r.w.offset() }

// Line is the line on which the last record starts, from 1.
func (r *CSVReader) Line() int { return r.line }

// Next appends the next record.
func (r *CSVReader) Next(b *Builder) error {
	r.w.skipMark()
	if r.entries == nil {
		if err := r.header(b); err != nil {
			return err
		}
	}
	rest, next, err := r.split()
	switch {
	case err != nil:
		reason, ok := reasonOf(err)
		if !ok {
			return err
		}
		b.Reject(r.raw, reason, r.place())
	case len(r.fields) != len(r.entries):
		b.Reject(r.raw, fmt.Sprintf("%d fields where the header has %d", len(r.fields), len(r.entries)), r.place())
	default:
		if err := b.csvRecord(r, rest); err != nil {
			b.rejectErr(r.raw, err)
		} else {
			b.n++
			b.bytes += next
		}
	}
	r.w.pos += next
	return nil
}

// reasonOf tells why a record is refused; ok is false for errors that are not about one.
func reasonOf(err error) (reason string, ok bool) {
	var e *recordError
	if !errors.As(err, &e) {
		return "", false
	}
	return e.reason, true
}

func (r *CSVReader) place() string { return "line " + strconv.Itoa(r.line) }

// header finds a column for every field.
func (r *CSVReader) header(b *Builder) error {
	names := r.opts.Header
	if names == nil {
		rest, next, err := r.split()
		if reason, ok := reasonOf(err); ok {
			return &core.Error{Kind: core.KindData, Op: "read header", Err: errors.New(reason)}
		}
		if err != nil {
			return err
		}
		for _, f := range r.fields {
			names = append(names, string(r.fieldText(b, f, rest)))
		}
		r.w.pos += next
	}
	taken := map[int]bool{}
	for k, name := range names {
		if !utf8.ValidString(name) {
			return &core.Error{Kind: core.KindData, Op: "read header", Err: fmt.Errorf("name %d is not UTF-8", k+1)}
		}
		if name == "" {
			name = "column_" + strconv.Itoa(k+1)
		}
		i, err := b.rootEntry(name)
		for n := 2; err == nil && taken[i]; n++ {
			i, err = b.rootEntry(name + "_" + strconv.Itoa(n))
		}
		if err != nil {
			return &core.Error{Kind: core.KindData, Op: "read header", Err: err}
		}
		taken[i] = true
		r.entries = append(r.entries, i)
	}
	return nil
}

// rootEntry returns the index of a top-level member, adding it if needed.
func (b *Builder) rootEntry(name string) (int, error) {
	if _, ok := b.root.index[name]; !ok {
		if _, err := b.discover(&b.root, name); err != nil {
			return 0, err
		}
	}
	return b.root.index[name], nil
}

// split finds the fields of the next record. rest is the text they index, next how far
// the record and its line end reach. Blank lines are skipped.
func (r *CSVReader) split() (rest []byte, next int, err error) {
	r.line = r.lines + 1
	for {
		rest = r.w.rest()
		if k := blankLines(rest, &r.lines); k > 0 {
			r.w.pos += k
			r.line = r.lines + 1
			continue
		}
		final := r.w.eof && !r.opts.WholeLines
		var end int
		end, next, err = r.scan(rest, final)
		if errors.Is(err, errMore) {
			if len(rest) <= r.opts.Limits.Record && r.w.more() {
				continue
			}
			switch {
			case r.w.err != nil:
				return nil, 0, r.w.cut()
			case len(rest) == 0 || (r.w.eof && r.opts.WholeLines):
				return nil, 0, io.EOF
			case r.w.eof && !final:
				continue // now as the last record
			}
			end, next = firstLine(rest)
			err = reject("a quoted field has no end, or the record is longer than the limit")
		} else if err != nil {
			end, next = firstLine(rest)
		}
		r.raw = rest[:end]
		r.lines++
		if r.quotes {
			r.lines += max(0, bytes.Count(rest[:next], []byte{'\n'})-1)
		}
		return rest, next, err
	}
}

// blankLines is the length of the empty lines that b starts with.
func blankLines(b []byte, lines *int) int {
	i := 0
	for {
		switch {
		case i < len(b) && b[i] == '\n':
			i++
		case i+1 < len(b) && b[i] == '\r' && b[i+1] == '\n':
			i += 2
		default:
			return i
		}
		*lines++
	}
}

func firstLine(b []byte) (end, next int) {
	if k := bytes.IndexByte(b, '\n'); k >= 0 {
		return k, k + 1
	}
	return len(b), len(b)
}

// scan fills r.fields from one record. end is where its text ends, next where the next
// record starts.
func (r *CSVReader) scan(b []byte, final bool) (end, next int, err error) {
	r.fields, r.quotes = r.fields[:0], false
	if len(b) == 0 {
		return 0, 0, errMore
	}
	comma := r.opts.Comma
	i := 0
	for {
		f := field{from: i}
		if i < len(b) && b[i] == '"' {
			r.quotes = true
			if i, err = f.quotedEnd(b, i+1); err != nil {
				return i, i, err
			}
		} else {
			for i < len(b) && b[i] != comma && b[i] != '\n' {
				i++
			}
			f.to = i
		}
		switch {
		case i == len(b) && !final:
			return i, i, errMore
		case i < len(b) && b[i] == comma:
			r.fields = append(r.fields, f)
			i++
			continue
		}
		// The record ends here; its line may end with a carriage return as well.
		end, next = i, min(i+1, len(b))
		if !f.quoted && i > f.from && b[i-1] == '\r' && (i == len(b) || b[i] == '\n') {
			f.to--
			end--
		}
		if f.quoted && i < len(b) && b[i] == '\r' {
			if i+1 == len(b) && !final {
				return i, i, errMore
			}
			if i+1 == len(b) || b[i+1] != '\n' {
				return i, i, reject("text after a closing quote")
			}
			next = i + 2
		} else if f.quoted && i < len(b) && b[i] != '\n' {
			return i, i, reject("text after a closing quote")
		}
		r.fields = append(r.fields, f)
		return end, next, nil
	}
}

// quotedEnd finds the end of a field that starts after its opening quote at i, and
// returns the index after the closing quote.
func (f *field) quotedEnd(b []byte, i int) (int, error) {
	f.quoted, f.from = true, i
	for {
		k := bytes.IndexByte(b[i:], '"')
		if k < 0 {
			return len(b), errMore
		}
		i += k
		if i+1 < len(b) && b[i+1] == '"' {
			f.doubled = true
			i += 2
			continue
		}
		f.to = i
		return i + 1, nil
	}
}

// fieldText gives a field's text, valid until the next call.
func (r *CSVReader) fieldText(b *Builder, f field, rest []byte) []byte {
	s := rest[f.from:f.to]
	if !f.doubled {
		return s
	}
	b.scratch = b.scratch[:0]
	for {
		k := bytes.Index(s, []byte(`""`))
		if k < 0 {
			b.scratch = append(b.scratch, s...)
			return b.scratch
		}
		b.scratch = append(b.scratch, s[:k+1]...)
		s = s[k+2:]
	}
}

// csvRecord appends the fields of a record; on an error nothing has been added.
func (b *Builder) csvRecord(r *CSVReader, rest []byte) error {
	clean := utf8.Valid(r.raw) && bytes.IndexByte(r.raw, 0) < 0
	for k, f := range r.fields {
		e := &b.root.entries[r.entries[k]]
		if e.col == nil {
			continue
		}
		s := r.fieldText(b, f, rest)
		e.col.pad(b.n)
		if !f.quoted && r.null(s) {
			e.col.null()
			continue
		}
		var err error
		switch {
		case !clean && !utf8.Valid(s):
			err = reject("invalid UTF-8")
		case !clean && bytes.IndexByte(s, 0) >= 0:
			err = reject("NUL character in text")
		default:
			err = b.str(e.col, s)
		}
		if err != nil {
			b.undo(b.n)
			return within(err, "."+e.name)
		}
	}
	err := b.addConstants()
	if err != nil {
		b.undo(b.n)
	}
	return err
}

func (r *CSVReader) null(s []byte) bool {
	if len(s) == 0 {
		return true
	}
	for _, n := range r.opts.Nulls {
		if string(s) == n {
			return true
		}
	}
	return false
}
