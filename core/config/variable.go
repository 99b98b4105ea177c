package config

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/unsilo/unsilo/core"
)

// envPrefix stands before a variable's name in the environment.
const envPrefix = "UNSILO_VAR_"

// given is a value for a variable from outside the project's files.
type given struct {
	text  string
	value cty.Value // from a file of variables; NilVal otherwise
	from  string
}

func (l *loader) variables(blocks []*hclsyntax.Block) {
	for _, b := range blocks {
		l.known["var"][b.Labels[0]] = true
	}
	fromOutside := l.givenValues(blocks)
	values := map[string]cty.Value{}
	for _, b := range blocks {
		name := b.Labels[0]
		// A variable with a mistake is unknown, so that its uses are not mistakes too.
		values[name] = cty.DynamicVal
		if v, ok := l.variable(b, fromOutside[name]); ok {
			values[name] = v
			l.secretNames["var."+name] = v.ContainsMarked()
		}
	}
	l.base.Variables["var"] = cty.ObjectVal(values)
}

// variable gives the value of one variable.
func (l *loader) variable(b *hclsyntax.Block, outside given) (cty.Value, bool) {
	declared := l.attributes(withoutAttributes(b, "default", "type"), fieldsOf{owner: "variable." + b.Labels[0], eval: &hcl.EvalContext{}, shown: []core.Field{
		{Name: "description", Type: core.TypeString, Help: "what the variable is for"},
		{Name: "sensitive", Type: core.TypeBool, Help: "whether the value is a secret"},
		{Name: "default", Type: core.TypeAny}, {Name: "type", Type: core.TypeString},
	}})
	hidden, _ := declared["sensitive"].(bool)
	fallback, hasDefault := b.Body.Attributes["default"]
	if _, says := b.Body.Attributes["sensitive"]; says && hasDefault {
		l.hideLiterals(fallback.Expr)
	}
	kind, ok := l.variableType(b, hidden)
	if !ok {
		return cty.NilVal, false
	}
	name := b.Labels[0]
	var v cty.Value
	switch {
	case outside.from != "":
		v, ok = l.parseGiven(b, kind, outside)
	case hasDefault && len(fallback.Expr.Variables()) > 0:
		l.fail(fallback.Expr.Range(), "The default of a variable is a plain value", "It cannot use other values.",
			"Use locals { ... } for values that are computed.")
		return cty.NilVal, false
	case hasDefault:
		v, ok = l.evaluate(fallback.Expr, nil)
	default:
		l.fail(b.DefRange(), fmt.Sprintf("Variable %q has no value", name), "It has no default, and none was given.",
			fmt.Sprintf("Run with -var %s=VALUE, or set %s%s.", name, envPrefix, name))
		return cty.NilVal, false
	}
	if !ok {
		return cty.NilVal, false
	}
	if problem := checkType(kind, v); problem != "" {
		at := b.DefRange()
		if outside.from == "" {
			at = fallback.Expr.Range()
		}
		l.fail(at, fmt.Sprintf("Wrong value for variable %q", name), sentence(problem), fmt.Sprintf("Give it %s.", typeWords(kind)))
		return cty.NilVal, false
	}
	if hidden && !v.ContainsMarked() && !v.IsNull() {
		return l.holdVariable(name, v, outside, fallback), true
	}
	return v, true
}

// holdVariable keeps a sensitive value apart and gives the reference to it.
func (l *loader) holdVariable(name string, v cty.Value, outside given, fallback *hclsyntax.Attribute) cty.Value {
	if v.AsString() == "" {
		return v
	}
	if outside.from == "" {
		l.warn(fallback.Expr.Range(), fmt.Sprintf("Secret %q is written in the file", name),
			"Whoever can read the file, or its history, has it.", fmt.Sprintf(`Write default = secret("env:%s")`, envName(name)))
	}
	l.project.held[varScheme+name] = v.AsString()
	return secretValue(varScheme + name)
}

// variableType reads the type, a word with or without quotes. Without one it is that of
// the default.
func (l *loader) variableType(b *hclsyntax.Block, sensitive bool) (core.FieldType, bool) {
	types := map[string]core.FieldType{
		"string": core.TypeString, "number": core.TypeFloat, "bool": core.TypeBool,
		"list": core.TypeStrings, "map": core.TypeMap, "any": core.TypeAny,
	}
	kind := core.TypeAny
	if attr, ok := b.Body.Attributes["type"]; ok {
		word := hcl.ExprAsKeyword(attr.Expr)
		if v, diags := attr.Expr.Value(nil); word == "" && !diags.HasErrors() && v.Type() == cty.String && !v.IsNull() {
			word = v.AsString()
		}
		if kind, ok = types[word]; !ok {
			l.fail(attr.Expr.Range(), fmt.Sprintf("Unknown type %q", visible(word)), "A variable has one of a few types.",
				didYouMean(word, sortedKeys(types), ""))
			return "", false
		}
	}
	if sensitive && kind == core.TypeAny {
		kind = core.TypeString
	}
	if sensitive && kind != core.TypeString {
		l.fail(b.Body.Attributes["type"].Expr.Range(), "A sensitive variable is a text",
			"A secret is only known when a source is opened, and cannot be computed with.", "Write type = string")
		return "", false
	}
	return kind, true
}

