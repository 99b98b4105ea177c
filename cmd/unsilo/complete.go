package main

import (
	"slices"

	"github.com/spf13/cobra"
)

// completeNames offers names that the project has. A project that cannot be read offers
// none: completion is no place for diagnostics.
func (a *app) completeNames(names func(*project) []string) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return func(_ *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
		p, err := a.load()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		all := slices.DeleteFunc(names(p), func(n string) bool { return slices.Contains(given, n) })
		return all, cobra.ShellCompDirectiveNoFileComp
	}
}

func (p *project) sourceNames() []string {
	var out []string
	for _, s := range p.Sources {
		out = append(out, s.Name)
	}
	return out
}

// streamNames are the streams that the files name; a source may offer others.
func (p *project) streamNames() []string {
	var out []string
	for _, s := range p.Sources {
		for _, b := range s.Streams {
			out = append(out, s.Name+"."+b.Name)
		}
	}
	return out
}

// selectors are what run and plan take.
func (p *project) selectors() []string {
	out := append(p.sourceNames(), p.streamNames()...)
	for _, m := range p.models {
		out = append(out, m.Ref().String())
	}
	return out
}
