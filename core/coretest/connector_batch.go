package coretest

import (
	"errors"
	"fmt"
	"hash/maphash"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/unsilo/unsilo/core"
)

func batchRules() []connectorRule {
	return []connectorRule{
		{"batch.schema", "Batches have the declared columns in the declared or a wider type; further columns are allowed. " +
			"Columns that are not nullable hold no null. Deletes hold at least the key.", batchSchema},
		{"batch.arrow", "Batches are valid Arrow: offsets in order and in bounds, text in UTF-8, every column as long as " +
			"the batch.", batchArrow},
		{"batch.immutable", "A batch never changes after it was emitted: whoever retains it may read it later.", batchImmutable},
		{"batch.rejects", "Records that could not be made into rows come as OpReject batches of RejectSchema, with a reason.", batchRejects},
	}
}

// eachBatch reads every stream and looks at each batch while it is lent.
func (s *connectorSuite) eachBatch(look func(core.Stream, core.Batch) error) error {
	return s.each(func(stream core.Stream) error {
		rows := int64(0)
		err := s.with(func(src core.Source) error {
			return src.Read(s.ctx, core.ReadRequest{Stream: stream}, func(b core.Batch) error {
				if b.Rows == nil {
					return nil
				}
				if rows += b.Rows.NumRows(); rows > s.MaxRows {
					return errLong
				}
				return look(stream, b)
			})
		})
		if errors.Is(err, errLong) {
			return nil // what was seen is enough
		}
		return err
	})
}

func batchSchema(s *connectorSuite) error {
	return s.eachBatch(func(stream core.Stream, b core.Batch) error {
		got := b.Rows.Schema()
		switch b.Op {
		case core.OpReject:
			return nil
		case core.OpDelete:
			for _, key := range stream.PrimaryKey {
				if len(got.FieldIndices(key)) != 1 {
					return fmt.Errorf("a delete lacks the key column %q", key)
				}
			}
			return nil
		}
		for _, want := range stream.Schema.Fields() {
			at := got.FieldIndices(want.Name)
			if len(at) > 1 {
				return fmt.Errorf("a batch has %d columns named %q", len(at), want.Name)
			}
			if len(at) == 0 {
				if !want.Nullable {
					return fmt.Errorf("a batch lacks column %q, which is not nullable", want.Name)
				}
				continue
			}
			f := got.Field(at[0])
			if !core.Holds(core.Canonical(f.Type), core.Canonical(want.Type)) {
				return fmt.Errorf("column %q is %s, declared as %s, which it cannot hold", want.Name, f.Type, want.Type)
			}
			if !want.Nullable && b.Rows.Column(at[0]).NullN() > 0 {
				return fmt.Errorf("column %q has nulls and is declared without", want.Name)
			}
		}
		return nil
	})
}

func batchArrow(s *connectorSuite) error {
	return s.eachBatch(func(_ core.Stream, b core.Batch) error {
		for i, col := range b.Rows.Columns() {
			if int64(col.Len()) != b.Rows.NumRows() {
				return fmt.Errorf("column %q has %d of %d rows", b.Rows.ColumnName(i), col.Len(), b.Rows.NumRows())
			}
			if err := arrayValid(col); err != nil {
				return fmt.Errorf("column %q: %w", b.Rows.ColumnName(i), err)
			}
		}
		return nil
	})
}

// arrayValid looks into children too.
func arrayValid(a arrow.Array) error {
	if v, ok := a.(interface{ ValidateFull() error }); ok {
		if err := v.ValidateFull(); err != nil {
			return err
		}
	}
	switch a := a.(type) {
	case interface{ Value(int) string }:
		for i := range a.(arrow.Array).Len() {
			if a.(arrow.Array).IsValid(i) && !utf8.ValidString(a.Value(i)) {
				return fmt.Errorf("row %d is not UTF-8", i)
			}
		}
	case *array.Struct:
		for i := range a.NumField() {
			if err := arrayValid(a.Field(i)); err != nil {
				return err
			}
		}
	case array.ListLike:
		return arrayValid(a.ListValues())
	case array.ExtensionArray:
		return arrayValid(a.Storage())
	}
	return nil
}

// batchImmutable retains what is lent and looks again when the read is over.
func batchImmutable(s *connectorSuite) error {
	seed := maphash.MakeSeed()
	return s.each(func(stream core.Stream) error {
		var kept []arrow.RecordBatch
		var sums []uint64
		defer func() {
			for _, rec := range kept {
				rec.Release()
			}
		}()
		rows := int64(0)
		err := s.with(func(src core.Source) error {
			return src.Read(s.ctx, core.ReadRequest{Stream: stream}, func(b core.Batch) error {
				if b.Rows == nil {
					return nil
				}
				if rows += b.Rows.NumRows(); rows > s.MaxRows {
					return errLong
				}
				b.Rows.Retain()
				kept = append(kept, b.Rows)
				sums = append(sums, recordSum(seed, b.Rows))
				return nil
			})
		})
		if err != nil && !errors.Is(err, errLong) {
			return err
		}
		for i, rec := range kept {
			if recordSum(seed, rec) != sums[i] {
				return fmt.Errorf("batch %d of %d changed after it was emitted", i+1, len(kept))
			}
		}
		return nil
	})
}

func recordSum(seed maphash.Seed, rec arrow.RecordBatch) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	for _, c := range rec.Columns() {
		for i := range c.Len() {
			h.WriteString(c.ValueStr(i))
			h.WriteByte(0)
		}
	}
	return h.Sum64()
}

func batchRejects(s *connectorSuite) error {
	return s.eachBatch(func(_ core.Stream, b core.Batch) error {
		if b.Op != core.OpReject {
			return nil
		}
		if !b.Rows.Schema().Equal(core.RejectSchema()) {
			return fmt.Errorf("rejects have the schema %s", b.Rows.Schema())
		}
		reasons := b.Rows.Column(b.Rows.Schema().FieldIndices(core.RejectReason)[0])
		for i := range reasons.Len() {
			if reasons.IsNull(i) || reasons.ValueStr(i) == "" {
				return errors.New("a record is rejected without a reason")
			}
		}
		return nil
	})
}
