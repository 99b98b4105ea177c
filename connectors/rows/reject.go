package rows

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
)

// maxRejectText bounds what is kept of a rejected record.
const maxRejectText = 1 << 20

// rejects gathers the records that could not be made into rows.
type rejects struct {
	records, reasons, paths []string
	bytes                   int
}

// Reject keeps a record that cannot become a row. record is cut at 1 MiB; what is not
// UTF-8 in it, and NUL, becomes U+FFFD. path is where in the record or the text, as
// "$.amount" or "line 17"; it may be empty.
func (b *Builder) Reject(record []byte, reason, path string) {
	if len(record) > maxRejectText {
		record, reason = record[:maxRejectText], reason+" (record cut at 1 MiB)"
	}
	text := string(record)
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	text = strings.ReplaceAll(text, "\x00", "\uFFFD")
	r := &b.rejects
	r.records, r.reasons, r.paths = append(r.records, text), append(r.reasons, reason), append(r.paths, path)
	r.bytes += len(text)
}

// rejectErr keeps a record with the reason that an error gives.
func (b *Builder) rejectErr(record []byte, err error) {
	var e *recordError
	if !errors.As(err, &e) {
		e = &recordError{reason: "the record is cut off"}
	}
	b.Reject(record, e.reason, "$"+e.path)
}

// Rejected is the number of records that TakeRejects would give.
func (b *Builder) Rejected() int { return len(b.rejects.records) }

// TruncateRejects takes back all rejects from n on.
func (b *Builder) TruncateRejects(n int) {
	r := &b.rejects
	for _, s := range r.records[n:] {
		r.bytes -= len(s)
	}
	r.records, r.reasons, r.paths = r.records[:n], r.reasons[:n], r.paths[:n]
}

// TakeRejects returns the rejected records as a batch of core.RejectSchema, which the
// caller releases, and starts anew. It returns nil when there are none.
func (b *Builder) TakeRejects() arrow.RecordBatch {
	r := b.rejects
	if len(r.records) == 0 {
		return nil
	}
	b.rejects = rejects{}
	rb := array.NewRecordBuilder(memory.DefaultAllocator, core.RejectSchema())
	defer rb.Release()
	rb.Field(0).(*array.StringBuilder).AppendValues(r.records, nil)
	rb.Field(1).(*array.StringBuilder).AppendValues(r.reasons, nil)
	for _, p := range r.paths {
		if p == "" {
			rb.Field(2).AppendNull()
		} else {
			rb.Field(2).(*array.StringBuilder).Append(p)
		}
	}
	return rb.NewRecordBatch()
}
