package identity

import (
	"fmt"
	"slices"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/identity/kernel"
	"github.com/unsilo/unsilo/transforms/identity/predicate"
)

// blockingRules are those of the block, or what the data suggest.
func (p *pipeline) blockingRules(columns []*frame.Column) ([]*kernel.Rule, error) {
	if len(p.model.rules.blocking) == 0 {
		return kernel.Choose(columns, p.frame.Column(jointName), kernel.DefaultBudget(p.frame.Len())), nil
	}
	var rules []*kernel.Rule
	for _, b := range p.model.rules.blocking {
		r, err := p.userRule(b)
		if err != nil {
			return nil, &core.Error{Kind: core.KindConfig, Op: "plan identity." + p.model.name, Path: "blocking_rule." + b.name, Err: err}
		}
		if r != nil {
			rules = append(rules, r)
		}
	}
	return rules, nil
}

// userRule compiles a blocking rule; nil when no record has one of its attributes.
func (p *pipeline) userRule(b blockingRule) (*kernel.Rule, error) {
	r := &kernel.Rule{Name: b.name, MaxBlock: b.maxBlock}
	if r.MaxBlock == 0 {
		r.MaxBlock = 5000
	}
	for _, e := range b.keys {
		a, err := p.atom(e)
		if err != nil {
			return nil, err
		}
		if a.Column == nil {
			p.note("blocking rule %s is not used: no record has %s", b.name, attributeNames(e)[0])
			return nil, nil
		}
		if a.Function == "tokens" {
			r.Tokens = kernel.NewTokenKeys(a.Column, p.frame.Len(), r.MaxBlock)
			continue
		}
		r.Atoms = append(r.Atoms, a)
	}
	return r, nil
}

// atom reads last_name, soundex(last_name), left(postcode, 3) or email_local_part.
func (p *pipeline) atom(e *predicate.Expr) (kernel.Atom, error) {
	if e.Op != predicate.Call {
		return kernel.Atom{}, fmt.Errorf("a key is an attribute or a function of one")
	}
	if len(e.Args) == 0 {
		for suffix, function := range map[string]string{"_local_part": "local_part", "_domain": "domain"} {
			if name, ok := cutSuffix(e.Name, suffix); ok && p.frame.Column(e.Name) == nil {
				return kernel.Atom{Column: p.frame.Column(name), Function: function}, nil
			}
		}
		return kernel.Atom{Column: p.frame.Column(e.Name), Function: "exact"}, nil
	}
	need, ok := kernel.Functions()[e.Name]
	if !ok || e.Args[0].Kind != predicate.NameArg || len(e.Args) != need+1 {
		return kernel.Atom{}, fmt.Errorf("%s is no key function; known are %v", e.Name, functionNames())
	}
	a := kernel.Atom{Column: p.frame.Column(e.Args[0].Name), Function: e.Name}
	if need == 1 {
		a.N = int(e.Args[1].Number)
		if a.N < 1 || a.N > 9 {
			return a, fmt.Errorf("%s takes 1 to 9 letters", e.Name)
		}
	}
	switch e.Name {
	case "left":
		a.Function = "prefix"
	case "right", "last":
		a.Function = "suffix"
	case "metaphone":
		a.Function = "phonetic"
	}
	return a, nil
}

func cutSuffix(s, suffix string) (string, bool) {
	if len(s) > len(suffix) && s[len(s)-len(suffix):] == suffix {
		return s[:len(s)-len(suffix)], true
	}
	return s, false
}

func functionNames() []string {
	var names []string
	for name := range kernel.Functions() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
