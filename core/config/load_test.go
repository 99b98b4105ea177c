package config_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/config"
)

func TestLoadSeveralFiles(t *testing.T) {
	dir := project(t,
		"b.hcl", "source \"crm\" \"second\" {\n  token = secret(\"env:${local.name}\")\n}\n",
		"a.hcl", "source \"crm\" \"first\" {\n  token = secret(\"env:T\")\n}\nlocals { name = \"N\" }\n",
		"unsilo.lock.hcl", "this is not { read",
		"notes.txt", "nor } this",
		"nested/c.hcl", "nor } this",
		"z.hcl", "model \"m\" {\n  sql = \"SELECT ${source.second.x}\"\n}\nsource \"crm\" \"first\" {}\n")
	p, ds := config.Load(dir, options(nil))
	if len(ds) != 1 || ds[0].Summary != "Duplicate block source.first" || ds[0].Range.String() != "z.hcl:4:1" || !strings.Contains(ds[0].Detail, "a.hcl:1") {
		t.Errorf("got %s, want one duplicate in z.hcl", rendered(ds))
	}
	if len(p.Sources) != 2 || p.Sources[0].Name != "first" || p.Sources[1].Name != "second" || len(p.Files) != 3 {
		t.Errorf("got %d files, sources %+v", len(p.Files), p.Sources)
	}
	if got := p.Sources[1].Values["token"]; got != (core.SecretRef{Ref: "env:N"}) {
		t.Errorf("got %v", got)
	}
}

func TestLoadNothing(t *testing.T) {
	file := filepath.Join(project(t, "x", ""), "x")
	for name, dir := range map[string]string{"no folder": "/no/such/folder", "no files": t.TempDir(), "a file": file} {
		p, ds := config.Load(dir, config.Options{})
		if p != nil || len(ds) != 1 || !ds.HasErrors() || ds[0].Try == "" {
			t.Errorf("%s: got %v, %s", name, p, rendered(ds))
		}
	}
	p, ds := config.Load(project(t, "main.hcl", ""), config.Options{})
	if ds != nil || p.Isolation != "process" || p.Warehouse.Kind != "duckdb" || p.Warehouse.Path != filepath.Join(p.Dir, "warehouse.duckdb") {
		t.Errorf("an empty file: got %+v, %s", p, rendered(ds))
	}
	// A folder whose name means something to patterns.
	odd := filepath.Join(t.TempDir(), "a[b]*?")
	if err := os.Mkdir(odd, 0o700); err != nil {
		t.Skipf("such a folder cannot be made here: %v", err)
	}
	if err := os.WriteFile(filepath.Join(odd, "main.hcl"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, ds := config.Load(odd, config.Options{}); ds != nil {
		t.Errorf("got %s", rendered(ds))
	}
}

func TestVariables(t *testing.T) {
	const src = `
variable "text" { default = "default" }
variable "number" { default = 1 }
variable "flag" {
  type    = bool
  default = false
}
variable "items" { default = ["a"] }
variable "pairs" {
  type    = map
  default = {}
}
source "crm" "a" {
  token     = secret("env:T")
  base_url  = var.text
  page_size = var.number
  archived  = var.flag
  scopes    = var.items
  options   = var.pairs
}
`
	show := func(p *config.Project) string {
		v := p.Sources[0].Values
		return fmt.Sprint(v["base_url"], " ", v["page_size"], v["archived"], v["scopes"], v["options"])
	}
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "prod.vars")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	tests := []struct {
		name  string
		env   map[string]string
		files []string
		given map[string]string
		want  string // the values, or the summary of the error
	}{
		{name: "defaults", want: "default 1 false [a] map[]"},
		{name: "environment", want: "from env 7 true [x y] map[k:v]", env: map[string]string{
			"UNSILO_VAR_text": "from env", "UNSILO_VAR_number": "7", "UNSILO_VAR_flag": "true",
			"UNSILO_VAR_items": `["x", "y"]`, "UNSILO_VAR_pairs": `{ k = "v" }`}},
		{name: "text stays text", env: map[string]string{"UNSILO_VAR_text": `[1, "${x}"`}, want: `[1, "${x}" 1 false [a] map[]`},
		{name: "files over environment", env: map[string]string{"UNSILO_VAR_text": "env", "UNSILO_VAR_number": "7"},
			files: []string{file("text = \"file\"\nflag = true\n"), file("text = \"later\"\n")}, want: "later 7 true [a] map[]"},
		{name: "command line over files", files: []string{file(`text = "file"`)}, given: map[string]string{"text": "line", "number": "3"},
			want: "line 3 false [a] map[]"},
		{name: "unknown", given: map[string]string{"txet": "x"}, want: `Unknown variable "txet"`},
		{name: "unknown in file", files: []string{file("\nnmber = 2")}, want: `Unknown variable "nmber"`},
		{name: "not a number", given: map[string]string{"number": "many"}, want: `Wrong value for variable "number"`},
		{name: "not a flag", given: map[string]string{"flag": "[true]"}, want: `Wrong value for variable "flag"`},
		{name: "broken list", given: map[string]string{"items": "["}, want: `Wrong value for variable "items"`},
		{name: "deep list", given: map[string]string{"items": strings.Repeat("[", 100_000)}, want: `Wrong value for variable "items"`},
		{name: "functions in a value", given: map[string]string{"items": `[file("main.hcl")]`}, want: `Wrong value for variable "items"`},
		{name: "no file", files: []string{"/no/such.vars"}, want: `The file of variables "/no/such.vars" cannot be read`},
		{name: "broken file", files: []string{file("text = ")}, want: "Missing expression"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			opts := options(tt.env)
			opts.Variables, opts.VarFiles = tt.given, tt.files
			p, ds := config.Load(project(t, "main.hcl", src), opts)
			got := ""
			if len(ds) > 0 {
				got = ds[0].Summary
				if ds[0].Try == "" {
					t.Errorf("nothing to try: %s", rendered(ds))
				}
			} else {
				got = show(p)
			}
			if got != tt.want {
				t.Errorf("got %q, want %q\n%s", got, tt.want, rendered(ds))
			}
		})
	}
}

