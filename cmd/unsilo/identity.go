package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity"
)

func (a *app) identityCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "identity", Short: "Find out who is who, and why"}
	var name string
	explain := &cobra.Command{
		Use:   "explain ID | RECORD [RECORD]",
		Short: "Show the path of edges that joins the records of a person, or two records",
		Long: `An ID is one of the identity's own (per_...). A RECORD is source.stream:key, or the
bare key where only one record has it.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return usageError{fmt.Errorf("explain takes an id, or one or two records")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.load()
			if err != nil {
				return err
			}
			return p.explain(cmd, name, args)
		},
	}
	explain.Flags().StringVar(&name, "identity", "", "the identity block; needed when the project has several")
	cmd.AddCommand(explain)
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
		return "", usageError{fmt.Errorf("the project has no identity block")}
	}
	return "", usageError{fmt.Errorf("the project has several identities: name one with --identity: %s", strings.Join(names, ", "))}
}

func (p *project) explain(cmd *cobra.Command, name string, subjects []string) error {
	name, err := p.identityName(name)
	if err != nil {
		return err
	}
	w, err := p.openWarehouse(cmd.Context(), false)
	if err != nil {
		return err
	}
	defer w.Close()
	x, err := identity.Explain(cmd.Context(), w, name, subjects...)
	if err != nil {
		return err
	}
	if p.output != "table" {
		return p.writeJSON(p.out, struct {
			FormatVersion string `json:"format_version"`
			identity.Explanation
		}{formatVersion, x})
	}
	p.showExplanation(x)
	return nil
}

func (p *project) showExplanation(x identity.Explanation) {
	if x.ID != "" {
		fmt.Fprintf(p.out, "%s %s: %d records\n\n", x.Identity, x.ID, len(x.Records))
	}
	for _, r := range x.Records {
		fmt.Fprintf(p.out, "  %-44s %s\n", r, r.ID)
	}
	for _, part := range []struct {
		title string
		steps []identity.Step
	}{{"joined by", x.Path}, {"refused", x.Refused}, {"too weak", x.Weak}} {
		if len(part.steps) == 0 {
			continue
		}
		g := grid{columns: []string{"record", "record ", "by", "rule", "bits", "why"}, right: []string{"bits"}}
		for _, s := range part.steps {
			g.add(s.A.String(), s.B.String(), s.Tier, s.Rule, bits(s), why(s))
		}
		fmt.Fprintf(p.out, "\n%s\n", part.title)
		p.showTable(g)
	}
	for _, n := range x.Notes {
		fmt.Fprintln(p.out, n)
	}
}

func bits(s identity.Step) any {
	if s.Tier == "probable" {
		return fmt.Sprintf("%+.1f", s.Bits)
	}
	return nil
}

func why(s identity.Step) string {
	if s.Reason != "" {
		return s.Reason
	}
	var parts []string
	for _, e := range s.Evidence {
		parts = append(parts, fmt.Sprintf("%s %s %+.1f", e.Comparison, e.Level, e.Bits))
	}
	return strings.Join(parts, ", ")
}

// notFound is what a verb says about a name that is not there.
func notFound(what, name, try string) error {
	return &core.Error{Kind: core.KindConfig, Op: "find " + what, Err: fmt.Errorf("there is no %s %q", what, name), Try: try}
}
