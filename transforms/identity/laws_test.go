package identity_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"pgregory.net/rapid"

	"github.com/unsilo/unsilo/core"
	warehouse "github.com/unsilo/unsilo/core/warehouse/memory"
	"github.com/unsilo/unsilo/transforms/identity"
)

// two lists of people, with shared mailboxes, shared numbers, spelling errors and gaps.
type company struct{ crm, erp [][]string }

var crmFields = []core.Means{core.PersonID("crm"), core.PersonNameGiven, core.PersonNameFamily, core.PersonEmail, core.PersonPhone, core.PersonBirthDate}

func drawCompany(t *rapid.T) company {
	given := rapid.SampledFrom([]string{"Anna", "Ana", "Peter", "Petra", "William", "Bill", "Juhani", "Maria", "A."})
	family := rapid.SampledFrom([]string{"Virtanen", "Virtannen", "Smith", "Smyth", "Korhonen", "Nieminen"})
	email := rapid.SampledFrom([]string{"", "", "anna@example.org", "peter@example.org", "family@example.org", "w.smith@example.com", "info@example.com"})
	phone := rapid.SampledFrom([]string{"", "", "+358401234567", "+358407654321", "+442079460000"})
	born := rapid.SampledFrom([]string{"", "1980-02-01", "1980-02-10", "1955-07-30", "2001-12-24"})
	list := func(label string) [][]string {
		n := rapid.IntRange(1, 14).Draw(t, label)
		var rows [][]string
		for i := range n {
			rows = append(rows, []string{fmt.Sprint(i + 1), given.Draw(t, "given"), family.Draw(t, "family"), email.Draw(t, "email"), phone.Draw(t, "phone"), born.Draw(t, "born")})
		}
		return rows
	}
	return company{list("crm"), list("erp")}
}

func land(t testing.TB, wh core.Warehouse, c company) {
	for name, rows := range map[string][][]string{"crm.contacts": c.crm, "erp.customers": c.erp} {
		source, stream, _ := strings.Cut(name, ".")
		fields := plain("id", "given", "family", "email", "phone", "born")
		for i, m := range crmFields {
			if i == 0 {
				m = core.PersonID(source)
			}
			fields[i] = core.WithMeans(fields[i], m)
		}
		fill(t, wh, core.RawTable(source, stream), []string{"id"}, fields, rows)
	}
}

const twoLists = "from = [source.crm.contacts, source.erp.customers]"

func person(t testing.TB, body string) core.Model {
	model, diags := parse(t, "person", body)
	if diags.HasErrors() {
		t.Fatal(allText(diags))
	}
	return model
}

// groups writes who is together, without ids.
func groups(ids map[string]string) string {
	members := map[string][]string{}
	for record, id := range ids {
		members[id] = append(members[id], record)
	}
	var out []string
	for _, list := range members {
		slices.Sort(list)
		out = append(out, strings.Join(list, " "))
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

func events(t testing.TB, wh core.Warehouse, run string) []string {
	rows, err := wh.Scan(context.Background(), core.ScanRequest{Table: core.TableName{Schema: "identity", Name: "person_event"}, Columns: []string{"run_id", "kind", "person_id", "other_id"}})
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Release()
	var out []string
	for rows.Next() {
		b := rows.RecordBatch()
		cell := func(k, i int) string { return strings.Clone(b.Column(k).(*array.String).Value(i)) }
		for i := range int(b.NumRows()) {
			if cell(0, i) == run {
				out = append(out, cell(1, i)+" "+cell(2, i)+" "+cell(3, i))
			}
		}
	}
	return out
}

func TestLawOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		c := drawCompany(r)
		one, two := warehouse.New(), warehouse.New()
		land(t, one, c)
		build(t, one, person(t, twoLists), "1")
		slices.Reverse(c.crm)
		c.erp = rapid.Permutation(c.erp).Draw(r, "order")
		land(t, two, c)
		build(t, two, person(t, "from = [source.erp.customers, source.crm.contacts]"), "1")
		if a, b := mapped(t, one, "person"), mapped(t, two, "person"); !maps.Equal(a, b) {
			r.Fatalf("ids depend on the order:\n%v\n%v", a, b)
		}
	})
}

