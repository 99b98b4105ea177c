package identity

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity/similar"
)

// checkSettings finds values that contradict each other or lie outside their range.
func checkSettings(d *definition) hcl.Diagnostics {
	var diags hcl.Diagnostics
	if !slices.Contains([]string{entityPerson, entityFirm, entityThing}, d.Entity) {
		diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: fmt.Sprintf("There is no entity %q", d.Entity),
			Detail: "Entities are person, firm and thing."})
	}
	if c := d.Clustering; c != nil {
		if !slices.Contains([]string{"", "average_link", "connected_components", "one_to_one"}, c.Method) {
			diags = append(diags, fault(c.Range, fmt.Sprintf("There is no clustering method %q", c.Method),
				"Methods are average_link, connected_components and one_to_one."))
		}
		if c.MissingBits != nil && c.StopBits != nil && *c.MissingBits >= *c.StopBits {
			diags = append(diags, fault(c.Range, "missing_edge_bits must be below stop_bits",
				"Otherwise pairs that were never compared hold clusters together, and one bad edge joins everybody. Try -4 and -2."))
		}
	}
	if g := d.Guardrail; g != nil && !slices.Contains([]string{"", "refuse_edge", "review", "fail"}, g.OnViolation) {
		diags = append(diags, fault(g.Range, fmt.Sprintf("on_violation cannot be %q", g.OnViolation), "Choose refuse_edge, review or fail."))
	}
	if p := d.Persistence; p != nil && !slices.Contains([]string{"", "most_records_then_oldest", "oldest"}, p.MergeSurvivor) {
		diags = append(diags, fault(p.Range, fmt.Sprintf("merge_survivor cannot be %q", p.MergeSurvivor), "Choose most_records_then_oldest or oldest."))
	}
	diags = append(diags, checkMore(d)...)
	if x := d.Decision; x != nil {
		diags = append(diags, checkDecision(x)...)
	}
	if s := d.Survivor; s != nil {
		for _, rule := range s.Default {
			diags = append(diags, checkSurvivor(rule, s.Range)...)
		}
		for _, f := range s.Fields {
			diags = append(diags, checkSurvivor(f.Rule, f.Range)...)
		}
	}
	for _, s := range d.Stitches {
		if !slices.Contains([]string{"", "last_authenticated", "refuse", "split_by_session"}, s.SharedDevice) {
			diags = append(diags, fault(s.Range, fmt.Sprintf("shared_device cannot be %q", s.SharedDevice), "Choose last_authenticated, refuse or split_by_session."))
		}
		if _, err := parseDuration(orText(s.Window, "395d")); err != nil {
			diags = append(diags, fault(s.Range, "This is not a duration", fmt.Sprintf("window = %q: write days or hours, such as \"395d\".", s.Window)))
		}
		if len(s.Link) != 2 {
			diags = append(diags, fault(s.Range, "A stitch links two attributes", "Write link = [\"cookie\", \"email\"]: the device, then who logged in."))
		}
	}
	return diags
}

