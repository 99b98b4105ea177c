package kernel

import (
	"math"
	"strconv"
	"strings"

	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/identity/similar"
)

// Compare makes the usual comparison of a column, by its kind.
func Compare(c *frame.Column) *Comparison {
	out := &Comparison{Name: c.Name, Columns: []string{c.Name}, Shape: ByKind, Read: []*frame.Column{c}}
	exact := Level{Name: "exact", Term: &Term{Column: c}}
	add := func(level func(x, y int32) int8, levels ...Level) *Comparison {
		out.Levels = append([]Level{exact}, levels...)
		out.Level, out.batch = byCode(c, level), batchByCode(c, level)
		return out
	}
	if c.Masked {
		exact.M = 0.8
		return add(func(x, y int32) int8 { return 1 }, Level{Name: "differs", M: 0.2})
	}
	switch c.Kind {
	case frame.BirthDate, frame.Date:
		exact.M = 0.75
		return add(dateLevel(c), Level{Name: "one typo", M: 0.1}, Level{Name: "day and month swapped, or same day of the year", M: 0.02},
			Level{Name: "within 31 days", M: 0.01}, Level{Name: "within 366 days", M: 0.05},
			Level{Name: "within 10 years", M: 0.03}, Level{Name: "differs", M: 0.04})
	case frame.Postcode:
		exact.M = 0.65
		return add(postcodeLevel(c), Level{Name: "same but the end, or one typo", M: 0.15}, Level{Name: "same district", M: 0.04},
			Level{Name: "same area", M: 0.04}, Level{Name: "differs", M: 0.12})
	case frame.Email:
		exact.M = 0.7
		return add(emailLevel(c), Level{Name: "same local part", M: 0.08}, Level{Name: "similar local part", M: 0.07}, Level{Name: "differs", M: 0.15})
	case frame.Phone:
		exact.M = 0.7
		return add(phoneLevel(c), Level{Name: "same last seven digits", M: 0.05}, Level{Name: "one typo", M: 0.05}, Level{Name: "differs", M: 0.2})
	case frame.ID:
		exact.M = 0.8
		return add(idLevel(c), Level{Name: "one typo", M: 0.08}, Level{Name: "differs", M: 0.12})
	case frame.Number:
		exact.M = 0.4
		return add(numberLevel(c), Level{Name: "within 3 %", M: 0.1}, Level{Name: "within 10 %", M: 0.15},
			Level{Name: "within 25 %", M: 0.15}, Level{Name: "within half", M: 0.1}, Level{Name: "differs", M: 0.1})
	case frame.Year:
		exact.M = 0.8
		return add(yearLevel(c), Level{Name: "one year apart", M: 0.08}, Level{Name: "within three years", M: 0.05}, Level{Name: "differs", M: 0.07})
	case frame.Category, frame.Token:
		exact.M = 0.8
		return add(func(x, y int32) int8 { return 1 }, Level{Name: "differs", M: 0.2})
	case frame.Street, frame.Company, frame.Text, frame.FullName:
		exact.M, out.Words = 0.35, []*frame.Column{c}
		return add(textLevel(c), Level{Name: "nearly all words", M: 0.2}, Level{Name: "most words", M: 0.15},
			Level{Name: "many words", M: 0.12}, Level{Name: "some words", M: 0.1}, Level{Name: "few words", M: 0.05}, Level{Name: "differs", M: 0.03})
	case frame.Codes:
		exact.M = 0.6
		exact.Name = "a code in common"
		exact.Term = nil
		return add(codesLevel(c), Level{Name: "a similar code", M: 0.15}, Level{Name: "other codes", M: 0.25})
	}
	exact.M = 0.7
	return add(wordLevel(c), Level{Name: "similar", M: 0.1}, Level{Name: "somewhat similar", M: 0.05}, Level{Name: "differs", M: 0.15})
}

func wordLevel(c *frame.Column) func(x, y int32) int8 {
	w := newWords(c)
	return func(x, y int32) int8 {
		switch s := w.jaroWinkler(x, y, 0.82); {
		case s >= 0.92:
			return 1
		case s >= 0.82:
			return 2
		}
		return 3
	}
}

// words are the values of a column, ready to be compared.
type words struct {
	column *frame.Column
	list   []similar.Word
}

func newWords(c *frame.Column) words {
	w := words{c, make([]similar.Word, c.Values.Len())}
	for i := range w.list {
		w.list[i] = similar.NewWord(c.Values.Value(int32(i)))
	}
	return w
}

// jaroWinkler compares two values; when they are less alike than least it may give 0.
func (w words) jaroWinkler(x, y int32, least float64) float64 {
	a, b := &w.list[x], &w.list[y]
	switch {
	case !a.Fits() || !b.Fits():
		return similar.JaroWinkler(w.column.Values.Value(x), w.column.Values.Value(y))
	case a.JaroWinklerBelow(b, least):
		return 0
	}
	return a.JaroWinkler(b)
}

func (w words) oneTypo(x, y int32) bool {
	a, b := &w.list[x], &w.list[y]
	if !a.Fits() || !b.Fits() {
		return similar.OneTypo(w.column.Values.Value(x), w.column.Values.Value(y))
	}
	return a.OneTypo(b)
}

