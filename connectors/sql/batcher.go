package sql

import (
	"encoding/json"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
)

// The size at which a batch is sent, whichever is reached first.
const (
	batchRows  = 32 << 10
	batchBytes = 8 << 20
)

// A batcher gathers decoded rows and sends them as Arrow batches. The scanner appends one
// value to every builder, then calls endRow.
type batcher struct {
	columns []column
	// at tells, after a row, the position of a column's value in that row; false is null.
	// The scanner sets it.
	at func(col int) (string, bool)
	// after makes the state that belongs behind the last row; nil sends none.
	after func(at func(col int) (string, bool)) (core.State, error)

	// keep, unless nil, decides whether a row is wanted, before it is appended. sum hashes
	// the row.
	keep func(at func(col int) (string, bool), sum func() uint64) bool

	emit    func(core.Batch) error
	mem     memory.Allocator
	schema  *arrow.Schema
	builder *array.RecordBuilder
	rows    int
	bytes   int
	faults  []cellFault
	// sent counts rows that were sent; last is the state sent last.
	sent int64
	// err is what emit returned.
	err error
}

// A cellFault is a value that its column's type has no place for.
type cellFault struct {
	row, col int
	text     string
	reason   string
}

func newBatcher(columns []column, s *arrow.Schema, mem memory.Allocator, emit func(core.Batch) error) *batcher {
	return &batcher{columns: columns, schema: s, mem: mem, emit: emit, builder: array.NewRecordBuilder(mem, s)}
}

func (b *batcher) release() { b.builder.Release() }

// reject notes that the value of a column in the current row, which was appended as null,
// cannot be kept. The row will leave as a rejected record.
func (b *batcher) reject(col int, text, reason string) {
	b.faults = append(b.faults, cellFault{row: b.rows, col: col, text: text, reason: reason})
}

// endRow ends a row of about size bytes, and sends the batch when it is full.
func (b *batcher) endRow(size int) error {
	b.rows++
	b.bytes += size
	if b.rows < batchRows && b.bytes < batchBytes {
		return nil
	}
	return b.flush()
}

// flush sends the rows at hand with the state behind them.
func (b *batcher) flush() error {
	if b.rows == 0 {
		return nil
	}
	var state core.State
	if b.after != nil {
		var err error
		if state, err = b.after(b.at); err != nil {
			return err
		}
	}
	rec := b.builder.NewRecordBatch()
	defer rec.Release()
	faults := b.faults
	b.sent += int64(b.rows)
	if b.rows == batchRows {
		b.builder.Reserve(batchRows) // the next batch is likely as long
	}
	b.rows, b.bytes, b.faults = 0, 0, nil
	if len(faults) == 0 {
		return b.send(core.Batch{Rows: rec, After: state})
	}
	if err := b.sendRejects(rec, faults); err != nil {
		return err
	}
	return b.sendGood(rec, faults, state)
}

// send emits one batch and remembers the error, so that it can be told from others.
func (b *batcher) send(batch core.Batch) error {
	b.err = b.emit(batch)
	return b.err
}

// sendGood sends the stretches between the rows with faults, and then the state.
func (b *batcher) sendGood(rec arrow.RecordBatch, faults []cellFault, state core.State) error {
	next := int64(0)
	stretch := func(end int64) error {
		if end <= next {
			return nil
		}
		part := rec.NewSlice(next, end)
		defer part.Release()
		return b.send(core.Batch{Rows: part})
	}
	for _, f := range faults {
		if err := stretch(int64(f.row)); err != nil {
			return err
		}
		next = max(next, int64(f.row)+1)
	}
	if err := stretch(rec.NumRows()); err != nil {
		return err
	}
	if state == nil {
		return nil
	}
	return b.send(core.Batch{After: state})
}

// sendRejects sends the rows with faults as rejected records, one for each row.
func (b *batcher) sendRejects(rec arrow.RecordBatch, faults []cellFault) error {
	out := array.NewRecordBuilder(b.mem, core.RejectSchema())
	defer out.Release()
	for i := 0; i < len(faults); {
		row := faults[i].row
		record := make(map[string]any, rec.NumCols())
		for c, col := range rec.Columns() {
			record[b.columns[c].name] = col.GetOneForMarshal(row)
		}
		first := faults[i]
		for ; i < len(faults) && faults[i].row == row; i++ {
			record[b.columns[faults[i].col].name] = faults[i].text
		}
		text, err := json.Marshal(record)
		if err != nil {
			return fmt.Errorf("encode rejected row: %w", err)
		}
		name := b.columns[first.col].name
		out.Field(0).(*array.StringBuilder).Append(string(text))
		out.Field(1).(*array.StringBuilder).Append(fmt.Sprintf("column %q: %s", name, first.reason))
		out.Field(2).(*array.StringBuilder).Append("$." + name)
	}
	rejected := out.NewRecordBatch()
	defer rejected.Release()
	return b.send(core.Batch{Rows: rejected, Op: core.OpReject})
}
