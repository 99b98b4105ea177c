package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/unsilo/unsilo/core"
)

func (a *app) validateCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "validate",
		Short: "Check the configuration without asking any silo",
		Long: `Reads every *.hcl file and checks names, types, references and what contradicts itself.
No source is opened. In the formats json, ndjson and csv the diagnostics are the result
and go to standard output.`,
		Example: `  unsilo validate
  unsilo validate -o json   for editors: every diagnostic with file, line and column`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			p, err := a.load()
			var bad diagnosed
			switch {
			case errors.As(err, &bad) && a.output != "table":
				if err := a.showFindings(false, bad.ds); err != nil {
					return err
				}
				return exited{exitConfig}
			case err != nil:
				return err
			case a.output != "table":
				return a.showFindings(true, p.warnings)
			}
			a.showDiagnostics(p.warnings)
			_, err = fmt.Fprintf(a.out, "The configuration is valid: %d sources, %d models.\n", len(p.Sources), len(p.models))
			return err
		},
	}
}

// showFindings writes diagnostics as a result: one a row, and in JSON as they are.
func (a *app) showFindings(valid bool, ds core.Diagnostics) error {
	if a.output == "json" {
		return a.writeJSON(a.out, map[string]any{"format_version": formatVersion, "valid": valid, "diagnostics": append(core.Diagnostics{}, ds...)})
	}
	g := grid{columns: []string{"severity", "file", "line", "column", "summary", "detail", "try"}}
	for _, d := range ds {
		row := []any{string(d.Severity), nil, nil, nil, d.Summary, d.Detail, d.Try}
		if d.Range != nil {
			row[1], row[2], row[3] = d.Range.File, int64(d.Range.Line), int64(d.Range.Column)
		}
		g.add(row...)
	}
	return a.show(g)
}

func noArgs(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("unexpected argument %q", args[0])}
	}
	return nil
}

func atMostArgs(most int) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > most {
			return usageError{fmt.Errorf("unexpected argument %q", args[most])}
		}
		return nil
	}
}

func exactArgs(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return usageError{fmt.Errorf("%s is missing", names[len(args)])}
		case len(args) > len(names):
			return usageError{fmt.Errorf("unexpected argument %q", args[len(names)])}
		}
		return nil
	}
}
