package identity_test

import (
	"bytes"
	"context"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/unsilo/unsilo/core"
	warehouse "github.com/unsilo/unsilo/core/warehouse/memory"
	"github.com/unsilo/unsilo/transforms/identity"
)

// hardCases are records that careless rules join, and some that belong together.
func hardCases(t testing.TB) core.Warehouse {
	wh := warehouse.New()
	land(t, wh, company{
		crm: [][]string{
			{"anna", "Anna", "Virtanen", "anna.virtanen@example.org", "+358401111111", "1980-02-01"},
			{"father", "Juhani", "Korhonen", "korhonen.family@example.org", "+358402222222", "1955-07-30"},
			{"son", "Mikael", "Korhonen", "korhonen.family@example.org", "+358402222222", "1984-03-12"},
			{"twin1", "Liisa", "Laine", "laine@example.org", "+358403333333", "1990-01-15"},
			{"twin2", "Maija", "Laine", "laine@example.org", "+358403333333", "1990-01-15"},
			{"sales1", "Pekka", "Nieminen", "info@example.com", "+358409999999", ""},
			{"sales2", "Olga", "Heikkinen", "info@example.com", "+358409999999", ""},
			{"bill", "William", "Smith", "w.smith@example.net", "+442079460001", ""},
		},
		erp: [][]string{
			{"1", "Ana", "Virtanen", "Anna.Virtanen+shop@example.org", "", "1980-02-01"},
			{"2", "J.", "Korhonen", "korhonen.family@example.org", "", "1955-07-30"},
			{"3", "Bill", "Smith", "w.smith@example.net", "", ""},
			{"4", "", "", "korhonen.family@example.org", "", ""},
			{"5", "", "", "w.smith@example.net", "", ""},
		},
	})
	return wh
}

func TestHardCases(t *testing.T) {
	wh := hardCases(t)
	build(t, wh, person(t, twoLists), "1")
	ids := mapped(t, wh, "person")
	together := [][2]string{{"crm.contacts:anna", "erp.customers:1"}, {"crm.contacts:father", "erp.customers:2"},
		{"crm.contacts:bill", "erp.customers:3"}, {"crm.contacts:bill", "erp.customers:5"}}
	apart := [][2]string{{"crm.contacts:father", "crm.contacts:son"}, {"crm.contacts:twin1", "crm.contacts:twin2"},
		{"crm.contacts:sales1", "crm.contacts:sales2"}, {"crm.contacts:father", "erp.customers:4"}, {"crm.contacts:son", "erp.customers:4"}}
	for _, p := range together {
		if ids[p[0]] != ids[p[1]] {
			t.Errorf("%s and %s are two", p[0], p[1])
		}
	}
	for _, p := range apart {
		if ids[p[0]] == ids[p[1]] {
			x, _ := identity.Explain(context.Background(), wh, "person", p[0], p[1])
			t.Errorf("%s and %s are one:\n%s", p[0], p[1], x.Text())
		}
	}
}