func TestLawNothingNewGivesNoEvents(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		wh := warehouse.New()
		land(t, wh, drawCompany(r))
		build(t, wh, person(t, twoLists), "1")
		before := mapped(t, wh, "person")
		build(t, wh, person(t, twoLists), "2")
		if got := events(t, wh, "2"); len(got) > 0 {
			r.Fatalf("events = %v, want none", got)
		}
		if after := mapped(t, wh, "person"); !maps.Equal(before, after) {
			r.Fatalf("ids changed: %v, %v", before, after)
		}
	})
}

func TestLawIdsChangeOnlyByEvents(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		c := drawCompany(r)
		wh := warehouse.New()
		keep := rapid.IntRange(1, len(c.crm)).Draw(r, "keep")
		land(t, wh, company{c.crm[:keep], c.erp})
		build(t, wh, person(t, twoLists), "1")
		before := mapped(t, wh, "person")
		land(t, wh, c)
		build(t, wh, person(t, twoLists), "2")
		after := mapped(t, wh, "person")
		logged := strings.Join(events(t, wh, "2"), "\n")
		for record, id := range before {
			if now := after[record]; now != id && !strings.Contains(logged, "merge "+id+" ") && !strings.Contains(logged, "split "+id+" ") {
				r.Fatalf("%s went from %s to %s without an event:\n%s", record, id, now, logged)
			}
		}
	})
}

func TestLawUnmergeThenMergeRestoresIds(t *testing.T) {
	at := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	rapid.Check(t, func(r *rapid.T) {
		wh := warehouse.New()
		land(t, wh, drawCompany(r))
		model := person(t, twoLists)
		build(t, wh, model, "1")
		before := mapped(t, wh, "person")
		record := rapid.SampledFrom(slices.Sorted(maps.Keys(before))).Draw(r, "record")
		n, err := identity.Split(context.Background(), wh, "person", record, identity.Signature{Author: "steward", Reason: "two people", At: at})
		if err != nil {
			r.Fatal(err)
		}
		build(t, wh, model, "2")
		split := mapped(t, wh, "person")
		for other, id := range split {
			if n > 0 && other != record && id == split[record] && before[other] == before[record] {
				r.Fatalf("%s is still with %s", record, other)
			}
		}
		// Withdraw the decisions: each becomes one that has expired.
		decisions, err := identity.Decisions(context.Background(), wh, "person")
		if err != nil {
			r.Fatal(err)
		}
		for i := range decisions {
			decisions[i].Expires = at
		}
		if len(decisions) > 0 {
			if err := identity.Decide(context.Background(), wh, "person", decisions...); err != nil {
				r.Fatal(err)
			}
		}
		build(t, wh, model, "3")
		if after := mapped(t, wh, "person"); !maps.Equal(before, after) {
			r.Fatalf("before %v\nsplit %v\nafter %v\nevents %q %q", before, split, after, events(t, wh, "2"), events(t, wh, "3"))
		}
	})
}

func TestLawExclusiveIdentifiersAndCannotLinksHold(t *testing.T) {
	const body = twoLists + `
identifier "phone" {
  exclusive = true
}
guardrail {
  max_cluster_size = 4
}`
	rapid.Check(t, func(r *rapid.T) {
		c := drawCompany(r)
		wh := warehouse.New()
		land(t, wh, c)
		build(t, wh, person(t, body), "1")
		phones, size := map[string]map[string]bool{}, map[string]int{}
		for record, id := range mapped(t, wh, "person") {
			rows := c.crm
			if strings.HasPrefix(record, "erp") {
				rows = c.erp
			}
			var n int
			fmt.Sscan(record[strings.Index(record, ":")+1:], &n)
			if phones[id] == nil {
				phones[id] = map[string]bool{}
			}
			if p := rows[n-1][4]; p != "" {
				phones[id][p] = true
			}
			size[id]++
			if len(phones[id]) > 1 || size[id] > 4 {
				r.Fatalf("%s has phones %v and %d records", id, phones[id], size[id])
			}
		}
	})
}

