package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/unsilo/unsilo/core"
)

// sweep finds rows that vanished at the source: it reads every key that exists there and
// removes the rows with other keys. A sweep that fails, or would remove more than the
// stream's share, removes nothing.
func (s *streamRun) sweep(ctx context.Context, src core.Source) error {
	step := s.step
	step.Columns = step.Stream.PrimaryKey
	step.Mask = map[string]string{}
	for column, mask := range s.step.Mask {
		if slices.Contains(step.Stream.PrimaryKey, column) {
			step.Mask[column] = mask
		}
	}
	shape, err := newShaper(step, s.Mask)
	if err != nil {
		return err
	}
	var keys []arrow.RecordBatch
	defer func() {
		for _, b := range keys {
			b.Release()
		}
	}()
	err = src.Read(ctx, core.ReadRequest{Stream: s.step.Stream, Columns: step.Stream.PrimaryKey, KeysOnly: true}, func(b core.Batch) error {
		if b.Op != core.OpUpsert || b.Rows == nil || b.Rows.NumRows() == 0 {
			return nil
		}
		shaped, err := shape.apply(ctx, b.Rows)
		if err != nil {
			return err
		}
		defer shaped.Release()
		picked, err := onlyKeys(shaped, step.Stream.PrimaryKey)
		if err != nil {
			return s.dataError("sweep keys", err)
		}
		defer picked.Release()
		cast, err := castTo(ctx, picked, s.table.Schema)
		if err == nil {
			keys = append(keys, cast)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("sweep keys, nothing was deleted: %w", err)
	}
	if err := s.fail("sweep_read"); err != nil {
		return err
	}
	return s.prune(ctx, keys)
}

func (s *streamRun) prune(ctx context.Context, keys []arrow.RecordBatch) error {
	schema := keySchema(s.table.Schema, s.step.Stream.PrimaryKey)
	if len(keys) > 0 {
		schema = keys[0].Schema()
	}
	rows, err := array.NewRecordReader(schema, keys)
	if err != nil {
		return fmt.Errorf("read keys: %w", err)
	}
	defer rows.Release()
	tx, err := s.Warehouse.Begin(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	n, err := tx.Write(ctx, core.WriteRequest{Table: s.table.Name, Mode: core.WritePrune, Key: s.step.Stream.PrimaryKey,
		History: s.step.Write == core.WriteHistory, Rows: rows, At: s.started, MaxShare: s.maxDeleteShare()})
	if err == nil && n.Deleted > 0 {
		err = tx.SetState(ctx, s.stateRow(s.state, n))
	}
	if err == nil {
		err = s.fail("prune_before_commit")
	}
	if err != nil {
		return errors.Join(s.brake(err), tx.End(context.WithoutCancel(ctx), false))
	}
	if err := tx.End(ctx, n.Deleted > 0); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	s.count(core.Counts{Deleted: n.Deleted}, 0)
	return s.fail("prune_after_commit")
}

func keySchema(table *arrow.Schema, key []string) *arrow.Schema {
	var fields []arrow.Field
	for _, k := range key {
		if i := table.FieldIndices(k); len(i) > 0 {
			fields = append(fields, table.Field(i[0]))
		}
	}
	return arrow.NewSchema(fields, nil)
}

// maxDeleteShare is the brake's setting; 0 lifts it.
func (s *streamRun) maxDeleteShare() float64 {
	if slices.Contains(s.opts.AllowDeletes, s.step.ID().String()) {
		return 0
	}
	return s.step.MaxDeleteShare
}

// brake tells, for a refused deletion, what to do about it.
func (s *streamRun) brake(err error) error {
	if core.KindOf(err) != core.KindData {
		return err
	}
	return &core.Error{Kind: core.KindData, Op: "delete vanished rows", Stream: s.step.Name, Err: err,
		Try: fmt.Sprintf("if these rows are really gone, run again with --allow-deletes %s", s.step.ID())}
}
