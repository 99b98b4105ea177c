package config

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/unsilo/unsilo/core"
)

// plainValue turns an evaluated expression into plain data: string, int64, float64, bool,
// nil, []any, map[string]any, and core.SecretRef where a secret stands. The second result
// says what is wrong with it.
func plainValue(v cty.Value) (any, string) {
	x := extraction{asked: map[string]bool{}, found: map[string]bool{}}
	plain := x.value(v)
	if x.problem != "" {
		return nil, x.problem
	}
	for ref := range x.asked {
		if !x.found[ref] {
			return nil, fmt.Sprintf("the secret %s has been changed or compared here; it is only known when a source is opened, "+
				"and can be used as it is or inside a text", ref)
		}
	}
	return plain, ""
}

// extraction is one walk over a value.
type extraction struct {
	// asked are the secrets that had a part in the value, found those that stand in it
	// unharmed.
	asked, found map[string]bool
	problem      string
}

func (x *extraction) value(v cty.Value) any {
	v, marks := v.Unmark()
	for mark := range marks {
		if ref, ok := mark.(secretMark); ok {
			x.asked[string(ref)] = true
		}
	}
	t := v.Type()
	switch {
	case v.IsNull() || !v.IsKnown():
		return nil
	case t == cty.String:
		return x.text(v.AsString())
	case t == cty.Bool:
		return v.True()
	case t == cty.Number:
		return x.number(v.AsBigFloat())
	case t.IsListType() || t.IsTupleType() || t.IsSetType():
		list := make([]any, 0, v.LengthInt())
		for it := v.ElementIterator(); it.Next(); {
			_, e := it.Element()
			list = append(list, x.value(e))
		}
		return list
	case t.IsMapType() || t.IsObjectType():
		m := make(map[string]any, v.LengthInt())
		for it := v.ElementIterator(); it.Next(); {
			k, e := it.Element()
			key, _ := k.Unmark()
			if strings.ContainsAny(key.AsString(), secretOpen+secretClose) {
				x.problem = "a secret cannot be the key of a map"
			}
			m[key.AsString()] = x.value(e)
		}
		return m
	}
	x.problem = "a value of type " + t.FriendlyName() + " cannot stand here"
	return nil
}

// text gives a string, or the reference in it, or a "text:" reference when a secret is
// only a part of it.
func (x *extraction) text(s string) any {
	parts, problem := splitSecrets(s)
	if problem != "" {
		x.problem = problem
		return nil
	}
	whole := ""
	secrets := 0
	for _, p := range parts {
		if !p.secret {
			whole += strings.ReplaceAll(p.text, "$", "$$")
			continue
		}
		secrets++
		x.found[p.text] = true
		whole += "${" + p.text + "}"
	}
	switch {
	case secrets == 0:
		return s
	case len(parts) == 1:
		return core.SecretRef{Ref: parts[0].text}
	}
	return core.SecretRef{Ref: textScheme + whole}
}

func (x *extraction) number(n *big.Float) any {
	if i, accuracy := n.Int64(); accuracy == big.Exact {
		return i
	}
	f, _ := n.Float64()
	if n.IsInf() || f > maxFloat || f < -maxFloat {
		x.problem = "the number is too large"
	}
	return f
}

const maxFloat = 1.7976931348623157e308

// coerce brings a value to the type of a field. The second result says why it cannot.
func coerce(f core.Field, v any) (any, string) {
	if ref, ok := v.(core.SecretRef); ok {
		if f.Type == core.TypeString || f.Type == core.TypeAny || f.Type == "" {
			return ref, ""
		}
		return nil, fmt.Sprintf("a secret is a text; this attribute takes %s", typeWords(f.Type))
	}
	var out any
	switch f.Type {
	case core.TypeString, "":
		out = asString(v)
	case core.TypeInt:
		out = asInt(v)
	case core.TypeFloat:
		out = asFloat(v)
	case core.TypeBool:
		out = asBool(v)
	case core.TypeDuration:
		return asDuration(v)
	case core.TypeStrings:
		return asStrings(v)
	case core.TypeMap:
		return asMap(v)
	default:
		out = v
	}
	if out == nil {
		return nil, fmt.Sprintf("this attribute takes %s, and this is %s", typeWords(f.Type), valueWords(v))
	}
	return out, ""
}

