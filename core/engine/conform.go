package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/plan"
)

// conform brings a batch to the table's columns, by the stream's policy for schema
// changes. The caller releases the result; rejects are rows that were set aside.
func (l *landing) conform(ctx context.Context, in arrow.RecordBatch) (arrow.RecordBatch, []reject, error) {
	_, changes := plan.Merge(l.table.Schema, in.Schema())
	changes = slices.DeleteFunc(changes, func(c plan.ColumnChange) bool { return c.Kind == plan.ChangeRetire })
	if len(changes) == 0 {
		out, err := castTo(ctx, in, l.table.Schema)
		return out, nil, err
	}
	switch l.step.OnSchemaChange {
	case plan.Freeze:
		return nil, nil, &core.Error{Kind: core.KindData, Op: "check schema", Stream: l.step.Name,
			Err: fmt.Errorf("the columns are frozen and the source sent others: %s", changeList(changes)),
			Try: `set on_schema_change = "evolve", or leave the columns out with exclude`}
	case plan.DropValue:
		out, _, err := castWhatFits(ctx, in, l.table.Schema)
		return out, nil, err
	case plan.Quarantine:
		return l.setAside(ctx, in, changes)
	}
	return l.evolve(ctx, in, changes)
}

// evolve changes the table to take the batch. A column that is new or becomes text, looks
// personal and was labelled by nobody stays out until somebody has.
func (l *landing) evolve(ctx context.Context, in arrow.RecordBatch, changes []plan.ColumnChange) (arrow.RecordBatch, []reject, error) {
	var hidden []string
	for _, c := range changes {
		if c.Kind != plan.ChangeAdd && c.Kind != plan.ChangeReplace {
			continue
		}
		i := in.Schema().FieldIndices(c.Column)[0]
		if !l.unsuspected(in.Schema().Field(i)) {
			continue
		}
		if findings := plan.Classify(in.Schema().Field(i), in.Column(i)); len(findings) > 0 {
			hidden = append(hidden, c.Column)
			l.noteHidden(c.Column, findings[0])
		}
	}
	seen, err := dropColumns(in, hidden)
	if err != nil {
		return nil, nil, l.dataError("leave out columns", err)
	}
	defer seen.Release()
	next := l.table
	next.Schema, changes = plan.Merge(l.table.Schema, seen.Schema())
	if err := l.change(ctx, next, changes); err != nil {
		return nil, nil, err
	}
	out, err := castTo(ctx, seen, l.table.Schema)
	return out, nil, err
}

// noteHidden says once per run that a column was left out.
func (l *landing) noteHidden(column string, f plan.Finding) {
	line := fmt.Sprintf("%s: column %q has come to look like %s and was left out; label it in means to let it land", l.step.ID(), column, f.Means)
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Contains(l.notes, line) {
		l.notes = append(l.notes, line)
	}
}

// change brings the table to its next columns: in place where the warehouse can, else by
// writing it anew.
func (l *landing) change(ctx context.Context, next core.Table, changes []plan.ColumnChange) error {
	var altered, replaced bool
	for _, c := range changes {
		altered = altered || c.Kind == plan.ChangeAdd || c.Kind == plan.ChangeWiden
		replaced = replaced || c.Kind == plan.ChangeReplace
	}
	if !altered && !replaced {
		return nil
	}
	if err := l.fail("drift_before"); err != nil {
		return err
	}
	target := next
	target.Name = l.target
	for _, name := range l.versions(target.Name) {
		target.Name = name
		var err error
		if replaced {
			err = l.rewrite(ctx, target)
		} else {
			err = l.inTx(ctx, func(tx core.Tx) error { return tx.Define(ctx, target) })
		}
		if err != nil {
			return fmt.Errorf("change columns of %s: %w", name, err)
		}
	}
	l.table = next
	l.event(core.Event{Kind: core.EventSchemaChanged, Message: changeList(changes)})
	return l.fail("drift_after")
}

// versions are the tables that have to change together.
func (l *landing) versions(target core.TableName) []core.TableName {
	if l.pending {
		return []core.TableName{target, l.pendingTable()}
	}
	return []core.TableName{target}
}

// rewrite makes the table anew with other types and swaps it in, in one transaction.
func (l *landing) rewrite(ctx context.Context, next core.Table) error {
	work := core.TableName{Schema: next.Name.Schema, Name: workPrefix + "rewrite_" + next.Name.Name}
	return l.inTx(ctx, func(tx core.Tx) error {
		if err := tx.Drop(ctx, work); err != nil {
			return fmt.Errorf("drop %s: %w", work, err)
		}
		def := next
		def.Name = work
		if err := tx.Define(ctx, def); err != nil {
			return fmt.Errorf("define %s: %w", work, err)
		}
		if err := l.fail("rewrite_defined"); err != nil {
			return err
		}
		rows, err := l.Warehouse.Scan(ctx, core.ScanRequest{Table: next.Name})
		if err != nil {
			return fmt.Errorf("scan %s: %w", next.Name, err)
		}
		defer rows.Release()
		for rows.Next() {
			if err := l.copyCast(ctx, tx, work, rows.RecordBatch(), next.Schema); err != nil {
				return err
			}
		}
		if err := rows.Err(); err != nil {
			return fmt.Errorf("scan %s: %w", next.Name, err)
		}
		if err := l.fail("rewrite_copied"); err != nil {
			return err
		}
		return tx.Swap(ctx, work, next.Name)
	})
}

func (l *landing) copyCast(ctx context.Context, tx core.Tx, to core.TableName, b arrow.RecordBatch, schema *arrow.Schema) error {
	cast, err := castTo(ctx, b, schema)
	if err != nil {
		return err
	}
	defer cast.Release()
	rows, err := array.NewRecordReader(cast.Schema(), []arrow.RecordBatch{cast})
	if err != nil {
		return fmt.Errorf("read rows: %w", err)
	}
	defer rows.Release()
	_, err = tx.Write(ctx, core.WriteRequest{Table: to, Mode: core.WriteAppend, Rows: rows})
	return err
}

