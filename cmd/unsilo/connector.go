package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unsilo/unsilo/connectors"
	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/config"
)

func (a *app) connectorCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "connector", Short: "List connectors and their configuration"}
	list := &cobra.Command{
		Use: "list", Short: "List the connectors", Args: noArgs,
		Long: "Lists the built-in connectors and, in a project, those its files define.",
		RunE: func(*cobra.Command, []string) error { return a.listConnectors() },
	}
	docs := &cobra.Command{
		Use: "docs NAME", Short: "Write what a connector takes, as Markdown", Args: exactArgs("NAME"),
		Example: `  unsilo connector docs postgres
  unsilo connector docs hubspot -o csv      its attributes, one a row`,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return a.connectorNames(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			spec, err := a.findSpec(args[0])
			if err != nil {
				return err
			}
			return a.say(fieldsOf(spec), "%s", docsOf(spec))
		},
	}
	cmd.AddCommand(list, docs)
	return cmd
}

// findSpec describes a connector: a built-in one, one that the project's files define, or
// one that a plugin of the same name serves.
func (a *app) findSpec(name string) (core.Spec, error) {
	specs := a.specs()
	if spec, ok := specs[name]; ok {
		return spec, nil
	}
	root, err := filepath.Abs(a.dir)
	if err != nil {
		return core.Spec{}, fmt.Errorf("find project: %w", err)
	}
	p := project{app: a, root: root, refused: map[string]error{}}
	if spec, ok := p.spec(name); ok {
		return spec, nil
	}
	if err := p.refused[name]; err != nil {
		return core.Spec{}, err
	}
	e := &core.Error{Kind: core.KindConfig, Op: "find connector", Err: fmt.Errorf("no connector is called %q", name), Try: "see `unsilo connector list`"}
	if near := core.Nearest(name, slices.Sorted(maps.Keys(specs))); near != "" {
		e.Try = fmt.Sprintf("did you mean %q?", near)
	}
	return core.Spec{}, e
}

// connectorNames are the built-in connectors and those the project's files define.
func (a *app) connectorNames() []string {
	names := map[string]bool{}
	for _, c := range connectors.All() {
		names[c.Spec().Name] = true
	}
	if p := a.glance(); p != nil {
		for name := range p.builtin {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// specs are the built-in connectors, and in a project also those its files define or use.
func (a *app) specs() map[string]core.Spec {
	out := map[string]core.Spec{}
	for _, c := range connectors.All() {
		out[c.Spec().Name] = c.Spec()
	}
	if p, err := a.load(); err == nil {
		for name, c := range p.builtin {
			out[name] = c.Spec()
		}
		for _, s := range p.Sources {
			out[s.Kind] = s.Spec
		}
	}
	return out
}

func (a *app) listConnectors() error {
	g := grid{columns: []string{"name", "plugin", "summary", "tested_against"}}
	specs := a.specs()
	for _, name := range slices.Sorted(maps.Keys(specs)) {
		s := specs[name]
		g.add(s.Name, "unsilo-plugin-"+s.PluginFamily(), s.Summary, s.TestedAgainst)
	}
	return a.show(g)
}

// fieldsOf lays a connector's attributes out one a row.
func fieldsOf(s core.Spec) grid {
	g := grid{columns: []string{"block", "attribute", "type", "required", "secret", "default", "one_of", "help"},
		extra: map[string]any{"name": s.Name, "summary": s.Summary, "doc": s.Doc, "tested_against": s.TestedAgainst}}
	add := func(block string, fields []core.Field) {
		for _, f := range fields {
			g.add(block, f.Name, string(f.Type), f.Required, f.Secret, f.Default, strings.Join(f.Enum, " "), f.Help)
		}
	}
	add("source", s.Fields)
	add("stream", s.StreamFields)
	add("stream", config.StreamFields())
	return g
}

// docsOf writes a connector's page from its Spec, which is all there is to know.
func docsOf(s core.Spec) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n", s.Name, s.Summary)
	if s.Doc != "" {
		fmt.Fprintf(&b, "\n%s\n", strings.TrimSpace(s.Doc))
	}
	fmt.Fprintf(&b, "\n## source %q\n\n%s", s.Name, fieldTable(s.Fields))
	fmt.Fprintf(&b, "\n## stream\n\n")
	if len(s.StreamFields) > 0 {
		fmt.Fprintf(&b, "%s\nAnd what every stream takes:\n\n", fieldTable(s.StreamFields))
	}
	b.WriteString(fieldTable(config.StreamFields()))
	if s.TestedAgainst != "" {
		fmt.Fprintf(&b, "\nTested against: %s.\n", s.TestedAgainst)
	}
	return b.String()
}

func fieldTable(fields []core.Field) string {
	if len(fields) == 0 {
		return "It takes no attributes.\n"
	}
	var b strings.Builder
	b.WriteString("| attribute | type | | meaning |\n|---|---|---|---|\n")
	for _, f := range fields {
		note := ""
		switch {
		case f.Required:
			note = "required"
		case f.Default != nil:
			note = fmt.Sprintf("default `%v`", f.Default)
		}
		if f.Secret {
			note = strings.TrimPrefix(note+", secret", ", ")
		}
		help := f.Help
		if len(f.Enum) > 0 {
			help += " One of " + strings.Join(f.Enum, ", ") + "."
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.Name, f.Type, note, strings.ReplaceAll(help, "|", "\\|"))
	}
	return b.String()
}
