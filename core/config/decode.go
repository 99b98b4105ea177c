package config

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/unsilo/unsilo/core"
)

// fieldsOf describes how the attributes of one body are read.
type fieldsOf struct {
	// owner is how messages name the block: source.crm, or source.crm stream contacts.
	owner string
	// fields may hold secrets; shown are fields whose values are stored and shown, and so
	// may not.
	fields, shown []core.Field
	// blocks are the types of nested blocks that the caller handles.
	blocks []string
	// eval is where expressions are evaluated; nil means variables, locals and functions.
	eval *hcl.EvalContext
}

// attributes reads the attributes of a body by its fields. Absent ones get their default,
// or are left out.
func (l *loader) attributes(b *hclsyntax.Block, want fieldsOf) map[string]any {
	values := map[string]any{}
	all := slices.Concat(want.shown, want.fields)
	known := map[string]core.Field{}
	for _, f := range all {
		known[f.Name] = f
	}
	for _, attr := range inOrder(b.Body.Attributes) {
		if l.full() {
			break
		}
		f, ok := known[attr.Name]
		if !ok {
			l.unknownAttribute(attr, want)
			continue
		}
		if v, ok := l.attribute(attr, f, want); ok {
			values[f.Name] = v
		}
	}
	for _, f := range all {
		_, written := b.Body.Attributes[f.Name]
		_, have := values[f.Name]
		switch {
		case have:
		case f.Required && !written:
			l.fail(b.DefRange(), fmt.Sprintf("Missing attribute %q", f.Name), sentence(f.Help), tryField(f))
		case f.Default != nil:
			values[f.Name] = defaultValue(f)
		}
	}
	l.unknownBlocks(b, want)
	return values
}

// attribute evaluates one attribute; false means that it has no usable value.
func (l *loader) attribute(attr *hclsyntax.Attribute, f core.Field, want fieldsOf) (any, bool) {
	if f.Secret {
		l.hideLiterals(attr.Expr)
	}
	v, ok := l.evaluate(attr.Expr, want.eval)
	if !ok {
		return nil, false
	}
	plain, problem := plainValue(v)
	if problem == "" && plain == nil {
		if f.Required {
			l.fail(attr.Expr.Range(), fmt.Sprintf("Attribute %q is null", f.Name), sentence(f.Help), tryField(f))
		}
		return nil, false
	}
	written := plain
	if problem == "" {
		plain, problem = coerce(f, plain)
	}
	if problem == "" && isOneOf(want.shown, f.Name) && holdsSecret(plain) {
		problem = "this value is stored and shown, so it cannot be a secret"
	}
	if problem != "" {
		try := tryField(f)
		if s, isText := written.(string); isText && !f.Secret && f.Type == core.TypeStrings {
			try = fmt.Sprintf("Write %s = [%q]", f.Name, visible(s))
		}
		l.fail(attr.Expr.Range(), fmt.Sprintf("Wrong value for %q", f.Name), sentence(problem), try)
		return nil, false
	}
	if s, isText := plain.(string); isText && len(f.Enum) > 0 && !slices.Contains(f.Enum, s) {
		l.fail(attr.Expr.Range(), fmt.Sprintf("Unknown value %q for %q", visible(s), f.Name), sentence(f.Help),
			didYouMean(s, f.Enum, ""))
		return nil, false
	}
	if f.Secret {
		plain = l.hold(plain, want.owner+" "+f.Name, f.Name, attr.Expr)
	}
	l.checkSecretRefs(plain, attr.Expr.Range())
	return plain, true
}

