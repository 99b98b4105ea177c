package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/engine"
	"github.com/unsilo/unsilo/core/plan"
)

func (a *app) planCmd() *cobra.Command {
	var detailed bool
	cmd := &cobra.Command{
		Use:   "plan [selector...]",
		Short: "Show what a run would do; nothing is touched",
		Long: `Asks the sources what they offer, compares it with the warehouse, and shows streams,
columns, masks and models that a run would make or change. Nothing is written.

A selector names a source (crm), a stream (crm.contacts) or a model (model.orders);
with streams come the models that read them.`,
		Example: `  unsilo plan
  unsilo plan erp.invoices
  unsilo plan --detailed-exitcode -o json`,
		ValidArgsFunction: a.completeNames((*project).selectors),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.load()
			if err != nil {
				return err
			}
			e, closeAll, err := p.open(cmd.Context(), false, nil)
			if err != nil {
				return err
			}
			defer closeAll()
			made, ds, err := e.Plan(cmd.Context(), args...)
			if err != nil {
				return err
			}
			ds = append(p.warnings, ds...)
			if ds.HasErrors() {
				return diagnosed{ds}
			}
			if len(ds) > 0 {
				a.showDiagnostics(ds)
			}
			if err := p.showPlan(made); err != nil {
				return err
			}
			return planExit(made, detailed)
		},
	}
	cmd.Flags().BoolVar(&detailed, "detailed-exitcode", false, "exit with 2 when a run would change tables or models")
	return cmd
}

func planExit(p *plan.Plan, detailed bool) error {
	var errs []error
	for _, f := range p.Failed {
		errs = append(errs, f.Err)
	}
	if len(errs) > 0 {
		return exited{failureCode(errs...)}
	}
	if detailed && p.Changes() {
		return exited{exitPartial}
	}
	return nil
}

// planView is the JSON of a plan.
type planView struct {
	FormatVersion string       `json:"format_version"`
	Changes       bool         `json:"changes"`
	Streams       []streamView `json:"streams"`
	Removed       []string     `json:"removed,omitempty"`
	Failed        []failedView `json:"failed,omitempty"`
	Models        []modelView  `json:"models"`
}

type streamView struct {
	Source      string              `json:"source"`
	Stream      string              `json:"stream"`
	Department  string              `json:"department,omitempty"`
	Action      plan.Action         `json:"action"`
	Table       string              `json:"table"`
	Mode        plan.Mode           `json:"mode"`
	Write       core.WriteMode      `json:"write"`
	PrimaryKey  []string            `json:"primary_key,omitempty"`
	Cursor      string              `json:"cursor,omitempty"`
	Deletes     core.DeleteMode     `json:"deletes"`
	Position    string              `json:"position,omitempty"`
	Columns     []columnView        `json:"columns"`
	Changes     []plan.ColumnChange `json:"changes,omitempty"`
	Destructive []string            `json:"destructive,omitempty"`
	Notes       []string            `json:"notes,omitempty"`
}

type columnView struct {
	Name  string     `json:"name"`
	Type  string     `json:"type"`
	Means core.Means `json:"means,omitempty"`
	Mask  string     `json:"mask,omitempty"`
}

type failedView struct {
	Source string    `json:"source"`
	Stream string    `json:"stream,omitempty"`
	Kind   core.Kind `json:"kind"`
	Error  string    `json:"error"`
}

func (f failedView) name() string {
	if f.Stream == "" {
		return f.Source
	}
	return f.Source + "." + f.Stream
}

type modelView struct {
	Model   string      `json:"model"`
	Action  plan.Action `json:"action"`
	Reads   []string    `json:"reads"`
	Outputs []string    `json:"outputs"`
	Notes   []string    `json:"notes,omitempty"`
}

func viewPlan(p *plan.Plan, redact func(string) string) planView {
	v := planView{FormatVersion: formatVersion, Changes: p.Changes(), Streams: []streamView{}, Models: []modelView{}}
	for _, s := range p.Streams {
		v.Streams = append(v.Streams, viewStream(s))
	}
	for _, r := range p.Removed {
		v.Removed = append(v.Removed, r.String())
	}
	for _, f := range p.Failed {
		v.Failed = append(v.Failed, failedView{f.Source, f.Stream, core.KindOf(f.Err), redact(f.Err.Error())})
	}
	for _, m := range p.Models {
		mv := modelView{Model: m.Model.Ref().String(), Action: m.Action, Notes: m.Notes, Reads: []string{}, Outputs: []string{}}
		for _, t := range m.Model.Inputs() {
			mv.Reads = append(mv.Reads, t.String())
		}
		for _, t := range m.Outputs {
			mv.Outputs = append(mv.Outputs, t.Name.String())
		}
		v.Models = append(v.Models, mv)
	}
	return v
}

