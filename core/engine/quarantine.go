package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
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
	// raw is the record before something in it was withheld; it is never stored.
	raw string
	// id is set when the record is stored.
	id string
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
		raw := strings.Clone(record.Value(i))
		out[i] = reject{record: s.maskRecord(raw), raw: raw, reason: strings.Clone(reason.Value(i))}
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

// quarantine stores rejects in the transaction of the rows that came with them.
func (s *streamRun) quarantine(ctx context.Context, tx core.Tx, rejects []reject) error {
	if len(rejects) == 0 {
		return nil
	}
	if err := s.fail("quarantine_before"); err != nil {
		return err
	}
	if err := s.nameRejects(ctx, rejects); err != nil {
		return err
	}
	rows := newRows(quarantineTable())
	defer rows.release()
	for _, r := range rejects {
		rows.append(r.id, s.id, s.step.Source, s.step.Name, s.now().UTC(), r.reason, r.path, r.record)
	}
	if err := rows.write(ctx, tx, core.WriteMerge, quarantineTable().Key); err != nil {
		return fmt.Errorf("quarantine: %w", err)
	}
	return s.fail("quarantine_after")
}

// turn waits until a transaction that sets records aside may begin. The quarantine is one
// table for all streams, which transactions that are open at once cannot write by key.
func (s *streamRun) turn(rejects []reject) (done func()) {
	if len(rejects) == 0 {
		return func() {}
	}
	s.quarantining.Lock()
	return s.quarantining.Unlock
}

// maxCounted bounds the records that are told apart when they are counted; beyond it one
// that comes again is counted again.
const maxCounted = 1 << 20

// newRejects counts the stored rejects that this run has not counted before: what an
// attempt reads again after a failure counts once.
func (s *streamRun) newRejects(rejects []reject) (n int64) {
	for _, r := range rejects {
		h := xxh3.HashString(r.id)
		if _, again := s.counted[h]; again {
			continue
		}
		n++
		if len(s.counted) < maxCounted {
			if s.counted == nil {
				s.counted = map[uint64]struct{}{}
			}
			s.counted[h] = struct{}{}
		}
	}
	return n
}

// setAside rejects the rows that have a value which the table does not take.
func (l *landing) setAside(ctx context.Context, in arrow.RecordBatch, changes []plan.ColumnChange) (arrow.RecordBatch, []reject, error) {
	cast, misfits, err := castWhatFits(ctx, in, l.table.Schema)
	if err != nil {
		return nil, nil, err
	}
	defer cast.Release()
	private := l.privateColumns(in)
	var rejects []reject
	mask := array.NewBooleanBuilder(memory.DefaultAllocator)
	defer mask.Release()
	for i := range int(in.NumRows()) {
		column, bad := misfits[i]
		mask.Append(!bad)
		if bad {
			rejects = append(rejects, reject{record: rowJSON(in, i, private), raw: rowJSON(in, i, nil), path: "$." + column,
				reason: "a value that the table's columns do not take: " + changeList(changes)})
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

// privateColumns are the columns of a batch whose values the quarantine withholds: new
// ones, unless they are labelled as nothing personal, and known ones without a label whose
// values have come to look personal.
func (l *landing) privateColumns(in arrow.RecordBatch) []string {
	var private []string
	for i, f := range in.Schema().Fields() {
		means := core.MeansOf(f)
		known := len(l.table.Schema.FieldIndices(f.Name)) > 0
		if !known && (means == "" || means.Personal()) || known && l.unsuspected(f) && len(plan.Classify(f, in.Column(i))) > 0 {
			private = append(private, f.Name)
		}
	}
	return private
}

// unsuspected reports a column that lands in clear because nothing about it seemed personal.
func (s *streamRun) unsuspected(f arrow.Field) bool {
	_, masked := s.step.Mask[f.Name]
	return !masked && core.MeansOf(f) == ""
}

// rowJSON writes one row, which has been masked, as a JSON object without the values of
// the private columns.
func rowJSON(in arrow.RecordBatch, row int, private []string) string {
	object := map[string]any{}
	for i, f := range in.Schema().Fields() {
		object[f.Name] = in.Column(i).GetOneForMarshal(row)
		if object[f.Name] != nil && slices.Contains(private, f.Name) {
			object[f.Name] = withheld
		}
	}
	text, err := json.Marshal(object)
	if err != nil {
		return withheld
	}
	return string(text)
}
