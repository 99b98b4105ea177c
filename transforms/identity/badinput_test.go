package identity_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/unsilo/unsilo/core"
	warehouse "github.com/unsilo/unsilo/core/warehouse/memory"
	"github.com/unsilo/unsilo/transforms/identity"
)

// TestBadBlocks demands an error with its line and something to try for what can be seen
// in the block alone.
func TestBadBlocks(t *testing.T) {
	for body, want := range map[string]string{
		"match_rule \"r\" {\n on = [\"emial\"]\n}":                               `No record maps "emial"`,
		"identifier \"emial\" {\n}":                                              `No record maps "emial"`,
		"guardrail {\n cannot_link \"x\" {\n when = \"differs(brithday)\"\n}\n}": `No record maps "brithday"`,
		"hierarchy \"home\" {\n on = [\"street\"]\n}":                            `No record maps "street"`,
		"survivorship {\n field \"street\" {\n rule = \"trust\"\n}\n}":           `No record maps "street"`,
		"privacy {\n hash = [\"iban\"]\n}":                                       `No record maps "iban"`,
		"blocking_rule \"b\" {\n keys = [\"soundex(surname)\"]\n}":               `No record maps "surname"`,
		"model \"m\" {\n comparison \"c\" {\n on = [\"email\"]\n levels = [\"jaro_winkler >= 0.8\", \"jaro_winkler >= 0.9\"]\n}\n}": "can never fire",
		"model \"m\" {\n comparison \"c\" {\n on = [\"email\"]\n levels = [\"exact\", \"exact\"]\n}\n}":                             "can never fire",
		"model \"m\" {\n train {\n recall_guess = 0.5\n}\n}":                                                                        "belong together",
		"model \"m\" {\n train {\n unsupervised = false\n}\n}":                                                                      "needs comparisons",
		"identifier \"email\" {\n exclusive = true\n max_values_per_person = 3\n}":                                                  "limits cannot be",
		"guardrail {\n max_records_per_source = { cmr = 1 }\n}":                                                                     `no record "cmr"`,
		"guardrail {\n alert {\n edge_growth = \"much\"\n}\n}":                                                                      "not a share",
		"persistence {\n merge_survivor = \"newest\"\n}":                                                                            "merge_survivor cannot be",
		"evaluate {\n}": "needs labels",
		"evaluate {\n truth = \"t\"\n fail_if {\n recall_below = 7\n}\n}":    "takes shares",
		"review {\n sample = -1\n}":                                          "sample must not be negative",
		"stitch \"s\" {\n link = [\"phone\"]\n event = source.web.events\n}": "links two attributes",
	} {
		_, diags := parse(t, "person", contact2+body)
		if !diags.HasErrors() || !strings.Contains(allText(diags), want) {
			t.Errorf("%s\n%s\nwant %q", body, allText(diags), want)
			continue
		}
		if d := diags[0]; d.Subject == nil || d.Subject.Start.Line < strings.Count(contact2, "\n") || d.Detail == "" {
			t.Errorf("%s: %v has no line or nothing to try", body, d)
		}
	}
}

var contact2, _, _ = strings.Cut(contact, "model")

// TestColumnsThatNobodyMaps is found when the tables are known, with its line.
func TestColumnsThatNobodyMaps(t *testing.T) {
	wh := warehouse.New()
	lists(t, wh, "crm.contacts", "id,email", "1,a@example.org", "2,b@example.org")
	model := person(t, "from = source.crm.contacts\nmatch_rule \"mail\" {\n on = [\"emial\"]\n}")
	tables, err := wh.Tables(context.Background(), "raw_crm")
	if err != nil {
		t.Fatal(err)
	}
	_, err = model.Plan(context.Background(), core.ModelPlanRequest{Tables: map[core.TableName]core.Table{tables[0].Name: tables[0]}})
	if text := fmt.Sprint(err); core.KindOf(err) != core.KindConfig || !strings.Contains(text, `no record maps "emial"`) {
		t.Errorf("plan: %v", err)
	}
}

