package rest

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"time"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"

	"github.com/unsilo/unsilo/connectors/rows"
	"github.com/unsilo/unsilo/core"
)

// functions lists what expressions may call. None of them reads a clock, a file or the
// network: the same page gives the same answer.
func functions() map[string]function.Function {
	return map[string]function.Function{
		"base64encode": textFunction(func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }),
		"urlencode":    textFunction(url.QueryEscape),
		"coalesce":     stdlib.CoalesceFunc,
		"concat":       stdlib.ConcatFunc,
		"contains":     stdlib.ContainsFunc,
		"format":       stdlib.FormatFunc,
		"join":         stdlib.JoinFunc,
		"jsonencode":   stdlib.JSONEncodeFunc,
		"length":       stdlib.LengthFunc,
		"lower":        stdlib.LowerFunc,
		"max":          stdlib.MaxFunc,
		"min":          stdlib.MinFunc,
		"regex":        stdlib.RegexFunc,
		"replace":      stdlib.ReplaceFunc,
		"split":        stdlib.SplitFunc,
		"strlen":       stdlib.StrlenFunc,
		"substr":       stdlib.SubstrFunc,
		"timeadd":      timeAdd(),
		"timeformat":   timeFormat(),
		"trimprefix":   stdlib.TrimPrefixFunc,
		"trimsuffix":   stdlib.TrimSuffixFunc,
		"upper":        stdlib.UpperFunc,
	}
}

func textFunction(f func(string) string) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "text", Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.StringVal(f(args[0].AsString())), nil
		},
	})
}

// timeAdd is timeadd(time, duration): an RFC 3339 time moved by "-7d" or "90s".
func timeAdd() function.Function {
	return timeFunction("duration", func(t time.Time, duration string) (string, error) {
		d, err := core.ParseDuration(duration)
		return t.Add(d).Format(time.RFC3339Nano), err
	})
}

// timeFormat is timeformat(time, format): an RFC 3339 time in a format of connectors/rows.
func timeFormat() function.Function {
	return timeFunction("format", func(t time.Time, format string) (string, error) {
		f, err := rows.NewTimeFormat(format, nil)
		if err != nil {
			return "", fmt.Errorf("format time: %w", err)
		}
		return f.Format(t), nil
	})
}

func timeFunction(second string, f func(time.Time, string) (string, error)) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "time", Type: cty.String}, {Name: second, Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			t, err := time.Parse(time.RFC3339Nano, args[0].AsString())
			if err != nil {
				return cty.NilVal, function.NewArgErrorf(0, "not a time in RFC 3339")
			}
			text, err := f(t.UTC(), args[1].AsString())
			return cty.StringVal(text), err
		},
	})
}
