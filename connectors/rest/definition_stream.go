package rest

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/unsilo/unsilo/connectors/rows"
	"github.com/unsilo/unsilo/core"
)

// streamDef describes one stream.
type streamDef struct {
	name, help  string
	main        *variant
	first       *variant // the first read; nil: like main
	keys        *variant // KeysOnly; nil: like first
	feed        *feedDef
	decode      string
	separator   byte
	optional    bool // an answer without records at the path has none
	single      bool // an answer is one record, not a list
	filter      *expr
	nested      rows.Nested
	lift        []string
	falseIsNull bool
	primaryKey  []string
	means       map[string]core.Means
	columns     []rows.Column
	closed      bool
	choice      choice
	declared    bool
	add         []addition
	cursor      *cursorDef
	partition   *partitionDef
	deletes     core.DeleteMode
	flag        string
	rules       []ruleDef
	maps        []core.Mapping
}

// variant is one way to ask for records.
type variant struct {
	request  *requestDef
	records  []string
	paginate pageDef
	budget   string
}

// feedDef is a listing of rows that are gone.
type feedDef struct {
	variant
	filter *expr
	every  *expr
	time   *rows.Column // when a row went; nil: the feed does not say
	keys   []rows.Column
}

// addition is a column that is the same for all rows of a partition.
type addition struct {
	name  string
	value *expr
}

// choice lets the configuration say which members of an object become columns.
type choice struct {
	names *expr
	usual []string // without a say
	path  []string
}

type partitionDef struct {
	stream      string
	incremental bool
	values      *expr
}

// The names that requests, paging and additions can use.
func requestRoots() []string {
	return []string{"config", "option", "fields", "window", "page", "parent", "partition"}
}
func pageRoots() []string { return []string{"config", "option", "response", "page"} }
func addRoots() []string  { return []string{"config", "option", "parent", "partition"} }
func filterRoots() []string {
	return []string{"config", "option", "record", "parent", "partition", "window"}
}

func (c *compiler) stream(b streamBlock) *streamDef {
	s := &streamDef{name: b.Name, help: b.Help, optional: b.Optional, single: b.Single, falseIsNull: b.FalseIsNull, primaryKey: b.PrimaryKey, lift: b.Lift,
		filter: c.compile(b.Filter, filterRoots()...), rules: c.rules(b.Rules), deletes: core.DeleteNone}
	request := requestBlock{Path: b.Path, Method: b.Method, Query: b.Query, Headers: b.Headers, JSON: b.JSON, Form: b.Form, Range: b.Range}
	s.main = &variant{request: c.request(request, requestRoots()...), records: splitPath(b.Records), budget: b.Budget}
	if p, ok := single(c, "paginate", b.Paginate, func(b paginateBlock) hcl.Range { return b.Range }); ok {
		s.main.paginate = c.paginate(p)
	} else {
		s.main.paginate = pageDef{kind: "none"}
	}
	s.decode = c.oneOf(b.Range, "decode", b.Decode, "json", "jsonl", "csv")
	s.separator = ','
	if b.Separator != "" {
		s.separator = b.Separator[0]
	}
	if c.oneOf(b.Range, "nested", b.Nested, "text", "struct") == "struct" {
		s.nested = rows.NestedStruct
	}
	if schema, ok := single(c, "schema", b.Schema, func(schemaBlock) hcl.Range { return b.Range }); ok {
		c.schema(s, schema)
	}
	c.meanings(s, b)
	c.additions(s, b.Add)
	if cur, ok := single(c, "incremental", b.Incremental, func(b cursorBlock) hcl.Range { return b.Range }); ok {
		c.incremental(s, cur)
	}
	if first, ok := single(c, "first", b.First, func(b variantBlock) hcl.Range { return b.Range }); ok {
		s.first = c.variant(s.main, first)
	}
	if p, ok := single(c, "partition", b.Partition, func(b partitionBlock) hcl.Range { return b.Range }); ok {
		s.partition = c.partition(p)
	}
	if del, ok := single(c, "deletes", b.Deletes, func(b deletesBlock) hcl.Range { return b.Range }); ok {
		c.deletes(s, del)
	}
	for _, m := range b.Maps {
		s.maps = append(s.maps, core.Mapping{Table: m.Table, Columns: m.Columns})
	}
	c.coherent(s, b)
	return s
}

