package identity

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/unsilo/unsilo/core"
)

// A Suggestion is an identity block for the tables at hand, and what it was made from.
type Suggestion struct {
	HCL     string            `json:"hcl"`
	Columns []SuggestedColumn `json:"columns"`
}

// A SuggestedColumn says which attribute a column fills.
type SuggestedColumn struct {
	Source    string `json:"source"`
	Stream    string `json:"stream"`
	Column    string `json:"column"`
	Attribute string `json:"attribute"`
	// Means is the column's declared meaning, empty when its name was all there was.
	Means string `json:"means,omitempty"`
	// ExactOnly columns are masked: equal values are all that can be seen.
	ExactOnly bool `json:"exact_only"`
}

// suggestion is one table on its way into a block.
type suggestion struct {
	recordSource
	name    string
	means   map[string]core.Means
	guessed bool // the key is a guess
}

// Suggest writes an identity block for those of the tables that describe the entity, with
// the attribute that each column fills. The others are named in a comment, with the reason.
func Suggest(name string, tables []core.Table) (Suggestion, error) {
	x, err := suggest(name, entityOf(name), tables)
	if err != nil && entityOf(name) == entityThing {
		// A name that says nothing may still be about people: "guest".
		if x, more := suggest(name, entityPerson, tables); more == nil {
			return x, nil
		}
	}
	return x, err
}

func suggest(name, entity string, tables []core.Table) (Suggestion, error) {
	var used []suggestion
	var left []string
	for _, t := range slices.SortedFunc(slices.Values(tables), func(a, b core.Table) int { return compareTables(a.Name, b.Name) }) {
		s, reason := suggestTable(entity, t)
		if reason != "" {
			left = append(left, fmt.Sprintf("  #   %s.%s: %s\n", s.Source.Source, s.Stream, reason))
			continue
		}
		used = append(used, s)
	}
	if len(tables) == 0 {
		return Suggestion{}, &core.Error{Kind: core.KindConfig, Op: "suggest identity " + name, Err: fmt.Errorf("no table has landed yet"), Try: "unsilo run"}
	}
	if len(used) == 0 {
		return Suggestion{}, &core.Error{Kind: core.KindConfig, Op: "suggest identity " + name, Err: fmt.Errorf("no table describes a %s", name),
			Try: "give the streams means = { column = \"person.email\" }"}
	}
	out := Suggestion{}
	var b strings.Builder
	fmt.Fprintf(&b, "identity %q {\n", name)
	if entity != entityOf(name) {
		fmt.Fprintf(&b, "  entity = %q\n\n", entity)
	}
	var loose []string
	for i, s := range used {
		if i > 0 {
			b.WriteString("\n")
		}
		writeRecord(&b, s)
		for _, c := range s.columns {
			out.Columns = append(out.Columns, SuggestedColumn{s.Source.Source, s.Stream, c.column, c.attribute, string(s.means[c.column]), c.masked})
			if strings.HasSuffix(c.attribute, "_id") && s.means[c.column] == "" && !slices.Contains(loose, c.attribute) {
				loose = append(loose, c.attribute)
			}
		}
	}
	for _, a := range loose {
		fmt.Fprintf(&b, "\n  # Without a declared meaning nobody knows whether equal values are one %s.\n  identifier %q {\n    links = false\n  }\n", name, a)
	}
	if len(left) > 0 {
		b.WriteString("\n  # Left out:\n" + strings.Join(left, ""))
	}
	b.WriteString("}\n")
	out.HCL = b.String()
	return out, nil
}

// suggestTable maps a table's columns; reason tells why it is of no use.
func suggestTable(entity string, t core.Table) (s suggestion, reason string) {
	l := &layout{entity: entity}
	s.table, s.key, s.means = t.Name, defaultKey(t), map[string]core.Means{}
	s.guessed = len(t.Key) == 0 && len(s.key) > 0
	s.Source.Source, s.Stream = sourceOf(t.Name)
	s.name = plainName(s.Source.Source + "_" + s.Stream)
	for _, f := range t.Schema.Fields() {
		s.means[f.Name] = core.MeansOf(f)
	}
	l.infer(&s.recordSource, t, func(string) bool { return false })
	// Several phone numbers are one attribute: columns stand together.
	slices.SortStableFunc(s.columns, func(a, b mapping) int {
		return cmp.Compare(slices.IndexFunc(s.columns, func(m mapping) bool { return m.attribute == a.attribute }),
			slices.IndexFunc(s.columns, func(m mapping) bool { return m.attribute == b.attribute }))
	})
	return s, s.useless(entity, l)
}

