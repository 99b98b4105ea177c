package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/engine"
)

func (a *app) statusCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show how far each stream is and when rows last landed",
		Long:  "Shows every stream that has landed: its rows, its position, when that moved last and in which run. It works while a run is under way.",
		Example: `  unsilo status
  unsilo status -o json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := a.load()
			if err != nil {
				return err
			}
			return p.status(cmd.Context())
		},
	}
}

func (p *project) status(ctx context.Context) error {
	w, err := p.openWarehouse(ctx, false)
	if err != nil {
		return err
	}
	defer w.Close()
	states, err := w.States(ctx)
	if err != nil {
		return fmt.Errorf("list states: %w", err)
	}
	tables, err := w.Tables(ctx, "")
	if err != nil {
		return fmt.Errorf("list tables: %w", err)
	}
	rows := map[core.TableName]int64{}
	for _, t := range tables {
		rows[t.Name] = t.Rows
	}
	g := grid{columns: []string{"stream", "rows", "position", "moved", "run"}, right: []string{"rows"}}
	for _, s := range states {
		g.add(s.Source+"."+s.Stream, rows[core.RawTable(s.Source, s.Stream)], engine.PositionText(s.State), s.At.UTC().Format(time.RFC3339), s.RunID)
	}
	if len(g.rows) == 0 && p.output == "table" {
		_, err := fmt.Fprintln(p.out, "Nothing has landed yet. Next: unsilo run")
		return err
	}
	return p.show(g)
}
