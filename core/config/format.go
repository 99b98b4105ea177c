package config

import (
	"bytes"
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

// maxPasses bounds how often the layout is applied until it stands still.
const maxPasses = 8

// Format gives a file its standard layout: spaces, indents and aligned equals signs.
// Formatting what is formatted changes nothing. A file that does not parse, or that is
// too large or too deeply nested to be parsed, is an error.
func Format(src []byte) ([]byte, error) {
	if problem := guard("file", src); problem != nil {
		return nil, fmt.Errorf("format file: %s", oneLine(problem.Summary))
	}
	if _, diags := hclsyntax.ParseConfig(src, "file", hcl.InitialPos); diags.HasErrors() {
		d := convert(diags[:1], newSnippets(map[string][]byte{"file": src}, nil, nil))[0]
		return nil, fmt.Errorf("format file: line %d: %s: %s", d.Range.Line, d.Summary, d.Detail)
	}
	current := src
	for range maxPasses {
		next := tidy(hclwrite.Format(current))
		if bytes.Equal(next, current) {
			return current, nil
		}
		current = next
	}
	return src, nil
}

// tidy ends the file with one line end.
func tidy(src []byte) []byte {
	trimmed := bytes.TrimRight(src, "\r\n")
	if len(trimmed) == 0 {
		return nil
	}
	return append(bytes.Clone(trimmed), '\n')
}
