package identity_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/unsilo/unsilo/core"
	warehouse "github.com/unsilo/unsilo/core/warehouse/memory"
	"github.com/unsilo/unsilo/transforms/identity"
)

// lists lands rows of a table: the names of the columns, then cells.
func lists(t testing.TB, wh core.Warehouse, table, columns string, rows ...string) {
	t.Helper()
	source, stream, _ := strings.Cut(table, ".")
	var cells [][]string
	for _, r := range rows {
		cells = append(cells, strings.Split(r, ","))
	}
	fill(t, wh, core.TableName{Schema: map[bool]string{true: "raw_ref", false: "raw_" + source}[source == "ref"], Name: stream}, nil, plain(strings.Split(columns, ",")...), cells)
}

// withFiles decodes a block whose file() reads in a directory.
func withFiles(t testing.TB, dir, name, body string) (core.Model, hcl.Diagnostics) {
	t.Helper()
	file, diags := hclsyntax.ParseConfig([]byte(body), "identity.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	eval := &hcl.EvalContext{Variables: map[string]cty.Value{"source": cty.ObjectVal(map[string]cty.Value{
		"crm": cty.ObjectVal(map[string]cty.Value{"contacts": cty.StringVal(`"raw_crm"."contacts"`)}),
		"a":   cty.ObjectVal(map[string]cty.Value{"items": cty.StringVal(`"raw_a"."items"`)}),
	})}}
	eval.Functions = map[string]function.Function{"file": function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}}, Type: function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			text, err := os.ReadFile(filepath.Join(dir, args[0].AsString()))
			return cty.StringVal(string(text)), err
		}})}
	return identity.Decode(name, file.Body, eval.NewChild(), nil)
}

const contact = `record "crm" {
  from = source.crm.contacts
  key  = ["id"]
  updated_at = "at"
  map {
    first_name = "first"
    last_name  = "last"
    email      = "email"
    phone      = "phone"
    member     = "member"
  }
}
model "exact" {
  kind = "exact"
}
`

// TestWordsThatLink shows of each word that the same records are one with it and two
// without, or the other way about.
func TestWordsThatLink(t *testing.T) {
	const columns = "id,first,last,email,phone,member,at"
	tests := map[string]struct {
		rows       []string
		plain      string
		word       string
		with, sans bool // one person with the word, and without
	}{
		"valid_for": {rows: []string{"1,Anna,Lind,,+4930123456,,2020-01-01", "2,Anna,Lind,,+4930123456,,2024-01-01"},
			word: `identifier "phone" {` + "\n valid_for = \"730d\"\n}", with: false, sans: true},
		"links": {rows: []string{"1,Anna,Lind,a@example.org,,,", "2,Anna,Lind,a@example.org,,,"},
			word: `identifier "email" {` + "\n links = false\n}", with: false, sans: true},
		"identifier": {rows: []string{"1,Anna,Lind,,,M-17,", "2,Anna,Lind,,,m17,"}, word: `identifier "member" {` + "\n}", with: true, sans: false},
		"exclusive": {rows: []string{"1,Anna,Lind,a@example.org,,M17,", "2,Anna,Lind,a@example.org,,M18,"},
			word: `identifier "member" {` + "\n exclusive = true\n}", with: false, sans: true},
		"max_values_per_person": {rows: []string{"1,Anna,Lind,a@example.org,,M17,", "2,Anna,Lind,a@example.org,,M18,"},
			word: `identifier "member" {` + "\n max_values_per_person = 1\n}", with: false, sans: true},
		"max_persons_per_value": {rows: []string{"1,Anna,Lind,a@example.org,,,", "2,Anna,Lind,a@example.org,,,", "3,Bert,Holm,a@example.org,,,"},
			word: `identifier "email" {` + "\n max_persons_per_value = 1\n}", with: false, sans: true},
		"blocklist values": {rows: []string{"1,Anna,Lind,a@example.org,,,", "2,Anna,Lind,a@example.org,,,"},
			word: `identifier "email" {` + "\n blocklist {\n values = [\"a@example.org\"]\n}\n}", with: false, sans: true},
		"blocklist local_part": {rows: []string{"1,Anna,Lind,desk@example.org,,,", "2,Anna,Lind,desk@example.org,,,"},
			word: `identifier "email" {` + "\n blocklist {\n local_part = [\"desk\"]\n}\n}", with: false, sans: true},
		"blocklist pattern": {rows: []string{"1,Anna,Lind,test7@example.org,,,", "2,Anna,Lind,test7@example.org,,,"},
			word: `identifier "email" {` + "\n blocklist {\n pattern = [\"^test\"]\n}\n}", with: false, sans: true},
		"repeated_digit_min": {rows: []string{"1,Anna,Lind,,+4930555512,,", "2,Anna,Lind,,+4930555512,,"},
			word: `identifier "phone" {` + "\n blocklist {\n repeated_digit_min = 4\n}\n}", with: false, sans: true},
		"normalize": {rows: []string{"1,Anna,Lind,,,AB-17,", "2,Anna,Lind,,,ab 17,"}, plain: `identifier "member" {` + "\n normalize = [\"exact\"]\n}",
			word: `identifier "member" {` + "\n normalize = [\"alnum\"]\n}", with: true, sans: false},
		"match_rule and": {rows: []string{"1,Anna,Lind,a@example.org,,,", "2,Bert,Lind,a@example.org,,,"}, plain: "match_rule \"mail\" {\n on = [\"email\"]\n}",
			word: "match_rule \"mail\" {\n on = [\"email\"]\n and = \"similar(first_name, 0.9)\"\n}", with: false, sans: true},
		"cannot_link when": {rows: []string{"1,Anna,Lind,a@example.org,,M1,", "2,Anna,Lind,a@example.org,,M2,"},
			word: "guardrail {\n cannot_link \"member\" {\n when = \"both(member) and differs(member)\"\n}\n}", with: false, sans: true},
		"max_cluster_size": {rows: []string{"1,Anna,Lind,a@example.org,,,", "2,Anna,Lind,a@example.org,,,"},
			word: "guardrail {\n max_cluster_size = 1\n}", with: false, sans: true},
		"max_records_per_source": {rows: []string{"1,Anna,Lind,a@example.org,,,", "2,Anna,Lind,a@example.org,,,"},
			word: "guardrail {\n max_records_per_source = { crm = 1 }\n}", with: false, sans: true},
		"one_to_one": {rows: []string{"1,Anna,Lind,a@example.org,,,", "2,Anna,Lind,a@example.org,,,"},
			word: "clustering {\n method = \"one_to_one\"\n}", with: false, sans: true},
		"exclude": {}, // TestExclude
	}
	for name, test := range tests {
		if test.rows == nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			for _, side := range []struct {
				body string
				one  bool
			}{{contact + test.plain, test.sans}, {contact + test.word, test.with}} {
				wh := warehouse.New()
				lists(t, wh, "crm.contacts", columns, test.rows...)
				result := build(t, wh, person(t, side.body), "1")
				ids := mapped(t, wh, "person")
				if got := ids["crm.contacts:1"] == ids["crm.contacts:2"]; got != side.one {
					t.Errorf("one person: %v, want %v\n%s\n%s", got, side.one, side.body, strings.Join(result.Notes, "\n"))
				}
			}
		})
	}
}

func TestWordsThatReadFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"junk.txt": "# shared mailboxes\na@example.org\n", "names.csv": "hewlett packard, hp, hpe\n", "bad.csv": "alone\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	wh := warehouse.New()
	lists(t, wh, "crm.contacts", "id,first,last,email,phone,member,at", "1,Anna,Lind,a@example.org,,HP,", "2,Anna,Lind,a@example.org,,Hewlett Packard,")
	model, diags := withFiles(t, dir, "person", contact+"identifier \"email\" {\n blocklist {\n file = \"junk.txt\"\n}\n}")
	if diags.HasErrors() {
		t.Fatal(allText(diags))
	}
	build(t, wh, model, "1")
	if ids := mapped(t, wh, "person"); ids["crm.contacts:1"] == ids["crm.contacts:2"] {
		t.Error("a mailbox on the list links")
	}
	model, diags = withFiles(t, dir, "person", contact+"identifier \"member\" {\n}\nattribute \"member\" {\n kind = \"word\"\n variants = \"names.csv\"\n}\nidentifier \"email\" {\n links = false\n}")
	if diags.HasErrors() {
		t.Fatal(allText(diags))
	}
	build(t, wh, model, "2")
	if ids := mapped(t, wh, "person"); ids["crm.contacts:1"] != ids["crm.contacts:2"] {
		t.Error("variants are not the same")
	}
	for _, body := range []string{"identifier \"email\" {\n blocklist {\n file = \"nowhere.txt\"\n}\n}", "attribute \"member\" {\n variants = \"bad.csv\"\n}",
		"hierarchy \"home\" {\n on = [\"last_name\"]\n blocklist_file = \"nowhere.txt\"\n}"} {
		if _, diags := withFiles(t, dir, "person", contact+body); !diags.HasErrors() || diags[0].Subject == nil || diags[0].Subject.Start.Line < 15 {
			t.Errorf("%s: %v, want an error with its line", body, diags)
		}
	}
}