// castTo gives the batch the types of the table; columns the table lacks are left out.
func castTo(ctx context.Context, in arrow.RecordBatch, table *arrow.Schema) (arrow.RecordBatch, error) {
	var fields []arrow.Field
	var cols []arrow.Array
	defer func() {
		for _, c := range cols {
			c.Release()
		}
	}()
	for i, f := range in.Schema().Fields() {
		want := table.FieldIndices(f.Name)
		if len(want) == 0 {
			continue
		}
		to := table.Field(want[0])
		col, err := castColumn(ctx, in.Column(i), to.Type)
		if err != nil {
			return nil, &core.Error{Kind: core.KindData, Op: fmt.Sprintf("turn column %s from %s into %s", f.Name, f.Type, to.Type), Err: err}
		}
		cols = append(cols, col)
		f.Type = col.DataType()
		fields = append(fields, f)
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), cols, in.NumRows()), nil
}

// castWhatFits gives the batch the types of the table; a value that cannot have its
// column's type becomes null. misfits names, for each row that loses a value, the column;
// columns that the table lacks are among them.
func castWhatFits(ctx context.Context, in arrow.RecordBatch, table *arrow.Schema) (out arrow.RecordBatch, misfits map[int]string, err error) {
	var fields []arrow.Field
	var cols []arrow.Array
	defer func() {
		for _, c := range cols {
			c.Release()
		}
	}()
	misfits = map[int]string{}
	for i, f := range in.Schema().Fields() {
		col, want := in.Column(i), table.FieldIndices(f.Name)
		if len(want) == 0 {
			for row := range col.Len() {
				if col.IsValid(row) {
					misfits[row] = f.Name
				}
			}
			continue
		}
		cast, err := castEach(ctx, col, table.Field(want[0]).Type, func(row int) { misfits[row] = f.Name })
		if err != nil {
			return nil, nil, err
		}
		cols = append(cols, cast)
		f.Type = cast.DataType()
		fields = append(fields, f)
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), cols, in.NumRows()), misfits, nil
}

// castEach casts every value that can be cast; the others become null and are reported.
// It halves a column that does not fit until what does not fit is found.
func castEach(ctx context.Context, col arrow.Array, to arrow.DataType, misfit func(row int)) (arrow.Array, error) {
	var parts []arrow.Array
	defer func() {
		for _, p := range parts {
			p.Release()
		}
	}()
	var halve func(from, until int)
	halve = func(from, until int) {
		piece := array.NewSlice(col, int64(from), int64(until))
		defer piece.Release()
		cast, err := castColumn(ctx, piece, to)
		switch {
		case err == nil:
			parts = append(parts, cast)
		case until-from == 1:
			misfit(from)
			parts = append(parts, array.MakeArrayOfNull(memory.DefaultAllocator, to, 1))
		default:
			middle := from + (until-from)/2
			halve(from, middle)
			halve(middle, until)
		}
	}
	halve(0, col.Len())
	out, err := array.Concatenate(parts, memory.DefaultAllocator)
	if err != nil {
		return nil, fmt.Errorf("join values: %w", err)
	}
	return out, nil
}

var errMisfit = errors.New("a value does not fit the column")

// castColumn returns a column the warehouse stores as type to; the caller releases it.
func castColumn(ctx context.Context, col arrow.Array, to arrow.DataType) (arrow.Array, error) {
	if arrow.TypeEqual(core.Canonical(col.DataType()), to) {
		col.Retain()
		return col, nil
	}
	if out, err := compute.CastArray(ctx, col, compute.SafeCastOptions(to)); err == nil {
		return out, nil
	} else if to.ID() != arrow.STRING {
		return nil, errMisfit // Arrow's own words repeat the value
	}
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	for i := range col.Len() {
		if col.IsNull(i) {
			b.AppendNull()
		} else {
			b.Append(col.ValueStr(i))
		}
	}
	return b.NewArray(), nil
}

func dropColumns(in arrow.RecordBatch, names []string) (arrow.RecordBatch, error) {
	keep := slices.DeleteFunc(columnNames(in.Schema()), func(n string) bool { return slices.Contains(names, n) })
	return pick(in, keep)
}

func onlyKeys(in arrow.RecordBatch, key []string) (arrow.RecordBatch, error) { return pick(in, key) }

// pick returns the named columns of a batch, in the order named.
func pick(in arrow.RecordBatch, names []string) (arrow.RecordBatch, error) {
	fields, cols := make([]arrow.Field, len(names)), make([]arrow.Array, len(names))
	for i, n := range names {
		at := in.Schema().FieldIndices(n)
		if len(at) == 0 {
			return nil, fmt.Errorf("the batch has no column %q", n)
		}
		fields[i], cols[i] = in.Schema().Field(at[0]), in.Column(at[0])
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), cols, in.NumRows()), nil
}

func columnNames(s *arrow.Schema) []string {
	var names []string
	for _, f := range s.Fields() {
		names = append(names, f.Name)
	}
	return names
}

func changeList(changes []plan.ColumnChange) string {
	var parts []string
	for _, c := range changes {
		switch c.Kind {
		case plan.ChangeAdd:
			parts = append(parts, fmt.Sprintf("new column %s %s", c.Column, c.To))
		case plan.ChangeWiden, plan.ChangeReplace:
			parts = append(parts, fmt.Sprintf("%s from %s to %s", c.Column, c.From, c.To))
		}
	}
	return strings.Join(parts, ", ")
}
