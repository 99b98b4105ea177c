package config

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/unsilo/unsilo/core"
)

// A secret is never known while files are read. secret("env:X") gives a text that holds
// only the reference, between two control characters and under a mark that follows it
// through expressions. What comes out of an expression is checked for both: a secret that
// went through upper() or a comparison would silently be wrong, and is an error.
const (
	secretOpen  = "\x02"
	secretClose = "\x03"
)

// secretMark is the cty mark of a reference.
type secretMark string

// The schemes of references. The last three are made by this package.
const (
	envScheme     = "env:"
	fileScheme    = "file:"
	execScheme    = "exec:"
	textScheme    = "text:"    // a text with references in it: text:Bearer ${env:TOKEN}
	varScheme     = "var:"     // a sensitive variable
	literalScheme = "literal:" // a value written in the files, by its place
)

// secretValue is the value that stands for a secret in expressions.
func secretValue(ref string) cty.Value {
	return cty.StringVal(secretOpen + ref + secretClose).Mark(secretMark(ref))
}

type secretPart struct {
	text   string
	secret bool
}

// splitSecrets takes a text apart into literal parts and references.
func splitSecrets(s string) ([]secretPart, string) {
	var parts []secretPart
	for s != "" {
		before, rest, found := strings.Cut(s, secretOpen)
		if strings.Contains(before, secretClose) {
			return nil, "the text holds a control character that is not allowed"
		}
		if before != "" {
			parts = append(parts, secretPart{text: before})
		}
		if !found {
			break
		}
		ref, after, closed := strings.Cut(rest, secretClose)
		if !closed || strings.Contains(ref, secretOpen) {
			return nil, "a secret has been cut here; it can be used as it is or inside a text"
		}
		parts = append(parts, secretPart{text: ref, secret: true})
		s = after
	}
	return parts, ""
}

// secretFunc is the function secret(reference).
func secretFunc(allowExec bool) function.Function {
	return function.New(&function.Spec{
		Description: "A reference to a secret: env:NAME, file:PATH inside the project, or exec:COMMAND.",
		Params:      []function.Parameter{{Name: "reference", Type: cty.String}},
		Type:        function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			ref := args[0].AsString()
			if err := checkRef(ref, allowExec); err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			return secretValue(ref), nil
		},
	})
}

var envSyntax = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// checkRef checks a reference as a user writes it.
func checkRef(ref string, allowExec bool) error {
	scheme, rest, _ := strings.Cut(ref, ":")
	if strings.ContainsFunc(ref, func(r rune) bool { return r < ' ' || r == 0x7f }) || strings.Contains(ref, "}") {
		return fmt.Errorf("a reference has no control characters and no closing brace")
	}
	switch scheme + ":" {
	case envScheme:
		if !envSyntax.MatchString(rest) {
			return fmt.Errorf("%q is not the name of an environment variable: write it like env:CRM_TOKEN", rest)
		}
	case fileScheme:
		if !filepath.IsLocal(filepath.FromSlash(rest)) {
			return fmt.Errorf("%q is outside of the project: a secret's file lies in the project's folder", rest)
		}
	case execScheme:
		if strings.TrimSpace(rest) == "" {
			return fmt.Errorf("the command is missing: write it like exec:pass show crm")
		}
		if !allowExec {
			return fmt.Errorf("running programs is off: write unsilo { allow_exec = true } to allow it")
		}
	default:
		schemes := []string{"env", "file", "exec"}
		if near := suggest(scheme, schemes); near != "" && strings.Contains(ref, ":") {
			return fmt.Errorf("unknown kind of reference %q: did you mean %q", scheme, near)
		}
		return fmt.Errorf("a reference starts with env:, file: or exec:")
	}
	return nil
}

// hold moves texts that stand openly in a secret field out of the project's values: they
// are kept apart under a reference, and a warning says so.
func (l *loader) hold(v any, place, field string, expr hclsyntax.Expression) any {
	switch v := v.(type) {
	case string:
		if v == "" {
			return v
		}
		ref := literalScheme + place
		l.project.held[ref] = v
		l.warnHeld(field, expr)
		return core.SecretRef{Ref: ref}
	case []any:
		for i, e := range v {
			v[i] = l.hold(e, fmt.Sprintf("%s[%d]", place, i), field, item(expr, i))
		}
	case map[string]any:
		for _, k := range sortedKeys(v) {
			at, ok := entry(expr, k)
			if !ok {
				at = expr
			}
			v[k] = l.hold(v[k], place+"."+k, field, at)
		}
	}
	return v
}

