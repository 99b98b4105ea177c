package config

import (
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/unsilo/unsilo/core"
)

// LocateSQL gives the place in the file of a fault in a SQL statement, which is the
// attribute path of a block: path "sql" of model.orders. The column is right where the
// line has no reference before it; otherwise the place is the whole line. Without a known
// line it is the attribute.
func (p *Project) LocateSQL(ref core.Ref, path string, fault *core.SQLError) *core.Range {
	attribute := p.LocateBlock(ref, path)
	b, ok := p.blocks[ref.String()]
	if !ok || fault == nil || fault.Line < 1 {
		return attribute
	}
	attr, ok := b.Body.Attributes[path]
	if !ok {
		return attribute
	}
	first := attr.Expr.Range().Start.Line
	template, ok := attr.Expr.(*hclsyntax.TemplateExpr)
	if ok && len(template.Parts) > 0 {
		first = template.Parts[0].Range().Start.Line
	}
	line := first + fault.Line - 1
	if line > attr.Expr.Range().End.Line {
		return attribute
	}
	at := p.place(attr.NameRange.Filename, line, fault.Column, p.statement(ref, attr), fault.Line)
	return &at
}

// statement evaluates a block's SQL; "" when that is not possible.
func (p *Project) statement(ref core.Ref, attr *hclsyntax.Attribute) string {
	for _, b := range p.Models {
		if b.Ref() != ref {
			continue
		}
		v, diags := attr.Expr.Value(b.Eval)
		if diags.HasErrors() || v.Type() != cty.String || v.IsNull() || !v.IsKnown() {
			return ""
		}
		return unmarked(v)
	}
	return ""
}

// place finds a column of a line of a statement in the line of the file it came from.
func (p *Project) place(file string, line, column int, statement string, statementLine int) core.Range {
	written := lineOf(string(p.Files[file]), line)
	sent := lineOf(statement, statementLine)
	trimmed := strings.TrimLeft(written, " \t")
	at := core.Range{
		File: file, Line: line, EndLine: line,
		Column:    1 + utf8.RuneCountInString(written) - utf8.RuneCountInString(trimmed),
		EndColumn: 1 + utf8.RuneCountInString(strings.TrimRight(written, " \t")),
	}
	before, _, _ := strings.Cut(written, "${")
	// A heredoc loses its common indent, a quoted text what stands before the quote.
	start := strings.Index(before, firstRunes(sent, column))
	if column < 1 || sent == "" || start < 0 {
		return at
	}
	at.Column = utf8.RuneCountInString(before[:start]) + column
	at.EndColumn = at.Column + 1
	return at
}

// lineOf gives a line of a text, counted from 1.
func lineOf(s string, number int) string {
	for line := range strings.Lines(s) {
		if number--; number == 0 {
			return strings.TrimRight(line, "\r\n")
		}
	}
	return ""
}

func firstRunes(s string, n int) string {
	runes := []rune(s)
	return string(runes[:max(0, min(n, len(runes)))])
}
