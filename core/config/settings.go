package config

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/unsilo/unsilo/core"
)

// settings reads the block unsilo. It comes before all others and uses none of them.
func (l *loader) settings(blocks []*hclsyntax.Block) {
	for _, b := range blocks {
		values := l.attributes(b, fieldsOf{owner: "unsilo", eval: &hcl.EvalContext{}, shown: []core.Field{
			{Name: "required_version", Type: core.TypeString, Help: "versions of unsilo the project works with"},
			{Name: "isolation", Type: core.TypeString, Enum: []string{"process", "none"}, Default: "process",
				Help: "where built-in connectors run"},
			{Name: "parallel", Type: core.TypeInt, Help: "streams read at once"},
			{Name: "allow_exec", Type: core.TypeBool, Help: "whether secret(\"exec:...\") may run programs"},
		}})
		p := l.project
		p.RequiredVersion = text(values, "required_version")
		p.Isolation = text(values, "isolation")
		p.AllowExec, _ = values["allow_exec"].(bool)
		p.Parallel = l.within(b, values, "parallel", 1, 1024)
		l.checkVersion(b, p.RequiredVersion)
	}
}

func (l *loader) checkVersion(b *hclsyntax.Block, constraint string) {
	if constraint == "" {
		return
	}
	at := b.Body.Attributes["required_version"].Expr.Range()
	have, err := parseVersion(l.opts.Version)
	unknown := err != nil // a build without a version passes
	met, err := satisfies(have, constraint)
	switch {
	case err != nil:
		l.fail(at, "Invalid version constraint", sentence(err.Error()), `Write it like ">= 0.1.0" or "~> 1.2".`)
	case !met && !unknown:
		l.fail(at, fmt.Sprintf("The project needs unsilo %s", constraint), fmt.Sprintf("This is version %s.", l.opts.Version),
			"Install a version that fits, or change required_version.")
	}
}

// within gives an integer attribute between bounds; 0 when it is absent.
func (l *loader) within(b *hclsyntax.Block, values map[string]any, name string, low, high int64) int {
	n, ok := values[name].(int64)
	if !ok {
		return 0
	}
	if n < low || n > high {
		l.fail(b.Body.Attributes[name].Expr.Range(), fmt.Sprintf("Wrong value for %q", name),
			fmt.Sprintf("%d is not between %d and %d.", n, low, high), fmt.Sprintf("Write %s = %d", name, max(low, min(n, high))))
		return 0
	}
	return int(n)
}

// text gives a string value, or "" when it is absent.
func text(values map[string]any, name string) string {
	s, _ := values[name].(string)
	return s
}

// list gives a list of strings, or nil when it is absent.
func list(values map[string]any, name string) []string {
	items, _ := values[name].([]any)
	var out []string
	for _, item := range items {
		if s, ok := item.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// valueRange is where an attribute's value stands, or the block's header.
func valueRange(b *hclsyntax.Block, name string) hcl.Range {
	if attr, ok := b.Body.Attributes[name]; ok {
		return attr.Expr.Range()
	}
	return b.DefRange()
}