func asString(v any) any {
	switch v := v.(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return nil
}

func asInt(v any) any {
	switch v := v.(type) {
	case int64:
		return v
	case string:
		if n, err := strconv.ParseInt(v, 10, 64); err == nil {
			return n
		}
	}
	return nil
}

func asFloat(v any) any {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case float64:
		return v
	case string:
		if n, err := strconv.ParseFloat(v, 64); err == nil && n <= maxFloat && n >= -maxFloat {
			return n
		}
	}
	return nil
}

func asBool(v any) any {
	switch v {
	case true, "true":
		return true
	case false, "false":
		return false
	}
	return nil
}

func asDuration(v any) (any, string) {
	s, ok := v.(string)
	if !ok {
		return nil, fmt.Sprintf("this attribute takes %s, and this is %s", typeWords(core.TypeDuration), valueWords(v))
	}
	d, err := core.ParseDuration(s)
	if err != nil {
		return nil, err.Error()
	}
	if d < 0 {
		return nil, fmt.Sprintf("%q is negative", s)
	}
	return s, ""
}

func asStrings(v any) (any, string) {
	list, ok := v.([]any)
	if !ok {
		return nil, fmt.Sprintf("this attribute takes %s, and this is %s", typeWords(core.TypeStrings), valueWords(v))
	}
	out := make([]any, 0, len(list))
	for i, e := range list {
		s, problem := coerce(core.Field{Type: core.TypeString}, e)
		if problem != "" {
			return nil, fmt.Sprintf("item %d is %s, not a text", i+1, valueWords(e))
		}
		out = append(out, s)
	}
	return out, ""
}

func asMap(v any) (any, string) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Sprintf("this attribute takes %s, and this is %s", typeWords(core.TypeMap), valueWords(v))
	}
	out := make(map[string]any, len(m))
	for key, e := range m {
		s, problem := coerce(core.Field{Type: core.TypeString}, e)
		if problem != "" {
			return nil, fmt.Sprintf("the value of %q is %s, not a text", visible(key), valueWords(e))
		}
		out[key] = s
	}
	return out, ""
}

func typeWords(t core.FieldType) string {
	switch t {
	case core.TypeInt:
		return "a whole number"
	case core.TypeFloat:
		return "a number"
	case core.TypeBool:
		return "true or false"
	case core.TypeDuration:
		return "a duration such as 90s, 15m, 24h or 7d"
	case core.TypeStrings:
		return "a list of texts"
	case core.TypeMap:
		return "a map of texts"
	}
	return "a text"
}

func valueWords(v any) string {
	switch v.(type) {
	case string:
		return "a text"
	case int64:
		return "a number"
	case float64:
		return "a number that is not whole"
	case bool:
		return "true or false"
	case []any:
		return "a list"
	case map[string]any:
		return "a map"
	case core.SecretRef:
		return "a secret"
	}
	return "null"
}

// defaultValue brings the default of a field, which a connector wrote in Go or sent as
// JSON, to the types of Config.Values.
func defaultValue(f core.Field) any {
	switch v := f.Default.(type) {
	case int:
		return numberFor(f, float64(v), int64(v))
	case int64:
		return numberFor(f, float64(v), v)
	case float64:
		return numberFor(f, v, int64(v))
	case []string:
		list := make([]any, 0, len(v))
		for _, s := range v {
			list = append(list, s)
		}
		return list
	case map[string]string:
		m := make(map[string]any, len(v))
		for k, s := range v {
			m[k] = s
		}
		return m
	}
	return f.Default
}

func numberFor(f core.Field, fraction float64, whole int64) any {
	if f.Type == core.TypeFloat || f.Type != core.TypeInt && fraction != float64(whole) {
		return fraction
	}
	return whole
}