// useless says why a table does not describe the entity, or nothing when it does.
func (s *suggestion) useless(entity string, l *layout) string {
	personal := false
	var ids []string
	for _, m := range s.means {
		personal = personal || strings.HasPrefix(string(m), "person.")
	}
	for _, c := range s.columns {
		if strings.HasSuffix(c.attribute, "_id") && !ofEmployer(entity, c.attribute) && !slices.Contains(ids, c.attribute) {
			ids = append(ids, c.attribute)
		}
	}
	switch {
	case len(s.columns) == 0:
		return "no column tells who or what a row is about"
	case entity == entityThing && personal:
		return "it is about people"
	case entity == entityFirm && !s.describes("company", "domain", "name", "title"):
		return "it names no firm"
	case entity != entityPerson:
		return ""
	case len(l.guessed) == len(l.attributes):
		return s.uselessList()
	case s.describes("full_name", "first_name", "last_name", "email", "phone", "handle", "cookie", "national_id", "iban", "birth_date") || len(ids) > 1:
		return ""
	case len(ids) == 1:
		return fmt.Sprintf("it only refers to people, by %s = %s; join it on that", ids[0], s.columnFor(ids[0]))
	}
	return "nothing in it tells one person from another"
}

// uselessList judges a list without meanings by the names of its columns: one that looks
// like a person's is chance, two are a person.
func (s *suggestion) uselessList() string {
	signs := 0
	for _, a := range [][]string{{"full_name", "first_name", "last_name"}, {"email"}, {"phone"}, {"birth_date", "birth_year"}, {"street", "postcode", "city", "address"},
		{"handle"}, {"gender"}, {"ssn", "national_id", "passport"}} {
		if s.describes(a...) {
			signs++
		}
	}
	if signs > 1 || s.describes("email", "phone") {
		return ""
	}
	return "its columns have no declared meanings, and their names do not look like those of people"
}

func (s *suggestion) columnFor(attribute string) string {
	return s.columns[slices.IndexFunc(s.columns, func(m mapping) bool { return m.attribute == attribute })].column
}

// describes reports whether a column fills one of the attributes.
func (s *suggestion) describes(attributes ...string) bool {
	return slices.ContainsFunc(s.columns, func(m mapping) bool {
		return slices.ContainsFunc(attributes, func(a string) bool { return m.attribute == a || strings.HasSuffix(m.attribute, "_"+a) })
	})
}

// writeRecord writes the record block of a table. A log of what devices did becomes one
// record for each device.
func writeRecord(b *strings.Builder, s suggestion) {
	fmt.Fprintf(b, "  record %q {\n", s.name)
	lines := [][2]string{{"from", "source." + s.Source.Source + "." + s.Stream}}
	switch {
	case s.describes("cookie") && !s.describes("email", "phone", "full_name", "last_name"):
		lines = append(lines, [2]string{"key", fmt.Sprintf("[%q]", s.columnFor("cookie"))}, [2]string{"grain", `"distinct"`})
	case s.guessed:
		lines = append(lines, [2]string{"key", fmt.Sprintf("[%q]", s.key[0])})
	}
	if s.updated != "" {
		lines = append(lines, [2]string{"updated_at", fmt.Sprintf("%q", s.updated)})
	}
	writeAligned(b, "    ", lines)
	b.WriteString("    map {\n")
	lines = nil
	for i := 0; i < len(s.columns); {
		attribute := s.columns[i].attribute
		var columns []string
		for ; i < len(s.columns) && s.columns[i].attribute == attribute; i++ {
			columns = append(columns, fmt.Sprintf("%q", s.columns[i].column))
		}
		value := columns[0]
		if len(columns) > 1 {
			value = "[" + strings.Join(columns, ", ") + "]"
		}
		lines = append(lines, [2]string{attribute, value})
	}
	writeAligned(b, "      ", lines)
	b.WriteString("    }\n  }\n")
}

// writeAligned writes name = value lines as the formatter would.
func writeAligned(b *strings.Builder, indent string, lines [][2]string) {
	width := 0
	for _, l := range lines {
		width = max(width, len(l[0]))
	}
	for _, l := range lines {
		fmt.Fprintf(b, "%s%-*s = %s\n", indent, width, l[0], l[1])
	}
}
