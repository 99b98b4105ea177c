package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/unsilo/unsilo/core"
)

func (a *app) validateCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "validate",
		Short: "Check the configuration without asking any silo",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			p, err := a.load()
			if err != nil {
				return err
			}
			if a.output == "json" || a.output == "ndjson" {
				ds := p.warnings
				if ds == nil {
					ds = core.Diagnostics{}
				}
				return a.writeJSON(a.out, map[string]any{"format_version": formatVersion, "valid": true, "diagnostics": ds})
			}
			a.showDiagnostics(p.warnings)
			_, err = fmt.Fprintf(a.out, "The configuration is valid: %d sources, %d models.\n", len(p.Sources), len(p.models))
			return err
		},
	}
}

func noArgs(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("unexpected argument %q", args[0])}
	}
	return nil
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
