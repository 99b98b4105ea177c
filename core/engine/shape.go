package engine

import (
	"context"
	"errors"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/plan"
)

// errEnough ends a Read that has given what was wanted.
var errEnough = errors.New("enough rows")

// shaper gives batches the columns and meanings of the plan and masks them, before
// anything else sees them. It belongs to one goroutine.
type shaper struct {
	step plan.StreamStep
	mask core.Transform
	// The last schema seen and what to do with its columns; batches of a stream nearly
	// always share one.
	seen   *arrow.Schema
	take   []int
	shaped *arrow.Schema
}

func newShaper(step plan.StreamStep, mask func(map[string]string) (core.Transform, error)) (*shaper, error) {
	s := &shaper{step: step}
	if len(step.Mask) > 0 {
		t, err := mask(step.Masks())
		if err != nil {
			return nil, err
		}
		s.mask = t
	}
	return s, nil
}

// apply returns a new batch, which the caller releases.
func (s *shaper) apply(ctx context.Context, in arrow.RecordBatch) (arrow.RecordBatch, error) {
	if s.seen == nil || in.Schema() != s.seen && !in.Schema().Equal(s.seen) {
		s.learn(in.Schema())
	}
	cols := make([]arrow.Array, len(s.take))
	for i, c := range s.take {
		cols[i] = in.Column(c)
	}
	out := array.NewRecordBatch(s.shaped, cols, in.NumRows())
	if s.mask == nil {
		return out, nil
	}
	defer out.Release()
	return s.mask.Apply(ctx, out)
}

func (s *shaper) learn(schema *arrow.Schema) {
	s.seen, s.take = schema, nil
	var fields []arrow.Field
	for i, f := range schema.Fields() {
		planned, known := s.step.Stream.Field(f.Name)
		if !known && s.excluded(f.Name) {
			continue
		}
		if known {
			f.Metadata = planned.Metadata
		}
		s.take = append(s.take, i)
		fields = append(fields, f)
	}
	s.shaped = arrow.NewSchema(fields, nil)
}

// excluded reports a column that the user left out. With a list of columns to take,
// every other one is left out; it was the connector's own schema that named it.
func (s *shaper) excluded(name string) bool {
	return s.step.Columns != nil && !slices.Contains(s.step.Columns, name)
}