func TestRequiredVersion(t *testing.T) {
	for _, tt := range []struct {
		constraint, version string
		met                 bool
	}{
		{">= 0.1.0", "0.1.0", true}, {">= 0.1.0", "0.0.9", false}, {"> 1.2", "1.2.0", false}, {"> 1.2", "1.2.1", true},
		{"~> 1.2", "1.9.0", true}, {"~> 1.2", "2.0.0", false}, {"~> 1.2.3", "1.2.9", true}, {"~> 1.2.3", "1.3.0", false},
		{"~> 1.2.3", "1.2.2", false}, {"= 1.0.0", "1.0.0", true}, {"1.0.0", "1.0.1", false}, {"!= 1.0.0", "1.0.0", false},
		{">= 1.0.0, < 2.0.0", "1.5.0", true}, {">= 1.0.0, < 2.0.0", "2.0.0", false}, {"<= 1.0.0", "1.0.0-rc1", true},
		{">= 1.0.0", "1.0.0-rc1", false}, {"> 1.0.0-rc1", "1.0.0-rc2", true}, {">= 9.0.0", "dev", true}, {">= 9.0.0", "", true}, {"~> 2", "2.7.1", true},
		{"~> 2", "3.0.0", false}, {">= 1.0.0", "v1.2.3+build.5", true},
	} {
		opts := options(nil)
		opts.Version = tt.version
		_, ds := config.Load(project(t, "main.hcl", fmt.Sprintf("unsilo { required_version = %q }", tt.constraint)), opts)
		if got := !ds.HasErrors(); got != tt.met {
			t.Errorf("version %q against %q: got %v, want %v\n%s", tt.version, tt.constraint, got, tt.met, rendered(ds))
		}
	}
}