// checkType says why a value is not of a type.
func checkType(kind core.FieldType, v cty.Value) string {
	if v.IsNull() || kind == core.TypeAny || v.ContainsMarked() {
		return ""
	}
	plain, problem := plainValue(v)
	if problem != "" {
		return problem
	}
	if _, isText := plain.(string); kind == core.TypeString && !isText {
		return fmt.Sprintf("the variable takes a text, and this is %s", valueWords(plain))
	}
	_, problem = coerce(core.Field{Type: kind}, plain)
	return problem
}

// givenValues collects values from the environment, files of variables and Options, the
// later over the earlier.
func (l *loader) givenValues(blocks []*hclsyntax.Block) map[string]given {
	values := map[string]given{}
	var declared []string
	for _, b := range blocks {
		name := b.Labels[0]
		declared = append(declared, name)
		if s := l.opts.Getenv(envPrefix + name); s != "" {
			values[name] = given{text: s, from: envPrefix + name}
		}
	}
	for _, path := range l.opts.VarFiles {
		l.varFile(path, declared, values)
	}
	for _, name := range sortedKeys(l.opts.Variables) {
		if !slices.Contains(declared, name) {
			l.nowhere(fmt.Sprintf("Unknown variable %q", visible(name)), "A value was given for it, but no block declares it.",
				didYouMean(name, declared, fmt.Sprintf("Declare it: variable %q {}", name)))
			continue
		}
		values[name] = given{text: l.opts.Variables[name], from: "-var " + name}
	}
	return values
}

// nowhere reports a mistake that is in no file.
func (l *loader) nowhere(summary, detail, try string) {
	l.diags = append(l.diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Extra: core.Try(try)})
}

func (l *loader) varFile(path string, declared []string, values map[string]given) {
	src, err := readLimited(absolute(l.project.Dir, path), maxFileSize+1)
	if err != nil {
		l.nowhere(fmt.Sprintf("The file of variables %q cannot be read", path), oneLine(visible(err.Error())), "Check the name of the file.")
		return
	}
	name := filepath.Base(path)
	if problem := guard(name, src); problem != nil {
		l.diags = append(l.diags, problem)
		return
	}
	file, diags := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	l.diags = append(l.diags, diags...)
	body, ok := file.Body.(*hclsyntax.Body)
	if !ok || diags.HasErrors() {
		return
	}
	for _, attr := range inOrder(body.Attributes) {
		if !slices.Contains(declared, attr.Name) {
			l.fail(attr.NameRange, fmt.Sprintf("Unknown variable %q", attr.Name), "A value is given for it, but no block declares it.",
				didYouMean(attr.Name, declared, "Remove it."))
			continue
		}
		if v, ok := l.evaluate(attr.Expr, &hcl.EvalContext{}); ok {
			values[attr.Name] = given{value: v, from: path}
		}
	}
}

// parseGiven reads a value by the variable's type: text as it is, lists and maps in HCL.
func (l *loader) parseGiven(b *hclsyntax.Block, kind core.FieldType, g given) (cty.Value, bool) {
	if g.value != cty.NilVal {
		return g.value, true
	}
	if kind == core.TypeAny {
		kind = l.typeOfDefault(b)
	}
	if kind == core.TypeString || kind == core.TypeAny {
		return cty.StringVal(g.text), true
	}
	if guard(g.from, []byte(g.text)) == nil {
		expr, diags := hclsyntax.ParseExpression([]byte(g.text), g.from, hcl.InitialPos)
		if !diags.HasErrors() && checkCost(expr, &hcl.EvalContext{}) == nil {
			if v, diags := expr.Value(nil); !diags.HasErrors() && checkNumbers(v) == nil {
				return v, true
			}
		}
	}
	l.fail(b.DefRange(), fmt.Sprintf("Wrong value for variable %q", b.Labels[0]),
		fmt.Sprintf("What %s gives is not %s.", g.from, typeWords(kind)), fmt.Sprintf("Give it %s.", typeWords(kind)))
	return cty.NilVal, false
}

// typeOfDefault is the type of a variable that does not say it.
func (l *loader) typeOfDefault(b *hclsyntax.Block) core.FieldType {
	attr, ok := b.Body.Attributes["default"]
	if !ok || checkCost(attr.Expr, l.base) != nil {
		return core.TypeString
	}
	v, diags := attr.Expr.Value(l.base)
	if v, _ = v.Unmark(); diags.HasErrors() || v.IsNull() || !v.IsKnown() {
		return core.TypeString
	}
	switch {
	case v.Type() == cty.Number:
		return core.TypeFloat
	case v.Type() == cty.Bool:
		return core.TypeBool
	case v.Type().IsTupleType() || v.Type().IsListType():
		return core.TypeStrings
	case v.Type().IsObjectType() || v.Type().IsMapType():
		return core.TypeMap
	}
	return core.TypeString
}

// withoutAttributes gives the block without some attributes, which are read otherwise.
func withoutAttributes(b *hclsyntax.Block, names ...string) *hclsyntax.Block {
	body, clone := *b.Body, *b
	body.Attributes = hclsyntax.Attributes{}
	for name, attr := range b.Body.Attributes {
		if !slices.Contains(names, name) {
			body.Attributes[name] = attr
		}
	}
	clone.Body = &body
	return &clone
}