// coherent checks what concerns several parts of a stream.
func (c *compiler) coherent(s *streamDef, b streamBlock) {
	if s.cursor != nil && s.cursor.token != nil && s.partition != nil {
		c.fail(b.Range, "A token cannot be kept for every partition", `Use incremental "datetime", or no partition.`)
	}
	if s.declared && s.closed {
		for _, key := range s.primaryKey {
			if !s.has(key) {
				c.fail(b.Range, fmt.Sprintf("The schema has no column %q", key), "The primary key must be among the columns.")
			}
		}
	}
	if s.main.paginate.cap > 0 && s.main.paginate.key == "" && (len(s.primaryKey) == 0 || s.cursor == nil || s.cursor.token != nil) {
		c.fail(b.Range, "A row cap without a way around it", `Windows are cut at the cap with incremental "datetime" and a primary key; else set key.`)
	}
	if s.deletes == core.DeleteFeed || s.deletes == core.DeleteReconcile {
		if len(s.primaryKey) == 0 {
			c.fail(b.Range, "Deletes need a primary key", `Add primary_key = ["id"].`)
		}
	}
}

func (s *streamDef) has(column string) bool {
	return slices.ContainsFunc(s.columns, func(col rows.Column) bool { return col.Field.Name == column })
}

// variant is base with what the block changes. Paging and records stay as they are
// unless the block says otherwise.
func (c *compiler) variant(base *variant, b variantBlock) *variant {
	v := *base
	request := *base.request
	roots := requestRoots()
	if p := c.compile(b.Path, roots...); p != nil {
		request = requestDef{path: p} // another resource: nothing of the old request fits
		request.method = ""
	}
	for _, part := range []struct {
		to   **expr
		from hcl.Expression
	}{{&request.query, b.Query}, {&request.headers, b.Headers}, {&request.json, b.JSON}, {&request.form, b.Form}} {
		if x := c.compile(part.from, roots...); x != nil {
			*part.to = x
		}
	}
	if b.Method != "" || request.method == "" {
		request.method = c.method(b.Range, b.Method, request.json != nil || request.form != nil)
	}
	v.request = &request
	if b.Records != nil {
		v.records = splitPath(*b.Records)
	}
	if b.Budget != "" {
		v.budget = b.Budget
	}
	if p, ok := single(c, "paginate", b.Paginate, func(b paginateBlock) hcl.Range { return b.Range }); ok {
		v.paginate = c.paginate(p)
	}
	return &v
}

func (c *compiler) partition(b partitionBlock) *partitionDef {
	p := &partitionDef{stream: b.Stream, incremental: b.Incremental, values: c.compile(b.Values, "config", "option")}
	switch c.oneOf(b.Range, "partition kind", b.Kind, "parent", "list") {
	case "parent":
		if p.stream == "" {
			c.fail(b.Range, "The parent stream is missing", `Add stream = "name".`)
		}
	case "list":
		if p.values == nil {
			c.fail(b.Range, "The values are missing", "Add values = config.accounts, for example.")
		}
	}
	return p
}

