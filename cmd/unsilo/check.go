package main

import (
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/unsilo/unsilo/core"
)

func (a *app) checkCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "check [source...]",
		Short: "Prove that the sources can be reached and let us in",
		Long:  "Opens each source with its credentials and asks it for nothing but an answer. Without names it takes all of them.",
		Example: `  unsilo check
  unsilo check crm erp`,
		ValidArgsFunction: a.completeNames((*project).sourceNames),
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
			found, err := e.Check(cmd.Context(), args...)
			if err != nil {
				return err
			}
			g := grid{columns: []string{"source", "status", "detail"}}
			var errs []error
			for _, name := range slices.Sorted(maps.Keys(found)) {
				err := found[name]
				if err == nil {
					g.add(name, "ok", nil)
					continue
				}
				g.add(name, string(core.KindOf(err)), p.secrets.Redact(err.Error()))
				errs = append(errs, err)
			}
			if err := a.show(g); err != nil || len(errs) == 0 {
				return err
			}
			return exited{failureCode(errs...)}
		},
	}
}
