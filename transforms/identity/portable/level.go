package portable

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/identity/kernel"
	"github.com/unsilo/unsilo/transforms/identity/similar"
	"github.com/unsilo/unsilo/transforms/normalize"
)

// level writes the CASE that gives the level of comparison k for records x and y.
func (c *compiler) level(k int, comparison *kernel.Comparison) (string, error) {
	for _, column := range comparison.Read {
		if column.Start != nil {
			return "", fmt.Errorf("%s has several values for a record", column.Name)
		}
	}
	w := &writer{compiler: c}
	var out string
	switch comparison.Shape {
	case kernel.ByKind:
		out = w.byKind(k, comparison.Read[0])
	case kernel.NamesGrid:
		out = w.grid(comparison.Read[0], comparison.Read[1])
	case kernel.NameAlone:
		one, other := comparison.Read[0], comparison.Read[1]
		v, o := w.fields.value(one), w.fields.value(other)
		out = fmt.Sprintf("CASE WHEN x.%s IS NULL OR y.%s IS NULL OR x.%s IS NOT NULL AND y.%s IS NOT NULL THEN -1 ELSE %s END",
			v, v, o, o, w.grade(one, one.Kind == frame.GivenName))
	case kernel.NameOne:
		one := comparison.Read[0]
		out = w.missing(w.fields.value(one), w.grade(one, one.Kind == frame.GivenName))
	case kernel.Sources:
		out = w.sources(comparison)
	default:
		return "", fmt.Errorf("it has no portable definition")
	}
	return out, w.err
}

// writer collects the first error of many calls.
type writer struct {
	*compiler
	err error
}

func (w *writer) call(function string, args ...string) string {
	out, err := w.opt.Dialect.Call(function, args...)
	if err != nil && w.err == nil {
		w.err = err
	}
	return out
}

// missing gives -1 where either side lacks the field.
func (w *writer) missing(v, otherwise string) string {
	return fmt.Sprintf("CASE WHEN x.%s IS NULL OR y.%s IS NULL THEN -1 ELSE %s END", v, v, otherwise)
}

// ladder is 0 where the values are equal, then the first condition that holds.
func (w *writer) ladder(v string, conditions ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "CASE WHEN x.%s = y.%s THEN 0", v, v)
	for i, condition := range conditions {
		fmt.Fprintf(&b, " WHEN %s THEN %d", condition, i+1)
	}
	fmt.Fprintf(&b, " ELSE %d END", len(conditions)+1)
	return w.missing(v, b.String())
}

func (w *writer) byKind(k int, c *frame.Column) string {
	v := w.fields.value(c)
	if c.Masked {
		return w.ladder(v)
	}
	switch c.Kind {
	case frame.BirthDate, frame.Date:
		return w.date(c, v)
	case frame.Postcode:
		return w.postcode(c, v)
	case frame.Email:
		local := w.fields.text("local_"+c.Name, w.part(c, func(s string) string { out, _, _ := strings.Cut(s, "@"); return out }))
		return w.email(c, v, local)
	case frame.Phone:
		tail := w.fields.text("tail_"+c.Name, w.part(c, func(s string) string {
			if len(s) < 7 {
				return ""
			}
			return s[len(s)-7:]
		}))
		return w.ladder(v, fmt.Sprintf("(x.%s <> '' AND x.%s = y.%s)", tail, tail, tail), w.oneTypo(v))
	case frame.ID:
		return w.ladder(v, fmt.Sprintf("(%s >= 5 AND %s >= 5 AND %s)", w.call("length", "x."+v), w.call("length", "y."+v), w.oneTypo(v)))
	case frame.Number:
		return w.number(c, v)
	case frame.Year:
		n := w.fields.float("n_"+c.Name, numberOf(c))
		gap := w.call("abs", fmt.Sprintf("x.%s - y.%s", n, n))
		return w.ladder(v, gap+" <= 1", gap+" <= 3")
	case frame.Category, frame.Token:
		return w.ladder(v)
	case frame.Street, frame.Company, frame.Text, frame.FullName:
		return w.words(k, c, v)
	}
	return w.ladder(v, w.jaroWinkler(v, 0.92), w.jaroWinkler(v, 0.82))
}

func same(v string) string { return fmt.Sprintf("x.%s = y.%s", v, v) }

// part makes a field of a function of each record's value.
func (w *writer) part(c *frame.Column, f func(string) string) func(int32) (string, bool) {
	return func(r int32) (string, bool) {
		code := c.First(r)
		if code < 0 {
			return "", false
		}
		return f(c.Values.Value(code)), true
	}
}

