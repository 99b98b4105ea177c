package coretest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
)

// TransformTest says how to test a transform.
type TransformTest struct {
	// New makes a transform that takes its memory from mem.
	New func(t *testing.T, mem memory.Allocator) core.Transform
	// Schema holds the columns that the transform changes. The suite adds columns of every
	// other type, under names that begin with "other_", which must pass untouched.
	Schema *arrow.Schema
	// Texts are values for the text columns, mixed with random ones; they should hold what
	// the transform is made for and what it cannot use.
	Texts []string
}

// TestTransform proves that a transform keeps the contract of core.Transform.
func TestTransform(t *testing.T, tt TransformTest) {
	for _, rule := range []struct {
		name string
		test func(*transformSuite, *testing.T)
	}{
		{"schema says what Apply gives", (*transformSuite).testSchema},
		{"rows stay in number and order", (*transformSuite).testRows},
		{"the input is not changed", (*transformSuite).testInput},
		{"a column that is not its own passes untouched", (*transformSuite).testOthers},
		{"equal input gives equal output", (*transformSuite).testRepeat},
		{"a batch without rows is a batch", (*transformSuite).testEmpty},
		{"a batch of nulls is a batch", (*transformSuite).testNulls},
		{"the schema may change between batches", (*transformSuite).testDrift},
	} {
		t.Run(rule.name, func(t *testing.T) {
			mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
			// What is not released at the end was lost by Apply or held by the transform.
			defer mem.AssertSize(t, 0)
			rule.test(&transformSuite{TransformTest: tt, mem: mem}, t)
		})
	}
}

// transformSuite is one rule's run.
type transformSuite struct {
	TransformTest
	mem *memory.CheckedAllocator
}

// whole is the schema under test with columns of other types beside it.
func (s *transformSuite) whole() *arrow.Schema {
	fields := append([]arrow.Field{}, s.Schema.Fields()...)
	for i, t := range everyType() {
		fields = append(fields, arrow.Field{Name: fmt.Sprintf("other_%d", i), Type: t, Nullable: true})
	}
	return arrow.NewSchema(fields, nil)
}

// batch makes rows that depend on the seed alone.
func (s *transformSuite) batch(schema *arrow.Schema, rows int, nulls float64, seed uint64) arrow.RecordBatch {
	f := filler{rand.New(rand.NewPCG(seed, 1)), nulls, s.Texts}
	b := array.NewRecordBuilder(s.mem, schema)
	defer b.Release()
	for i := range schema.Fields() {
		for range rows {
			f.append(b.Field(i))
		}
	}
	return b.NewRecordBatch()
}

// apply runs the transform and fails the test when it fails.
func apply(t *testing.T, tr core.Transform, in arrow.RecordBatch) arrow.RecordBatch {
	t.Helper()
	out, err := tr.Apply(context.Background(), in)
	if err != nil {
		t.Fatalf("Apply: %v", err)
	}
	return out
}

func (s *transformSuite) testSchema(t *testing.T) {
	in := s.batch(s.whole(), 20, 0.2, 1)
	defer in.Release()
	tr := s.New(t, s.mem)
	want, err := tr.Schema(in.Schema())
	if err != nil {
		t.Fatalf("Schema: %v", err)
	}
	out := apply(t, tr, in)
	defer out.Release()
	if got := out.Schema(); !got.Equal(want) {
		t.Errorf("Apply gives\n%s\nSchema says\n%s", got, want)
	}
	for i, f := range out.Schema().Fields() {
		if !f.Metadata.Equal(want.Field(i).Metadata) {
			t.Errorf("column %s: Apply gives metadata %v, Schema says %v", f.Name, f.Metadata, want.Field(i).Metadata)
		}
		if !arrow.TypeEqual(out.Column(i).DataType(), f.Type) {
			t.Errorf("column %s is %s and holds %s", f.Name, f.Type, out.Column(i).DataType())
		}
		if !f.Nullable && out.Column(i).NullN() > 0 {
			t.Errorf("column %s may not be null and is", f.Name)
		}
	}
}