func (c *compiler) deletes(s *streamDef, b deletesBlock) {
	mode := c.oneOf(b.Range, "delete mode", b.Mode, "none", "flag", "feed", "reconcile")
	s.deletes, s.flag = core.DeleteMode(mode), b.Field
	other := variantBlock{Path: b.Path, Method: b.Method, Query: b.Query, Headers: b.Headers, JSON: b.JSON, Form: b.Form,
		Records: b.Records, Budget: b.Budget, Paginate: b.Paginate, Range: b.Range}
	switch s.deletes {
	case core.DeleteFlag:
		if b.Field == "" {
			c.fail(b.Range, "The column is missing", `Add field = "deleted_at".`)
		}
	case core.DeleteFeed:
		s.feed = &feedDef{variant: *c.variant(s.main, other), filter: c.compile(b.Filter, filterRoots()...),
			every: c.compile(b.Every, "config", "option")}
		if b.Time != "" {
			col := timeColumn("deleted at")
			col.Path = splitPath(b.Time)
			s.feed.time = &col
		}
		for _, name := range s.primaryKey {
			col := s.column(name)
			if path, ok := b.Keys[name]; ok {
				col.Path = splitPath(path)
			}
			s.feed.keys = append(s.feed.keys, col)
		}
	case core.DeleteReconcile:
		base := s.main
		if s.first != nil {
			base = s.first
		}
		s.keys = c.variant(base, other)
	}
}

func (c *compiler) additions(s *streamDef, e hcl.Expression) {
	object, ok := e.(*hclsyntax.ObjectConsExpr)
	if !ok {
		if _, given := e.(hclsyntax.Expression); given {
			c.fail(e.Range(), "add must be an object", "Write add = { account_id = parent.id }.")
		}
		return
	}
	for _, item := range object.Items {
		name, diags := item.KeyExpr.Value(nil)
		if diags.HasErrors() {
			c.diags = append(c.diags, diags...)
			continue
		}
		s.add = append(s.add, addition{name: name.AsString(), value: c.compile(item.ValueExpr, addRoots()...)})
	}
	for i, a := range s.add {
		if k := slices.IndexFunc(s.columns, func(col rows.Column) bool { return col.Field.Name == a.name }); k >= 0 {
			s.columns[k].Constant = true
			continue
		}
		col := textColumn(s.add[i].name)
		col.Constant = true
		if m, ok := s.means[a.name]; ok {
			col.Field = core.WithMeans(col.Field, m)
		}
		s.columns = append(s.columns, col)
	}
}

// meanings reads the means of columns that the schema does not declare.
func (c *compiler) meanings(s *streamDef, b streamBlock) {
	s.means = map[string]core.Means{}
	for name, m := range b.Means {
		s.means[name] = core.Means(m)
		if !core.Means(m).Valid() {
			c.fail(b.Range, fmt.Sprintf("Unknown meaning %q", m), hint(m, meaningNames()))
		}
	}
	for i, col := range s.columns {
		if m, ok := s.means[col.Field.Name]; ok {
			s.columns[i].Field = core.WithMeans(col.Field, m)
		}
	}
}

func meaningNames() []string {
	var out []string
	for _, m := range core.Vocabulary() {
		out = append(out, string(m))
	}
	return out
}

// budgetNames are the budgets that the stream refers to.
func (s *streamDef) budgetNames() []string {
	var out []string
	for _, v := range s.variants() {
		if v.budget != "" {
			out = append(out, v.budget)
		}
	}
	return out
}

func (s *streamDef) variants() []*variant {
	out := []*variant{s.main}
	for _, v := range []*variant{s.first, s.keys} {
		if v != nil {
			out = append(out, v)
		}
	}
	if s.feed != nil {
		out = append(out, &s.feed.variant)
	}
	return out
}

// exprs are all expressions of the stream.
func (s *streamDef) exprs() []*expr {
	out := []*expr{s.filter, s.choice.names}
	for _, v := range s.variants() {
		out = append(append(out, v.request.exprs()...), v.paginate.exprs()...)
	}
	if s.cursor != nil {
		out = append(out, s.cursor.start, s.cursor.step, s.cursor.lag, s.cursor.token)
	}
	if s.partition != nil {
		out = append(out, s.partition.values)
	}
	for _, a := range s.add {
		out = append(out, a.value)
	}
	for _, r := range s.rules {
		out = append(out, r.when, r.message, r.wait)
	}
	return out
}