// evaluate computes an expression, within bounds; nil means the base context.
func (l *loader) evaluate(expr hclsyntax.Expression, ctx *hcl.EvalContext) (cty.Value, bool) {
	if ctx == nil {
		ctx = l.base
		if !l.checkRoots(expr, "var", "local") {
			return cty.NilVal, false
		}
	}
	if problem := checkCost(expr, ctx); problem != nil {
		l.diags = append(l.diags, problem)
		return cty.NilVal, false
	}
	v, diags := expr.Value(ctx)
	l.diags = append(l.diags, diags...)
	if diags.HasErrors() || !v.IsWhollyKnown() {
		return cty.NilVal, false
	}
	if err := checkNumbers(v); err != nil {
		l.fail(expr.Range(), "Number too large", "No attribute takes such a number.", "Write a smaller number.")
		return cty.NilVal, false
	}
	return v, true
}

// unknownAttribute reports an attribute that the block does not have. What it was given
// is hidden when it may be a secret under a misspelt name.
func (l *loader) unknownAttribute(attr *hclsyntax.Attribute, want fieldsOf) {
	var names []string
	for _, f := range slices.Concat(want.shown, want.fields) {
		names = append(names, f.Name)
	}
	try := didYouMean(attr.Name, names, "Remove it, or see the documentation of the block.")
	if slices.Contains(want.blocks, attr.Name) {
		try = fmt.Sprintf("Write it as a block, without the equals sign: %s \"name\" { ... }", attr.Name)
	}
	near := suggest(attr.Name, names)
	for _, f := range want.fields {
		if f.Secret && (near == "" || near == f.Name) {
			l.hideLiterals(attr.Expr)
		}
	}
	l.fail(attr.NameRange, fmt.Sprintf("Unknown attribute %q", attr.Name),
		fmt.Sprintf("%s has no attribute of this name.", want.owner), try)
}

func (l *loader) unknownBlocks(b *hclsyntax.Block, want fieldsOf) {
	for _, inner := range b.Body.Blocks {
		if slices.Contains(want.blocks, inner.Type) {
			continue
		}
		try := didYouMean(inner.Type, want.blocks, "Remove it, or see the documentation of the block.")
		if isOneOf(want.fields, inner.Type) || isOneOf(want.shown, inner.Type) {
			try = fmt.Sprintf("Write it as an attribute, with an equals sign: %s = ...", inner.Type)
		}
		l.fail(inner.TypeRange, fmt.Sprintf("Unknown block %q", inner.Type),
			fmt.Sprintf("%s has no block of this type.", want.owner), try)
	}
}

func isOneOf(fields []core.Field, name string) bool {
	return slices.ContainsFunc(fields, func(f core.Field) bool { return f.Name == name })
}

// holdsSecret reports whether a reference to a secret is in a value.
func holdsSecret(v any) bool {
	switch v := v.(type) {
	case core.SecretRef:
		return true
	case []any:
		return slices.ContainsFunc(v, holdsSecret)
	case map[string]any:
		return slices.ContainsFunc(slices.Collect(maps.Values(v)), holdsSecret)
	}
	return false
}

// tryField shows how an attribute is written.
func tryField(f core.Field) string {
	example := map[core.FieldType]string{
		core.TypeString: `"text"`, core.TypeInt: "10", core.TypeFloat: "0.5", core.TypeBool: "true",
		core.TypeDuration: `"15m"`, core.TypeStrings: `["a", "b"]`, core.TypeMap: `{ key = "value" }`,
	}[f.Type]
	switch {
	case f.Secret && f.Type == core.TypeMap:
		example = fmt.Sprintf(`{ key = secret("env:%s") }`, envName(f.Name))
	case f.Secret:
		example = fmt.Sprintf(`secret("env:%s")`, envName(f.Name))
	case len(f.Enum) > 0:
		example = fmt.Sprintf("%q", f.Enum[0])
	case example == "":
		example = "..."
	}
	return fmt.Sprintf("Write %s = %s", f.Name, example)
}

// sentence makes a help text or a problem into a sentence.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	if last := s[len(s)-1]; last != '.' && last != '?' && last != '!' {
		s += "."
	}
	if s[0] >= 'a' && s[0] <= 'z' {
		s = string(s[0]-'a'+'A') + s[1:]
	}
	return s
}