func TestGrainDistinct(t *testing.T) {
	const block = `record "web" {
  from = source.web.events
  key  = ["visitor"]
  %s
  map {
    handle = "login"
    cookie = "visitor"
  }
}`
	wh := warehouse.New()
	lists(t, wh, "web.events", "n,visitor,login", "1,c1,anna", "2,c1,", "3,c1,anna2", "4,c2,", "5,,")
	result := build(t, wh, person(t, fmt.Sprintf(block, `grain = "distinct"`)), "1")
	if ids := mapped(t, wh, "person"); len(ids) != 2 {
		t.Errorf("%d records, want one for each cookie: %v", len(ids), ids)
	}
	if notes := strings.Join(result.Notes, "\n"); !strings.Contains(notes, "1 rows of raw_web.events have no key") {
		t.Errorf("a row without a key is silent: %s", notes)
	}
	if got := cells(t, wh, "person_golden", "handle"); len(got) != 2 {
		t.Errorf("golden = %v, %v", got, mapped(t, wh, "person"))
	}
	result = build(t, wh, person(t, fmt.Sprintf(block, "")), "2")
	if notes := strings.Join(result.Notes, "\n"); !strings.Contains(notes, "2 rows of raw_web.events have the key of another row") {
		t.Errorf("repeated keys are silent: %s", notes)
	}
}

