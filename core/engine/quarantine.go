package engine

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/zeebo/xxh3"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/plan"
)

// reject is a record that could not land.
type reject struct {
	record, reason, path string
}

// rejected reads an OpReject batch. What is masked on its way to the table is masked in
// the record too.
func (s *streamRun) rejected(rows arrow.RecordBatch) []reject {
	record, ok1 := textColumn(rows, core.RejectRecord)
	reason, ok2 := textColumn(rows, core.RejectReason)
	path, _ := textColumn(rows, core.RejectPath)
	if !ok1 || !ok2 {
		return []reject{{reason: "the connector sent a reject without record and reason"}}
	}
	out := make([]reject, rows.NumRows())
	for i := range out {
		out[i] = reject{record: s.maskRecord(strings.Clone(record.Value(i))), reason: strings.Clone(reason.Value(i))}
		if path != nil && !path.IsNull(i) {
			out[i].path = strings.Clone(path.Value(i))
		}
	}
	return out
}

func textColumn(rows arrow.RecordBatch, name string) (*array.String, bool) {
	at := rows.Schema().FieldIndices(name)
	if len(at) == 0 {
		return nil, false
	}
	col, ok := rows.Column(at[0]).(*array.String)
	return col, ok
}

const withheld = "(masked)"

// maskRecord hides columns that are masked or left out. What cannot be taken apart with
// certainty (text, or an object in which such a column does not stand at the top) is
// withheld as a whole.
func (s *streamRun) maskRecord(record string) string {
	hide := s.hidden()
	if len(hide) == 0 {
		return record
	}
	var object map[string]json.RawMessage
	if json.Unmarshal([]byte(record), &object) != nil {
		return withheld
	}
	for _, column := range hide {
		if _, ok := object[column]; !ok {
			return withheld
		}
		object[column] = json.RawMessage(`"` + withheld + `"`)
	}
	masked, err := json.Marshal(object)
	if err != nil {
		return withheld
	}
	return string(masked)
}

// hidden are the columns whose values may not be stored as they come. A stream that takes
// only some columns hides all others, which cannot be named here: "" stands for them.
func (s *streamRun) hidden() []string {
	var hide []string
	for column, mask := range s.step.Mask {
		if mask != "keep" {
			hide = append(hide, column)
		}
	}
	if s.step.Columns != nil {
		hide = append(hide, "")
	}
	return hide
}

// quarantine stores rejects in the transaction of the rows that came with them.
func (s *streamRun) quarantine(ctx context.Context, tx core.Tx, rejects []reject) error {
	if len(rejects) == 0 {
		return nil
	}
	if err := s.fail("quarantine_before"); err != nil {
		return err
	}
	rows := newRows(quarantineTable())
	defer rows.release()
	for _, r := range rejects {
		rows.append(s.rejectID(r), s.id, s.step.Source, s.step.Name, s.now().UTC(), r.reason, r.path, r.record)
	}
	if err := rows.write(ctx, tx, core.WriteMerge, quarantineTable().Key); err != nil {
		return fmt.Errorf("quarantine: %w", err)
	}
	return s.fail("quarantine_after")
}

// rejectID is the same for a record that is met again: at the boundary of a cursor, in
// every full read, or after a crash. Such a record is in the quarantine once.
func (s *streamRun) rejectID(r reject) string {
	h := xxh3.New()
	for _, part := range []string{s.step.Source, s.step.Name, r.path, r.record} {
		_, _ = h.WriteString(strconv.Itoa(len(part)) + ":" + part) // a hash takes everything
	}
	sum := h.Sum128().Bytes()
	return hex.EncodeToString(sum[:])
}

// setAside rejects the rows that have a value which the table does not take.
func (l *landing) setAside(ctx context.Context, in arrow.RecordBatch, changes []plan.ColumnChange) (arrow.RecordBatch, []reject, error) {
	cast, misfits, err := castWhatFits(ctx, in, l.table.Schema)
	if err != nil {
		return nil, nil, err
	}
	defer cast.Release()
	var rejects []reject
	mask := array.NewBooleanBuilder(memory.DefaultAllocator)
	defer mask.Release()
	for i := range int(in.NumRows()) {
		column, bad := misfits[i]
		mask.Append(!bad)
		if bad {
			rejects = append(rejects, reject{record: rowJSON(in, i), reason: "a value that the table's columns do not take: " + changeList(changes), path: "$." + column})
		}
	}
	keep := mask.NewBooleanArray()
	defer keep.Release()
	out, err := compute.FilterRecordBatch(ctx, cast, keep, compute.DefaultFilterOptions())
	if err != nil {
		return nil, nil, fmt.Errorf("set rows aside: %w", err)
	}
	return out, rejects, nil
}

// rowJSON writes one row, which has been masked, as a JSON object.
func rowJSON(in arrow.RecordBatch, row int) string {
	object := map[string]any{}
	for i, f := range in.Schema().Fields() {
		object[f.Name] = in.Column(i).GetOneForMarshal(row)
	}
	text, err := json.Marshal(object)
	if err != nil {
		return withheld
	}
	return string(text)
}
