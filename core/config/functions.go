package config

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// functions are what expressions may call. None runs a program, opens the network, or
// gives another answer tomorrow; file() reads inside the project.
func (l *loader) functions() map[string]function.Function {
	fs := map[string]function.Function{
		"secret":  secretFunc(l.project.AllowExec),
		"file":    fileFunc(l.project.Dir),
		"webhook": webhookFunc(),
		"length":  lengthFunc(),

		"startswith": textTest("Whether a text starts with another.", strings.HasPrefix),
		"endswith":   textTest("Whether a text ends with another.", strings.HasSuffix),

		"join":         limited(stdlib.JoinFunc, joinSize),
		"replace":      limited(stdlib.ReplaceFunc, replaceSize),
		"regexreplace": limited(stdlib.RegexReplaceFunc, productSize),
		"format":       limited(stdlib.FormatFunc, formatSize),
		"formatlist":   limited(stdlib.FormatListFunc, formatSize),
		"jsondecode":   safeNumbers(stdlib.JSONDecodeFunc),
		"parseint":     safeNumbers(stdlib.ParseIntFunc),
		"tonumber":     safeNumbers(stdlib.MakeToFunc(cty.Number)),
		"tostring":     stdlib.MakeToFunc(cty.String),
		"tobool":       stdlib.MakeToFunc(cty.Bool),
		"tolist":       stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType)),
		"toset":        stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)),
		"tomap":        stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType)),

		"upper": stdlib.UpperFunc, "lower": stdlib.LowerFunc, "title": stdlib.TitleFunc,
		"trimspace": stdlib.TrimSpaceFunc, "trim": stdlib.TrimFunc, "trimprefix": stdlib.TrimPrefixFunc,
		"trimsuffix": stdlib.TrimSuffixFunc, "split": stdlib.SplitFunc, "substr": stdlib.SubstrFunc,
		"regex": stdlib.RegexFunc, "regexall": stdlib.RegexAllFunc, "jsonencode": stdlib.JSONEncodeFunc,

		"concat": stdlib.ConcatFunc, "merge": stdlib.MergeFunc, "lookup": stdlib.LookupFunc,
		"keys": stdlib.KeysFunc, "values": stdlib.ValuesFunc, "contains": stdlib.ContainsFunc,
		"coalesce": stdlib.CoalesceFunc, "coalescelist": stdlib.CoalesceListFunc, "compact": stdlib.CompactFunc,
		"distinct": stdlib.DistinctFunc, "element": stdlib.ElementFunc, "flatten": stdlib.FlattenFunc,
		"reverse": stdlib.ReverseListFunc, "slice": stdlib.SliceFunc, "sort": stdlib.SortFunc,
		"zipmap": stdlib.ZipmapFunc,

		"min": stdlib.MinFunc, "max": stdlib.MaxFunc, "abs": stdlib.AbsoluteFunc, "ceil": stdlib.CeilFunc,
		"floor": stdlib.FloorFunc,

		"timeadd": stdlib.TimeAddFunc, "formatdate": stdlib.FormatDateFunc,
	}
	if l.opts.Now != nil {
		fs["now"] = nowFunc(l.opts.Now)
	}
	return fs
}

// maxText bounds the text that one function may make.
const maxText = 1 << 20

func nowFunc(now func() time.Time) function.Function {
	return function.New(&function.Spec{
		Description: "The time of this run, in UTC.",
		Type:        function.StaticReturnType(cty.String),
		Impl: func([]cty.Value, cty.Type) (cty.Value, error) {
			return cty.StringVal(now().UTC().Format(time.RFC3339)), nil
		},
	})
}

func fileFunc(dir string) function.Function {
	return function.New(&function.Spec{
		Description: "The text of a file inside the project.",
		Params:      []function.Parameter{{Name: "path", Type: cty.String}},
		Type:        function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			src, err := readInside(dir, args[0].AsString(), maxText)
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			if !utf8.Valid(src) {
				return cty.NilVal, function.NewArgErrorf(0, "the file %q is not UTF-8 text", args[0].AsString())
			}
			return cty.StringVal(string(src)), nil
		},
	})
}

// readInside reads a file below dir, of at most limit bytes; links may not lead out.
func readInside(dir, path string, limit int64) ([]byte, error) {
	local := filepath.FromSlash(path)
	if !filepath.IsLocal(local) {
		return nil, fmt.Errorf("%q is outside of the project", path)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open project: %w", err)
	}
	defer root.Close()
	info, err := root.Stat(local)
	if err != nil {
		if pathEscapes(root, path) {
			return nil, fmt.Errorf("%q leads outside of the project", path)
		}
		return nil, fmt.Errorf("there is no file %q in the project", path)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%q is not a file", path)
	}
	f, err := root.Open(local)
	if err != nil {
		return nil, fmt.Errorf("open %q: %w", path, err)
	}
	defer f.Close()
	return readBounded(f, path, limit)
}

