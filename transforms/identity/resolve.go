package identity

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity/frame"
)

// resolve says, from the tables as they are, which columns fill which attributes.
func (m *Model) resolve(tables map[core.TableName]core.Table) (*layout, error) {
	l := &layout{entity: m.def.Entity}
	for i, r := range m.def.Records {
		if len(m.from[i]) == 0 {
			continue
		}
		table, ok := tables[m.from[i][0]]
		if !ok {
			return nil, &core.Error{Kind: core.KindConfig, Op: "plan identity." + m.name, Path: "from",
				Err: fmt.Errorf("there is no table %s", m.from[i][0]), Try: "run the source first, or check the stream's name"}
		}
		source, stream := sourceOf(table.Name)
		s := recordSource{table: table.Name, key: r.Key, updated: r.UpdatedAt, observed: r.ObservedAt}
		s.Source = frame.Source{Record: r.Name, Source: source, Stream: stream, Trust: 50, Distinct: r.Grain == "distinct"}
		if r.Trust != nil {
			s.Trust = *r.Trust
		}
		if len(s.key) == 0 {
			s.key = defaultKey(table)
		}
		if err := m.mapRecord(l, &s, i, table); err != nil {
			return nil, err
		}
		l.sources = append(l.sources, s)
	}
	// Records are numbered in an order that does not depend on that of the blocks.
	slices.SortStableFunc(l.sources, func(a, b recordSource) int {
		return strings.Compare(a.Source.Source+"\x00"+a.Stream+"\x00"+a.Record, b.Source.Source+"\x00"+b.Stream+"\x00"+b.Record)
	})
	if l.splitsNames() {
		l.addNameParts()
	}
	m.applyBlocks(l)
	l.noteMasks()
	return l, nil
}

// defaultKey finds a key: the table's own, or a column that is called id.
func defaultKey(t core.Table) []string {
	if len(t.Key) > 0 {
		return t.Key
	}
	for _, want := range []string{"id", "rec_id", "record_id", "unique_id", "uuid", "row_id", t.Name.Name + "_id"} {
		for _, f := range t.Schema.Fields() {
			if plainName(f.Name) == want {
				return []string{f.Name}
			}
		}
	}
	return nil
}

func (m *Model) mapRecord(l *layout, s *recordSource, i int, table core.Table) error {
	has := func(column string) bool { return len(table.Schema.FieldIndices(column)) == 1 }
	for _, column := range append(slices.Clone(s.key), s.updated, s.observed) {
		if column != "" && !has(column) {
			return m.missing(s.Record, column, table)
		}
	}
	if len(s.key) == 1 {
		s.keyType = table.Schema.Field(table.Schema.FieldIndices(s.key[0])[0]).Type
	}
	if m.maps[i] == nil {
		truth := ""
		if m.def.Evaluate != nil {
			truth = m.def.Evaluate.Truth
		}
		l.infer(s, table, func(c string) bool { return slices.Contains(m.def.Exclude, c) || c == truth })
		return nil
	}
	names := make([]string, 0, len(m.maps[i]))
	for name := range m.maps[i] {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		for _, column := range m.maps[i][name] {
			if !has(column) {
				return m.missing(s.Record, column, table)
			}
			field := table.Schema.Field(table.Schema.FieldIndices(column)[0])
			usable, exact := fieldMask(field)
			if !usable {
				l.notes = append(l.notes, fmt.Sprintf("%s.%s is masked beyond comparison and is left out", table.Name, column))
				continue
			}
			l.add(s, column, m.kindOf(name, field, l.entity), exact)
		}
	}
	return nil
}

func (m *Model) missing(record, column string, table core.Table) error {
	var have []string
	for _, f := range table.Schema.Fields() {
		have = append(have, f.Name)
	}
	return &core.Error{Kind: core.KindConfig, Op: "plan identity." + m.name, Path: "record." + record,
		Err: fmt.Errorf("table %s has no column %q", table.Name, column),
		Try: "choose one of " + strings.Join(have, ", ")}
}

// applyBlocks lets attribute and identifier blocks override what was inferred.
func (m *Model) applyBlocks(l *layout) {
	for _, b := range m.def.Attributes {
		if a := l.attribute(b.Name); a != nil {
			if b.Kind != "" {
				a.kind = frame.Kind(b.Kind)
			}
			a.normalise = b.Normalize
			if b.Compare != nil {
				a.compare = *b.Compare
			}
		}
	}
	for _, b := range m.def.Identifiers {
		a := l.attribute(b.Name)
		if a == nil {
			continue
		}
		if a.kind == "" {
			a.kind = frame.ID
		}
		if len(b.Normalize) > 0 {
			a.normalise = b.Normalize
		}
	}
	for i := range l.attributes {
		if l.attributes[i].masked {
			l.attributes[i].kind, l.attributes[i].normalise = frame.Token, nil
		}
	}
}

// noteMasks warns of attributes that are masked in one source and plain in another.
func (l *layout) noteMasks() {
	for _, a := range l.attributes {
		if !a.masked {
			continue
		}
		for _, s := range l.sources {
			for _, c := range s.columns {
				if c.attribute == a.name && !c.masked {
					l.notes = append(l.notes, fmt.Sprintf("%s is masked in one source and plain in %s: the two never agree; mask both the same way",
						a.name, s.table))
				}
			}
		}
	}
}

// kindOf finds the kind of a mapped attribute: by its column's meaning, then by the names
// of attribute and column.
func (m *Model) kindOf(name string, field arrow.Field, entity string) attributeOf {
	if a, ok := meaning(core.MeansOf(field), entity); ok {
		return attributeOf{name, a.kind}
	}
	if m.identifier(name) != nil {
		if a, ok := guess(arrow.Field{Name: name, Type: field.Type}, entity); ok && a.kind != "" && a.kind != frame.Category {
			return attributeOf{name, a.kind}
		}
		return attributeOf{name, frame.ID}
	}
	for _, candidate := range []string{name, field.Name} {
		if a, ok := guess(arrow.Field{Name: candidate, Type: field.Type}, entity); ok && a.kind != "" {
			return attributeOf{name, a.kind}
		}
	}
	return attributeOf{name, ""}
}