func orText(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func checkDecision(x *decisionBlock) hcl.Diagnostics {
	last, name := 1.0, "1"
	for _, p := range []struct {
		name  string
		value *float64
	}{{"link", x.Link}, {"review", x.Review}, {"keep", x.Keep}} {
		if p.value == nil {
			continue
		}
		if *p.value <= 0 || *p.value > last || *p.value >= 1 {
			return hcl.Diagnostics{fault(x.Range, "Bands must fall from link to review to keep",
				fmt.Sprintf("%s = %v must lie between 0 and %s; these are probabilities.", p.name, *p.value, name))}
		}
		last, name = *p.value, p.name
	}
	return nil
}

var survivorRules = []string{"trust", "most_recent", "most_complete", "most_frequent", "longest", "collect_all"}

func checkSurvivor(rule string, at hcl.Range) hcl.Diagnostics {
	if slices.Contains(survivorRules, rule) {
		return nil
	}
	return hcl.Diagnostics{fault(at, fmt.Sprintf("There is no survivorship rule %q", rule), "Rules are "+strings.Join(survivorRules, ", ")+".")}
}

// checkMapped finds rules on attributes that no record maps. Before the tables are known it
// can tell only when every record has a map of its own.
func (m *Model) checkMapped() hcl.Diagnostics {
	mapped := map[string]bool{}
	for i := range m.def.Records {
		if m.maps[i] == nil {
			return nil
		}
		for name := range m.maps[i] {
			mapped[name] = true
		}
	}
	return m.unmapped(mapped)
}

// checkAttributes is checkMapped once the tables are known.
func (m *Model) checkAttributes(l *layout) error {
	mapped := map[string]bool{}
	for _, a := range l.attributes {
		mapped[a.name] = true
	}
	diags := m.unmapped(mapped)
	if len(diags) == 0 {
		return nil
	}
	d := diags[0]
	return &core.Error{Kind: core.KindConfig, Op: "plan identity." + m.name, Path: fmt.Sprintf("%s:%d", d.Subject.Filename, d.Subject.Start.Line),
		Err: errors.New(lowerFirst(d.Summary)), Try: lowerFirst(d.Detail)}
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// unmapped finds what the block says about attributes that are not there.
func (m *Model) unmapped(mapped map[string]bool) hcl.Diagnostics {
	if mapped["full_name"] {
		mapped["first_name"], mapped["last_name"] = true, true
	}
	if mapped["first_name"] && mapped["last_name"] {
		mapped["full_name"] = true
	}
	var diags hcl.Diagnostics
	for _, use := range m.uses() {
		for _, n := range use.names {
			known := mapped[n] || n == jointName
			for _, suffix := range []string{"_local_part", "_domain", "_normalized", "_codes"} {
				known = known || mapped[strings.TrimSuffix(n, suffix)]
			}
			if known || n == "address_normalized" && mapped["street"] {
				continue
			}
			d := fault(use.at, fmt.Sprintf("No record maps %q", n), fmt.Sprintf("%s uses it. Mapped are %s.", use.what, keys(mapped)))
			if near := nearest(n, mapped); near != "" {
				d.Detail += fmt.Sprintf(" Did you mean %q?", near)
			}
			diags = append(diags, d)
		}
	}
	return diags
}

// A use of attributes somewhere in the block.
type use struct {
	names []string
	at    hcl.Range
	what  string
}

func (m *Model) uses() []use {
	var out []use
	for i, b := range m.def.MatchRules {
		out = append(out, use{b.On, b.Range, "match_rule " + b.Name})
		if w := m.rules.match[i].when; w != nil {
			out = append(out, use{w.Names(), b.Range, "match_rule " + b.Name})
		}
	}
	for _, b := range m.def.Identifiers {
		out = append(out, use{[]string{b.Name}, b.Range, "identifier " + b.Name})
	}
	for _, b := range m.def.Attributes {
		out = append(out, use{[]string{b.Name}, b.Range, "attribute " + b.Name})
	}
	for i, b := range m.def.Blocking {
		for _, e := range m.rules.blocking[i].keys {
			if e != nil {
				out = append(out, use{attributeNames(e), b.Range, "blocking_rule " + b.Name})
			}
		}
	}
	if m.def.Model != nil {
		for _, c := range m.def.Model.Comparisons {
			out = append(out, use{c.On, c.Range, "comparison " + c.Name})
		}
		if t := m.def.Model.Train; t != nil {
			out = append(out, use{slices.Concat(t.On...), m.def.Model.Range, "train"})
		}
	}
	if g := m.def.Guardrail; g != nil {
		for _, r := range m.rules.guards {
			out = append(out, use{r.when.Names(), g.Range, "cannot_link " + r.name})
		}
	}
	for _, b := range m.def.Hierarchies {
		out = append(out, use{slices.Concat(b.On, b.Fallback), b.Range, "hierarchy " + b.Name})
	}
	for _, b := range m.def.Stitches {
		out = append(out, use{b.Link, b.Range, "stitch " + b.Name})
	}
	if s := m.def.Survivor; s != nil {
		for _, f := range s.Fields {
			out = append(out, use{[]string{f.Name}, f.Range, "survivorship"})
		}
	}
	if p := m.def.Privacy; p != nil {
		out = append(out, use{p.Hash, p.Range, "privacy"})
	}
	return out
}

func keys(set map[string]bool) string {
	var names []string
	for n := range set {
		names = append(names, n)
	}
	sort.Strings(names)
	return strings.Join(names, ", ")
}

// nearest finds the mapped name that a misspelt one most likely meant.
func nearest(name string, set map[string]bool) string {
	best, at := "", 0.84
	for n := range set {
		if s := similar.JaroWinkler(name, n); s > at || s == at && n < best {
			best, at = n, s
		}
	}
	return best
}
