package rest

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/hashicorp/hcl/v2"

	"github.com/unsilo/unsilo/connectors/rows"
	"github.com/unsilo/unsilo/core"
)

// schema reads the declared columns.
func (c *compiler) schema(s *streamDef, b schemaBlock) {
	s.declared, s.closed = true, b.Closed
	s.choice = choice{names: c.compile(b.Select, "config", "option"), path: splitPath(b.SelectPath), usual: b.SelectDefault}
	for _, f := range b.Fields {
		if s.has(f.Name) {
			c.fail(f.Range, fmt.Sprintf("Column %q appears twice", f.Name), "Give one of them another name.")
			continue
		}
		s.columns = append(s.columns, c.column(f))
	}
	// The builder finds names and paths that contradict each other.
	if _, err := rows.NewBuilder(rows.Options{Columns: s.columns}); err != nil && len(b.Fields) > 0 {
		c.fail(b.Fields[0].Range, "Columns contradict each other", err.Error())
	}
}

func (c *compiler) column(b columnBlock) rows.Column {
	col := rows.Column{Format: b.Format, JSON: b.Type == "json"}
	t, err := arrowType(b.Type)
	if err != nil {
		c.fail(b.Range, "Unknown type", err.Error())
		t = arrow.BinaryTypes.String
	}
	col.Field = arrow.Field{Name: b.Name, Type: t, Nullable: true}
	if b.Path != "" {
		col.Path = splitPath(b.Path)
	}
	if b.Timezone != "" {
		if col.Zone, err = time.LoadLocation(b.Timezone); err != nil {
			c.fail(b.Range, "Unknown time zone", fmt.Sprintf("%q is not in the time zone database.", b.Timezone))
		}
	}
	if _, err := rows.NewTimeFormat(b.Format, col.Zone); err != nil {
		c.fail(b.Range, "Invalid format", err.Error())
	}
	if m := core.Means(b.Means); m != "" {
		if !m.Valid() {
			c.fail(b.Range, fmt.Sprintf("Unknown meaning %q", b.Means), hint(b.Means, meaningNames()))
		}
		col.Field = core.WithMeans(col.Field, m)
	}
	return col
}

var decimalType = regexp.MustCompile(`^decimal\((\d{1,2}), ?(\d{1,2})\)$`)

// arrowType reads a type's name.
func arrowType(name string) (arrow.DataType, error) {
	simple := map[string]arrow.DataType{
		"": arrow.BinaryTypes.String, "string": arrow.BinaryTypes.String, "json": arrow.BinaryTypes.String,
		"int": arrow.PrimitiveTypes.Int64, "float": arrow.PrimitiveTypes.Float64, "bool": arrow.FixedWidthTypes.Boolean,
		"date": arrow.FixedWidthTypes.Date32, "timestamp": arrow.FixedWidthTypes.Timestamp_us,
	}
	if t, ok := simple[name]; ok {
		return t, nil
	}
	if m := decimalType.FindStringSubmatch(name); m != nil {
		precision, _ := strconv.Atoi(m[1])
		scale, _ := strconv.Atoi(m[2])
		if precision >= 1 && precision <= 38 && scale <= precision {
			return &arrow.Decimal128Type{Precision: int32(precision), Scale: int32(scale)}, nil
		}
	}
	if elem, ok := strings.CutPrefix(name, "list("); ok && strings.HasSuffix(elem, ")") {
		t, err := arrowType(strings.TrimSuffix(elem, ")"))
		if err == nil && t.ID() != arrow.LIST {
			return arrow.ListOf(t), nil
		}
	}
	return nil, fmt.Errorf("%q is not one of string, int, float, bool, date, timestamp, json, decimal(p,s), list(type)", name)
}

func textColumn(name string) rows.Column {
	return rows.Column{Field: arrow.Field{Name: name, Type: arrow.BinaryTypes.String, Nullable: true}}
}

func timeColumn(name string) rows.Column {
	return rows.Column{Field: arrow.Field{Name: name, Type: arrow.FixedWidthTypes.Timestamp_us, Nullable: true}}
}

// column is the declared column of a name, or a text column.
func (s *streamDef) column(name string) rows.Column {
	for _, col := range s.columns {
		if col.Field.Name == name {
			return col
		}
	}
	return textColumn(name)
}

// pageDef says how to go from page to page.
type pageDef struct {
	kind                   string
	next, more, stop, size *expr
	total, totalPages      *expr
	sizeParam, param, rel  string
	start                  int64
	field, stopOn, key     string
	maxPages               int
	resumable              bool
	cap                    int64
}

func (p pageDef) exprs() []*expr {
	return []*expr{p.next, p.more, p.stop, p.total, p.totalPages, p.size}
}

func (c *compiler) paginate(b paginateBlock) pageDef {
	roots := pageRoots()
	p := pageDef{next: c.compile(b.Next, roots...), more: c.compile(b.More, roots...), stop: c.compile(b.Stop, roots...),
		total: c.compile(b.Total, roots...), totalPages: c.compile(b.TotalPages, roots...), size: c.compile(b.Size, "config", "option"), sizeParam: b.SizeParam, param: b.Param,
		rel: b.Rel, start: b.Start, field: b.Field, maxPages: b.MaxPages, resumable: b.Resumable, cap: b.Cap, key: b.Key}
	p.kind = c.oneOf(b.Range, "paginate kind", b.Kind, "none", "next_link", "link_header", "cursor", "offset", "page", "keyset")
	byNumber := p.kind == "offset" || p.kind == "page" || p.kind == "keyset"
	otherwise := "never"
	if byNumber {
		otherwise = "empty"
	}
	if b.StopOn == "" {
		b.StopOn = otherwise
	}
	p.stopOn = c.oneOf(b.Range, "stop_on", b.StopOn, "empty", "short", "never")
	needs := map[string]bool{"next": p.next != nil || (p.kind != "next_link" && p.kind != "cursor"),
		"size":  p.size != nil || (p.kind != "offset" && p.stopOn != "short"),
		"field": p.field != "" || p.kind != "keyset"}
	for name, there := range needs {
		if !there {
			c.fail(b.Range, fmt.Sprintf("paginate %q needs %s", p.kind, name), "Add it to the block.")
		}
	}
	if p.rel == "" {
		p.rel = "next"
	}
	if p.maxPages <= 0 {
		p.maxPages = 1_000_000
	}
	return p
}

// sortDiagnostics puts messages in the order of the text.
func sortDiagnostics(diags hcl.Diagnostics) hcl.Diagnostics {
	slices.SortStableFunc(diags, func(a, b *hcl.Diagnostic) int {
		if a.Subject == nil || b.Subject == nil {
			return 0
		}
		return a.Subject.Start.Byte - b.Subject.Start.Byte
	})
	return diags
}