func idLevel(c *frame.Column) func(x, y int32) int8 {
	return func(x, y int32) int8 {
		a, b := c.Values.Value(x), c.Values.Value(y)
		if min(len(a), len(b)) >= 5 && similar.OneTypo(a, b) {
			return 1
		}
		return 2
	}
}

func codesLevel(c *frame.Column) func(x, y int32) int8 {
	return func(x, y int32) int8 {
		a, b := c.Values.Value(x), c.Values.Value(y)
		if len(a) > len(b) {
			a, b = b, a
		}
		if len(a) >= 4 && (strings.HasPrefix(b, a) || strings.HasSuffix(b, a)) {
			return 1
		}
		return 2
	}
}

func phoneLevel(c *frame.Column) func(x, y int32) int8 {
	return func(x, y int32) int8 {
		a, b := c.Values.Value(x), c.Values.Value(y)
		switch {
		case len(a) >= 7 && len(b) >= 7 && a[len(a)-7:] == b[len(b)-7:]:
			return 1
		case similar.OneTypo(a, b):
			return 2
		}
		return 3
	}
}

// emailLevel compares the parts before the sign. Where they are no more than a name it
// gives Missing: the names are compared already, and every namesake has such an address. So
// it does where they differ in a number at the end: agent4 is not agent5.
func emailLevel(c *frame.Column) func(x, y int32) int8 {
	locals, stems, named := make([]string, c.Values.Len()), make([]string, c.Values.Len()), make([]bool, c.Values.Len())
	for i := range locals {
		locals[i], _, _ = strings.Cut(c.Values.Value(int32(i)), "@")
		stems[i], named[i] = strings.TrimRight(locals[i], "0123456789"), NamedMailbox(locals[i])
	}
	return func(x, y int32) int8 {
		a, b := locals[x], locals[y]
		switch {
		case a == b && named[x] && !strings.ContainsAny(a, "0123456789"):
			return Missing
		case a == b:
			return 1
		case stems[x] == stems[y] && stems[x] != "":
			return Missing
		case !similar.JaroWinklerAtLeast(a, b, 0.92):
			return 3
		case named[x] && named[y]:
			return Missing
		}
		return 2
	}
}

// NamedMailbox reports whether the part of an address before the sign is two names with a
// sign between them, and at most digits behind.
func NamedMailbox(local string) bool {
	first, second, ok := strings.Cut(strings.TrimRight(local, "0123456789"), ".")
	if !ok {
		first, second, ok = strings.Cut(first, "_")
	}
	letters := func(s string) bool {
		return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz-") == ""
	}
	return ok && letters(first) && letters(second)
}

// postcodeLevel knows codes by their length: the last two and three signs are the finest
// parts (SW1A1AA, 00100), what stands before the digits, or the first two, the area.
func postcodeLevel(c *frame.Column) func(x, y int32) int8 {
	w := newWords(c)
	// Parts of codes are numbered, so that comparing them costs nothing; 0 is none.
	type parts struct{ fine, district, area int32 }
	list := make([]parts, c.Values.Len())
	var dict frame.Dict
	for i := range list {
		s := c.Values.Value(int32(i))
		list[i].area = 1 + dict.AddString(PostArea(s))
		if len(s) > 5 {
			list[i].fine = 1 + dict.AddString(s[:len(s)-2])
		}
		switch {
		case len(s) == 4:
			list[i].district = 1 + dict.AddString("\x00"+s[:3])
		case len(s) > 4:
			list[i].district = 1 + dict.AddString(s[:len(s)-3])
		}
	}
	return func(x, y int32) int8 {
		a, b := list[x], list[y]
		switch {
		case a.fine == b.fine && a.fine != 0, w.oneTypo(x, y):
			return 1
		case a.district == b.district && a.district != 0:
			return 2
		case a.area == b.area:
			return 3
		}
		return 4
	}
}

// PostArea is what stands before the digits of a post code, or its first two.
func PostArea(s string) string {
	n := 0
	for n < len(s) && (s[n] < '0' || s[n] > '9') {
		n++
	}
	if n == 0 {
		n = min(2, len(s))
	}
	return s[:n]
}

func yearLevel(c *frame.Column) func(x, y int32) int8 {
	years := numbers(c)
	return func(x, y int32) int8 {
		switch d := math.Abs(years[x] - years[y]); {
		case d <= 1:
			return 1
		case d <= 3:
			return 2
		}
		return 3
	}
}

func numberLevel(c *frame.Column) func(x, y int32) int8 {
	values := numbers(c)
	return func(x, y int32) int8 {
		a, b := math.Abs(values[x]), math.Abs(values[y])
		d := math.Abs(values[x]-values[y]) / math.Max(math.Max(a, b), 1e-12)
		switch {
		case d <= 0.03:
			return 1
		case d <= 0.10:
			return 2
		case d <= 0.25:
			return 3
		case d <= 0.5:
			return 4
		}
		return 5
	}
}

func numbers(c *frame.Column) []float64 {
	out := make([]float64, c.Values.Len())
	for i := range out {
		out[i], _ = strconv.ParseFloat(c.Values.Value(int32(i)), 64) // normalised: always a number
	}
	return out
}
