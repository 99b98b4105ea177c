package identity

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity/cluster"
	"github.com/unsilo/unsilo/transforms/normalize"
)

// hierarchyTable has one row for each member of each group above the entity.
func (m store) hierarchyTable(level string) core.Table {
	return core.Table{Name: m.tableOf(level), Key: []string{m.idColumn()},
		Schema: arrow.NewSchema([]arrow.Field{text(m.idColumn()), text(level + "_id")}, nil)}
}

// writeHierarchies groups persons into households, accounts and the like: those that share
// a value of every attribute named. A group is named by its first member, and one above
// max_members is not made.
func (p *pipeline) writeHierarchies(ctx context.Context, tx core.Tx) error {
	for _, b := range p.model.def.Hierarchies {
		group := p.groupClusters(b, blocklist(b))
		err := replaceRows(ctx, tx, p.model.hierarchyTable(b.Name), len(group), func(c int, w *rowWriter) {
			if first := group[c]; first >= 0 {
				_, rest, _ := strings.Cut(p.ids.IDs[first], "_")
				w.add(p.ids.IDs[c], defaultPrefix(b.Name)+"_"+rest)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func blocklist(b hierarchyBlock) map[string]bool {
	out := map[string]bool{}
	for _, v := range b.Blocklist {
		out[strings.ToLower(v)] = true
	}
	return out
}

// groupClusters gives each cluster the first cluster of its group, -1 for none.
func (p *pipeline) groupClusters(b hierarchyBlock, blocked map[string]bool) []int32 {
	holders := map[string][]int32{}
	for c, records := range p.clusters {
		keys := p.levelKeys(b.On, records, blocked)
		if len(keys) == 0 {
			keys = p.levelKeys(b.Fallback, records, blocked)
		}
		for _, k := range keys {
			holders[k] = append(holders[k], int32(c))
		}
	}
	var edges []cluster.Edge
	for _, set := range holders {
		if b.MaxMembers > 0 && len(set) > b.MaxMembers {
			continue
		}
		for _, c := range set[1:] {
			edges = append(edges, cluster.Edge{A: set[0], B: c})
		}
	}
	group := cluster.Components(len(p.clusters), edges)
	size := make([]int, len(group))
	for _, g := range group {
		size[g]++
	}
	keyed := make([]bool, len(group))
	for _, set := range holders {
		for _, c := range set {
			keyed[c] = true
		}
	}
	refused := 0
	for c, g := range slices.Clone(group) {
		if b.MaxMembers > 0 && size[g] > b.MaxMembers {
			group[c] = -1
			refused++
		} else if !keyed[c] {
			group[c] = -1
		}
	}
	if refused > 0 {
		p.note("%d of %s are in no %s: theirs would have more than %d members", refused, p.model.name, b.Name, b.MaxMembers)
	}
	return group
}

// levelKeys lists the distinct keys that the records of a cluster have.
func (p *pipeline) levelKeys(on []string, records []int32, blocked map[string]bool) []string {
	if len(on) == 0 {
		return nil
	}
	var keys []string
	for _, r := range records {
		key := ""
		for _, name := range on {
			value := p.levelValue(name, r)
			if value == "" || blocked[value] {
				key = ""
				break
			}
			key += value + "\x00"
		}
		if key != "" && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// levelValue reads an attribute of a record; email_domain is the domain of a mailbox that
// is not a public one, address_normalized the street.
func (p *pipeline) levelValue(name string, r int32) string {
	function := ""
	if base, ok := strings.CutSuffix(name, "_domain"); ok && p.frame.Column(name) == nil {
		name, function = base, "domain"
	}
	name = strings.TrimSuffix(name, "_normalized")
	c := p.frame.Column(name)
	if c == nil && name == "address" {
		c = p.frame.Column("street")
	}
	if c == nil || c.First(r) < 0 {
		return ""
	}
	value := c.Values.Value(c.First(r))
	if function == "domain" {
		_, value, _ = strings.Cut(value, "@")
		if normalize.IsPublicMail([]byte(value)) {
			return ""
		}
	}
	return value
}

func (m *Model) hierarchyNames() error {
	for _, b := range m.def.Hierarchies {
		if slices.ContainsFunc(m.outputs(), func(t core.Table) bool { return t.Name == m.tableOf(b.Name) }) {
			return &core.Error{Kind: core.KindConfig, Op: "plan identity." + m.name, Path: "hierarchy." + b.Name,
				Err: fmt.Errorf("%q is the name of another table of the identity", b.Name), Try: "choose another name, such as household"}
		}
	}
	return nil
}