// TestFunctions evaluates expressions in an attribute that takes anything.
func TestFunctions(t *testing.T) {
	for expression, want := range map[string]string{
		`[upper("a"), lower("B"), title("ab c"), trimspace(" x "), trim("--x-", "-")]`:               `["A","b","Ab C","x","x"]`,
		`[trimprefix("ab", "a"), trimsuffix("ab", "b"), substr("hello", 1, 3)]`:                      `["b","a","ell"]`,
		`[join("-", ["a", "b"]), split(",", "a,b"), replace("a.b", ".", "/")]`:                       `["a-b",["a","b"],"a/b"]`,
		`[regex("[0-9]+", "ab12"), regexall("[0-9]", "a1b2"), regexreplace("a1", "[0-9]", "#")]`:     `["12",["1","2"],"a#"]`,
		`[format("%03d %s", 7, "x"), formatlist("%s!", ["a", "b"])]`:                                 `["007 x",["a!","b!"]]`,
		`[startswith("abc", "ab"), endswith("abc", "ab"), contains(["a"], "a")]`:                     `[true,false,true]`,
		`[length("äö"), length([1, 2]), length({ a = 1 })]`:                                          `[2,2,1]`,
		`[concat([1], [2]), merge({ a = 1 }, { b = 2 }), lookup({ a = 1 }, "b", 0)]`:                 `[[1,2],{"a":1,"b":2},0]`,
		`[keys({ b = 1, a = 2 }), values({ b = 1, a = 2 }), zipmap(["a"], [1])]`:                     `[["a","b"],[2,1],{"a":1}]`,
		`[coalesce(null, "x"), coalescelist([], [1]), compact(["", "a"]), distinct([1, 1])]`:         `["x",[1],["a"],[1]]`,
		`[element(["a", "b"], 3), flatten([[1], [2]]), reverse([1, 2]), slice([1, 2, 3], 0, 2)]`:     `["b",[1,2],[2,1],[1,2]]`,
		`[sort(["b", "a"]), min(2, 1), max(2, 1), abs(-1), ceil(1.2), floor(1.8)]`:                   `[["a","b"],1,2,1,2,1]`,
		`[timeadd("2026-01-31T00:00:00Z", "24h"), formatdate("YYYY-MM-DD", "2026-01-31T00:00:00Z")]`: `["2026-02-01T00:00:00Z","2026-01-31"]`,
		`[jsonencode({ a = [1] }), jsondecode("{\"a\":[1,null]}"), parseint("ff", 16)]`:              `["{\"a\":[1]}",{"a":[1,null]},255]`,
		`[tostring(1), tonumber("2"), tobool("true"), tolist(toset(["b", "a"])), tomap({ a = 1 })]`:  `["1",2,true,["a","b"],{"a":1}]`,
		`[file("data/region"), now(), true ? 1 : 2, "%{ if true }x%{ endif }"]`:                      `["eu\n","2026-11-22T10:00:00Z",1,"x"]`,
		`[for k, v in { a = 1 } : "${k}=${v}"]`:                                                      `["a=1"]`,
		`{ for s in ["a", "b"] : s => upper(s) if s != "a" }`:                                        `{"b":"B"}`,
		`9007199254740993`: `9007199254740993`,
	} {
		dir := project(t, "data/region", "eu\n", "main.hcl", "source \"crm\" \"a\" {\n  token = secret(\"env:T\")\n  options = "+expression+"\n}\n")
		opts := options(nil)
		opts.Now = func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.FixedZone("", 7200)) }
		p, ds := config.Load(dir, opts)
		if ds != nil {
			t.Errorf("%s: %s", expression, rendered(ds))
			continue
		}
		if got, _ := json.Marshal(p.Sources[0].Values["options"]); string(got) != want {
			t.Errorf("%s: got %s, want %s", expression, got, want)
		}
	}
}

// TestBlockEval evaluates the body of a model as the package that decodes it does.
func TestBlockEval(t *testing.T) {
	p := good(t, `
locals { limit = 10 }
source "crm" "sales" { token = secret("env:T") }
identity "person" {}
insight "score" {}
model "orders" {
  sql = <<-SQL
    SELECT * FROM ${source.sales.deals}
    JOIN ${identity.person.map} ON true
    JOIN ${identity.person.events} ON true
    JOIN ${insight.score} ON true LIMIT ${local.limit}
  SQL
  test "x" {
    against = [for t in [source.sales.deals, source.sales.contacts] : t]
  }
}
`, nil)
	var block config.Block
	for _, b := range p.Models {
		if b.Ref().String() == "model.orders" {
			block = b
		}
	}
	body := block.Body.(*hclsyntax.Body)
	v, diags := body.Attributes["sql"].Expr.Value(block.Eval)
	want := "SELECT * FROM \"raw_sales\".\"deals\"\nJOIN \"identity\".\"person_map\" ON true\n" +
		"JOIN \"identity\".\"person_events\" ON true\nJOIN \"marts\".\"score\" ON true LIMIT 10\n"
	if diags.HasErrors() || v.AsString() != want {
		t.Errorf("got %#v, %v, want %q", v, diags, want)
	}
	if _, diags := body.Blocks[0].Body.Attributes["against"].Expr.Value(block.Eval); diags.HasErrors() {
		t.Error(diags)
	}
	want = "[identity.person_events identity.person_map marts.score raw_sales.contacts raw_sales.deals]"
	if got := fmt.Sprint(block.Reads); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if src := string(block.Source); !strings.HasPrefix(src, `model "orders" {`) || !strings.HasSuffix(src, "}") {
		t.Errorf("got the source %q", src)
	}
	for name := range block.Eval.Functions {
		if name == "secret" {
			t.Error("a model can reach secrets")
		}
	}
}