// TestBadDataIsReported demands a line about each kind of bad data, and no giant cluster.
func TestBadDataIsReported(t *testing.T) {
	const columns = "id,first,last,email,phone,member,at"
	many := func(n int, row func(i int) string) []string {
		var rows []string
		for i := range n {
			rows = append(rows, row(i))
		}
		return rows
	}
	given := []string{"Anna", "Bert", "Cleo", "Dora", "Emil", "Fritz", "Greta", "Hanna", "Igor", "Jutta"}
	family := []string{"Lind", "Holm", "Virtanen", "Smith", "Novak", "Rossi", "Keller"}
	name := func(i int) string { return given[i%10] + "," + family[i/10%7] }
	tests := map[string]struct {
		rows []string
		body string
		want string
		most int
	}{
		"placeholders": {many(70, func(i int) string { return fmt.Sprintf("%d,%s,unknown,000-000,n/a,", i, name(i)) }), "",
			`email: 70 values are placeholders, blocked or unreadable, and count as missing, most often "unknown"`, 1},
		"one mailbox": {many(70, func(i int) string { return fmt.Sprintf("%d,%s,everybody@example.org,,,", i, name(i)) }), "",
			"share; they are not used", 1},
		"one block": {many(300, func(i int) string { return fmt.Sprintf("%d,%s,,,same,", i, name(i)) }),
			"blocking_rule \"all\" {\n keys = [\"member\"]\n max_block = 100\n}", "blocking rule all: 1 blocks above its limit were not compared", 8},
		"null keys": {many(20, func(i int) string { return fmt.Sprintf(",%s,,,,", name(i)) }), "", "20 rows of raw_crm.contacts have no key and are left out", 1},
		"one key":   {many(20, func(i int) string { return fmt.Sprintf("1,%s,,,,", name(i)) }), "", "19 rows of raw_crm.contacts have the key of another row", 1},
		"null block": {many(300, func(i int) string { return fmt.Sprintf("%d,%s,,,,", i, name(i)) }), "blocking_rule \"mail\" {\n keys = [\"email\"]\n}",
			"blocking rule mail: no record has a key", 8},
	}
	for what, test := range tests {
		t.Run(what, func(t *testing.T) {
			wh := warehouse.New()
			lists(t, wh, "crm.contacts", columns, test.rows...)
			result := build(t, wh, person(t, contact2+test.body), "1")
			if notes := strings.Join(result.Notes, "\n"); !strings.Contains(notes, test.want) {
				t.Errorf("notes lack %q:\n%s", test.want, notes)
			}
			size := map[string]int{}
			for _, id := range mapped(t, wh, "person") {
				if size[id]++; size[id] > test.most {
					t.Fatalf("a cluster of more than %d records", test.most)
				}
			}
		})
	}
}

func TestContradictionsAreReported(t *testing.T) {
	wh := warehouse.New()
	lists(t, wh, "crm.contacts", "id,first,last,email,phone,member,at", "1,Anna,Lind,,,,", "2,Bert,Holm,,,,", "3,Cleo,Novak,,,,")
	lists(t, wh, "ref.joins", "a,b,author", "crm.contacts:1,crm.contacts:2,ann", "crm.contacts:2,crm.contacts:3,ann", "crm.contacts:9,crm.contacts:1,ann")
	lists(t, wh, "ref.separations", "a,b,author", "crm.contacts:1,crm.contacts:3,bo")
	result := build(t, wh, person(t, contact2+"override {\n must_link = ref.joins\n cannot_link = ref.separations\n}"), "1")
	notes := strings.Join(result.Notes, "\n")
	for _, want := range []string{"1 cannot-links contradict must-links", "such as crm.contacts:1 and crm.contacts:3", "1 decisions name records that do not exist"} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes lack %q:\n%s", want, notes)
		}
	}
	if ids := mapped(t, wh, "person"); ids["crm.contacts:1"] == ids["crm.contacts:3"] {
		t.Error("a cannot-link does not hold")
	}
}

func TestUnknownLabels(t *testing.T) {
	wh := hardCases(t)
	build(t, wh, person(t, twoLists), "1")
	labels, err := identity.ReadLabels(strings.NewReader("a,b\ncrm.contacts:anna,erp.customers:1\ncrm.contacts:nobody,erp.customers:1\n"), "")
	if err != nil {
		t.Fatal(err)
	}
	x, err := identity.Evaluate(context.Background(), wh, "person", labels, false)
	if err != nil || len(x.Unknown) != 1 || !strings.Contains(x.Text(), "1 labels name records that do not exist or are not unique") {
		t.Errorf("%v\n%s", err, x.Text())
	}
	nobody, err := identity.ReadLabels(strings.NewReader("record,cluster\nx.y:1,1\nx.y:2,1\n"), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := identity.Evaluate(context.Background(), wh, "person", nobody, false); core.KindOf(err) != core.KindData {
		t.Errorf("labels of nobody: %v, want a data error", err)
	}
}

// TestAlerts warns of a giant cluster and of edges that grow too fast.
func TestAlerts(t *testing.T) {
	wh := warehouse.New()
	var rows []string
	for i := range 12 {
		rows = append(rows, fmt.Sprintf("%d,Anna,Lind,,,M%d,", i, i/4))
	}
	block := contact + "identifier \"member\" {\n}\nguardrail {\n alert {\n giant_cluster = 3\n edge_growth = \"30%\"\n}\n}"
	lists(t, wh, "crm.contacts", "id,first,last,email,phone,member,at", rows[:6]...)
	build(t, wh, person(t, block), "1")
	lists(t, wh, "crm.contacts", "id,first,last,email,phone,member,at", rows...)
	notes := strings.Join(build(t, wh, person(t, block), "2").Notes, "\n")
	for _, want := range []string{"a cluster has 4 records, more than 3", "edges grew from 7 to 18, more than 30%"} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes lack %q:\n%s", want, notes)
		}
	}
}

