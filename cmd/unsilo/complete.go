package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/unsilo/unsilo/core"
)

// completeNames offers names that the project has. Pressing a key starts no plugin and is
// no place for diagnostics: files with mistakes offer what can be understood of them.
func (a *app) completeNames(names func(*project) []string) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return func(_ *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
		p := a.glance()
		if p == nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		all := slices.DeleteFunc(names(p), func(n string) bool { return slices.Contains(given, n) })
		return all, cobra.ShellCompDirectiveNoFileComp
	}
}

// glance reads the names in the project's files; nil when there is nothing to read. What
// neither the program nor the files define is taken for a connector of some plugin.
func (a *app) glance() *project {
	p, err := a.newProject()
	if err != nil {
		return nil
	}
	for _, guess := range []bool{false, true} { // connector blocks first
		_, err = p.parse(func(kind string) (core.Spec, bool) {
			if c, ok := p.builtin[kind]; ok {
				return c.Spec(), true
			}
			return core.Spec{Name: kind}, guess
		})
		if err != nil || p.Project == nil {
			return nil
		}
	}
	p.decodeModels()
	return p
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
