package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/unsilo/unsilo/core"
)

// header is a response's header for expressions: names in any case.
type header http.Header

func (h header) get(name string) any {
	if v := http.Header(h).Get(name); v != "" {
		return v
	}
	return nil
}

// toCty turns a plain value into one of the expression language.
func toCty(v any) cty.Value {
	switch v := v.(type) {
	case nil:
		return cty.NullVal(cty.DynamicPseudoType)
	case string:
		return cty.StringVal(v)
	case bool:
		return cty.BoolVal(v)
	case int:
		return cty.NumberIntVal(int64(v))
	case int64:
		return cty.NumberIntVal(v)
	case float64:
		return cty.NumberFloatVal(v)
	case json.Number:
		if n, err := cty.ParseNumberVal(v.String()); err == nil {
			return n
		}
		return cty.StringVal(v.String())
	case time.Time:
		return cty.StringVal(v.UTC().Format(time.RFC3339Nano))
	case core.State:
		return cty.StringVal(string(v))
	case header:
		m := map[string]any{}
		for name := range v {
			m[strings.ToLower(name)] = v.get(name)
		}
		return toCty(m)
	case []any:
		return listToCty(v)
	case map[string]any:
		return objectToCty(v)
	}
	return cty.NullVal(cty.DynamicPseudoType)
}

func listToCty(list []any) cty.Value {
	items := make([]cty.Value, len(list))
	for i, v := range list {
		items[i] = toCty(v)
	}
	return cty.TupleVal(items)
}

func objectToCty(m map[string]any) cty.Value {
	attrs := make(map[string]cty.Value, len(m))
	for k, v := range m {
		if f, ok := v.(func() any); ok {
			v = f()
		}
		attrs[k] = toCty(v)
	}
	return cty.ObjectVal(attrs)
}

// toText writes a scalar as it stands in a URL; ok is false for null.
func toText(v cty.Value) (text string, ok bool, err error) {
	switch {
	case v.IsNull() || !v.IsKnown():
		return "", false, nil
	case v.Type() == cty.String:
		return v.AsString(), true, nil
	case v.Type() == cty.Bool:
		return map[bool]string{true: "true", false: "false"}[v.True()], true, nil
	case v.Type() == cty.Number:
		return numberText(v.AsBigFloat()), true, nil
	}
	return "", false, &core.Error{Kind: core.KindConfig, Op: "evaluate text",
		Err: fmt.Errorf("text is wanted, not %s", v.Type().FriendlyName())}
}

func numberText(f *big.Float) string {
	if f.IsInt() {
		return f.Text('f', 0)
	}
	return f.Text('g', -1)
}

// toTexts writes a scalar or a list of scalars; null gives none, nulls in a list are
// left out.
func toTexts(v cty.Value) ([]string, error) {
	if v.IsNull() || !v.IsKnown() {
		return nil, nil
	}
	if !v.CanIterateElements() || v.Type().IsObjectType() || v.Type().IsMapType() {
		text, ok, err := toText(v)
		if !ok {
			return nil, err
		}
		return []string{text}, err
	}
	var out []string
	for it := v.ElementIterator(); it.Next(); {
		_, item := it.Element()
		text, ok, err := toText(item)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, text)
		}
	}
	return out, nil
}

// toPlain turns a value of the expression language into a plain one for JSON. Members
// and items that are null are left out, so that an expression can leave out a filter.
func toPlain(v cty.Value) any {
	switch {
	case v.IsNull() || !v.IsKnown():
		return nil
	case v.Type() == cty.String:
		return v.AsString()
	case v.Type() == cty.Bool:
		return v.True()
	case v.Type() == cty.Number:
		return json.Number(numberText(v.AsBigFloat()))
	case v.Type().IsObjectType() || v.Type().IsMapType():
		out := map[string]any{}
		for it := v.ElementIterator(); it.Next(); {
			k, item := it.Element()
			if p := toPlain(item); p != nil {
				out[k.AsString()] = p
			}
		}
		return out
	}
	out := []any{}
	for it := v.ElementIterator(); it.Next(); {
		_, item := it.Element()
		if p := toPlain(item); p != nil {
			out = append(out, p)
		}
	}
	return out
}

// parsePlain reads JSON into plain values with exact numbers.
func parsePlain(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("parse JSON: %w", err)
	}
	if d.More() {
		return nil, errors.New("parse JSON: text after the value")
	}
	return v, nil
}
