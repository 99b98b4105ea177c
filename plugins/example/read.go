package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
)

// maxLine is the longest entry.
const maxLine = 1 << 20

// position is where the next entry begins. Line is for messages.
type position struct {
	Offset int64 `json:"offset"`
	Line   int   `json:"line"`
}

// entry is a line of the ledger.
type entry struct {
	Seq     *int64    `json:"seq"`
	At      time.Time `json:"at"`
	Account *string   `json:"account"`
	Amount  string    `json:"amount"`
	Note    *string   `json:"note"`
	amount  decimal128.Num
}

// Read sends the entries after a position. A line without its end is still being
// written, and waits for the next read.
func (s *source) Read(ctx context.Context, req core.ReadRequest, emit func(core.Batch) error) error {
	if req.Stream.Name != "entries" {
		return &core.Error{Kind: core.KindConfig, Op: "read", Stream: req.Stream.Name, Err: errors.New("there is no such stream")}
	}
	var pos position
	if req.After != nil && !req.KeysOnly && req.From.IsZero() {
		if err := json.Unmarshal(req.After, &pos); err != nil {
			return &core.Error{Kind: core.KindData, Op: "read position", Stream: "entries", Err: err}
		}
	}
	f, err := os.Open(s.path)
	if err != nil {
		return &core.Error{Kind: core.KindUnavailable, Op: "open journal", Stream: "entries", Err: err}
	}
	defer f.Close()
	if err := seek(f, pos); err != nil {
		return err
	}
	r := &reader{lines: bufio.NewReaderSize(f, maxLine), pos: pos, req: req, emit: emit}
	return r.run(ctx, s.batch)
}

// seek goes to a position, which a file that was cut off no longer has.
func seek(f *os.File, pos position) error {
	info, err := f.Stat()
	if err == nil && info.Size() < pos.Offset {
		err = fmt.Errorf("the file has %d bytes and was read up to %d before: a ledger only grows", info.Size(), pos.Offset)
	}
	if err == nil {
		_, err = f.Seek(pos.Offset, io.SeekStart)
	}
	if err != nil {
		return &core.Error{Kind: core.KindData, Op: "open journal", Stream: "entries", Err: err}
	}
	return nil
}

// reader is one read under way.
type reader struct {
	lines *bufio.Reader
	pos   position
	req   core.ReadRequest
	emit  func(core.Batch) error
	sent  int64
}

func (r *reader) run(ctx context.Context, batch int) error {
	var entries []entry
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		line, err := r.lines.ReadSlice('\n')
		if err == io.EOF {
			return r.send(entries)
		}
		if err != nil {
			return &core.Error{Kind: core.KindData, Op: fmt.Sprintf("read line %d", r.pos.Line+1), Stream: "entries", Err: err}
		}
		e, parseErr := parse(line)
		if parseErr == nil && !r.req.Until.IsZero() && !r.req.KeysOnly && !e.At.Before(r.req.Until) {
			return r.send(entries)
		}
		if parseErr != nil {
			if err := r.send(entries); err != nil {
				return err
			}
			entries = nil
		}
		r.pos.Offset += int64(len(line))
		r.pos.Line++
		switch {
		case parseErr != nil:
			err = r.reject(line, parseErr)
		case r.req.From.IsZero() || r.req.KeysOnly || !e.At.Before(r.req.From):
			entries = append(entries, e)
		}
		full := r.req.Limit > 0 && r.sent+int64(len(entries)) >= r.req.Limit
		if err == nil && (len(entries) >= batch || full) {
			err = r.send(entries)
			entries = nil
		}
		if err != nil || full {
			return err
		}
	}
}

// after is the position after what was read; a backfill and a sweep have none.
func (r *reader) after() core.State {
	if r.req.KeysOnly || !r.req.From.IsZero() {
		return nil
	}
	b, _ := json.Marshal(r.pos) // two numbers
	return b
}

// send emits the entries read so far and the position after them.
func (r *reader) send(entries []entry) error {
	if len(entries) == 0 {
		return nil
	}
	r.sent += int64(len(entries))
	rows := record(entries)
	defer rows.Release()
	return r.emit(core.Batch{Rows: rows, After: r.after()})
}

// reject passes a line on that is no entry, so that it is kept and shown.
func (r *reader) reject(line []byte, why error) error {
	b := array.NewRecordBuilder(memory.DefaultAllocator, core.RejectSchema())
	defer b.Release()
	b.Field(0).(*array.StringBuilder).Append(strings.ToValidUTF8(strings.TrimSpace(string(line)), "\uFFFD"))
	b.Field(1).(*array.StringBuilder).Append(why.Error())
	b.Field(2).(*array.StringBuilder).Append(fmt.Sprintf("line %d", r.pos.Line))
	rows := b.NewRecordBatch()
	defer rows.Release()
	return r.emit(core.Batch{Rows: rows, Op: core.OpReject, After: r.after()})
}

// parse reads a line. Its errors hold no values.
func parse(line []byte) (entry, error) {
	var e entry
	if err := json.Unmarshal(line, &e); err != nil {
		return e, errors.New("the line is not an entry in JSON")
	}
	if e.Seq == nil || e.At.IsZero() {
		return e, errors.New("the entry lacks seq or at")
	}
	var err error
	if e.amount, err = decimal128.FromString(e.Amount, amountType.Precision, amountType.Scale); err != nil {
		return e, errors.New("amount is no decimal of two places")
	}
	return e, nil
}

func record(entries []entry) arrow.RecordBatch {
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema())
	defer b.Release()
	optional := func(column int, v *string) {
		if v == nil {
			b.Field(column).AppendNull()
		} else {
			b.Field(column).(*array.StringBuilder).Append(*v)
		}
	}
	for _, e := range entries {
		b.Field(0).(*array.Int64Builder).Append(*e.Seq)
		b.Field(1).(*array.TimestampBuilder).AppendTime(e.At)
		optional(2, e.Account)
		b.Field(3).(*array.Decimal128Builder).Append(e.amount)
		optional(4, e.Note)
	}
	return b.NewRecordBatch()
}
