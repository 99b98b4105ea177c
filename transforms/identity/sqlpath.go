package identity

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity/kernel"
	"github.com/unsilo/unsilo/transforms/identity/portable"
)

// A PortableRun is the comparison stage of an identity as SQL, with the Go kernel beside
// it as the measure of what the engine must answer.
type PortableRun struct {
	Program *portable.Program
	scanner *kernel.Scanner
	weigh   func(uint64) int32
}

// Portable writes the comparison stage for an engine's dialect, under the model of the
// last build. Tables go into schema.
func (m *Model) Portable(ctx context.Context, wh core.Warehouse, dialect core.Dialect, schema string) (*PortableRun, error) {
	l, err := m.layoutNow(ctx, wh)
	if err != nil {
		return nil, err
	}
	p := m.newPipeline(l, core.BuildRequest{Warehouse: wh, At: time.Now(), Emit: func(core.Event) {}})
	if err := p.records(ctx); err != nil {
		return nil, err
	}
	stored, err := p.resumable(ctx)
	if err != nil {
		return nil, err
	}
	thawed, err := p.thaw(ctx, stored, p.columnsOf(stored))
	if err != nil {
		return nil, err
	}
	if !thawed {
		return nil, &core.Error{Kind: core.KindConfig, Op: "write SQL of identity." + m.name, Err: fmt.Errorf("there is no trained model"), Try: "unsilo run"}
	}
	program, err := portable.Compile(p.frame, p.scanner, p.fitted, portable.Options{Schema: schema, Dialect: dialect, Floor: floorBits})
	if err != nil {
		return nil, err
	}
	return &PortableRun{program, p.scanner, p.weigher()}, nil
}

// Kernel runs the same comparisons in Go: what the engine's edges must equal, in order of
// records.
func (r *PortableRun) Kernel(ctx context.Context) ([]kernel.Match, error) {
	result, err := r.scanner.Run(ctx, kernel.Options{Weigh: r.weigh, Floor: floorBits})
	if err != nil {
		return nil, err
	}
	matches := slices.Concat(result.Matches...)
	slices.SortFunc(matches, func(a, b kernel.Match) int {
		if a.A != b.A {
			return int(a.A - b.A)
		}
		return int(a.B - b.B)
	})
	return matches, nil
}

// Run writes the inputs and runs the steps on a warehouse with SQL.
func (r *PortableRun) Run(ctx context.Context, wh core.Warehouse) error {
	sql := wh.Info().SQL
	if sql == nil {
		return &core.Error{Kind: core.KindConfig, Op: "run identity in SQL", Err: fmt.Errorf("warehouse %s has no SQL", wh.Info().Kind)}
	}
	tx, err := wh.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.End(ctx, false) }() // does nothing after a commit
	for _, in := range append([]portable.Input{r.Program.Records, r.Program.Keys}, r.Program.Tokens...) {
		if err := writeInput(ctx, tx, in); err != nil {
			return err
		}
	}
	if err := tx.End(ctx, true); err != nil {
		return err
	}
	for _, s := range r.Program.Steps {
		if _, err := sql.Materialize(ctx, s.Table, s.Query); err != nil {
			return fmt.Errorf("materialize %s: %w", s.Table, err)
		}
	}
	return nil
}

func writeInput(ctx context.Context, tx core.Tx, in portable.Input) error {
	if err := tx.Drop(ctx, in.Table.Name); err != nil {
		return fmt.Errorf("drop %s: %w", in.Table.Name, err)
	}
	if err := tx.Define(ctx, in.Table); err != nil {
		return fmt.Errorf("define %s: %w", in.Table.Name, err)
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, in.Table.Schema)
	defer b.Release()
	for i := 0; i < in.Items; {
		for ; i < in.Items && b.Field(0).Len() < batchRows; i++ {
			in.Append(i, b)
		}
		batch := b.NewRecordBatch()
		err := writeBatch(ctx, tx, in.Table, batch)
		batch.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

func writeBatch(ctx context.Context, tx core.Tx, t core.Table, batch arrow.RecordBatch) error {
	reader, err := array.NewRecordReader(t.Schema, []arrow.RecordBatch{batch})
	if err != nil {
		return fmt.Errorf("write %s: %w", t.Name, err)
	}
	defer reader.Release()
	if _, err := tx.Write(ctx, core.WriteRequest{Table: t.Name, Mode: core.WriteAppend, Rows: reader}); err != nil {
		return fmt.Errorf("write %s: %w", t.Name, err)
	}
	return nil
}
