package identity

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/goccy/go-json"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity/frame"
)

const (
	tableGolden  = "golden"  // one row for each id, the best value of each attribute
	tableLineage = "lineage" // where the values of ids with several records come from
)

// goldenTable has a column for each attribute.
func (m store) goldenTable(l *layout) core.Table {
	fields := []arrow.Field{text(m.idColumn()), integer("records")}
	for _, a := range l.attributes {
		if a.name != m.idColumn() && a.name != "records" {
			fields = append(fields, text(a.name))
		}
	}
	return core.Table{Name: m.tableOf(tableGolden), Key: []string{m.idColumn()}, Schema: arrow.NewSchema(fields, nil)}
}

func (m store) lineageTable() core.Table {
	return core.Table{Name: m.tableOf(tableLineage), Key: nil, Schema: arrow.NewSchema([]arrow.Field{text(m.idColumn()), text("attribute"),
		text("rule"), text("source"), text("stream"), text("record_key")}, nil)}
}

// survivor is how the value of one attribute is chosen.
type survivor struct {
	column *frame.Column
	// rules in order: the first that tells two candidates apart decides.
	rules   []string
	sources []bool // allowed, by source; nil is all
	collect bool
	limit   int
}

// survivors reads the survivorship block. By default the most trusted source wins, then
// the most recent record, the most frequent value, and the most complete record.
func (p *pipeline) survivors(golden core.Table) []survivor {
	order := []string{"trust", "most_recent", "most_frequent", "most_complete"}
	b := p.model.def.Survivor
	if b != nil && len(b.Default) > 0 {
		order = b.Default
	}
	var out []survivor
	for _, field := range golden.Schema.Fields()[2:] {
		s := survivor{column: p.frame.Column(field.Name), rules: order}
		if b != nil {
			for _, f := range b.Fields {
				if f.Name != field.Name {
					continue
				}
				s.collect, s.limit = f.Rule == "collect_all", f.Limit
				if !s.collect {
					s.rules = append([]string{f.Rule}, order...)
				}
				if len(f.From) > 0 {
					s.sources = make([]bool, len(p.frame.Sources))
					for i, src := range p.frame.Sources {
						s.sources[i] = slices.Contains(f.From, src.Record)
					}
				}
			}
		}
		out = append(out, s)
	}
	return out
}

// writeGolden publishes one row for each id, and where its values come from: of all ids, or
// of those that are not as the last build left them.
func (p *pipeline) writeGolden(ctx context.Context, tx core.Tx) error {
	table, lineage := p.model.goldenTable(p.layout), p.model.lineageTable()
	standing, err := p.goldenStands(ctx, table)
	if err != nil {
		return err
	}
	if !standing {
		all := make([]int32, len(p.clusters))
		for c := range all {
			all[c] = int32(c)
		}
		for _, t := range []core.Table{table, lineage} {
			if err := replaceRows(ctx, tx, t, 0, nil); err != nil {
				return err
			}
		}
		return p.addGolden(ctx, tx, table, lineage, core.WriteAppend, all)
	}
	changed, left := p.changedIDs()
	forget := slices.Clone(left)
	for _, c := range changed {
		forget = append(forget, p.ids.IDs[c])
	}
	err = storeRows(ctx, tx, table, core.WriteDelete, len(left), func(i int, w *rowWriter) { w.key(left[i]) })
	if err != nil {
		return err
	}
	lineage.Key = []string{p.model.idColumn()} // all rows of an id go
	err = storeRows(ctx, tx, lineage, core.WriteDelete, len(forget), func(i int, w *rowWriter) { w.key(forget[i]) })
	if err != nil {
		return err
	}
	return p.addGolden(ctx, tx, table, lineage, core.WriteMerge, changed)
}

// goldenStands reports whether the golden records of the last build are there, have the same
// attributes, and come from records that can be told from changed ones.
func (p *pipeline) goldenStands(ctx context.Context, table core.Table) (bool, error) {
	if p.altered == nil {
		return false, nil
	}
	tables, err := p.req.Warehouse.Tables(ctx, core.SchemaIdentity)
	if err != nil {
		return false, fmt.Errorf("list tables of %s: %w", core.SchemaIdentity, err)
	}
	return fit(tables, table, p.model.lineageTable()), nil
}

// fit reports whether the tables that are wanted are there, with the same columns.
func fit(tables []core.Table, want ...core.Table) bool {
	names := func(t core.Table) []string {
		var out []string
		for _, f := range t.Schema.Fields() {
			out = append(out, f.Name)
		}
		return out
	}
	return !slices.ContainsFunc(want, func(w core.Table) bool {
		return !slices.ContainsFunc(tables, func(t core.Table) bool { return t.Name == w.Name && slices.Equal(names(t), names(w)) })
	})
}

