package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/engine"
	"github.com/unsilo/unsilo/transforms/identity"
)

func (a *app) identityCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "identity", Short: "Find out who is who, and why"}
	var name string
	cmd.PersistentFlags().StringVar(&name, "identity", "", "the identity block; needed when the project has several")
	cmd.AddCommand(a.identitySuggestCmd(), a.identityPlanCmd(&name), a.explainCmd(&name), a.whyNotCmd(&name),
		a.reviewCmd(&name), a.mergeCmd(&name), a.splitCmd(&name), a.evalCmd(&name), a.identityDiffCmd(&name))
	return cmd
}

// identityName finds the identity block that is meant.
func (p *project) identityName(name string) (string, error) {
	var names []string
	for _, m := range p.models {
		if m.Ref().Kind == "identity" {
			if m.Ref().Name == name {
				return name, nil
			}
			names = append(names, m.Ref().Name)
		}
	}
	switch {
	case name != "":
		return "", usageError{fmt.Errorf("the project has no identity %q; it has %s", name, strings.Join(names, ", "))}
	case len(names) == 1:
		return names[0], nil
	case len(names) == 0:
		return "", usageError{errors.New("the project has no identity block; `unsilo identity suggest` writes one")}
	}
	return "", usageError{fmt.Errorf("the project has several identities: name one with --identity: %s", strings.Join(names, ", "))}
}

// withIdentity opens the warehouse for reading and calls do with the identity's name.
func (a *app) withIdentity(ctx context.Context, name string, do func(*project, core.Warehouse, string) error) (err error) {
	p, err := a.load()
	if err != nil {
		return err
	}
	if name, err = p.identityName(name); err != nil {
		return err
	}
	w, err := p.openWarehouse(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	return do(p, w, name)
}

// changeIdentity is withIdentity for a decision of a person: it takes the lock, and sees to
// it that the next run builds the identity again.
func (a *app) changeIdentity(ctx context.Context, name string, do func(core.Warehouse, string) error) (err error) {
	p, err := a.load()
	if err != nil {
		return err
	}
	if name, err = p.identityName(name); err != nil {
		return err
	}
	lock, err := engine.AcquireLock(p.lockPath())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	w, err := p.openWarehouse(ctx, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	if err := do(w, name); err != nil {
		return err
	}
	return engine.Invalidate(ctx, w, core.Ref{Kind: "identity", Name: name})
}

// identityModel is the identity's model, for what needs its definition.
func (p *project) identityModel(name string) (*identity.Model, error) {
	for _, m := range p.models {
		if im, ok := m.Model.(*identity.Model); ok && im.Ref().Name == name {
			return im, nil
		}
	}
	return nil, usageError{fmt.Errorf("the project has no identity %q", name)}
}

func (a *app) identitySuggestCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "suggest [NAME]",
		Short: "Write an identity block from the meanings of the columns that have landed",
		Args:  atMostArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			p, err := a.load()
			if err != nil {
				return err
			}
			w, err := p.openWarehouse(cmd.Context(), false)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, w.Close()) }()
			var landed []core.Table
			for _, s := range p.Sources {
				tables, err := w.Tables(cmd.Context(), core.RawTable(s.Name, "").Schema)
				if err != nil {
					return fmt.Errorf("list tables: %w", err)
				}
				landed = append(landed, tables...)
			}
			name := "person"
			if len(args) == 1 {
				name = args[0]
			}
			x, err := identity.Suggest(name, landed)
			if err != nil {
				return err
			}
			return a.showSuggestion(x)
		},
	}
}

func (a *app) identityPlanCmd(name *string) *cobra.Command {
	return &cobra.Command{
		Use: "plan", Short: "Show what a build would compare; nothing is compared", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withIdentity(cmd.Context(), *name, func(p *project, w core.Warehouse, name string) error {
				m, err := p.identityModel(name)
				if err != nil {
					return err
				}
				work, err := m.Work(cmd.Context(), w)
				if err != nil {
					return err
				}
				return a.showWork(work)
			})
		},
	}
}

func (a *app) showWork(w identity.WorkPlan) error {
	g := grid{columns: []string{"rule", "kind", "records", "pairs", "largest_block", "oversize_blocks", "capped_values"},
		right: []string{"records", "pairs", "largest_block", "oversize_blocks", "capped_values"},
		extra: map[string]any{"records": w.Records, "pairs": w.Pairs, "cpu_seconds": w.Seconds, "notes": w.Notes}}
	for _, r := range w.Rules {
		g.add(r.Rule, r.Kind, int64(r.Keyed), r.Pairs, int64(r.Largest), int64(r.Oversize), int64(r.Capped))
	}
	if err := a.show(g); err != nil || a.output != "table" {
		return err
	}
	for _, n := range w.Notes {
		fmt.Fprintln(a.out, n)
	}
	_, err := fmt.Fprintf(a.out, "\n%s records, at most %s pairs to compare, about %.1f CPU seconds.\n", thousands(int64(w.Records)), thousands(w.Pairs), w.Seconds)
	return err
}