func TestLawEveryPairIsExplained(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		wh := warehouse.New()
		land(t, wh, drawCompany(r))
		model := person(t, twoLists)
		build(t, wh, model, "1")
		ids := mapped(t, wh, "person")
		records := slices.Sorted(maps.Keys(ids))
		a, b := rapid.SampledFrom(records).Draw(r, "a"), rapid.SampledFrom(records).Draw(r, "b")
		if a == b {
			return
		}
		if ids[a] == ids[b] {
			x, err := identity.Explain(context.Background(), wh, "person", a, b)
			if err != nil || len(x.Path) == 0 {
				r.Fatalf("explain %s %s: %v, path %v", a, b, err, x.Path)
			}
			return
		}
		x, err := model.(*identity.Model).WhyNot(context.Background(), wh, a, b)
		if err != nil || len(x.Notes) == 0 {
			r.Fatalf("why-not %s %s: %v, %+v", a, b, err, x)
		}
	})
}

func TestLawErasureLeavesOnlyTheId(t *testing.T) {
	wh := warehouse.New()
	c := company{
		crm: [][]string{{"1", "Anna", "Virtanen", "anna@example.org", "", ""}, {"2", "Peter", "Smith", "peter@example.org", "", ""}},
		erp: [][]string{{"7", "Zacharias", "Quick", "zq@example.net", "", ""}},
	}
	c.erp[0][0] = "quick-7" // a key can tell who somebody is, too
	land(t, wh, c)
	build(t, wh, person(t, twoLists), "1")
	id := mapped(t, wh, "person")["erp.customers:quick-7"]
	by := identity.Signature{Author: "steward", At: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)}
	if err := identity.Merge(context.Background(), wh, "person", "crm.contacts:1", "crm.contacts:2", by); err != nil {
		t.Fatal(err)
	}
	err := identity.Decide(context.Background(), wh, "person", identity.Decision{A: identity.Record{Source: "crm", Stream: "contacts", Key: "1"},
		B: identity.Record{Source: "erp", Stream: "customers", Key: "quick-7"}, Verdict: identity.CannotLink, Author: "steward", At: by.At})
	if err != nil {
		t.Fatal(err)
	}
	c.erp = [][]string{}
	land(t, wh, c)
	build(t, wh, person(t, twoLists), "2")
	tables, err := wh.Tables(context.Background(), "identity")
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		rows, err := wh.Scan(context.Background(), core.ScanRequest{Table: table.Name})
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			text := fmt.Sprint(rows.RecordBatch())
			for _, trace := range []string{"Zacharias", "zacharias", "Quick", "quick", "zq@"} {
				if strings.Contains(text, trace) {
					t.Errorf("%s still holds %q", table.Name, trace)
				}
			}
		}
		rows.Release()
	}
	if got := events(t, wh, "2"); !slices.Contains(got, "retire "+id+" ") || len(got) != 2 {
		t.Errorf("events = %v, want the retirement of %s and one merge", got, id)
	}
	if left, err := identity.Decisions(context.Background(), wh, "person"); err != nil || len(left) != 1 {
		t.Errorf("decisions = %v, %v; want the one about records that are there", left, err)
	}
}

// TestLawFullRebuildKeepsIds trains and compares everything anew over the published map.
func TestLawFullRebuildKeepsIds(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		wh := warehouse.New()
		land(t, wh, drawCompany(r))
		build(t, wh, person(t, twoLists), "1")
		before := mapped(t, wh, "person")
		ctx := context.Background()
		tx, err := wh.Begin(ctx)
		if err != nil {
			r.Fatal(err)
		}
		for _, table := range []string{"person_model", "person_record", "person_edge"} { // nothing to go on from
			if err := tx.Drop(ctx, core.TableName{Schema: "identity", Name: table}); err != nil {
				r.Fatal(err)
			}
		}
		if err := tx.End(ctx, true); err != nil {
			r.Fatal(err)
		}
		build(t, wh, person(t, twoLists+"\npersistence {\n incremental = false\n}"), "2")
		if after := mapped(t, wh, "person"); !maps.Equal(before, after) {
			r.Fatalf("before %v\nafter %v", before, after)
		}
		if got := events(t, wh, "2"); len(got) > 0 {
			r.Fatalf("events = %v, want none", got)
		}
	})
}