func TestExplainInThreeForms(t *testing.T) {
	wh := hardCases(t)
	build(t, wh, person(t, twoLists), "1")
	x, err := identity.Explain(context.Background(), wh, "person", "crm.contacts:anna")
	if err != nil {
		t.Fatal(err)
	}
	if len(x.Records) != 2 || len(x.Path) != 1 || x.Path[0].Rule != "same_email" {
		t.Errorf("explanation = %+v, want two records joined by same_email", x)
	}
	if text := x.Text(); !strings.Contains(text, "rule same_email") || !strings.Contains(text, "erp.customers:1") {
		t.Errorf("text = %s", text)
	}
	var page bytes.Buffer
	if err := x.HTML(&page); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"http://", "https://", "<script"} {
		if strings.Contains(page.String(), bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	if _, err := identity.Explain(context.Background(), wh, "person", "nobody"); core.KindOf(err) != core.KindConfig {
		t.Errorf("explain nobody: %v, want a configuration error", err)
	}
}

func TestDecisionsOutliveRebuilds(t *testing.T) {
	ctx, at := context.Background(), time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	wh := hardCases(t)
	model := person(t, twoLists)
	build(t, wh, model, "1")
	if err := identity.Merge(ctx, wh, "person", "crm.contacts:twin1", "crm.contacts:sales1", identity.Signature{Author: "steward", Reason: "married", At: at}); err != nil {
		t.Fatal(err)
	}
	in := "a,b,verdict,reason\ncrm.contacts:anna,erp.customers:1,no,namesake\ncrm.contacts:son,erp.customers:4,,\n"
	decisions, err := identity.ReadDecisions(strings.NewReader(in), "steward", at)
	if err != nil || len(decisions) != 1 {
		t.Fatalf("decisions = %v, %v; want one", decisions, err)
	}
	if err := identity.Decide(ctx, wh, "person", decisions...); err != nil {
		t.Fatal(err)
	}
	for _, run := range []string{"2", "3"} {
		build(t, wh, model, run)
		ids := mapped(t, wh, "person")
		if ids["crm.contacts:twin1"] != ids["crm.contacts:sales1"] {
			t.Errorf("run %s: a must-link does not hold", run)
		}
		if ids["crm.contacts:anna"] == ids["erp.customers:1"] {
			t.Errorf("run %s: a cannot-link does not hold", run)
		}
	}
	diff, err := identity.Diff(ctx, wh, "person", "1", "3")
	if err != nil {
		t.Fatal(err)
	}
	if diff.Counts["merge"] != 1 || diff.Counts["split"] != 1 || diff.Counts["mint"] != 1 {
		t.Errorf("changes = %v, want one merge, one split, one mint: %+v\n%v", diff.Counts, diff.Changes, mapped(t, wh, "person"))
	}
	questions, err := identity.Review(ctx, wh, "person", 0)
	if err != nil {
		t.Fatal(err)
	}
	var queue bytes.Buffer
	if err := identity.WriteQuestions(&queue, questions, nil); err != nil {
		t.Fatal(err)
	}
	for _, q := range questions {
		if q.A.Key == "anna" && q.B.Key == "1" {
			t.Error("a decided pair is in the queue again")
		}
	}
	for _, bad := range []string{"a,b\n1,2\n", "a,b,verdict\nx,y,yes\n", "a,b,verdict\na.b:1,a.b:2,maybe\n", "a,b,verdict,expires\na.b:1,a.b:2,yes,soon\n"} {
		if _, err := identity.ReadDecisions(strings.NewReader(bad), "s", at); core.KindOf(err) != core.KindData {
			t.Errorf("ReadDecisions(%q) = %v, want a data error", bad, err)
		}
	}
}

func cells(t testing.TB, wh core.Warehouse, table string, columns ...string) [][]string {
	rows, err := wh.Scan(context.Background(), core.ScanRequest{Table: core.TableName{Schema: "identity", Name: table}, Columns: columns})
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Release()
	var out [][]string
	for rows.Next() {
		b := rows.RecordBatch()
		for i := range int(b.NumRows()) {
			var row []string
			for k := range columns {
				v := ""
				if c := b.Column(k); !c.IsNull(i) {
					v = strings.Clone(c.(*array.String).Value(i))
				}
				row = append(row, v)
			}
			out = append(out, row)
		}
	}
	return out
}

func TestGoldenRecordsAndHouseholds(t *testing.T) {
	wh := hardCases(t)
	build(t, wh, person(t, twoLists+`
survivorship {
  default = ["most_complete"]
  field "email" {
    rule = "longest"
  }
  field "first_name" {
    rule  = "collect_all"
    limit = 5
  }
}
hierarchy "household" {
  on          = ["last_name", "phone"]
  max_members = 6
}`), "1")
	ids := mapped(t, wh, "person")
	found := false
	for _, row := range cells(t, wh, "person_golden", "person_id", "first_name", "email") {
		if row[0] != ids["crm.contacts:anna"] {
			continue
		}
		found = true
		if row[1] != `["Anna","Ana"]` || !strings.EqualFold(row[2], "anna.virtanen@example.org") && !strings.EqualFold(row[2], "anna.virtanen+shop@example.org") {
			t.Errorf("golden record = %q", row)
		}
	}
	if !found {
		t.Error("anna has no golden record")
	}
	house := map[string]string{}
	for _, row := range cells(t, wh, "person_household", "person_id", "household_id") {
		house[row[0]] = row[1]
	}
	if h := house[ids["crm.contacts:father"]]; h == "" || h != house[ids["crm.contacts:son"]] || h == house[ids["crm.contacts:twin1"]] {
		t.Errorf("households = %v", house)
	}
	if len(cells(t, wh, "person_lineage", "person_id", "attribute", "record_key")) == 0 {
		t.Error("no lineage")
	}
}

func TestCookiesBelongToTheLastLogin(t *testing.T) {
	wh := hardCases(t)
	fields := []arrow.Field{field("id", ""), field("visitor", core.DeviceCookie), field("email", core.PersonEmail), field("at", core.EventTime)}
	fill(t, wh, core.RawTable("web", "events"), []string{"id"}, fields, [][]string{
		{"e1", "tablet-1", "", "2026-03-01T10:00:00Z"}, // before any login: the first one after
		{"e2", "tablet-1", "anna.virtanen@example.org", "2026-03-02T10:00:00Z"},
		{"e3", "tablet-1", "", "2026-03-03T10:00:00Z"},
		{"e4", "tablet-1", "w.smith@example.net", "2026-03-04T10:00:00Z"},
		{"e5", "tablet-1", "", "2026-03-05T10:00:00Z"},
		{"e6", "tablet-1", "", "2028-03-05T10:00:00Z"}, // outside the window
		{"e7", "tablet-2", "", "2026-03-05T10:00:00Z"}, // nobody ever logged in
	})
	build(t, wh, person(t, "from = [source.crm.contacts, source.erp.customers, source.web.events]"), "1")
	ids := mapped(t, wh, "person")
	for event, who := range map[string]string{"e1": "anna", "e3": "anna", "e5": "bill"} {
		if ids["web.events:"+event] != ids["crm.contacts:"+who] {
			t.Errorf("event %s does not belong to %s", event, who)
		}
	}
	for _, event := range []string{"e6", "e7"} {
		for _, who := range []string{"anna", "bill"} {
			if ids["web.events:"+event] == ids["crm.contacts:"+who] {
				t.Errorf("event %s belongs to %s", event, who)
			}
		}
	}
	if ids["crm.contacts:anna"] == ids["crm.contacts:bill"] {
		t.Error("a shared device joined two people")
	}
}

func TestMaskedColumnsAgreeExactly(t *testing.T) {
	wh := warehouse.New()
	masked := func(name string, m core.Means) arrow.Field {
		f := field(name, m)
		meta := f.Metadata.ToMap()
		if meta == nil {
			meta = map[string]string{}
		}
		meta["unsilo.mask"] = "hmac"
		f.Metadata = arrow.MetadataFrom(meta)
		return f
	}
	for source, email := range map[string]string{"crm": "k1:aaaa", "erp": "k1:aaaa"} {
		table := map[string]string{"crm": "contacts", "erp": "customers"}[source]
		fill(t, wh, core.RawTable(source, table), []string{"id"}, []arrow.Field{field("id", ""), masked("email", core.PersonEmail)},
			[][]string{{"1", email}, {"2", "k1:" + source}})
	}
	build(t, wh, person(t, twoLists), "1")
	ids := mapped(t, wh, "person")
	if ids["crm.contacts:1"] != ids["erp.customers:1"] || ids["crm.contacts:2"] == ids["erp.customers:2"] {
		t.Errorf("ids = %v", ids)
	}
}

func TestEvaluateAndSuggest(t *testing.T) {
	ctx := context.Background()
	wh := hardCases(t)
	build(t, wh, person(t, twoLists), "1")
	labels, err := identity.ReadLabels(strings.NewReader("a,b,match\ncrm.contacts:anna,erp.customers:1,1\ncrm.contacts:twin1,crm.contacts:twin2,0\nnobody,erp.customers:1,1\n"), "")
	if err != nil {
		t.Fatal(err)
	}
	e, err := identity.Evaluate(ctx, wh, "person", labels, true)
	if err != nil {
		t.Fatal(err)
	}
	if e.Scores.F1 != 1 || len(e.Unknown) != 1 || len(e.Sweep) == 0 || !strings.Contains(e.SVG(), "polyline") || !strings.Contains(e.Text(), "stop_bits") {
		t.Errorf("evaluation = %+v", e)
	}
	labels, err = identity.ReadLabels(strings.NewReader("record,cluster\ncrm.contacts:anna,1\nerp.customers:1,1\nerp.customers:2,2\ncrm.contacts:son,2\n"), "")
	if err != nil {
		t.Fatal(err)
	}
	if e, err = identity.Evaluate(ctx, wh, "person", labels, false); err != nil || e.Scores.Precision != 1 || e.Scores.Recall != 0.5 {
		t.Errorf("evaluation = %+v, %v; want precision 1, recall 0.5", e.Scores, err)
	}
	if _, err := identity.ReadLabels(strings.NewReader("x,y,z\n1,2,3\n"), ""); core.KindOf(err) != core.KindData {
		t.Errorf("labels without names: %v", err)
	}
	tables, err := wh.Tables(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	var raw []core.Table
	for _, table := range tables {
		if strings.HasPrefix(table.Name.Schema, "raw_") {
			raw = append(raw, table)
		}
	}
	block, err := identity.Suggest("person", raw)
	if err != nil || !strings.Contains(block.HCL, "source.crm.contacts") || !strings.Contains(block.HCL, `email      = "email"`) {
		t.Errorf("suggestion = %s, %v", block.HCL, err)
	}
	work, err := person(t, twoLists).(*identity.Model).Work(ctx, wh)
	if err != nil || work.Records != 13 || len(work.Rules) == 0 {
		t.Errorf("work = %+v, %v", work, err)
	}
}

func FuzzReadLabels(f *testing.F) {
	f.Add("a,b\n1,2\n", "")
	f.Add("record,cluster\nx.y:1,2\n", "cluster")
	f.Add("\"", "x")
	f.Fuzz(func(t *testing.T, text, truth string) {
		labels, err := identity.ReadLabels(strings.NewReader(text), truth)
		if err == nil && labels.Pairs == nil && labels.Entity == nil {
			t.Fatalf("no labels and no error for %q", text)
		}
		_, _ = identity.ReadDecisions(strings.NewReader(text), "x", time.Time{})
	})
}

func TestMergeUndoesSplit(t *testing.T) {
	ctx, by := context.Background(), identity.Signature{Author: "steward", At: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)}
	wh := hardCases(t)
	model := person(t, twoLists)
	build(t, wh, model, "1")
	before := mapped(t, wh, "person")
	// Three records of one person: the one that was split off is held apart from both others.
	if n, err := identity.Split(ctx, wh, "person", "crm.contacts:bill", by); err != nil || n != 2 {
		t.Fatalf("split gave %d decisions, %v; want 2", n, err)
	}
	build(t, wh, model, "2")
	if ids := mapped(t, wh, "person"); ids["crm.contacts:bill"] == ids["erp.customers:3"] {
		t.Error("a split does not hold")
	}
	by.At = by.At.Add(time.Hour)
	if err := identity.Merge(ctx, wh, "person", "crm.contacts:bill", "erp.customers:3", by); err != nil {
		t.Fatal(err)
	}
	build(t, wh, model, "3")
	if after := mapped(t, wh, "person"); !maps.Equal(before, after) {
		t.Errorf("before %v\nafter %v", before, after)
	}
	if err := identity.Merge(ctx, wh, "person", "crm.contacts:bill", "crm.contacts:bill", by); core.KindOf(err) != core.KindConfig {
		t.Errorf("merge with itself: %v", err)
	}
}
