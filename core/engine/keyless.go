package engine

import (
	"context"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
)

// withKeys parts the rows that have a value in every column of the key from those that have
// not: these cannot be told apart, and one of them must not keep all others from landing.
// The caller releases the rows.
func (l *landing) withKeys(ctx context.Context, in arrow.RecordBatch) (arrow.RecordBatch, []reject, error) {
	missing := l.rowsWithoutKey(in)
	if missing == nil || l.mode == core.WriteAppend {
		in.Retain()
		return in, nil, nil
	}
	private := l.privateColumns(in)
	var rejects []reject
	for i, column := range missing {
		if column != "" {
			rejects = append(rejects, reject{record: rowJSON(in, i, private), raw: rowJSON(in, i, nil), path: "$." + column,
				reason: fmt.Sprintf("no value in %s, a column of the key", column)})
		}
	}
	rows, err := keepRows(ctx, in, missing)
	return rows, rejects, err
}

// rowsWithoutKey names, for each row, a column of the key without a value; nil when all rows
// have all.
func (s *streamRun) rowsWithoutKey(in arrow.RecordBatch) []string {
	var missing []string
	for _, column := range s.step.Stream.PrimaryKey {
		at := in.Schema().FieldIndices(column)
		if len(at) != 1 || in.Column(at[0]).NullN() == 0 {
			continue
		}
		if missing == nil {
			missing = make([]string, in.NumRows())
		}
		for i := range missing {
			if in.Column(at[0]).IsNull(i) {
				missing[i] = column
			}
		}
	}
	return missing
}

// keepRows gives the rows for which nothing is missing.
func keepRows(ctx context.Context, in arrow.RecordBatch, missing []string) (arrow.RecordBatch, error) {
	out := make([]bool, len(missing))
	for i, column := range missing {
		out[i] = column != ""
	}
	if !slices.Contains(out, true) {
		in.Retain()
		return in, nil
	}
	return filterRows(ctx, in, out, false)
}