func numberOf(c *frame.Column) func(int32) (float64, bool) {
	return func(r int32) (float64, bool) {
		code := c.First(r)
		if code < 0 {
			return 0, false
		}
		f, err := strconv.ParseFloat(c.Values.Value(code), 64)
		return f, err == nil
	}
}

func (w *writer) jaroWinkler(v string, bound float64) string {
	return fmt.Sprintf("%s >= %s", w.call("jaro_winkler", "x."+v, "y."+v), decimal(bound))
}

// decimal writes a float so that every engine reads the same double.
func decimal(f float64) string {
	return fmt.Sprintf("CAST(%s AS DOUBLE)", strconv.FormatFloat(f, 'g', -1, 64))
}

// oneTypo guards the expensive distance by lengths.
func (w *writer) oneTypo(v string) string {
	gap := w.call("abs", fmt.Sprintf("%s - %s", w.call("length", "x."+v), w.call("length", "y."+v)))
	return fmt.Sprintf("(CASE WHEN %s <= 1 THEN %s ELSE 2 END) <= 1", gap, w.call("damerau_levenshtein", "x."+v, "y."+v))
}

func (w *writer) date(c *frame.Column, v string) string {
	cut := func(name string, from, to int) string {
		return w.fields.text(name+"_"+c.Name, w.part(c, func(s string) string {
			if len(s) != 10 {
				return ""
			}
			return s[from:to]
		}))
	}
	year, month, day, rest := cut("year", 0, 4), cut("month", 5, 7), cut("day", 8, 10), cut("rest", 5, 10)
	number := w.fields.number("days_"+c.Name, func(r int32) (int64, bool) {
		code := c.First(r)
		if code < 0 {
			return 0, false
		}
		return int64(kernel.DayNumber(c.Values.Value(code))), true
	})
	gap := w.call("abs", fmt.Sprintf("x.%s - y.%s", number, number))
	turned := fmt.Sprintf("(x.%[1]s <> '' AND y.%[1]s <> '' AND (x.%[1]s = y.%[1]s AND x.%[1]s <> '01-01' OR x.%[2]s = y.%[2]s AND x.%[3]s = y.%[4]s AND x.%[4]s = y.%[3]s))",
		rest, year, month, day)
	return w.ladder(v, w.oneTypo(v), turned, gap+" <= 31", gap+" <= 366", gap+" <= 3653")
}

func (w *writer) email(c *frame.Column, v, local string) string {
	stemOf := func(s string) string {
		head, _, _ := strings.Cut(s, "@")
		return strings.TrimRight(head, "0123456789")
	}
	stem := w.fields.text("stem_"+c.Name, w.part(c, stemOf))
	named := w.fields.text("named_"+c.Name, w.part(c, func(s string) string {
		if stem := stemOf(s); kernel.NamedMailbox(stem) {
			return stem
		}
		return ""
	}))
	return w.missing(v, fmt.Sprintf("CASE WHEN x.%[1]s = y.%[1]s THEN 0 WHEN %[2]s THEN CASE WHEN x.%[3]s = x.%[4]s THEN -1 ELSE 1 END"+
		" WHEN x.%[6]s = y.%[6]s AND x.%[6]s <> '' THEN -1 WHEN %[5]s THEN CASE WHEN x.%[3]s <> '' AND y.%[3]s <> '' THEN -1 ELSE 2 END ELSE 3 END",
		v, same(local), named, local, w.jaroWinkler(local, 0.92), stem))
}

func (w *writer) postcode(c *frame.Column, v string) string {
	drop := func(name string, f func(s string) string) string {
		field := w.fields.text(name+"_"+c.Name, w.part(c, f))
		return fmt.Sprintf("(x.%s <> '' AND x.%s = y.%s)", field, field, field)
	}
	fine := drop("sector", func(s string) string {
		if len(s) > 5 {
			return s[:len(s)-2]
		}
		return ""
	})
	long := drop("long", func(s string) string {
		if len(s) > 4 {
			return s[:len(s)-3]
		}
		return ""
	})
	four := drop("four", func(s string) string {
		if len(s) == 4 {
			return s[:3]
		}
		return ""
	})
	area := w.fields.text("area_"+c.Name, w.part(c, kernel.PostArea))
	return w.ladder(v, "("+fine+" OR "+w.oneTypo(v)+")", "("+long+" OR "+four+")", same(area))
}

