package identity

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// checkMore finds values outside their range in the blocks around the matching.
func checkMore(d *definition) hcl.Diagnostics {
	var diags hcl.Diagnostics
	bad := func(at hcl.Range, summary, detail string) { diags = append(diags, fault(at, summary, detail)) }
	for _, r := range d.Records {
		if !slices.Contains([]string{"", "row", "distinct"}, r.Grain) {
			bad(r.Range, fmt.Sprintf("grain cannot be %q", r.Grain), "Choose row, or distinct for one record of all rows with the same key.")
		}
		if r.Trust != nil && (*r.Trust < 0 || *r.Trust > 100) {
			bad(r.Range, "trust lies between 0 and 100", fmt.Sprintf("record %s has trust = %d.", r.Name, *r.Trust))
		}
	}
	if g := d.Guardrail; g != nil {
		names := map[string]bool{}
		for _, r := range d.Records {
			names[r.Name] = true
		}
		for name := range g.MaxRecordsPerSource {
			if !names[name] {
				bad(g.Range, fmt.Sprintf("max_records_per_source names no record %q", name), "Records are "+keys(names)+".")
			}
		}
		if g.Alert != nil && g.Alert.EdgeGrowth != "" {
			if _, err := parsePercent(g.Alert.EdgeGrowth); err != nil {
				bad(g.Range, "This is not a share", fmt.Sprintf("edge_growth = %q: write a share such as \"30%%\".", g.Alert.EdgeGrowth))
			}
		}
	}
	for _, h := range d.Hierarchies {
		if len(h.On) == 0 || h.MaxMembers < 0 {
			bad(h.Range, "A hierarchy needs attributes", "Write on = [\"last_name\", \"street\"], and a max_members above 0 or none.")
		}
	}
	if r := d.Review; r != nil && r.Sample < 0 {
		bad(r.Range, "sample must not be negative", "Write how many decided pairs to ask about beside the open ones, such as 200.")
	}
	if e := d.Evaluate; e != nil {
		diags = append(diags, checkEvaluate(e)...)
	}
	if m := d.Model; m != nil && m.Train != nil {
		diags = append(diags, checkTrain(m)...)
	}
	return diags
}

func parsePercent(s string) (float64, error) {
	n, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(s), "%")), 64)
	if err != nil || n <= 0 || !strings.HasSuffix(strings.TrimSpace(s), "%") {
		return 0, fmt.Errorf("parse share: %q is not a share", s)
	}
	return n / 100, nil
}

func checkEvaluate(e *evaluateBlock) hcl.Diagnostics {
	var diags hcl.Diagnostics
	if f := e.FailIf; f != nil {
		for _, p := range []*float64{f.PrecisionBelow, f.RecallBelow, f.F1Below} {
			if p != nil && (*p < 0 || *p > 1) {
				diags = append(diags, fault(e.Range, "fail_if takes shares", fmt.Sprintf("%v does not lie between 0 and 1.", *p)))
			}
		}
	}
	return diags
}

// checkTrain finds figures that training cannot use.
func checkTrain(m *modelBlock) hcl.Diagnostics {
	t, diags := m.Train, hcl.Diagnostics{}
	if t.UPairs < 0 || t.MaxPairs < 0 {
		diags = append(diags, fault(m.Range, "u_pairs and max_pairs must not be negative", "Write how many pairs to look at, such as 2e7."))
	}
	if t.RecallGuess < 0 || t.RecallGuess > 1 || (t.RecallGuess > 0) != (len(t.On) > 0) {
		diags = append(diags, fault(m.Range, "recall_guess and on belong together",
			"on lists strict rules, such as [[\"last_name\", \"birth_date\"], [\"email\"]], and recall_guess the share of true pairs that they find, above 0 and at most 1."))
	}
	if t.Unsupervised != nil && !*t.Unsupervised {
		for _, c := range m.Comparisons {
			for _, l := range c.Level {
				if l.M == nil || l.U == nil {
					diags = append(diags, fault(l.Range, "This level needs m and u", "With unsupervised = false nothing is estimated: write m and u for every level."))
				}
			}
			if len(c.Level) == 0 {
				diags = append(diags, fault(c.Range, "This comparison needs level blocks", "With unsupervised = false nothing is estimated: write level blocks with when, m and u."))
			}
		}
		if len(m.Comparisons) == 0 {
			diags = append(diags, fault(m.Range, "A model that learns nothing needs comparisons", "Write comparison blocks with m and u in each level, or leave out unsupervised = false."))
		}
	}
	return diags
}