// changedIDs lists the clusters that have other records than their ids had, or a record that
// says something else, and the ids that had records and have none.
func (p *pipeline) changedIDs() (changed []int32, left []string) {
	size := make([]int, len(p.former.known))
	for _, k := range p.former.idOf {
		size[k]++
	}
	held := make([]bool, len(size))
	for c, records := range p.clusters {
		k, known := p.former.index[p.ids.IDs[c]]
		if known {
			held[k] = true
		}
		same := known && size[k] == len(records) && !slices.ContainsFunc(records, func(r int32) bool {
			return p.altered[r] || p.former.find(p.frame.UID[r]) != k
		})
		if !same {
			changed = append(changed, int32(c))
		}
	}
	for k, n := range size {
		if n > 0 && !held[k] {
			left = append(left, p.former.known[k].ID)
		}
	}
	return changed, left
}

// addGolden writes the golden records of clusters, and the lineage of those with several
// records.
func (p *pipeline) addGolden(ctx context.Context, tx core.Tx, table, lineage core.Table, mode core.WriteMode, clusters []int32) error {
	survivors := p.survivors(table)
	complete := p.completeness()
	type origin struct{ cluster, survivor, record int32 }
	var origins []origin
	row := make([]any, table.Schema.NumFields())
	err := storeRows(ctx, tx, table, mode, len(clusters), func(i int, w *rowWriter) {
		c := clusters[i]
		records := p.clusters[c]
		row[0], row[1] = p.ids.IDs[c], int64(len(records))
		for i, s := range survivors {
			value, from := p.choose(s, records, complete)
			row[i+2] = value
			if from >= 0 && len(records) > 1 {
				origins = append(origins, origin{c, int32(i), from})
			}
		}
		w.add(row...)
	})
	if err != nil {
		return err
	}
	return storeRows(ctx, tx, lineage, core.WriteAppend, len(origins), func(i int, w *rowWriter) {
		o := origins[i]
		s, src := survivors[o.survivor], p.frame.Sources[p.frame.Source[o.record]]
		w.add(p.ids.IDs[o.cluster], s.column.Name, s.rules[0], src.Source, src.Stream, p.frame.RecordKey(o.record))
	})
}

// completeness counts the attributes that each record has.
func (p *pipeline) completeness() []int32 {
	out := make([]int32, p.frame.Len())
	for _, c := range p.frame.Columns {
		for r := range out {
			if c.First(int32(r)) >= 0 {
				out[r]++
			}
		}
	}
	return out
}

// choose picks the value of an attribute and the record it comes from, -1 for none.
func (p *pipeline) choose(s survivor, records []int32, complete []int32) (any, int32) {
	c := s.column
	if c == nil {
		return nil, -1
	}
	var able []int32
	for _, r := range records {
		if c.First(r) >= 0 && (s.sources == nil || s.sources[p.frame.Source[r]]) {
			able = append(able, r)
		}
	}
	if len(able) == 0 {
		return nil, -1
	}
	if len(able) > 1 {
		frequency := map[int32]int{}
		for _, r := range able {
			frequency[c.First(r)]++
		}
		slices.SortFunc(able, func(a, b int32) int {
			for _, rule := range s.rules {
				if d := p.prefer(rule, c, a, b, frequency, complete); d != 0 {
					return d
				}
			}
			return cmp.Compare(a, b)
		})
	}
	show := func(raw, code int32) string { return strings.TrimSpace(c.Originals.Value(raw)) }
	if p.hashed(c.Name) {
		show = func(_, code int32) string { return p.token(c.Name, c.Values.Bytes(code)) }
	}
	if s.collect {
		return collect(c, able, s.limit, show), able[0]
	}
	return show(firstUsable(c, able[0]), c.First(able[0])), able[0]
}

// firstUsable is the raw code of the first value that normalisation kept.
func firstUsable(c *frame.Column, r int32) int32 {
	if c.Start == nil {
		return c.Raw[r]
	}
	return c.Raw[c.Start[r]]
}

// collect lists the distinct values of the records as a JSON array.
func collect(c *frame.Column, records []int32, limit int, show func(raw, code int32) string) any {
	var out []string
	var seen []int32
	for _, r := range records {
		for i, code := range c.Of(r) {
			raw := firstUsable(c, r)
			if c.Start != nil {
				raw = c.Raw[int(c.Start[r])+i]
			}
			if !slices.Contains(seen, code) && (limit == 0 || len(out) < limit) {
				seen = append(seen, code)
				out = append(out, show(raw, code))
			}
		}
	}
	list, err := json.Marshal(out)
	if err != nil {
		return nil
	}
	return string(list)
}

// prefer is negative when a survivorship rule wants record a before record b.
func (p *pipeline) prefer(rule string, c *frame.Column, a, b int32, frequency map[int32]int, complete []int32) int {
	f := p.frame
	switch rule {
	case "trust":
		return -cmp.Compare(f.Sources[f.Source[a]].Trust, f.Sources[f.Source[b]].Trust)
	case "most_recent":
		return -cmp.Compare(f.Updated[a], f.Updated[b])
	case "most_complete":
		return -cmp.Compare(complete[a], complete[b])
	case "most_frequent":
		return -cmp.Compare(frequency[c.First(a)], frequency[c.First(b)])
	case "longest":
		return -cmp.Compare(len(c.Values.Bytes(c.First(a))), len(c.Values.Bytes(c.First(b))))
	}
	return 0
}