func (w *writer) number(c *frame.Column, v string) string {
	n := w.fields.float("n_"+c.Name, numberOf(c))
	gap := fmt.Sprintf("%s / %s", w.call("abs", fmt.Sprintf("x.%s - y.%s", n, n)),
		w.call("greatest", w.call("abs", "x."+n), w.call("abs", "y."+n), decimal(1e-12)))
	return w.ladder(v, gap+" <= "+decimal(0.03), gap+" <= "+decimal(0.10), gap+" <= "+decimal(0.25), gap+" <= "+decimal(0.5))
}

// words compares the sum of products of integer weights with integer bounds.
func (w *writer) words(k int, c *frame.Column, v string) string {
	w.dots = append(w.dots, k)
	w.tokens = append(w.tokens, w.tokenInput(k, c))
	dot := w.call("coalesce", fmt.Sprintf("d%d.dot", k), "0")
	var conditions []string
	for _, bound := range kernel.TextBounds() {
		conditions = append(conditions, fmt.Sprintf("%s >= %d", dot, int64(math.Ceil(bound*similar.UnitWeight*similar.UnitWeight))))
	}
	return w.ladder(v, conditions...)
}

func (w *writer) sources(comparison *kernel.Comparison) string {
	f := w.frame
	first := make([]int32, len(f.Sources))
	for i := range first {
		first[i] = -1
	}
	source := w.fields.number("source", func(r int32) (int64, bool) { return int64(f.Source[r]), true })
	for r, s := range f.Source {
		if first[s] < 0 {
			first[s] = int32(r)
		}
	}
	var whens []string
	for a := range f.Sources {
		for b := range f.Sources {
			if first[a] >= 0 && first[b] >= 0 {
				whens = append(whens, fmt.Sprintf("WHEN x.%s = %d AND y.%s = %d THEN %d", source, a, source, b, comparison.Level(first[a], first[b])))
			}
		}
	}
	return "CASE " + strings.Join(whens, " ") + " END"
}

// grid is four grades of the given name by four of the family name, and swapped.
func (w *writer) grid(given, family *frame.Column) string {
	g, f := w.fields.value(given), w.fields.value(family)
	return fmt.Sprintf("CASE WHEN x.%[1]s IS NULL OR y.%[1]s IS NULL OR x.%[2]s IS NULL OR y.%[2]s IS NULL THEN -1 "+
		"WHEN x.%[1]s <> y.%[1]s AND x.%[1]s = y.%[2]s AND y.%[1]s = x.%[2]s THEN 16 ELSE %[3]s * 4 + %[4]s END",
		g, f, w.grade(given, true), w.grade(family, false))
}

// grade is 0 exact, 1 near, 2 loose, 3 far.
func (w *writer) grade(c *frame.Column, given bool) string {
	v := w.fields.value(c)
	jw := w.call("jaro_winkler", "x."+v, "y."+v)
	if !given {
		return fmt.Sprintf("(CASE WHEN x.%[1]s = y.%[1]s THEN 0 WHEN %[2]s >= %[3]s THEN 1 WHEN %[2]s >= %[4]s THEN 2 ELSE 3 END)", v, jw, decimal(0.92), decimal(0.82))
	}
	initial := w.fields.text("initial_"+c.Name, w.part(c, func(s string) string { return s[:1] }))
	return fmt.Sprintf("(CASE WHEN x.%[1]s = y.%[1]s THEN 0 WHEN %[6]s = 1 OR %[7]s = 1 THEN CASE WHEN x.%[5]s = y.%[5]s THEN 2 ELSE 3 END "+
		"WHEN %[2]s >= %[3]s THEN 1 WHEN %[8]s THEN 1 WHEN %[2]s >= %[4]s THEN 2 ELSE 3 END)",
		v, jw, decimal(0.92), decimal(0.82), initial, w.call("length", "x."+v), w.call("length", "y."+v), w.nickname(c))
}

// nickname compares the groups of two given names, each in a field of its own.
func (w *writer) nickname(c *frame.Column) string {
	groups := make([][]int32, c.Values.Len())
	most := 0
	for code := range groups {
		groups[code] = normalize.NicknameGroups(c.Values.Bytes(int32(code)))
		most = max(most, len(groups[code]))
	}
	var fields, conditions []string
	for i := range most {
		fields = append(fields, w.fields.number(fmt.Sprintf("nick%d_%s", i, c.Name), func(r int32) (int64, bool) {
			code := c.First(r)
			if code < 0 || i >= len(groups[code]) {
				return 0, false
			}
			return int64(groups[code][i]), true
		}))
	}
	for _, a := range fields {
		for _, b := range fields {
			conditions = append(conditions, fmt.Sprintf("x.%s = y.%s", a, b))
		}
	}
	if len(conditions) == 0 {
		return "1 = 0"
	}
	return "(" + strings.Join(conditions, " OR ") + ")"
}
