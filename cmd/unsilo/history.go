package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/unsilo/unsilo/core"
)

func (a *app) historyCmd() *cobra.Command {
	var most int
	cmd := &cobra.Command{
		Use:   "history [RUN]",
		Short: "List the last runs, or what one run did to each stream",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.load()
			if err != nil {
				return err
			}
			w, err := p.openWarehouse(cmd.Context(), false)
			if err != nil {
				return err
			}
			defer w.Close()
			tables, err := w.Tables(cmd.Context(), core.SchemaSystem)
			if err != nil {
				return fmt.Errorf("list tables: %w", err)
			}
			ran := false
			for _, t := range tables {
				ran = ran || t.Name.Name == "runs"
			}
			if !ran {
				fmt.Fprintln(a.err, "There is no run yet. Next: unsilo run")
				return nil
			}
			sql := fmt.Sprintf(`SELECT run_id, started_at, status, date_diff('millisecond', started_at, ended_at) / 1000.0 AS seconds,
				rows_read, rows_landed, rows_quarantined, notes FROM unsilo.runs ORDER BY started_at DESC, run_id DESC LIMIT %d`, most)
			if len(args) == 1 {
				sql = fmt.Sprintf(`SELECT source || '.' || stream AS stream, status, "read", "new", changed, deleted, quarantined, seconds,
					cursor_before AS "before", cursor_after AS "after", error FROM unsilo.run_streams WHERE starts_with(run_id, %s) ORDER BY 1`, sqlText(args[0]))
			}
			rows, err := w.Info().SQL.Query(cmd.Context(), sql)
			if err != nil {
				return err
			}
			defer rows.Release()
			g, err := readGrid(rows)
			if err != nil {
				return err
			}
			return a.show(g)
		},
	}
	cmd.Flags().IntVarP(&most, "limit", "n", 20, "how many runs")
	return cmd
}
