package predicate

import (
	"fmt"
	"strings"
)

type tokenKind uint8

const (
	tokenWord tokenKind = iota
	tokenNumber
	tokenText
	tokenSign  // comparison
	tokenPunct // ( ) ,
	tokenEnd
)

type token struct {
	kind tokenKind
	text string
	at   int
}

func (t token) isWord(w string) bool { return t.kind == tokenWord && strings.EqualFold(t.text, w) }

type parser struct {
	tokens []token
	pos    int
}

func (p *parser) peek() token { return p.tokens[p.pos] }

func (p *parser) next() token {
	t := p.tokens[p.pos]
	if t.kind != tokenEnd {
		p.pos++
	}
	return t
}

const (
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
	digits  = "0123456789."
)

func (p *parser) scan(text string) error {
	for i := 0; i < len(text); {
		rest := text[i:]
		switch c := text[i]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
			continue
		case strings.IndexByte(letters, c) >= 0:
			i += p.add(tokenWord, rest, span(rest, letters+digits), i)
		case c >= '0' && c <= '9' || (c == '-' || c == '.') && len(rest) > 1 && strings.IndexByte(digits, rest[1]) >= 0:
			n := 1 + span(rest[1:], digits+"eE")
			if strings.HasSuffix(rest[:n], "e") && n < len(rest) && (rest[n] == '-' || rest[n] == '+') {
				n += 1 + span(rest[n+1:], digits)
			}
			n += span(rest[n:], "abcdefghijklmnopqrstuvwxyz%")
			i += p.add(tokenNumber, rest, n, i)
		case c == '\'' || c == '"':
			end := strings.IndexByte(rest[1:], c)
			if end < 0 {
				return &SyntaxError{i, "the text is not closed"}
			}
			p.tokens = append(p.tokens, token{tokenText, rest[1 : end+1], i})
			i += end + 2
		case c == '(' || c == ')' || c == ',':
			i += p.add(tokenPunct, rest, 1, i)
		case strings.IndexByte("<>=!", c) >= 0:
			n := span(rest, "<>=!")
			if !strings.Contains(" = == != <> < <= > >= ", " "+rest[:n]+" ") {
				return &SyntaxError{i, fmt.Sprintf("%q is not a comparison", rest[:n])}
			}
			i += p.add(tokenSign, rest, n, i)
		default:
			return &SyntaxError{i, fmt.Sprintf("unexpected %q", rest[:1])}
		}
	}
	p.tokens = append(p.tokens, token{tokenEnd, "end of the rule", len(text)})
	return nil
}

func (p *parser) add(kind tokenKind, rest string, n, at int) int {
	p.tokens = append(p.tokens, token{kind, rest[:n], at})
	return n
}

func span(s, set string) int {
	return len(s) - len(strings.TrimLeft(s, set))
}
