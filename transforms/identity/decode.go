package identity

import (
	"cmp"
	"fmt"
	"slices"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/zclconf/go-cty/cty"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity/frame"
)

// Model is one identity block: a core.Model whose Build finds out who is who. Its other
// methods serve the identity commands; they read the tables that Build wrote.
type Model struct {
	store
	def   definition
	rules compiled
	// from lists the tables of each record block, or of the block's own from.
	from   [][]core.TableName
	maps   []map[string][]string
	tables externalTables
	inputs []core.TableName
	print  string

	mu      sync.Mutex
	planned map[core.TableName]core.Table
}

// externalTables are tables that the block reads besides its records.
type externalTables struct {
	must, cannot, labels []core.TableName
	events               [][]core.TableName
}

// Decode reads the body of an identity block. reads are all tables that the block refers
// to; eval knows their names. Diagnostics point at the block's own lines.
func Decode(name string, body hcl.Body, eval *hcl.EvalContext, reads []core.TableName) (core.Model, hcl.Diagnostics) {
	m, diags := decode(name, body, eval, reads)
	if diags.HasErrors() {
		return nil, diags
	}
	return m, diags
}

func decode(name string, body hcl.Body, eval *hcl.EvalContext, reads []core.TableName) (*Model, hcl.Diagnostics) {
	m := &Model{store: store{name}}
	diags := gohcl.DecodeBody(body, eval, &m.def)
	if diags.HasErrors() {
		return nil, diags
	}
	if m.def.Entity == "" {
		m.def.Entity = entityOf(name)
	}
	diags = append(diags, m.decodeRecords(eval)...)
	diags = append(diags, m.decodeTables(eval)...)
	diags = append(diags, m.decodeFiles(eval)...)
	var more hcl.Diagnostics
	m.rules, more = compile(&m.def)
	diags = append(diags, more...)
	diags = append(diags, m.checkMapped()...)
	m.inputs = slices.Clone(reads)
	for _, list := range slices.Concat(m.from, m.tables.events, [][]core.TableName{m.tables.must, m.tables.cannot, m.tables.labels}) {
		m.inputs = append(m.inputs, list...)
	}
	slices.SortFunc(m.inputs, compareTables)
	m.inputs = slices.Compact(m.inputs)
	if len(slices.Concat(m.from...)) == 0 && !diags.HasErrors() {
		r := body.MissingItemRange()
		diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "An identity needs records",
			Detail: "Name the tables to match, such as from = [source.crm.contacts], or write record blocks.", Subject: &r})
	}
	m.print = fingerprint(name, m)
	return m, diags
}

func compareTables(a, b core.TableName) int {
	return cmp.Or(cmp.Compare(a.Schema, b.Schema), cmp.Compare(a.Name, b.Name))
}

func (m *Model) decodeRecords(eval *hcl.EvalContext) hcl.Diagnostics {
	var diags hcl.Diagnostics
	if m.def.From != nil {
		tables, more := tableNames(m.def.From, eval)
		diags = append(diags, more...)
		for _, t := range tables {
			m.from = append(m.from, []core.TableName{t})
			m.maps = append(m.maps, nil)
			source, stream := sourceOf(t)
			m.def.Records = append(m.def.Records, recordBlock{Name: source + "_" + stream, Range: m.def.From.Range()})
		}
		// The records of from come after those of record blocks.
		n := len(m.def.Records) - len(tables)
		m.from, m.maps = append(make([][]core.TableName, n), m.from...), append(make([]map[string][]string, n), m.maps...)
	} else {
		m.from, m.maps = make([][]core.TableName, len(m.def.Records)), make([]map[string][]string, len(m.def.Records))
	}
	seen := map[string]bool{}
	for i, r := range m.def.Records {
		if seen[r.Name] {
			diags = append(diags, fault(r.Range, fmt.Sprintf("There are two records called %q", r.Name), "Give each record block a name of its own."))
		}
		seen[r.Name] = true
		if r.From == nil {
			continue
		}
		tables, more := tableNames(r.From, eval)
		diags = append(diags, more...)
		if len(tables) != 1 && !more.HasErrors() {
			diags = append(diags, fault(r.From.Range(), "A record comes from one table", "Write one record block for each table."))
		}
		m.from[i] = tables
		if r.Map != nil {
			m.maps[i], more = columnLists(r.Map, eval)
			diags = append(diags, more...)
		}
	}
	return diags
}

// columnLists reads attribute = "column" and attribute = ["column", ...].
func columnLists(b *mapBlock, eval *hcl.EvalContext) (map[string][]string, hcl.Diagnostics) {
	var diags hcl.Diagnostics
	lists := map[string][]string{}
	for name, attr := range b.Columns {
		value, more := attr.Expr.Value(eval)
		diags = append(diags, more...)
		if more.HasErrors() {
			continue
		}
		values := []cty.Value{value}
		if t := value.Type(); t.IsTupleType() || t.IsListType() {
			values = value.AsValueSlice()
		}
		for _, v := range values {
			if v.IsNull() || v.Type() != cty.String {
				diags = append(diags, fault(attr.Expr.Range(), "This is not a column name", "Write the column's name in quotes, or a list of names."))
				break
			}
			lists[name] = append(lists[name], v.AsString())
		}
	}
	return lists, diags
}

func (m *Model) decodeTables(eval *hcl.EvalContext) hcl.Diagnostics {
	var diags hcl.Diagnostics
	read := func(expr hcl.Expression) []core.TableName {
		if expr == nil {
			return nil
		}
		tables, more := tableNames(expr, eval)
		diags = append(diags, more...)
		return tables
	}
	if o := m.def.Override; o != nil {
		m.tables.must, m.tables.cannot = read(o.MustLink), read(o.CannotLink)
	}
	if g := m.def.Guardrail; g != nil {
		for _, c := range g.CannotLink {
			m.tables.cannot = append(m.tables.cannot, read(c.Table)...)
		}
	}
	if e := m.def.Evaluate; e != nil {
		if m.tables.labels = read(e.Labels); len(m.tables.labels) == 0 && e.Truth == "" {
			diags = append(diags, fault(e.Range, "evaluate needs labels",
				"Write labels = source.x.y, a table of pairs or clusters, or truth = \"column\" when the records themselves say it."))
		}
	}
	for i, s := range m.def.Stitches {
		m.tables.events = append(m.tables.events, read(s.Event))
		if s.Map == nil {
			continue
		}
		lists, more := columnLists(s.Map, eval)
		diags = append(diags, more...)
		m.def.Stitches[i].columns = map[string]string{}
		for name, columns := range lists {
			m.def.Stitches[i].columns[name] = columns[0]
		}
	}
	return diags
}

func fault(at hcl.Range, summary, detail string) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: &at}
}

func validKind(k string) bool { return slices.Contains(frame.Kinds(), frame.Kind(k)) }
