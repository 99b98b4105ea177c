package file

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
)

// byteOrderMark is how some programs begin a file in UTF-8.
const byteOrderMark = "\xef\xbb\xbf"

// maxLine bounds the length of a line; a longer one is rejected.
const maxLine = 16 << 20

// A lineFormat is a format in which each line is a record of fixed columns.
type lineFormat struct {
	fields []arrow.Field
	// parser makes a function that appends a line's values to the builders of fields. When
	// it returns a reason it has appended nothing.
	parser func(b *array.RecordBuilder) func(line []byte) (reason string)
}

func (f lineFormat) schema(context.Context, sampler) (*arrow.Schema, error) {
	return arrow.NewSchema(f.fields, nil), nil
}

func (lineFormat) headerLines() int { return 0 }

func (f lineFormat) decoder(_ context.Context, in input, s *session) (decoder, error) {
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(f.fields, nil))
	return &lineDecoder{
		in: in, lines: lineReader{r: bufio.NewReaderSize(in.reader, 256<<10)}, builder: b, parse: f.parser(b),
		max: s.batchRows, offset: in.offset, line: in.line,
	}, nil
}

// newLines is the format of plain lines.
func newLines() format {
	return lineFormat{
		fields: []arrow.Field{core.WithMeans(arrow.Field{Name: "line", Type: arrow.BinaryTypes.String, Nullable: true}, core.TextFree)},
		parser: func(b *array.RecordBuilder) func([]byte) string {
			text := b.Field(0).(*array.StringBuilder)
			return func(line []byte) string {
				if !utf8.Valid(line) {
					return reasonUTF8
				}
				text.BinaryBuilder.Append(line)
				return ""
			}
		},
	}
}

const reasonUTF8 = "invalid UTF-8"

type lineDecoder struct {
	in      input
	lines   lineReader
	builder *array.RecordBuilder
	parse   func([]byte) string
	max     int

	offset, line int64
	numbers      []int64
	rejects      rejects
}

func (d *lineDecoder) close() { d.builder.Release() }

// next gathers lines into a chunk. Blank lines are skipped.
func (d *lineDecoder) next() (chunk, error) {
	size, done := 0, error(nil)
	for done == nil && len(d.numbers)+d.rejects.len() < d.max && size < batchBytes {
		line, used, err := d.lines.next()
		switch {
		case errors.Is(err, io.EOF) && len(line) > 0 && d.in.final:
			// The position stays before the line, which is read again should it grow.
			d.add(line, false)
			done = io.EOF
			continue
		case err != nil && !errors.Is(err, errLongLine):
			done = err
			continue
		}
		d.add(line, err != nil)
		d.offset += used
		d.line++
		size += len(line)
	}
	return d.take(), done
}

// add takes a line in.
func (d *lineDecoder) add(line []byte, tooLong bool) {
	text := bytes.TrimSuffix(line, []byte{'\r'})
	if d.offset == 0 {
		text = bytes.TrimPrefix(text, []byte(byteOrderMark))
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return
	}
	reason := "the line is too long"
	if !tooLong {
		reason = d.parse(text)
	}
	if reason != "" {
		d.rejects.add(text, reason, place(d.in.name, d.line+1))
		return
	}
	d.numbers = append(d.numbers, d.line+1)
}

func (d *lineDecoder) take() chunk {
	c := chunk{offset: d.offset, before: d.offset, rejects: d.rejects.take()}
	if len(d.numbers) > 0 {
		c.rows, c.lines = d.builder.NewRecordBatch(), d.numbers
		d.numbers = nil
	}
	return c
}

// place says where in a file a record is.
func place(name string, line int64) string { return fmt.Sprintf("%s line %d", name, line) }

var errLongLine = errors.New("line too long")

// A lineReader cuts a stream into lines.
type lineReader struct {
	r    *bufio.Reader
	long []byte
}

// next gives the next line without its line feed, valid until the next call, and how many
// bytes it took with it. At the end it returns io.EOF with what is left. A line above
// maxLine comes cut, with errLongLine.
func (l *lineReader) next() (line []byte, used int64, err error) {
	piece, err := l.r.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return bytes.TrimSuffix(piece, []byte{'\n'}), int64(len(piece)), err
	}
	l.long = append(l.long[:0], piece...)
	used = int64(len(piece))
	for errors.Is(err, bufio.ErrBufferFull) {
		piece, err = l.r.ReadSlice('\n')
		used += int64(len(piece))
		if room := maxLine - len(l.long); room > 0 {
			l.long = append(l.long, piece[:min(room, len(piece))]...)
		}
	}
	line = bytes.TrimSuffix(l.long, []byte{'\n'})
	if err == nil && used > maxLine {
		err = errLongLine
	}
	return line, used, err
}

// rejects gathers the records that could not be made into rows.
type rejects struct{ records, reasons, places []string }

// maxRejectText bounds what is kept of a record.
const maxRejectText = 64 << 10

func (r *rejects) len() int { return len(r.records) }

func (r *rejects) add(record []byte, reason, place string) {
	record = record[:min(len(record), maxRejectText)]
	text := strings.ReplaceAll(strings.ToValidUTF8(string(record), "\uFFFD"), "\x00", "\uFFFD")
	r.records, r.reasons, r.places = append(r.records, text), append(r.reasons, reason), append(r.places, place)
}

// take makes a batch of them and starts anew; nil when there are none.
func (r *rejects) take() arrow.RecordBatch {
	if len(r.records) == 0 {
		return nil
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, core.RejectSchema())
	defer b.Release()
	b.Field(0).(*array.StringBuilder).AppendValues(r.records, nil)
	b.Field(1).(*array.StringBuilder).AppendValues(r.reasons, nil)
	b.Field(2).(*array.StringBuilder).AppendValues(r.places, nil)
	*r = rejects{}
	return b.NewRecordBatch()
}
