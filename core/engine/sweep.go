package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/plan"
)

// sweep finds rows that vanished at the source: it reads every key that exists there and
// removes the rows with other keys. A sweep that fails, or would remove more than the
// stream's share, removes nothing.
func (s *streamRun) sweep(ctx context.Context, src core.Source) error {
	keys := &keyList{streamRun: s, limits: s.Limits.withDefaults(s.Project)}
	defer keys.release()
	shape, err := newShaper(keysOnly(s.step), s.Mask)
	if err != nil {
		return err
	}
	err = src.Read(ctx, core.ReadRequest{Stream: s.step.Stream, Columns: s.step.Stream.PrimaryKey, KeysOnly: true}, func(b core.Batch) error {
		if b.Op != core.OpUpsert || b.Rows == nil || b.Rows.NumRows() == 0 {
			return nil
		}
		shaped, err := shape.apply(ctx, b.Rows)
		if err != nil {
			return err
		}
		defer shaped.Release()
		return keys.add(ctx, shaped)
	})
	if err != nil {
		return fmt.Errorf("sweep keys, nothing was deleted: %w", err)
	}
	if err := s.fail("sweep_read"); err != nil {
		return err
	}
	rows, err := keys.reader(ctx)
	if err != nil {
		return err
	}
	err = s.prune(ctx, rows)
	rows.Release()
	return errors.Join(err, keys.drop(ctx))
}

// keysOnly narrows a step to the columns of the key.
func keysOnly(step plan.StreamStep) plan.StreamStep {
	step.Columns = step.Stream.PrimaryKey
	all := step.Mask
	step.Mask = map[string]string{}
	for column, mask := range all {
		if slices.Contains(step.Stream.PrimaryKey, column) {
			step.Mask[column] = mask
		}
	}
	return step
}

// keyList holds the keys of a sweep: as many as one chunk takes in memory, more in a table
// of the warehouse, so that a large stream takes no more memory than a small one.
type keyList struct {
	*streamRun
	limits  Limits
	batches []arrow.RecordBatch
	rows    int64
	bytes   int64
	stored  bool
}

func (k *keyList) table() core.TableName { return k.leftovers()[2] }

// add takes in the key columns of a batch.
func (k *keyList) add(ctx context.Context, b arrow.RecordBatch) error {
	picked, err := onlyKeys(b, k.step.Stream.PrimaryKey)
	if err != nil {
		return k.dataError("sweep keys", err)
	}
	defer picked.Release()
	if missing := k.rowsWithoutKey(picked); missing != nil { // such rows did not land
		if picked, err = keepRows(ctx, picked, missing); err != nil {
			return err
		}
		defer picked.Release()
	}
	cast, err := castTo(ctx, picked, k.streamRun.table.Schema)
	if err != nil {
		return err
	}
	k.batches = append(k.batches, cast)
	k.rows += cast.NumRows()
	k.bytes += core.RowBytes(cast)
	if k.rows < k.limits.Rows && k.bytes < k.limits.Bytes {
		return nil
	}
	return k.store(ctx)
}

// store moves what is in memory to the table.
func (k *keyList) store(ctx context.Context) error {
	if len(k.batches) == 0 {
		return nil
	}
	defer k.release()
	rows, err := array.NewRecordReader(k.batches[0].Schema(), k.batches)
	if err != nil {
		return fmt.Errorf("read keys: %w", err)
	}
	defer rows.Release()
	err = k.inTx(ctx, func(tx core.Tx) error {
		if !k.stored {
			if err := tx.Define(ctx, core.Table{Name: k.table(), Schema: k.schema()}); err != nil {
				return fmt.Errorf("define %s: %w", k.table(), err)
			}
		}
		_, err := tx.Write(ctx, core.WriteRequest{Table: k.table(), Mode: core.WriteAppend, Rows: rows})
		return err
	})
	if err != nil {
		return fmt.Errorf("store keys: %w", err)
	}
	k.stored = true
	return nil
}

func (k *keyList) schema() *arrow.Schema {
	return keySchema(k.streamRun.table.Schema, k.step.Stream.PrimaryKey)
}

// reader gives all keys.
func (k *keyList) reader(ctx context.Context) (array.RecordReader, error) {
	if k.stored {
		if err := k.store(ctx); err != nil {
			return nil, err
		}
		rows, err := k.Warehouse.Scan(ctx, core.ScanRequest{Table: k.table()})
		if err != nil {
			return nil, fmt.Errorf("scan %s: %w", k.table(), err)
		}
		return rows, nil
	}
	schema := k.schema()
	if len(k.batches) > 0 {
		schema = k.batches[0].Schema()
	}
	rows, err := array.NewRecordReader(schema, k.batches)
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	return rows, nil
}

// drop removes the table, if there is one.
func (k *keyList) drop(ctx context.Context) error {
	if !k.stored {
		return nil
	}
	return k.inTx(ctx, func(tx core.Tx) error { return tx.Drop(ctx, k.table()) })
}

func (k *keyList) release() {
	for _, b := range k.batches {
		b.Release()
	}
	k.batches, k.rows, k.bytes = nil, 0, 0
}

func (s *streamRun) prune(ctx context.Context, rows array.RecordReader) error {
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
