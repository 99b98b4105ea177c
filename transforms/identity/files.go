package identity

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// decodeFiles reads the lists that the block names by file: blocked values, one on each
// line, and variants, the words of a set on each line. What they hold becomes part of the
// definition, so that a changed file is a changed block.
func (m *Model) decodeFiles(eval *hcl.EvalContext) hcl.Diagnostics {
	var diags hcl.Diagnostics
	lines := func(path string, at hcl.Range) []string {
		text, err := fileText(eval, path)
		if err != nil {
			diags = append(diags, fault(at, "This file cannot be read", fmt.Sprintf("%s. Paths start at the project's directory.", err)))
		}
		var out []string
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				out = append(out, line)
			}
		}
		return out
	}
	for i, b := range m.def.Identifiers {
		if b.Block != nil && b.Block.File != "" {
			m.def.Identifiers[i].Block.Values = append(b.Block.Values, lines(b.Block.File, b.Range)...)
		}
	}
	for i, b := range m.def.Hierarchies {
		if b.BlocklistFile != "" {
			m.def.Hierarchies[i].Blocklist = append(b.Blocklist, lines(b.BlocklistFile, b.Range)...)
		}
	}
	for i, b := range m.def.Attributes {
		if b.Variants == "" {
			continue
		}
		for _, line := range lines(b.Variants, b.Range) {
			set := strings.Split(line, ",")
			if len(set) < 2 {
				diags = append(diags, fault(b.Range, "This is no set of variants",
					fmt.Sprintf("%q in %s: write the words that mean the same on one line, with commas between them.", line, b.Variants)))
				break
			}
			m.def.Attributes[i].Sets = append(m.def.Attributes[i].Sets, set)
		}
	}
	return diags
}

// fileText reads a file of the project by the function that expressions use for it, which
// stays inside the project.
func fileText(eval *hcl.EvalContext, path string) (string, error) {
	for ; eval != nil; eval = eval.Parent() {
		if f, ok := eval.Functions["file"]; ok {
			v, err := f.Call([]cty.Value{cty.StringVal(path)})
			if err != nil {
				return "", err
			}
			return v.AsString(), nil
		}
	}
	return "", fmt.Errorf("there is no file %q here", path)
}
