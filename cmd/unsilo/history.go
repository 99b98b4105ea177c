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
		Short: "List the last runs, or what one run did to each stream and model",
		Long:  `RUN is a run's id, enough of its beginning to tell it from others, or "last".`,
		Example: `  unsilo history
  unsilo history last
  unsilo history -n 100 -o csv`,
		Args: atMostArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if most < 1 {
				return usageError{fmt.Errorf("--limit %d: one run is the least", most)}
			}
			p, err := a.load()
			if err != nil {
				return err
			}
			w, err := p.openWarehouse(cmd.Context(), false)
			if err != nil {
				return err
			}
			defer w.Close()
			h := history{project: p, cmd: cmd, w: w}
			if len(args) == 1 {
				return h.one(args[0])
			}
			return h.list(most)
		},
	}
	cmd.Flags().IntVarP(&most, "limit", "n", 20, "how many `runs`")
	return cmd
}

// history is one use of the verb.
type history struct {
	*project
	cmd *cobra.Command
	w   core.Warehouse
}

// ran reports whether a run has ever begun here.
func (h history) ran() (bool, error) {
	tables, err := h.w.Tables(h.cmd.Context(), core.SchemaSystem)
	if err != nil {
		return false, fmt.Errorf("list tables: %w", err)
	}
	for _, t := range tables {
		if t.Name.Name == "runs" {
			return true, nil
		}
	}
	return false, nil
}

func (h history) query(sql string) (grid, error) {
	rows, err := h.w.Info().SQL.Query(h.cmd.Context(), sql)
	if err != nil {
		return grid{}, err
	}
	defer rows.Release()
	return readGrid(rows)
}

func (h history) list(most int) error {
	ran, err := h.ran()
	if err != nil {
		return err
	}
	g := grid{columns: []string{"run_id", "started_at", "status", "seconds", "rows_read", "rows_landed", "rows_quarantined", "notes"}}
	if !ran {
		return h.say(g, "There is no run yet. Next: unsilo run\n")
	}
	g, err = h.query(fmt.Sprintf(`SELECT run_id, started_at, status, date_diff('millisecond', started_at, ended_at) / 1000.0 AS seconds,
		rows_read, rows_landed, rows_quarantined, notes FROM unsilo.runs ORDER BY started_at DESC, run_id DESC LIMIT %d`, most))
	if err != nil {
		return err
	}
	return h.show(g)
}

// one shows what one run did.
func (h history) one(name string) error {
	id, err := h.find(name)
	if err != nil {
		return err
	}
	g, err := h.query(`SELECT source || '.' || stream AS stream, status, "read", "new", changed, deleted, quarantined, round(seconds, 2) AS seconds,
		cursor_before AS "before", cursor_after AS "after", error FROM unsilo.run_streams WHERE run_id = ` + sqlText(id) + ` ORDER BY 1`)
	if err != nil {
		return err
	}
	models, err := h.query(`SELECT model, status, rows, tests, tests_failed, round(seconds, 2) AS seconds, error
		FROM unsilo.run_models WHERE run_id = ` + sqlText(id) + ` ORDER BY 1`)
	if err != nil {
		return err
	}
	switch h.output {
	case "csv", "ndjson":
		return h.show(g.with(models))
	case "json":
		g.extra = map[string]any{"run_id": id, "models": models.objects()}
		return h.show(g)
	}
	h.showTable(g)
	if len(models.rows) > 0 {
		fmt.Fprintln(h.out)
		h.showTable(models)
	}
	return nil
}

// find gives the id of the one run that is meant.
func (h history) find(name string) (string, error) {
	ran, err := h.ran()
	if err != nil {
		return "", err
	}
	if !ran {
		return "", notFound("run", name, "there is none yet: see `unsilo run`")
	}
	where := "starts_with(run_id, " + sqlText(name) + ")"
	if name == "last" {
		where = "run_id = (SELECT max_by(run_id, started_at) FROM unsilo.runs)"
	}
	g, err := h.query("SELECT run_id FROM unsilo.runs WHERE " + where + " LIMIT 2")
	switch {
	case err != nil:
		return "", err
	case len(g.rows) == 0:
		return "", notFound("run", name, "see `unsilo history`")
	case len(g.rows) > 1:
		return "", usageError{fmt.Errorf("several runs begin with %q", name)}
	}
	return fmt.Sprint(g.rows[0][0]), nil
}
