package identity

import (
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity/frame"
)

// maskKey is the field metadata key that names the mask a column went through.
const maskKey = "unsilo.mask"

// recordSource says where one kind of record comes from and which columns fill which
// attributes.
type recordSource struct {
	frame.Source
	table    core.TableName
	key      []string
	keyType  arrow.DataType // of a key of one column
	updated  string
	observed string
	columns  []mapping
}

type mapping struct {
	column    string
	attribute string
	masked    bool
}

// attribute is one field of the records, whatever the sources call it.
type attribute struct {
	name      string
	kind      frame.Kind // "" until the data have told
	masked    bool
	normalise []string
	compare   bool
}

// layout is what the tables and the block together say about the records.
type layout struct {
	entity     string
	sources    []recordSource
	attributes []attribute
	notes      []string
	// reports are what reading the records brought to light.
	reports []string
	// guessed attributes come from a column's name, not from a declared meaning.
	guessed map[string]bool
}

func (l *layout) report(format string, args ...any) {
	l.reports = append(l.reports, fmt.Sprintf(format, args...))
}

func (l *layout) attribute(name string) *attribute {
	for i := range l.attributes {
		if l.attributes[i].name == name {
			return &l.attributes[i]
		}
	}
	return nil
}

// add maps a column to an attribute, making the attribute when it is new. A masked column
// makes the whole attribute masked: tokens and plain values never agree.
func (l *layout) add(s *recordSource, column string, a attributeOf, masked bool) {
	s.columns = append(s.columns, mapping{column, a.name, masked})
	have := l.attribute(a.name)
	if have == nil {
		l.attributes = append(l.attributes, attribute{name: a.name, kind: a.kind, masked: masked, compare: !ofEmployer(l.entity, a.name)})
		return
	}
	have.masked = have.masked || masked
	if have.kind == "" {
		have.kind = a.kind
	}
}

// sourceOf takes source and stream from a table's name: raw_crm.contacts is stream
// contacts of source crm.
func sourceOf(t core.TableName) (source, stream string) {
	return strings.TrimPrefix(t.Schema, "raw_"), t.Name
}

// fieldMask reads the mask of a column: usable says whether its values can be compared,
// exact that only equality means anything.
func fieldMask(f arrow.Field) (usable, exact bool) {
	switch v, _ := f.Metadata.GetValue(maskKey); v {
	case "", "keep":
		return true, false
	case "hmac", "tokenise", "tokenize":
		return true, true
	}
	return false, false
}

// infer maps the columns of a table by their meanings and, failing that, their names.
// taken columns (the key) and excluded ones are left out.
func (l *layout) infer(s *recordSource, table core.Table, exclude func(string) bool) {
	hasMeaning := false
	for _, f := range table.Schema.Fields() {
		hasMeaning = hasMeaning || core.MeansOf(f) != ""
	}
	for _, f := range table.Schema.Fields() {
		usable, exact := fieldMask(f)
		if !usable || exclude(f.Name) || strings.HasPrefix(f.Name, "_") {
			continue
		}
		means := core.MeansOf(f)
		if a, ok := meaning(means, l.entity); ok {
			l.add(s, f.Name, a, exact)
			continue
		}
		if s.updated == "" && (means == core.EventTime || isUpdateName(f.Name)) {
			s.updated = f.Name
			continue
		}
		// Where meanings are declared they are the whole truth about people; a list of
		// things has none and is read by its columns' names.
		if means != "" && means != core.NotPersonal && means != core.MoneyAmount && means != core.TextFree ||
			hasMeaning && l.entity == entityPerson {
			continue
		}
		if isKey(s.key, f.Name) || nested(f.Type) {
			continue
		}
		if a, ok := guess(f, l.entity); ok {
			if l.guessed == nil {
				l.guessed = map[string]bool{}
			}
			if s.has(a.name) && a.kind != frame.Phone && a.kind != frame.Email {
				a.name = plainName(f.Name) // a second column of the same sort speaks for itself
			}
			l.guessed[a.name] = true
			l.add(s, f.Name, a, exact)
		}
	}
	l.preferParts(s)
}

// has reports whether a column of the source fills the attribute already.
func (s *recordSource) has(attribute string) bool {
	return slices.ContainsFunc(s.columns, func(m mapping) bool { return m.attribute == attribute })
}

func isUpdateName(name string) bool {
	switch plainName(name) {
	case "updated_at", "modified", "modified_at", "last_modified", "write_date", "last_updated":
		return true
	}
	return false
}

func nested(t arrow.DataType) bool {
	switch t.ID() {
	case arrow.STRUCT, arrow.MAP, arrow.SPARSE_UNION, arrow.DENSE_UNION:
		return true
	}
	return false
}

func isKey(key []string, column string) bool {
	for _, k := range key {
		if k == column {
			return true
		}
	}
	return false
}

// preferParts drops the full name of a source that has its parts.
func (l *layout) preferParts(s *recordSource) {
	has := map[string]bool{}
	for _, m := range s.columns {
		has[m.attribute] = true
	}
	if !has["first_name"] || !has["last_name"] || !has["full_name"] {
		return
	}
	kept := s.columns[:0]
	for _, m := range s.columns {
		if m.attribute != "full_name" {
			kept = append(kept, m)
		}
	}
	s.columns = kept
}