func readBounded(r io.Reader, name string, limit int64) ([]byte, error) {
	src, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", name, err)
	}
	if int64(len(src)) > limit {
		return nil, fmt.Errorf("%q has more than %d bytes", name, limit)
	}
	return src, nil
}

// readLimited reads the first bytes of a file.
func readLimited(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit))
}

// lengthFunc counts the characters of a text or the items of a list, map or set.
func lengthFunc() function.Function {
	return function.New(&function.Spec{
		Description: "The number of characters of a text, or of items of a list, map or set.",
		Params:      []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType}},
		Type:        function.StaticReturnType(cty.Number),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if args[0].Type() == cty.String {
				return stdlib.Strlen(args[0])
			}
			if !args[0].CanIterateElements() {
				return cty.NilVal, function.NewArgErrorf(0, "a text, list, map or set is needed")
			}
			return cty.NumberIntVal(int64(args[0].LengthInt())), nil
		},
	})
}

func textTest(description string, test func(s, part string) bool) function.Function {
	return function.New(&function.Spec{
		Description: description,
		Params:      []function.Parameter{{Name: "text", Type: cty.String}, {Name: "part", Type: cty.String}},
		Type:        function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(test(args[0].AsString(), args[1].AsString())), nil
		},
	})
}

// wrap makes a function that looks at arguments and result of another.
func wrap(f function.Function, before func([]cty.Value) error, after func(cty.Value) error) function.Function {
	spec := &function.Spec{
		Description: f.Description(),
		Params:      f.Params(),
		VarParam:    f.VarParam(),
		Type: func(args []cty.Value) (cty.Type, error) {
			if err := before(args); err != nil {
				return cty.DynamicPseudoType, err
			}
			return f.ReturnTypeForValues(args)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			v, err := f.Call(args)
			if err != nil {
				return cty.NilVal, err
			}
			return v, after(v)
		},
	}
	return function.New(spec)
}

// limited refuses a call whose text would be too large, before it is made.
func limited(f function.Function, size func([]cty.Value) int64) function.Function {
	return wrap(f, func(args []cty.Value) error {
		if size(args) > maxText {
			return fmt.Errorf("the result would have more than %d bytes", maxText)
		}
		return nil
	}, func(cty.Value) error { return nil })
}

// safeNumbers refuses numbers that take more than a line to write out.
func safeNumbers(f function.Function) function.Function {
	return wrap(f, func([]cty.Value) error { return nil }, checkNumbers)
}

func checkNumbers(v cty.Value) error {
	return cty.Walk(v, func(_ cty.Path, e cty.Value) (bool, error) {
		if e, _ = e.Unmark(); e.Type() == cty.Number && e.IsKnown() && !e.IsNull() && hugeNumber(e) {
			return false, fmt.Errorf("the number is too large")
		}
		return true, nil
	})
}

// hugeNumber reports whether writing the number out would take more than a line.
func hugeNumber(v cty.Value) bool {
	exponent := v.AsBigFloat().MantExp(nil)
	return exponent > 4*maxDigits || exponent < -4*maxDigits
}

// texts sums up the sizes of the texts in a value, and counts them.
func texts(v cty.Value) (size, count int64) {
	_ = cty.Walk(v, func(_ cty.Path, e cty.Value) (bool, error) {
		if e, _ = e.Unmark(); e.Type() == cty.String && e.IsKnown() && !e.IsNull() {
			size += int64(len(e.AsString()))
			count++
		}
		return true, nil
	})
	return size, count
}

func joinSize(args []cty.Value) int64 {
	separator, _ := texts(args[0])
	total := int64(0)
	for _, list := range args[1:] {
		size, count := texts(list)
		total += size + separator*count
	}
	return total
}

func replaceSize(args []cty.Value) int64 {
	for _, a := range args {
		if !a.IsKnown() || a.IsNull() {
			return 0
		}
	}
	s, old, with := unmarked(args[0]), unmarked(args[1]), unmarked(args[2])
	return int64(len(s)) + int64(strings.Count(s, old))*int64(len(with))
}

func unmarked(v cty.Value) string {
	v, _ = v.Unmark()
	return v.AsString()
}

func productSize(args []cty.Value) int64 {
	total := int64(1)
	for i, a := range args {
		if size, _ := texts(a); i != 1 {
			total *= size + 1
		}
	}
	return total
}

// formatSize bounds what format can make: each verb of the format may write any argument,
// at the width it gives.
func formatSize(args []cty.Value) int64 {
	layout, _ := args[0].Unmark()
	if layout.Type() != cty.String || !layout.IsKnown() || layout.IsNull() {
		return 0
	}
	verbs, width, number := int64(1), int64(0), int64(0)
	for _, r := range layout.AsString() {
		if r >= '0' && r <= '9' {
			number = min(number*10+int64(r-'0'), maxText+1)
			width = max(width, number)
			continue
		}
		number = 0
		if r == '%' {
			verbs++
		}
	}
	total, items := int64(len(layout.AsString())), int64(1)
	for _, a := range args[1:] {
		size, count := texts(a)
		total, items = total+size+maxDigits, max(items, count)
	}
	return verbs * (total + width*items)
}
