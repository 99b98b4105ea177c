package main

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/spf13/cobra"

	"github.com/unsilo/unsilo/core/engine"
	"github.com/unsilo/unsilo/core/plan"
)

func (a *app) previewCmd() *cobra.Command {
	var rows int64
	cmd := &cobra.Command{
		Use:   "preview SOURCE.STREAM",
		Short: "Show the first rows of a stream, masked as they would land",
		Long:  "Reads a few rows of one stream and masks them. Nothing is stored.",
		Example: `  unsilo preview erp.invoices
  unsilo preview erp.invoices -n 100 -o csv`,
		Args:              exactArgs("SOURCE.STREAM"),
		ValidArgsFunction: a.completeNames((*project).streamNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			if rows < 1 {
				return usageError{fmt.Errorf("--rows %d: one row is the least", rows)}
			}
			p, err := a.load()
			if err != nil {
				return err
			}
			e, closeAll, err := p.open(cmd.Context(), false, nil)
			if err != nil {
				return err
			}
			defer closeAll()
			step, err := p.findStream(cmd, e, args[0])
			if err != nil {
				return err
			}
			batches, err := e.Preview(cmd.Context(), step, rows)
			if err != nil {
				return err
			}
			defer func() {
				for _, b := range batches {
					b.Release()
				}
			}()
			g := batchGrid(step.Table.Schema, batches)
			g.verbatim = true
			return a.show(g)
		},
	}
	cmd.Flags().Int64VarP(&rows, "rows", "n", 10, "how many `rows`")
	return cmd
}

func (p *project) findStream(cmd *cobra.Command, e *engine.Engine, name string) (plan.StreamStep, error) {
	made, ds, err := e.Plan(cmd.Context(), name)
	if err != nil {
		return plan.StreamStep{}, err
	}
	for _, s := range made.Streams {
		if s.ID().String() == name || "source."+s.ID().String() == name {
			return s, nil
		}
	}
	for _, f := range made.Failed {
		return plan.StreamStep{}, f.Err
	}
	if ds.HasErrors() {
		return plan.StreamStep{}, diagnosed{ds}
	}
	return plan.StreamStep{}, usageError{fmt.Errorf("%q is not a stream: write SOURCE.STREAM", name)}
}

// batchGrid lays Arrow batches out as a grid.
func batchGrid(schema *arrow.Schema, batches []arrow.RecordBatch) grid {
	g := grid{}
	if len(batches) > 0 {
		schema = batches[0].Schema()
	}
	for _, f := range schema.Fields() {
		g.columns = append(g.columns, f.Name)
		if isNumber(f.Type) {
			g.right = append(g.right, f.Name)
		}
	}
	for _, b := range batches {
		for i := range int(b.NumRows()) {
			row := make([]any, len(g.columns))
			for c := range row {
				if at := b.Schema().FieldIndices(g.columns[c]); len(at) > 0 {
					row[c] = cell(b.Column(at[0]), i)
				}
			}
			g.rows = append(g.rows, row)
		}
	}
	return g
}