// testRows applies the transform to a batch and to slices of it: if rows were dropped,
// moved or mixed, the slices of the result would differ from the results of the slices.
func (s *transformSuite) testRows(t *testing.T) {
	in := s.batch(s.whole(), 50, 0.2, 2)
	defer in.Release()
	tr := s.New(t, s.mem)
	out := apply(t, tr, in)
	defer out.Release()
	if out.NumRows() != in.NumRows() {
		t.Fatalf("%d rows became %d", in.NumRows(), out.NumRows())
	}
	for _, cut := range [][2]int64{{0, 1}, {3, 20}, {49, 50}, {7, 50}} {
		part := in.NewSlice(cut[0], cut[1])
		want := out.NewSlice(cut[0], cut[1])
		got := apply(t, tr, part)
		if !array.RecordEqual(got, want) {
			t.Errorf("rows %d to %d alone give other values than among the others", cut[0], cut[1])
		}
		got.Release()
		want.Release()
		part.Release()
	}
}

func (s *transformSuite) testInput(t *testing.T) {
	in, copied := s.batch(s.whole(), 30, 0.2, 3), s.batch(s.whole(), 30, 0.2, 3)
	defer in.Release()
	defer copied.Release()
	out := apply(t, s.New(t, s.mem), in)
	defer out.Release()
	if !array.RecordEqual(in, copied) {
		t.Error("Apply changed its input")
	}
}

func (s *transformSuite) testOthers(t *testing.T) {
	in := s.batch(s.whole(), 30, 0.2, 4)
	defer in.Release()
	out := apply(t, s.New(t, s.mem), in)
	defer out.Release()
	for i, f := range in.Schema().Fields()[s.Schema.NumFields():] {
		at := out.Schema().FieldIndices(f.Name)
		if len(at) != 1 {
			t.Errorf("column %s of type %s is gone", f.Name, f.Type)
			continue
		}
		if !array.Equal(out.Column(at[0]), in.Column(s.Schema.NumFields()+i)) || !out.Schema().Field(at[0]).Equal(f) {
			t.Errorf("column %s of type %s was changed", f.Name, f.Type)
		}
	}
}

func (s *transformSuite) testRepeat(t *testing.T) {
	in := s.batch(s.whole(), 30, 0.2, 5)
	defer in.Release()
	tr := s.New(t, s.mem)
	first := apply(t, tr, in)
	defer first.Release()
	for _, again := range []core.Transform{tr, s.New(t, s.mem)} {
		out := apply(t, again, in)
		if !array.RecordEqual(out, first) {
			t.Error("the same batch gave two results")
		}
		out.Release()
	}
}

func (s *transformSuite) testEmpty(t *testing.T) {
	in := s.batch(s.whole(), 0, 0, 6)
	defer in.Release()
	tr := s.New(t, s.mem)
	want, err := tr.Schema(in.Schema())
	if err != nil {
		t.Fatalf("Schema: %v", err)
	}
	out := apply(t, tr, in)
	defer out.Release()
	if out.NumRows() != 0 || !out.Schema().Equal(want) {
		t.Errorf("no rows gave %d rows of\n%s", out.NumRows(), out.Schema())
	}
}

func (s *transformSuite) testNulls(t *testing.T) {
	in := s.batch(s.whole(), 10, 1, 7)
	defer in.Release()
	out := apply(t, s.New(t, s.mem), in)
	defer out.Release()
	if out.NumRows() != 10 {
		t.Errorf("10 rows of nulls became %d", out.NumRows())
	}
}

// testDrift sends a batch with a further column, and one with columns in another order.
func (s *transformSuite) testDrift(t *testing.T) {
	tr := s.New(t, s.mem)
	fields := s.whole().Fields()
	turned := append(append([]arrow.Field{{Name: "new", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, fields[1:]...), fields[0])
	for i, schema := range []*arrow.Schema{s.whole(), arrow.NewSchema(turned, nil), s.whole()} {
		in := s.batch(schema, 5, 0.2, uint64(8+i))
		want, err := tr.Schema(schema)
		if err != nil {
			t.Fatalf("Schema: %v", err)
		}
		out := apply(t, tr, in)
		if !out.Schema().Equal(want) || out.NumRows() != 5 {
			t.Errorf("batch %d: got %d rows of\n%s\nwant\n%s", i, out.NumRows(), out.Schema(), want)
		}
		out.Release()
		in.Release()
	}
}
