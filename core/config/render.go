package config

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/unsilo/unsilo/core"
)

// The terminal's codes for colours.
const (
	colorRed    = "\x1b[1;31m"
	colorYellow = "\x1b[1;33m"
	colorBold   = "\x1b[1m"
	colorOff    = "\x1b[0m"
)

// RenderText writes diagnostics for people. All it knows is in the diagnostics, so that
// their JSON says the same. Errors of the writer are ignored, as there is nowhere to
// report them.
func RenderText(w io.Writer, ds core.Diagnostics, color bool) {
	var b strings.Builder
	for _, d := range ds {
		renderOne(&b, d, color)
	}
	_, _ = io.WriteString(w, b.String())
}

func renderOne(b *strings.Builder, d core.Diagnostic, color bool) {
	paint := func(code, s string) string {
		if !color {
			return s
		}
		return code + s + colorOff
	}
	title, code := "Error", colorRed
	if d.Severity == core.SeverityWarning {
		title, code = "Warning", colorYellow
	}
	fmt.Fprintf(b, "%s %s\n", paint(code, title+":"), paint(colorBold, visible(d.Summary)))
	if d.Range != nil {
		fmt.Fprintf(b, "\n  on %s line %d, column %d", visible(d.Range.File), d.Range.Line, d.Range.Column)
		if d.Context != "" {
			fmt.Fprintf(b, ", in %s", visible(d.Context))
		}
		b.WriteString(":\n")
		renderSnippet(b, d, func(s string) string { return paint(code, s) })
	}
	for _, text := range []string{d.Detail, d.Try} {
		if text != "" {
			b.WriteString("\n  " + strings.ReplaceAll(visible(text), "\n", "\n  ") + "\n")
		}
	}
	b.WriteString("\n")
}

// renderSnippet writes the lines with their numbers, and marks the range when it is in
// the first of them.
func renderSnippet(b *strings.Builder, d core.Diagnostic, paint func(string) string) {
	if d.Snippet == "" {
		return
	}
	lines := strings.Split(visible(d.Snippet), "\n")
	width := len(fmt.Sprint(d.Range.Line + len(lines) - 1))
	for i, line := range lines {
		fmt.Fprintf(b, "  %*d: %s\n", width, d.Range.Line+i, line)
		if i > 0 {
			continue
		}
		size := utf8.RuneCountInString(line)
		end := size + 1
		if d.Range.EndLine == d.Range.Line {
			end = min(d.Range.EndColumn, end)
		}
		if d.Range.Column <= size+1 {
			fmt.Fprintf(b, "  %*s  %s%s\n", width, "", indent(line, d.Range.Column-1),
				paint(strings.Repeat("^", max(1, end-d.Range.Column))))
		}
	}
}

// indent is as wide as the first characters of a line, tabs kept.
func indent(line string, columns int) string {
	var b strings.Builder
	for i, r := range []rune(line) {
		switch {
		case i >= columns:
			return b.String()
		case r == '\t':
			b.WriteRune('\t')
		default:
			b.WriteRune(' ')
		}
	}
	return b.String()
}