// TestSharedDevices shows the three ways to read a device of two people.
func TestSharedDevices(t *testing.T) {
	const at = "2026-03-0%dT%s:00Z"
	for way, want := range map[string][2]string{"last_authenticated": {"1", "1"}, "refuse": {"", ""}, "split_by_session": {"1", ""}} {
		wh := warehouse.New()
		lists(t, wh, "crm.contacts", "id,first,last,email,phone,member,at", "1,Anna,Lind,a@example.org,,,", "2,Bert,Holm,b@example.org,,,")
		visits := []string{"near,tab,," + fmt.Sprintf(at, 1, "10:10"), "far,tab,," + fmt.Sprintf(at, 1, "15:00")}
		logins := []string{"l1,tab,a@example.org," + fmt.Sprintf(at, 1, "10:00"), "l2,tab,b@example.org," + fmt.Sprintf(at, 5, "10:00")}
		lists(t, wh, "web.events", "id,tab,mail,at", append(visits, logins...)...)
		model := person(t, contact+`record "web" {
  from = source.web.events
  key = ["id"]
  updated_at = "at"
  map {
    cookie = "tab"
    email  = "mail"
  }
}
stitch "login" {
  link = ["cookie", "email"]
  event = source.web.events
  shared_device = "`+way+`"
  backfill = false
}`)
		build(t, wh, model, "1")
		ids := mapped(t, wh, "person")
		for i, visit := range []string{"near", "far"} {
			if got := ids["web.events:"+visit] == ids["crm.contacts:1"]; got != (want[i] == "1") {
				t.Errorf("%s: the %s visit is of the first person: %v", way, visit, got)
			}
		}
	}
}

func TestOldestIdSurvives(t *testing.T) {
	const columns = "id,first,last,email,phone,member,at"
	for rule, old := range map[string]bool{"oldest": true, "most_records_then_oldest": false} {
		wh := warehouse.New()
		block := contact + "persistence {\n merge_survivor = \"" + rule + "\"\n}"
		lists(t, wh, "crm.contacts", columns, "1,Anna,Lind,a@example.org,,,")
		build(t, wh, person(t, block), "1")
		first := mapped(t, wh, "person")["crm.contacts:1"]
		lists(t, wh, "crm.contacts", columns, "1,Anna,Lind,a@example.org,,,", "2,Anna,Lind,b@example.org,,,", "3,Anna,Lind,b@example.org,,,")
		build(t, wh, person(t, block), "2")
		if err := identity.Merge(context.Background(), wh, "person", "crm.contacts:1", "crm.contacts:2", identity.Signature{Author: "x", At: time.Now()}); err != nil {
			t.Fatal(err)
		}
		build(t, wh, person(t, block), "3")
		if got := mapped(t, wh, "person")["crm.contacts:3"] == first; got != old {
			t.Errorf("%s: the oldest id survives: %v", rule, got)
		}
	}
}

// TestCountedIdsAreNoPlaceholders: 111 in a list of numbers is the one after 110.
func TestCountedIdsAreNoPlaceholders(t *testing.T) {
	for id, one := range map[string]bool{"111": true, "2222": true, "0000": false, "9999": false, "77777777": false, "n/a": false} {
		wh := warehouse.New()
		lists(t, wh, "crm.contacts", "id,first,last,email,phone,member,at", "1,Anna,Lind,,,"+id+",", "2,Anna,Lind,,,"+id+",")
		build(t, wh, person(t, contact+"identifier \"member\" {\n}"), "1")
		if ids := mapped(t, wh, "person"); (ids["crm.contacts:1"] == ids["crm.contacts:2"]) != one {
			t.Errorf("member %s links: %v, want %v", id, !one, one)
		}
	}
}
