package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
)

// partFlagged parts the rows that the stream's delete field marks as gone from the others.
// The pieces are to be stored in their order. Usually there are at most two; when a row is
// marked and not marked in one batch, the batch is cut into runs that keep its order.
// The caller releases the pieces.
func (l *landing) partFlagged(ctx context.Context, in arrow.RecordBatch) ([]piece, error) {
	at := in.Schema().FieldIndices(l.step.Stream.DeleteField)
	if l.step.Stream.Deletes != core.DeleteFlag || len(at) == 0 {
		in.Retain()
		return []piece{{rows: in}}, nil
	}
	gone := make([]bool, in.NumRows())
	for i := range gone {
		gone[i] = marked(in.Column(at[0]), i)
	}
	switch {
	case !slices.Contains(gone, true):
		in.Retain()
		return []piece{{rows: in}}, nil
	case l.marksAndKeeps(in, gone):
		return runs(in, gone), nil
	}
	live, err := filterRows(ctx, in, gone, false)
	if err != nil {
		return nil, err
	}
	dead, err := filterRows(ctx, in, gone, true)
	if err != nil {
		live.Release()
		return nil, err
	}
	return []piece{{op: core.OpDelete, rows: dead}, {rows: live}}, nil
}

// marked reads a delete field: true, a number but 0, a word but those for no, any time.
func marked(col arrow.Array, i int) bool {
	if col.IsNull(i) {
		return false
	}
	if b, ok := col.(*array.Boolean); ok {
		return b.Value(i)
	}
	switch {
	case core.Numeric(col.DataType()):
		return strings.Trim(col.ValueStr(i), "0.-+eE") != ""
	case core.Canonical(col.DataType()).ID() == arrow.STRING:
		return !slices.Contains([]string{"", "0", "f", "false", "n", "no"}, strings.ToLower(strings.TrimSpace(col.ValueStr(i))))
	}
	return true
}

// marksAndKeeps reports whether some key stands in a marked row and in another one.
func (l *landing) marksAndKeeps(in arrow.RecordBatch, gone []bool) bool {
	var key []arrow.Array
	for _, name := range l.step.Stream.PrimaryKey {
		if at := in.Schema().FieldIndices(name); len(at) == 1 {
			key = append(key, in.Column(at[0]))
		}
	}
	keyOf := func(i int) string {
		var k []byte
		for _, col := range key {
			k = appendValue(k, col, i)
		}
		return string(k)
	}
	seen := map[string]bool{}
	for i, g := range gone {
		if g {
			seen[keyOf(i)] = true
		}
	}
	for i, g := range gone {
		if !g && seen[keyOf(i)] {
			return true
		}
	}
	return false
}

// runs cuts a batch wherever rows change between marked and not.
func runs(in arrow.RecordBatch, gone []bool) []piece {
	var out []piece
	for from := 0; from < len(gone); {
		to := from + 1
		for to < len(gone) && gone[to] == gone[from] {
			to++
		}
		p := piece{rows: in.NewSlice(int64(from), int64(to))}
		if gone[from] {
			p.op = core.OpDelete
		}
		out = append(out, p)
		from = to
	}
	return out
}

func filterRows(ctx context.Context, in arrow.RecordBatch, flags []bool, want bool) (arrow.RecordBatch, error) {
	b := array.NewBooleanBuilder(memory.DefaultAllocator)
	defer b.Release()
	for _, f := range flags {
		b.Append(f == want)
	}
	keep := b.NewBooleanArray()
	defer keep.Release()
	out, err := compute.FilterRecordBatch(ctx, in, keep, compute.DefaultFilterOptions())
	if err != nil {
		return nil, fmt.Errorf("part deleted rows: %w", err)
	}
	return out, nil
}