func (l *loader) warnHeld(field string, expr hclsyntax.Expression) {
	if i := len(l.diags) - 1; i >= 0 && l.diags[i].Subject != nil && *l.diags[i].Subject == expr.Range() {
		return // several texts from one expression are one warning
	}
	reference := fmt.Sprintf(`secret("env:%s")`, envName(field))
	if len(expr.Variables()) > 0 {
		l.warn(expr.Range(), fmt.Sprintf("Secret %q comes from a value that is not marked as one", field),
			"Such a value may be shown where it is used otherwise.",
			"Write sensitive = true in its variable, or use "+reference+" instead.")
		return
	}
	l.warn(expr.Range(), fmt.Sprintf("Secret %q is written in the file", field),
		"Whoever can read the file, or its history, has it.", "Write "+reference+" instead.")
}

// hideLiterals keeps the texts of an expression out of snippets, all but references.
func (l *loader) hideLiterals(expr hclsyntax.Expression) {
	switch expr := expr.(type) {
	case *hclsyntax.ObjectConsExpr:
		for _, entry := range expr.Items {
			l.hideLiterals(entry.ValueExpr)
		}
		return
	case *hclsyntax.TupleConsExpr:
		for _, e := range expr.Exprs {
			l.hideLiterals(e)
		}
		return
	case *hclsyntax.FunctionCallExpr:
		if expr.Name == "secret" {
			return
		}
	case *hclsyntax.ScopeTraversalExpr:
		return
	}
	l.project.hidden = append(l.project.hidden, expr.Range())
}

// checkSecretRefs warns about secret files that others can read.
func (l *loader) checkSecretRefs(v any, at hcl.Range) {
	switch v := v.(type) {
	case core.SecretRef:
		for _, ref := range refsIn(v.Ref) {
			l.checkSecretFile(ref, at)
		}
	case []any:
		for _, e := range v {
			l.checkSecretRefs(e, at)
		}
	case map[string]any:
		for _, k := range sortedKeys(v) {
			l.checkSecretRefs(v[k], at)
		}
	}
}

func (l *loader) checkSecretFile(ref string, at hcl.Range) {
	path, ok := strings.CutPrefix(ref, fileScheme)
	if !ok || runtime.GOOS == "windows" {
		return
	}
	root, err := os.OpenRoot(l.project.Dir)
	if err != nil {
		return
	}
	defer root.Close()
	info, err := root.Stat(filepath.FromSlash(path))
	switch {
	case err != nil && pathEscapes(root, path):
		l.fail(at, fmt.Sprintf("Secret file %q leads outside of the project", path),
			"A link on the way to it points out of the project's folder.", "Put the file itself into the project's folder.")
	case err == nil && info.Mode().Perm()&0o077 != 0:
		l.warn(at, fmt.Sprintf("Secret file %q can be read by others", path),
			fmt.Sprintf("Its mode is %04o.", info.Mode().Perm()), "Run chmod 600 "+path)
	}
}

// pathEscapes reports whether a path that cannot be opened exists, but outside.
func pathEscapes(root *os.Root, path string) bool {
	_, err := os.Stat(filepath.Join(root.Name(), filepath.FromSlash(path)))
	return err == nil
}

// refsIn lists the references in a reference: itself, or those of a text.
func refsIn(ref string) []string {
	text, ok := strings.CutPrefix(ref, textScheme)
	if !ok {
		return []string{ref}
	}
	var refs []string
	for _, p := range textParts(text) {
		if p.secret {
			refs = append(refs, p.text)
		}
	}
	return refs
}

// textParts reads the form that extraction.text writes.
func textParts(text string) []secretPart {
	var parts []secretPart
	literal := ""
	for text != "" {
		switch {
		case strings.HasPrefix(text, "$$"):
			literal, text = literal+"$", text[2:]
		case strings.HasPrefix(text, "${"):
			ref, rest, _ := strings.Cut(text[2:], "}")
			if literal != "" {
				parts = append(parts, secretPart{text: literal})
			}
			parts = append(parts, secretPart{text: ref, secret: true})
			literal, text = "", rest
		default:
			literal, text = literal+text[:1], text[1:]
		}
	}
	if literal != "" {
		parts = append(parts, secretPart{text: literal})
	}
	return parts
}

// envName makes an attribute's name into that of an environment variable.
func envName(field string) string { return strings.ToUpper(field) }

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