func TestOnViolation(t *testing.T) {
	rows := []string{"1,Anna,Lind,a@example.org,,M1,", "2,Anna,Lind,a@example.org,,M2,"}
	for policy, asked := range map[string]int{"refuse_edge": 0, "review": 1, "fail": -1} {
		wh := warehouse.New()
		lists(t, wh, "crm.contacts", "id,first,last,email,phone,member,at", rows...)
		model := person(t, contact+"identifier \"member\" {\n exclusive = true\n}\nguardrail {\n on_violation = \""+policy+"\"\n}")
		_, err := model.Build(context.Background(), core.BuildRequest{Warehouse: wh, RunID: "1", At: time.Now(), Emit: func(core.Event) {}})
		if policy == "fail" {
			if core.KindOf(err) != core.KindData || !strings.Contains(err.Error(), "exclusive: two values of member") {
				t.Errorf("fail: %v", err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		open, err := identity.Review(context.Background(), wh, "person", 0)
		if err != nil || len(open) != asked {
			t.Errorf("%s: %d questions, %v; want %d", policy, len(open), err, asked)
		}
	}
}

func TestNothingKnownJoinsNobody(t *testing.T) {
	for n := 2; n < 7; n++ {
		wh := warehouse.New()
		var rows []string
		for i := range n {
			rows = append(rows, fmt.Sprintf("%d,,,,,M%d,", i+1, i))
		}
		rows[0] = "1,Anna,Lind,a@example.org,,M0,"
		lists(t, wh, "crm.contacts", "id,first,last,email,phone,member,at", rows...)
		build(t, wh, person(t, strings.ReplaceAll(contact, "model \"exact\" {\n  kind = \"exact\"\n}\n", "")), "1")
		if ids := mapped(t, wh, "person"); len(cells(t, wh, "person_golden", "person_id")) != n {
			t.Errorf("%d records without anything in common: %v", n, ids)
		}
	}
}

func TestTrainingWords(t *testing.T) {
	rows := people(300, 4)
	fitted := func(train string) (string, string) {
		wh := warehouse.New()
		landPeople(t, wh, rows)
		result := build(t, wh, person(t, "from = source.set.records\nmodel \"fs\" {\n"+train+"\n}"), "1")
		return cells(t, wh, "person_model", "model")[0][0], strings.Join(result.Notes, "\n")
	}
	usual, _ := fitted("")
	for _, train := range []string{"u_pairs = 500", "max_pairs = 200", "recall_guess = 0.8\n on = [[\"first_name\", \"last_name\"]]"} {
		got, notes := fitted("train {\n" + train + "\n}")
		if got == usual {
			t.Errorf("%s changes nothing: %s", train, notes)
		}
		if strings.Contains(train, "recall") && !strings.Contains(notes, "pairs meet a strict rule") {
			t.Errorf("no word about the prior: %s", notes)
		}
	}
	got, _ := fitted("comparison \"last_name\" {\n on = [\"last_name\"]\n level {\n when = \"exact\"\n m = 0.77\n u = 0.0123\n}\n}")
	if !strings.Contains(got, `"m":0.77`) || !strings.Contains(got, `"u":0.0123`) {
		t.Errorf("m and u are not those that were given: %.600s", got)
	}
}

func TestEvaluateGate(t *testing.T) {
	const columns = "id,first,last,email,phone,member,at"
	rows := []string{"1,Anna,Lind,a@example.org,,p1,", "2,Anna,Lind,a@example.org,,p1,", "3,Bert,Holm,b@example.org,,p2,", "4,Cleo,Holm,c@example.org,,p2,"}
	block := strings.Replace(contact, "    member     = \"member\"\n", "", 1)
	gate := func(body string) (core.Warehouse, core.BuildResult, error) {
		wh := warehouse.New()
		lists(t, wh, "crm.contacts", columns, rows...)
		lists(t, wh, "ref.labels", "record,entity", "crm.contacts:1,x", "crm.contacts:2,x", "crm.contacts:9,x")
		result, err := person(t, block+body).Build(context.Background(), core.BuildRequest{Warehouse: wh, RunID: "1", At: time.Now(), Emit: func(core.Event) {}})
		return wh, result, err
	}
	wh, _, err := gate("evaluate {\n truth = \"member\"\n fail_if {\n recall_below = 0.9\n}\n}")
	if core.KindOf(err) != core.KindData || !strings.Contains(err.Error(), "recall is 0.5000, below 0.9") {
		t.Errorf("a build below the gate: %v", err)
	}
	if tables, _ := wh.Tables(context.Background(), "identity"); len(tables) != 0 {
		t.Errorf("it was published: %v", tables)
	}
	_, result, err := gate("evaluate {\n labels = ref.labels\n truth = \"entity\"\n fail_if {\n precision_below = 0.9\n f1_below = 0.9\n}\n}")
	if err != nil || len(result.Tests) != 2 || !strings.Contains(strings.Join(result.Notes, "\n"), `1 labels name records that do not exist or are not unique, such as "crm.contacts:9"`) {
		t.Errorf("a good build: %v, %v, %v", err, result.Tests, result.Notes)
	}
}

func TestPrivacyHash(t *testing.T) {
	wh := warehouse.New()
	lists(t, wh, "crm.contacts", "id,first,last,email,phone,member,at", "1,Anna,Lind,Anna@example.org,,M1,", "2,Bert,Holm,bert@example.org,,M2,")
	model := person(t, contact+"privacy {\n hash = [\"email\", \"last_name\"]\n}")
	build(t, wh, model, "1")
	first := cells(t, wh, "person_golden", "email", "last_name", "first_name")
	lists(t, wh, "crm.contacts", "id,first,last,email,phone,member,at", "1,Anna,Lind,anna@example.org,,M1,", "2,Bert,Holm,bert@example.org,,M3,")
	build(t, wh, model, "2")
	if again := cells(t, wh, "person_golden", "email", "last_name", "first_name"); fmt.Sprint(first) != fmt.Sprint(again) {
		t.Errorf("tokens change: %v, %v", first, again)
	}
	if text := fmt.Sprint(first); strings.Contains(text, "@") || strings.Contains(text, "Lind") || !strings.Contains(text, "Anna") || len(first[0][0]) != 32 {
		t.Errorf("golden = %v", first)
	}
	x, err := identity.Explain(context.Background(), wh, "person", "crm.contacts:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := model.(*identity.Model).Show(context.Background(), wh, &x); err != nil {
		t.Fatal(err)
	}
	if text := x.Text(); strings.Contains(text, "@") || strings.Contains(text, "Lind") || !strings.Contains(text, "email=(hidden)") {
		t.Errorf("explanation shows what is hashed: %s", text)
	}
}

func TestReviewWords(t *testing.T) {
	queue := func(body string) []identity.Question {
		wh := warehouse.New()
		landPeople(t, wh, people(400, 6))
		build(t, wh, person(t, "from = source.set.records\n"+body), "1")
		open, err := identity.Review(context.Background(), wh, "person", 0)
		if err != nil {
			t.Fatal(err)
		}
		return open
	}
	usual := queue("")
	if len(usual) == 0 {
		t.Fatal("nothing is open")
	}
	if wide := queue("decision {\n link = 0.9999\n keep = 0.01\n}"); len(wide) <= len(usual) {
		t.Errorf("a wider band has %d pairs, the usual one %d", len(wide), len(usual))
	}
	split := queue("decision {\n review = 0.6\n}")
	for i := 1; i < len(split); i++ {
		if split[i].Probability > 0.601 && split[i-1].Probability < 0.599 {
			t.Fatalf("pair %d at %.3f comes after one at %.3f", i, split[i].Probability, split[i-1].Probability)
		}
	}
	sampled := 0
	for _, q := range queue("review {\n sample = 5\n}") {
		if q.Sampled {
			sampled++
		}
	}
	if sampled != 5 {
		t.Errorf("%d sampled pairs, want 5", sampled)
	}
}

// TestGuideKnowsAllWords demands that the guide names every word that a block may hold.
func TestGuideKnowsAllWords(t *testing.T) {
	source, err := os.ReadFile("definition.go")
	if err != nil {
		t.Fatal(err)
	}
	guide, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(guide), "## All words")
	for _, m := range regexp.MustCompile(`hcl:"([a-z_0-9]+),(optional|block)?`).FindAllStringSubmatch(string(source), -1) {
		if word := m[1]; !regexp.MustCompile(`\b` + word + `\b`).MatchString(table) {
			t.Errorf("the guide does not know %q", word)
		}
	}
}