func viewStream(s plan.StreamStep) streamView {
	v := streamView{Source: s.Source, Stream: s.Name, Department: s.Department, Action: s.Action, Table: s.Table.Name.String(),
		Mode: s.Mode, Write: s.Write, PrimaryKey: s.Stream.PrimaryKey, Cursor: s.Stream.Cursor.Field, Deletes: s.Stream.Deletes,
		Changes: s.Changes, Destructive: s.Destructive, Notes: s.Notes}
	if s.State != nil {
		v.Position = engine.PositionText(s.State)
	}
	for _, f := range s.Table.Schema.Fields() {
		v.Columns = append(v.Columns, columnView{f.Name, f.Type.String(), core.MeansOf(f), s.Mask[f.Name]})
	}
	return v
}

// grid lays a plan out one step a row.
func (v planView) grid() grid {
	g := grid{columns: []string{"step", "action", "mode", "write", "table", "changes", "destructive", "notes"}}
	for _, s := range v.Streams {
		var changes []string
		for _, c := range s.Changes {
			changes = append(changes, c.Kind+" "+c.Column)
		}
		g.add(s.Source+"."+s.Stream, string(s.Action), string(s.Mode), string(s.Write), s.Table,
			strings.Join(changes, "; "), strings.Join(s.Destructive, "; "), strings.Join(s.Notes, "; "))
	}
	for _, m := range v.Models {
		g.add(m.Model, string(m.Action), nil, nil, strings.Join(m.Outputs, " "), nil, nil, strings.Join(m.Notes, "; "))
	}
	for _, r := range v.Removed {
		g.add(r, "removed", nil, nil, nil, nil, nil, nil)
	}
	for _, f := range v.Failed {
		g.add(f.name(), "failed", nil, nil, nil, nil, nil, string(f.Kind)+" error: "+f.Error)
	}
	return g
}

// showPlan writes the plan: text in the table format, all of it in JSON, one step a row in
// the other formats.
func (p *project) showPlan(made *plan.Plan) error {
	v := viewPlan(made, p.secrets.Redact)
	switch p.output {
	case "json":
		return p.writeJSON(p.out, v)
	case "ndjson", "csv":
		return p.show(v.grid())
	}
	var b strings.Builder
	for _, s := range v.Streams {
		writeStreamPlan(&b, s)
	}
	for _, r := range v.Removed {
		fmt.Fprintf(&b, "- %s   no longer configured; its table stays\n", r)
	}
	for _, m := range v.Models {
		fmt.Fprintf(&b, "%s %-28s %-8s %s\n", sign(m.Action), m.Model, m.Action, strings.Join(m.Outputs, ", "))
		for _, n := range m.Notes {
			fmt.Fprintf(&b, "    %s\n", n)
		}
	}
	for _, f := range v.Failed {
		fmt.Fprintf(&b, "! %-28s %s error: %s\n", f.name(), f.Kind, f.Error)
	}
	verb := "No table changes; a run brings rows up to date."
	if v.Changes {
		verb = "Run `unsilo run` to do this."
	}
	fmt.Fprintf(&b, "\n%d streams, %d models. %s\n", len(v.Streams), len(v.Models), verb)
	_, err := fmt.Fprint(p.out, plain(b.String()))
	return err
}

func sign(a plan.Action) string {
	switch a {
	case plan.ActionCreate:
		return "+"
	case plan.ActionUpdate, plan.ActionRebuild:
		return "~"
	}
	return " "
}

func writeStreamPlan(b *strings.Builder, s streamView) {
	how := string(s.Mode) + ", " + string(s.Write)
	if s.Deletes != core.DeleteNone {
		how += ", deletes by " + string(s.Deletes)
	}
	fmt.Fprintf(b, "%s %-28s %-8s %s -> %s\n", sign(s.Action), s.Source+"."+s.Stream, s.Action, how, s.Table)
	if s.Action == plan.ActionCreate {
		for _, c := range s.Columns {
			label := string(c.Means)
			if c.Mask != "" {
				label += " (" + c.Mask + ")"
			}
			fmt.Fprintf(b, "    + %-24s %-22s %s\n", c.Name, c.Type, label)
		}
	}
	for _, c := range s.Changes {
		if c.Kind == plan.ChangeRetire {
			continue // many sources show a column only in rows that have it
		}
		fmt.Fprintf(b, "    %s %-24s %s\n", map[string]string{plan.ChangeAdd: "+", plan.ChangeWiden: "~", plan.ChangeReplace: "!"}[c.Kind], c.Column, changeText(c))
	}
	for _, d := range s.Destructive {
		fmt.Fprintf(b, "    ! %s\n", d)
	}
	for _, n := range s.Notes {
		fmt.Fprintf(b, "    %s\n", n)
	}
}

func changeText(c plan.ColumnChange) string {
	switch c.Kind {
	case plan.ChangeAdd:
		return "new, " + c.To
	}
	return c.From + " becomes " + c.To
}
