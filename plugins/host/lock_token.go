package host

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// next reads a token; "" is the end of the file.
func (p *lockParser) next() error {
	line := p.line
	p.skipSpace()
	p.moved = p.line != line
	if p.text == "" {
		p.tok = ""
		return nil
	}
	switch c := p.text[0]; {
	case strings.IndexByte("{}[]=,", c) >= 0:
		p.take(1)
	case c == '"':
		return p.quoted()
	case c == '_' || 'a' <= c && c <= 'z':
		n := 1
		for n < len(p.text) && (p.text[n] == '_' || 'a' <= p.text[n] && p.text[n] <= 'z') {
			n++
		}
		p.take(n)
	default:
		return fmt.Errorf("a lock file has no character %q there", c)
	}
	return nil
}

func (p *lockParser) take(n int) { p.tok, p.text = p.text[:n], p.text[n:] }

// skipSpace skips blanks, ends of lines and comments.
func (p *lockParser) skipSpace() {
	for p.text != "" {
		switch {
		case p.text[0] == '\n':
			p.line++
			p.text = p.text[1:]
		case p.text[0] == ' ' || p.text[0] == '\t' || strings.HasPrefix(p.text, "\r\n"):
			p.text = p.text[1:]
		case p.text[0] == '#' || strings.HasPrefix(p.text, "//"):
			end := strings.IndexByte(p.text, '\n')
			if end < 0 {
				end = len(p.text)
			}
			p.text = p.text[end:]
		default:
			return
		}
	}
}

// quoted reads a string without templates.
func (p *lockParser) quoted() error {
	var b strings.Builder
	b.WriteByte('"')
	rest := p.text[1:]
	for rest != "" && rest[0] != '"' {
		switch {
		case rest[0] == '\n' || rest[0] < 0x20:
			return errors.New("a string ends with its line")
		case strings.HasPrefix(rest, "$${") || strings.HasPrefix(rest, "%%{"):
			b.WriteString(rest[1:3])
			rest = rest[3:]
		case strings.HasPrefix(rest, "${") || strings.HasPrefix(rest, "%{"):
			return errors.New("a lock file has no templates")
		case strings.HasPrefix(rest, `\"`) || strings.HasPrefix(rest, `\\`):
			b.WriteByte(rest[1])
			rest = rest[2:]
		case strings.HasPrefix(rest, `\u`) && len(rest) >= 6:
			code, err := strconv.ParseUint(rest[2:6], 16, 16)
			if err != nil || code >= 0x80 {
				return errors.New("a lock file has no such escape")
			}
			b.WriteByte(byte(code))
			rest = rest[6:]
		case rest[0] == '\\':
			return errors.New("a lock file has no such escape")
		default:
			b.WriteByte(rest[0])
			rest = rest[1:]
		}
	}
	if rest == "" {
		return errors.New("a string does not end")
	}
	p.tok, p.text = b.String(), rest[1:]
	return nil
}
