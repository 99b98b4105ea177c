package identity

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/unsilo/unsilo/core"
)

// tableNames evaluates an expression that names one table or a list of them.
// source.crm.contacts evaluates to the quoted name "raw_crm"."contacts".
func tableNames(expr hcl.Expression, eval *hcl.EvalContext) ([]core.TableName, hcl.Diagnostics) {
	value, diags := expr.Value(eval)
	if diags.HasErrors() || value.IsNull() {
		return nil, diags
	}
	var values []cty.Value
	switch t := value.Type(); {
	case t == cty.String:
		values = []cty.Value{value}
	case t.IsTupleType() || t.IsListType() || t.IsSetType():
		values = value.AsValueSlice()
	default:
		return nil, append(diags, notATable(expr))
	}
	var names []core.TableName
	for _, v := range values {
		if v.Type() != cty.String || v.IsNull() || !v.IsKnown() {
			return nil, append(diags, notATable(expr))
		}
		name, ok := parseQuoted(v.AsString())
		if !ok {
			return nil, append(diags, notATable(expr))
		}
		names = append(names, name)
	}
	return names, diags
}

func notATable(expr hcl.Expression) *hcl.Diagnostic {
	r := expr.Range()
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "This is not a table",
		Detail:  "Name a stream, a model or a list of them, such as source.crm.contacts.",
		Subject: &r}
}

// parseQuoted reads "schema"."name" with doubled quotes inside, or schema.name.
func parseQuoted(s string) (core.TableName, bool) {
	schema, rest, ok := cutIdentifier(s)
	if !ok || !strings.HasPrefix(rest, ".") {
		return core.TableName{}, false
	}
	name, rest, ok := cutIdentifier(rest[1:])
	return core.TableName{Schema: schema, Name: name}, ok && rest == ""
}

func cutIdentifier(s string) (name, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexByte(s, '.')
		if end < 0 {
			end = len(s)
		}
		return s[:end], s[end:], end > 0
	}
	for i := 1; i < len(s); i++ {
		if s[i] != '"' {
			continue
		}
		if i+1 < len(s) && s[i+1] == '"' {
			i++
			continue
		}
		name = strings.ReplaceAll(s[1:i], `""`, `"`)
		return name, s[i+1:], name != ""
	}
	return "", "", false
}
