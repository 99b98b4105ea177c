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
			code := exitDone
			for _, name := range slices.Sorted(maps.Keys(found)) {
				err := found[name]
				if err == nil {
					g.add(name, "ok", nil)
					continue
				}
				g.add(name, string(core.KindOf(err)), p.secrets.Redact(err.Error()))
				if code == exitDone {
					code = exitFailed
				}
				if core.KindOf(err) == core.KindAuth {
					code = exitAuth
				}
			}
			if err := a.show(g); err != nil || code == exitDone {
				return err
			}
			return exited{code}
		},
	}
}
