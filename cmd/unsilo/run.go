package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/engine"
)

func (a *app) runCmd() *cobra.Command {
	var from, until string
	opts := engine.Options{}
	cmd := &cobra.Command{
		Use:   "run [selector...]",
		Short: "Read what changed, land it, and build the models",
		Long: `Plans and carries the plan out. Progress goes to stderr, the closing table to stdout.
A run that is killed loses nothing and doubles nothing: the next one goes on.

A selector names a source (crm), a stream (crm.contacts) or a model (model.orders);
with streams come the models that read them.`,
		Example: `  unsilo run
  unsilo run crm erp.invoices
  unsilo run erp.invoices --from 2026-01-01 --until 2026-02-01
  unsilo run erp.invoices --allow-deletes erp.invoices`,
		ValidArgsFunction: a.completeNames((*project).selectors),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if opts.From, err = parseTime("--from", from); err != nil {
				return err
			}
			if opts.Until, err = parseTime("--until", until); err != nil {
				return err
			}
			p, err := a.load()
			if err != nil {
				return err
			}
			return p.run(cmd, opts, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&from, "from", "", "backfill: read rows whose cursor is at or after this `time` (2026-01-31 or RFC 3339)")
	f.StringVar(&until, "until", "", "with --from: read rows before this `time`")
	f.StringSliceVar(&opts.AllowDeletes, "allow-deletes", nil, "let the sweep of these `streams` delete more than their share")
	f.BoolVar(&opts.Rebuild, "rebuild", false, "build every model, also when nothing it reads has changed")
	return cmd
}

func parseTime(flag, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usageError{fmt.Errorf("%s %q is not a time: write 2026-01-31 or 2026-01-31T08:00:00Z", flag, s)}
}

func (p *project) run(cmd *cobra.Command, opts engine.Options, selected []string) error {
	ctx := cmd.Context()
	progress := p.progress()
	defer progress.close()
	e, closeAll, err := p.open(ctx, true, progress.event)
	if err != nil {
		return err
	}
	res, err := p.runWith(cmd, e, opts, selected)
	progress.close()
	if err = errors.Join(err, closeAll()); err != nil && res == nil {
		return err
	}
	if shown := p.showResult(res); shown != nil {
		return shown
	}
	if err != nil {
		return err
	}
	return resultExit(res)
}

func (p *project) runWith(cmd *cobra.Command, e *engine.Engine, opts engine.Options, selected []string) (*engine.Result, error) {
	ctx := cmd.Context()
	made, ds, err := e.Plan(ctx, selected...)
	if err != nil {
		return nil, err
	}
	ds = append(p.warnings, ds...)
	if ds.HasErrors() {
		return nil, diagnosed{ds}
	}
	if len(ds) > 0 {
		p.showDiagnostics(ds)
	}
	return e.Run(ctx, made, opts)
}

// resultExit turns what a run did into the exit code; the table has said the rest.
func resultExit(res *engine.Result) error {
	if res.Status == engine.StatusDone {
		return nil
	}
	code := failureCode(res.Errors()...)
	if res.Status == engine.StatusPartial && code != exitAuth {
		code = exitPartial
	}
	return exited{code}
}

// showResult writes the closing table of a run.
func (p *project) showResult(res *engine.Result) error {
	streams := grid{columns: []string{"stream", "status", "read", "new", "changed", "deleted", "quarantined", "seconds", "before", "after"},
		right: []string{"read", "new", "changed", "deleted", "quarantined", "seconds"}}
	for _, s := range res.Streams {
		streams.add(s.Source+"."+s.Stream, string(s.Status), s.Read, s.New, s.Changed, s.Deleted, s.Quarantined, seconds(s.Seconds), s.Before, s.After)
	}
	models := grid{columns: []string{"model", "status", "rows", "tests", "seconds"}, right: []string{"rows", "seconds"}}
	for _, m := range res.Models {
		models.add(m.Ref.String(), string(m.Status), m.Rows, testsText(m.Tests), seconds(m.Seconds))
	}
	if p.output != "table" {
		return p.showRecords(res, streams, models)
	}
	if len(p.Sources) == 0 && len(p.models) == 0 {
		_, err := fmt.Fprintln(p.out, "There is nothing to run: the project has no source. See unsilo connector list.")
		return err
	}
	if len(streams.rows) > 0 {
		p.showTable(streams)
	}
	if len(models.rows) > 0 {
		if len(streams.rows) > 0 {
			fmt.Fprintln(p.out)
		}
		p.showTable(models)
	}
	for _, m := range res.Models {
		for _, n := range m.Notes {
			fmt.Fprintf(p.out, "%s: %s\n", m.Ref, plain(n))
		}
	}
	for _, n := range res.Notes {
		fmt.Fprintf(p.out, "note: %s\n", plain(n))
	}
	fmt.Fprintf(p.out, "\n%s: %s rows landed in %s.\n", res.Status, thousands(res.Landed()), res.Ended.Sub(res.Started).Round(10*time.Millisecond))
	p.showDiagnostics(p.diagnose(res))
	return nil
}

// showRecords writes what a run did for programs: one document in JSON; in ndjson and csv a
// record for each stream and each model, told apart by which of the two is named. Every
// record of what failed says why.
func (p *project) showRecords(res *engine.Result, streams, models grid) error {
	streams.columns, models.columns = append(streams.columns, "error"), append(models.columns, "error")
	for i, s := range res.Streams {
		streams.rows[i] = append(streams.rows[i], p.errorText(s.Err))
	}
	for i, m := range res.Models {
		models.rows[i] = append(models.rows[i], p.errorText(m.Err))
	}
	if p.output == "json" {
		ds := p.diagnose(res)
		texts := []string{}
		for _, d := range ds {
			texts = append(texts, d.Summary)
		}
		streams.extra = map[string]any{"run_id": res.RunID, "status": res.Status, "landed": res.Landed(), "models": models.objects(),
			"notes": append([]string{}, res.Notes...), "errors": texts, "diagnostics": ds}
		return p.show(streams)
	}
	return p.show(streams.with(models))
}

func (p *project) errorText(err error) any {
	if err == nil {
		return nil
	}
	return p.redact(err.Error())
}

// diagnose writes the failures of a run as diagnostics, each with whose it is.
func (p *project) diagnose(res *engine.Result) core.Diagnostics {
	ds := core.Diagnostics{}
	if res.Status == engine.StatusInterrupted {
		return ds // what streams say of it is no fault of theirs
	}
	add := func(name string, err error) {
		if err == nil {
			return
		}
		d := core.Diagnostic{Severity: core.SeverityError, Summary: name + ": " + err.Error()}
		if source, all := strings.CutSuffix(name, ".*"); all && strings.Contains(err.Error(), source) {
			d.Summary = err.Error() // it says whose it is
		}
		var e *core.Error
		if errors.As(err, &e) {
			d.Try = e.Try
		}
		ds = append(ds, d)
	}
	for _, s := range res.Streams {
		add(s.Source+"."+s.Stream, withoutStream(s.Err, s.Stream))
	}
	for _, m := range res.Models {
		add(m.Ref.String(), m.Err)
	}
	return p.redactAll(ds)
}

// withoutStream takes the name of the stream out of an error that is shown beside it.
func withoutStream(err error, stream string) error {
	e, ok := err.(*core.Error)
	if !ok || e.Stream != stream {
		return err
	}
	short := *e
	short.Stream = ""
	return &short
}

func seconds(s float64) float64 { return float64(int64(s*100+0.5)) / 100 }

func testsText(tests []core.TestResult) string {
	failed := 0
	for _, t := range tests {
		if t.Failures > 0 || t.Err != nil {
			failed++
		}
	}
	switch {
	case len(tests) == 0:
		return "-"
	case failed > 0:
		return fmt.Sprintf("%d of %d failed", failed, len(tests))
	}
	return fmt.Sprintf("%d passed", len(tests))
}
