package config

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// The limits of a project's files. The parser and the evaluator recurse, and a Go
// program cannot recover from a stack that is used up; nothing a person writes comes
// near these.
const (
	maxFileSize = 1 << 20
	maxFiles    = 1000
	maxTotal    = 32 << 20
	maxDepth    = 256
	// maxChain bounds operators and accessors in a row, 1 + 1 + 1 or a[0][0][0]: each one
	// is a level in the syntax tree.
	maxChain = 2000
	// maxDigits bounds a number's digits and its exponent.
	maxDigits = 400
)

// guard refuses a file that would be dangerous to parse. It reads tokens, in linear time
// and without recursion; nil means the file may be parsed.
func guard(name string, src []byte) *hcl.Diagnostic {
	if len(src) > maxFileSize {
		start := hcl.Pos{Line: 1, Column: 1}
		return newDiag(hcl.Range{Filename: name, Start: start, End: start}, "File too large",
			fmt.Sprintf("The file has %d bytes; a project file has at most %d.", len(src), maxFileSize),
			"Split the file, or read data with a source instead of writing it into the configuration.")
	}
	tokens, _ := hclsyntax.LexConfig(src, name, hcl.InitialPos)
	g := nesting{levels: []level{{separates: true}}}
	for i, tok := range tokens {
		if problem := g.next(tokens, i); problem != "" {
			return newDiag(tok.Range, problem, "The file is refused before it is parsed, to protect the program.",
				"Split the expression with locals, or the block into several.")
		}
	}
	return nil
}

// nesting counts how deep the tokens so far nest.
type nesting struct {
	unary      int
	directives int
	// levels are the brackets around, the innermost last.
	levels []level
}

// level is one bracket.
type level struct {
	// chain counts the operators in a row.
	chain int
	// separates says that a line end separates here, as it does between attributes.
	separates bool
}

// next takes tokens[i] and says what is wrong, or "".
func (g *nesting) next(tokens hclsyntax.Tokens, i int) string {
	tok := tokens[i]
	inner := &g.levels[len(g.levels)-1]
	switch tok.Type {
	case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOQuote,
		hclsyntax.TokenOHeredoc, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
		inner.chain++
		g.levels = append(g.levels, level{separates: tok.Type == hclsyntax.TokenOBrace})
	case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCQuote,
		hclsyntax.TokenCHeredoc, hclsyntax.TokenTemplateSeqEnd:
		if len(g.levels) > 1 {
			g.levels = g.levels[:len(g.levels)-1]
		}
	case hclsyntax.TokenNewline:
		if inner.separates {
			inner.chain = 0
		}
	case hclsyntax.TokenComma, hclsyntax.TokenQuotedLit, hclsyntax.TokenStringLit:
		inner.chain = 0
	case hclsyntax.TokenNumberLit:
		if numberTooLarge(string(tok.Bytes)) {
			return "Number too large"
		}
	case hclsyntax.TokenIdent:
		g.directive(tokens, i)
	default:
		inner.chain++
	}
	if tok.Type == hclsyntax.TokenBang || tok.Type == hclsyntax.TokenMinus {
		g.unary++
	} else {
		g.unary = 0
	}
	switch {
	case len(g.levels)-1+g.unary+g.directives > maxDepth:
		return fmt.Sprintf("Nested more than %d levels deep", maxDepth)
	case g.levels[len(g.levels)-1].chain > maxChain:
		return fmt.Sprintf("More than %d operators in a row", maxChain)
	}
	return ""
}

// directive follows %{ if } and %{ for }, which nest without brackets.
func (g *nesting) directive(tokens hclsyntax.Tokens, i int) {
	if i == 0 || tokens[i-1].Type != hclsyntax.TokenTemplateControl {
		return
	}
	switch string(tokens[i].Bytes) {
	case "if", "for":
		g.directives++
	case "endif", "endfor":
		g.directives = max(0, g.directives-1)
	}
}

// numberTooLarge reports whether writing the number out would take more than a line.
func numberTooLarge(s string) bool {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(s), "e")
	if len(mantissa) > maxDigits {
		return true
	}
	n, err := strconv.Atoi(strings.TrimPrefix(exponent, "+"))
	return exponent != "" && (err != nil || n > maxDigits || n < -maxDigits)
}
