// Package predicate reads the small language of rules: agree(last_name) or
// missing(last_name), jaro_winkler >= 0.92, left(postcode, 3). It gives a tree; what the
// names mean is decided by those who compile the tree.
package predicate

import (
	"fmt"
	"strconv"
	"strings"
)

// Op is the kind of a node.
type Op uint8

// The kinds of nodes.
const (
	Call    Op = iota // a name with arguments; a bare name has none
	And               // all kids
	Or                // any kid
	Not               // not the one kid
	Compare           // Kids[0] Sign Value
)

// An Expr is a node of a rule.
type Expr struct {
	Op    Op
	Name  string // of a Call
	Args  []Arg
	Kids  []*Expr
	Sign  string // of a Compare: = != < <= > >=
	Value Arg
	// Column is the byte where the node starts, from 0.
	Column int
}

// An Arg is a name, a number with an optional unit, or a text.
type Arg struct {
	Name   string
	Number float64
	Unit   string // d, h, %, km
	Text   string
	Kind   ArgKind
}

// ArgKind says which fields of an Arg hold.
type ArgKind uint8

// The kinds of arguments.
const (
	NameArg ArgKind = iota
	NumberArg
	TextArg
)

// SyntaxError says where a rule cannot be read.
type SyntaxError struct {
	Column int
	Reason string
}

// Error gives the reason and the column, from 1.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s at column %d", e.Reason, e.Column+1)
}

// maxDepth bounds nesting, so that no text can exhaust the stack.
const maxDepth = 50

// Parse reads a rule. Errors are *SyntaxError.
func Parse(text string) (*Expr, error) {
	p := &parser{}
	if err := p.scan(text); err != nil {
		return nil, err
	}
	e, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != tokenEnd {
		return nil, &SyntaxError{t.at, fmt.Sprintf("unexpected %q", t.text)}
	}
	return e, nil
}

// Names lists the names in the tree that stand alone or as arguments, in order of
// appearance, each once: candidates for attributes.
func (e *Expr) Names() []string {
	var names []string
	seen := map[string]bool{}
	add := func(n string) {
		if n != "" && !seen[n] {
			seen[n] = true
			names = append(names, n)
		}
	}
	var walk func(*Expr)
	walk = func(e *Expr) {
		for _, a := range e.Args {
			if a.Kind == NameArg {
				add(a.Name)
			}
		}
		for _, k := range e.Kids {
			walk(k)
		}
	}
	walk(e)
	return names
}

func (p *parser) or(depth int) (*Expr, error) { return p.chain(depth, Or, "or", p.and) }

func (p *parser) and(depth int) (*Expr, error) { return p.chain(depth, And, "and", p.not) }

func (p *parser) chain(depth int, op Op, word string, next func(int) (*Expr, error)) (*Expr, error) {
	at := p.peek().at
	first, err := next(depth)
	if err != nil {
		return nil, err
	}
	kids := []*Expr{first}
	for p.peek().isWord(word) {
		p.next()
		kid, err := next(depth)
		if err != nil {
			return nil, err
		}
		kids = append(kids, kid)
	}
	if len(kids) == 1 {
		return first, nil
	}
	return &Expr{Op: op, Kids: kids, Column: at}, nil
}

func (p *parser) not(depth int) (*Expr, error) {
	if depth > maxDepth {
		return nil, &SyntaxError{p.peek().at, "nested too deeply"}
	}
	t := p.peek()
	switch {
	case t.isWord("not"):
		p.next()
		kid, err := p.not(depth + 1)
		if err != nil {
			return nil, err
		}
		return &Expr{Op: Not, Kids: []*Expr{kid}, Column: t.at}, nil
	case t.text == "(":
		p.next()
		e, err := p.or(depth + 1)
		if err != nil {
			return nil, err
		}
		return e, p.expect(")")
	}
	return p.term()
}

// term reads a call, a comparison, or the forms "birth_date differs" and "last(7) equal".
func (p *parser) term() (*Expr, error) {
	t := p.next()
	if t.kind != tokenWord {
		return nil, &SyntaxError{t.at, fmt.Sprintf("expected a name, found %q", t.text)}
	}
	e := &Expr{Op: Call, Name: t.text, Column: t.at}
	if p.peek().text == "(" {
		p.next()
		if err := p.args(e); err != nil {
			return nil, err
		}
	}
	switch after := p.peek(); {
	case after.kind == tokenSign:
		p.next()
		value, err := p.arg()
		return &Expr{Op: Compare, Kids: []*Expr{e}, Sign: after.text, Value: value, Column: t.at}, err
	case after.isWord("equal"):
		p.next()
	case after.isWord("differs"):
		p.next()
		return &Expr{Op: Call, Name: "differs", Args: []Arg{{Name: e.Name}}, Column: t.at}, nil
	}
	return e, nil
}

func (p *parser) args(e *Expr) error {
	if p.peek().text == ")" {
		p.next()
		return nil
	}
	for {
		a, err := p.arg()
		if err != nil {
			return err
		}
		e.Args = append(e.Args, a)
		if p.peek().text != "," {
			return p.expect(")")
		}
		p.next()
	}
}

func (p *parser) arg() (Arg, error) {
	t := p.next()
	switch t.kind {
	case tokenWord:
		if p.peek().text == "=" { // named argument: default_region = "DE"
			p.next()
			return p.arg()
		}
		return Arg{Name: t.text}, nil
	case tokenText:
		return Arg{Kind: TextArg, Text: t.text}, nil
	case tokenNumber:
		digits := strings.TrimRight(t.text, "abcdefghijklmnopqrstuvwxyz%")
		n, err := strconv.ParseFloat(digits, 64)
		if err != nil {
			return Arg{}, &SyntaxError{t.at, fmt.Sprintf("%q is not a number", t.text)}
		}
		return Arg{Kind: NumberArg, Number: n, Unit: t.text[len(digits):]}, nil
	}
	return Arg{}, &SyntaxError{t.at, fmt.Sprintf("expected a value, found %q", t.text)}
}

func (p *parser) expect(text string) error {
	if t := p.next(); t.text != text || t.kind == tokenText {
		return &SyntaxError{t.at, fmt.Sprintf("expected %q, found %q", text, t.text)}
	}
	return nil
}