// showSuggestion writes the block, or what it was made from.
func (a *app) showSuggestion(x identity.Suggestion) error {
	g := grid{columns: []string{"source", "stream", "column", "attribute", "means", "exact_only"}, extra: map[string]any{"hcl": x.HCL}}
	for _, c := range x.Columns {
		g.add(c.Source, c.Stream, c.Column, c.Attribute, c.Means, c.ExactOnly)
	}
	return a.say(g, "%s", x.HCL)
}

// document writes a value as one JSON object with a format version, as text for people, or
// as rows.
func (a *app) document(value any, text string, rows grid) error {
	if a.output == "json" {
		return a.writeJSON(a.out, map[string]any{"format_version": formatVersion, "result": value})
	}
	return a.say(rows, "%s", text)
}

func (a *app) explainCmd(name *string) *cobra.Command {
	var html string
	cmd := &cobra.Command{
		Use:   "explain ID | RECORD [RECORD]",
		Short: "Show the path of edges that joins the records of a person, or two records",
		Long: `An ID is one of the identity's own (per_...). A RECORD is source.stream:key, or the
bare key where only one record has it.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return usageError{errors.New("explain takes an id, or one or two records")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withIdentity(cmd.Context(), *name, func(p *project, w core.Warehouse, name string) error {
				x, err := identity.Explain(cmd.Context(), w, name, args...)
				if err != nil {
					return err
				}
				return a.showExplanation(cmd.Context(), p, w, x, html)
			})
		},
	}
	cmd.Flags().StringVar(&html, "html", "", "write a page with the weights drawn to this `file` instead")
	return cmd
}

func (a *app) whyNotCmd(name *string) *cobra.Command {
	var html string
	cmd := &cobra.Command{
		Use: "why-not RECORD RECORD", Short: "Show why two records are not one person", Args: exactArgs("RECORD", "RECORD"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withIdentity(cmd.Context(), *name, func(p *project, w core.Warehouse, name string) error {
				m, err := p.identityModel(name)
				if err != nil {
					return err
				}
				x, err := m.WhyNot(cmd.Context(), w, args[0], args[1])
				if err != nil {
					return err
				}
				return a.showExplanation(cmd.Context(), p, w, x, html)
			})
		},
	}
	cmd.Flags().StringVar(&html, "html", "", "write a page with the weights drawn to this `file` instead")
	return cmd
}

func (a *app) showExplanation(ctx context.Context, p *project, w core.Warehouse, x identity.Explanation, html string) error {
	m, err := p.identityModel(x.Identity)
	if err != nil {
		return err
	}
	if err := m.Show(ctx, w, &x); err != nil {
		return err
	}
	if html == "" {
		return a.document(x, x.Text(), explanationGrid(x))
	}
	f, err := os.OpenFile(html, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) // it shows personal data
	if err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return errors.Join(x.HTML(f), f.Close())
}

// explanationGrid has a row for each comparison of each edge, one for an edge without
// comparisons, and one for each note.
func explanationGrid(x identity.Explanation) grid {
	g := grid{columns: []string{"part", "a", "b", "tier", "rule", "bits", "comparison", "level", "level_bits", "note"}}
	for _, part := range []struct {
		name  string
		steps []identity.Step
	}{{"joined", x.Path}, {"refused", x.Refused}, {"weak", x.Weak}} {
		for _, s := range part.steps {
			if len(s.Evidence) == 0 {
				g.add(part.name, s.A.String(), s.B.String(), s.Tier, s.Rule, s.Bits, nil, nil, nil, s.Reason)
			}
			for _, e := range s.Evidence {
				g.add(part.name, s.A.String(), s.B.String(), s.Tier, s.Rule, s.Bits, e.Comparison, e.Level, e.Bits, s.Reason)
			}
		}
	}
	for _, n := range x.Notes {
		g.add("note", nil, nil, nil, nil, nil, nil, nil, nil, n)
	}
	return g
}

// notFound is what a verb says about a name that is not there.
func notFound(what, name, try string) error {
	return &core.Error{Kind: core.KindConfig, Op: "find " + what, Err: fmt.Errorf("there is no %s %q", what, name), Try: try}
}