// TestCanaries has secrets in every place a user may put them, right and wrong, and
// looks for them in all that comes out.
func TestCanaries(t *testing.T) {
	opts := options(map[string]string{"UNSILO_VAR_pin": "canary-env", "TOKEN": "canary-token"})
	opts.Variables = map[string]string{"plain": "canary-plain"}
	const head = "variable \"pin\" { sensitive = true }\nvariable \"plain\" {}\n"
	for name, src := range map[string]string{
		"literals":          `source "crm" "a" { token = "canary-1" }`,
		"misspelt":          `source "crm" "a" { tokn = "canary-1" }`,
		"misspelt badly":    `source "crm" "a" { key = "canary-1" }`,
		"unknown connector": `source "cmr" "a" { key = "canary-1" }`,
		"wrong type":        `source "crm" "a" { token = ["canary-1"] }`,
		"in a list":         "source \"crm\" \"a\" {\n  headers = [\n    \"canary-1\",\n  ]\n}",
		"in a map":          "source \"crm\" \"a\" {\n  headers = {\n    a = \"canary-1\", b = 1 }\n}",
		"null beside":       "source \"crm\" \"a\" {\n  token = true ? null : \"canary-1\"\n}",
		"failing call":      `source "crm" "a" { token = substr("canary-1", "x", 1) }`,
		"url":               `source "crm" "a" { base_url = ["https://u:canary1x@crm.example"] }`,
		"variables":         "source \"crm\" \"a\" {\n  token = var.pin\n  region = var.pin\n  page_size = var.pin\n  headers = { k = var.plain }\n}",
		"compared":          "source \"crm\" \"a\" {\n  region = var.pin == \"x\" ? \"eu\" : \"${var.pin}-\"\n}",
		"changed":           "locals { x = upper(var.pin) }\nsource \"crm\" \"a\" {\n  base_url = local.x\n}",
		"in sql":            `model "m" { sql = "SELECT ${var.pin}" }`,
		"in a name":         "source \"crm\" \"a\" {\n  options = { (var.pin) = 1 }\n}",
		"default":           "variable \"v\" {\n  sensitive = true\n  default = \"canary-1\"\n}",
		"default of type":   "variable \"v\" {\n  sensitive = true\n  type = number\n  default = \"canary-1\"\n}",
		"privacy":           "privacy {\n  key = \"canary-1\"\n  keyid = 1\n}",
		"syntax":            "source \"crm\" \"a\" {\n  token = \"canary-1\n}",
		"syntax in line":    `source "crm" "a" { token = "canary-1" region = "eu" }`,
		"syntax of a map":   "source \"crm\" \"a\" {\n  password: \"canary-1\"\n}",
		"redefined":         "source \"crm\" \"a\" {\n  token = \"canary-1\"\n  token = \"canary-2\"\n}",
		"reference":         `source "crm" "a" { token = secret("env:canary 1") }`,
	} {
		t.Run(name, func(t *testing.T) {
			p, ds := config.Load(project(t, "main.hcl", head+src+"\n"), opts)
			asJSON, err := json.Marshal(ds)
			if err != nil {
				t.Fatal(err)
			}
			whole, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			for what, text := range map[string]string{"diagnostics": string(asJSON), "text": rendered(ds), "project": string(whole)} {
				for _, canary := range []string{"canary-", "CANARY", "canary1x"} {
					if strings.Contains(text, canary) {
						t.Errorf("%s: %q is in %s", what, canary, text)
					}
				}
			}
			if len(ds) == 0 {
				t.Error("no diagnostics; the case shows nothing")
			}
			if p != nil {
				if s := p.Snippet(core.Range{File: "main.hcl", Line: 3, EndLine: 7}); strings.Contains(s, "canary-") {
					t.Errorf("the snippet shows %q", s)
				}
			}
		})
	}
}
