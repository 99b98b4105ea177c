package config

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/unsilo/unsilo/core"
)

// newDiag makes an error with something to try.
func newDiag(at hcl.Range, summary, detail, try string) *hcl.Diagnostic {
	return &hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: &at, Extra: core.Try(try),
	}
}

// newWarning makes a warning with something to try.
func newWarning(at hcl.Range, summary, detail, try string) *hcl.Diagnostic {
	d := newDiag(at, summary, detail, try)
	d.Severity = hcl.DiagWarning
	return d
}

// FromHCL turns the diagnostics of the HCL library, and of packages that decode blocks,
// into the project's own: a core.Try in Extra becomes Try, and the lines at fault come
// from files. Secrets that stand in those lines are not known here; Project.FromHCL
// hides them.
func FromHCL(ds hcl.Diagnostics, files map[string][]byte) core.Diagnostics {
	return convert(ds, newSnippets(files, nil, nil))
}

// FromHCL is like the function FromHCL, for the files of the project; secrets written in
// them are hidden.
func (p *Project) FromHCL(ds hcl.Diagnostics) core.Diagnostics {
	return convert(ds, p.snippets())
}

func convert(ds hcl.Diagnostics, lines *snippets) core.Diagnostics {
	var out core.Diagnostics
	for _, d := range ds {
		c := core.Diagnostic{
			Severity: core.SeverityError,
			Summary:  oneLine(visible(d.Summary)),
			Detail:   visible(d.Detail),
			Try:      tryFor(d),
		}
		if d.Severity == hcl.DiagWarning {
			c.Severity = core.SeverityWarning
		}
		if d.Subject != nil {
			r := rangeOf(*d.Subject)
			c.Range = &r
			c.Context = lines.context(r)
			c.Snippet = lines.text(r)
		}
		out = append(out, c)
	}
	return out
}

// rangeOf converts a place. The library leaves positions zero in places it made up.
func rangeOf(r hcl.Range) core.Range {
	return core.Range{
		File: r.Filename, Line: max(r.Start.Line, 1), Column: max(r.Start.Column, 1),
		EndLine: max(r.End.Line, r.Start.Line, 1), EndColumn: max(r.End.Column, 1),
	}
}

// tryFor gives the thing to try: the one attached, or one for the library's own message.
func tryFor(d *hcl.Diagnostic) string {
	if try, ok := hcl.DiagnosticExtra[core.Try](d); ok && try != "" {
		return visible(string(try))
	}
	if call, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](d); ok {
		switch call.CalledFunctionName() {
		case "secret":
			return `Write secret("env:NAME"), or secret("file:path/in/the/project").`
		case "file":
			return "Put the file into the project's folder and write its path from there."
		}
	}
	for _, advice := range syntaxAdvice() {
		if strings.Contains(d.Summary, advice.summary) {
			return advice.try
		}
	}
	return "Correct the place shown and run unsilo validate again."
}

type advice struct{ summary, try string }

// syntaxAdvice says what helps against the HCL library's own messages, the first match
// by part of the summary.
func syntaxAdvice() []advice {
	return []advice{
		{"single-argument block", "Write each argument on a line of its own."},
		{"Argument or block definition", `Write name = value, or name "label" { ... }.`},
		{"Argument definition required", "Write name = value."},
		{"Invalid block definition", `Write the block as: source "kind" "name" { ... }`},
		{"Invalid argument name", "Write the name without quotes: name = value."},
		{"Unclosed configuration", `Add the missing "}".`},
		{"Missing newline", "Start a new line after the closing brace."},
		{"Missing item separator", `Put a comma between the items, and "]" after the last.`},
		{"Missing attribute separator", `Put a comma or a new line between the entries.`},
		{"Missing key/value separator", `Write key = value.`},
		{"Unterminated", "Close what is open: a quote, a bracket or a heredoc's end marker."},
		{"Invalid multi-line string", "Close the quote on the same line, or use a heredoc: <<-SQL ... SQL"},
		{"Unclosed template", `Close the interpolation with "}", or write $${ for a literal ${.`},
		{"Unclosed", "Close the bracket that is open."},
		{"Missing clos", "Close the bracket that is open."},
		{"Unbalanced parentheses", "Close the parenthesis that is open."},
		{"Attribute redefined", "Keep one of the two."},
		{"Duplicate object key", "Keep one of the two."},
		{"unknown function", "Use one of the functions of the language, or write the value out."},
		{"function argument", "Give the function what the message asks for."},
		{"Error in function call", "Give the function what the message asks for."},
		{"Invalid escape sequence", `Write a backslash as \\.`},
		{"Invalid character encoding", "Save the file as UTF-8."},
		{"Unsupported attribute", "Check the name after the dot."},
		{"Inconsistent conditional", "Give both branches the same type."},
		{"Invalid template interpolation", "Put a text or a number there, or join a list with join(\", \", list)."},
		{"Invalid operand", "Use the operator on numbers, or on true and false."},
	}
}

// visible replaces what a terminal or a page must not be sent: control characters, and
// the marks around secret references.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069:
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
