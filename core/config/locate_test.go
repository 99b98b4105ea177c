package config_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/config"
)

const located = `warehouse "duckdb" {
  path = "x.duckdb"
}
source "crm" "sales" {
  token   = secret("env:T")
  headers = { "X-Key" = secret("env:K"), plain = secret("env:P") }
  scopes  = ["a", "b"]
  stream "contacts" {
    cursor = "at"
    mask   = { email = "redact", "dotted.name" = "drop" }
  }
  stream "deals" {}
}
model "orders" {
  sql = <<-SQL
    SELECT id,
      nme
    FROM ${source.sales.deals} d WHERE d.x > 1
  SQL
  short = "SELECT nme FROM ${source.sales.deals} WHERE y"
  test "unique" { columns = ["id", "line"] }
}
`

func TestLocate(t *testing.T) {
	p := good(t, located, nil)
	for path, want := range map[string]string{
		"token":                            `5 secret("env:T")`,
		"headers.X-Key":                    `6 secret("env:K")`,
		"headers.plain":                    `6 secret("env:P")`,
		"headers.other":                    `6 { "X-Key" = secret("env:K"), plain = secret("env:P") }`,
		"scopes[1]":                        `7 "b"`,
		"stream.contacts.cursor":           `9 "at"`,
		"stream.contacts.mask.email":       `10 "redact"`,
		"stream.contacts.mask.dotted.name": `10 "drop"`,
		"stream.contacts.lookback":         `8 stream "contacts"`,
		"stream.deals":                     `12 stream "deals"`,
		"stream.unknown.cursor":            `4 source "crm" "sales"`,
		"base_url":                         `4 source "crm" "sales"`,
		"":                                 `4 source "crm" "sales"`,
	} {
		if got := place(p, p.Locate("sales", path)); got != want {
			t.Errorf("path %q: got %s, want %s", path, got, want)
		}
	}
	if at := p.Locate("unknown", "token"); at != nil {
		t.Errorf("a source that is not there is at %v", at)
	}
	for _, tt := range []struct{ kind, name, path, want string }{
		{"model", "orders", "test.unique.columns[1]", `21 "line"`},
		{"model", "orders", "short", `20 "SELECT nme FROM ${source.sales.deals} WHERE y"`},
		{"warehouse", "", "path", `2 "x.duckdb"`},
		{"warehouse", "duckdb", "", `1 warehouse "duckdb"`},
	} {
		if got := place(p, p.LocateBlock(core.Ref{Kind: tt.kind, Name: tt.name}, tt.path)); got != tt.want {
			t.Errorf("%s.%s %q: got %s, want %s", tt.kind, tt.name, tt.path, got, tt.want)
		}
	}
}

// place gives the line of a range, and its text.
func place(p *config.Project, r *core.Range) string {
	if r == nil {
		return "nowhere"
	}
	lines := strings.Split(string(p.Files[r.File]), "\n")
	end := r.EndColumn - 1
	if r.EndLine > r.Line {
		end = len(lines[r.Line-1])
	}
	return fmt.Sprintf("%d %s", r.Line, lines[r.Line-1][r.Column-1:end])
}

func TestLocateSQL(t *testing.T) {
	p := good(t, located, nil)
	for _, tt := range []struct {
		path         string
		line, column int
		want         string
	}{
		{"sql", 1, 1, "16 S"}, {"sql", 1, 8, "16 i"}, {"sql", 2, 3, "17 n"},
		{"sql", 3, 1, "18 F"},
		{"sql", 3, 40, "18 FROM ${source.sales.deals} d WHERE d.x > 1"},
		{"sql", 2, 0, "17 nme"}, {"sql", 0, 0, "15 <<-SQL"}, {"sql", 9, 1, "15 <<-SQL"},
		{"short", 1, 8, "20 n"}, {"none", 1, 1, `14 model "orders"`},
	} {
		at := p.LocateSQL(core.Ref{Kind: "model", Name: "orders"}, tt.path, &core.SQLError{Line: tt.line, Column: tt.column})
		if got := place(p, at); got != tt.want {
			t.Errorf("%s %d:%d: got %q, want %q", tt.path, tt.line, tt.column, got, tt.want)
		}
	}
}

func TestFingerprint(t *testing.T) {
	base := `
source "crm" "a" {
  token     = secret("env:T")
  base_url  = "https://one.example"
  page_size = 10
  stream "deals" {
    filter      = "won"
    cursor      = "at"
    primary_key = ["id"]
    lookback    = "1h"
  }
}
`
	of := func(src, stream string) string { return good(t, src, nil).Sources[0].Fingerprint(stream) }
	first := of(base, "deals")
	if len(first) != 16 || first != of(base, "deals") {
		t.Errorf("got %q and %q", first, of(base, "deals"))
	}
	for change, same := range map[string]bool{
		`env:T=>env:OTHER`: true, `page_size = 10=>page_size = 20`: true, `"1h"=>"2h"`: true, `source "crm" "a"=>source "crm" "b"`: true,
		`one.example=>two.example`: false, `"won"=>"lost"`: false, `"at"=>"updated"`: false, `["id"]=>["id", "line"]`: false,
		`source "crm"=>source "hubspot"`: false,
	} {
		from, to, _ := strings.Cut(change, "=>")
		if got := of(strings.Replace(base, from, to, 1), "deals") == first; got != same {
			t.Errorf("%s: the same is %v, want %v", change, got, same)
		}
	}
	if of(base, "contacts") == first {
		t.Error("two streams have one fingerprint")
	}
}

func TestFromHCL(t *testing.T) {
	p := good(t, "source \"crm\" \"a\" {\n  token = secret(\"env:T\")\n  stream \"s\" {\n  }\n}\n", nil)
	at := hcl.Range{Filename: "main.hcl", Start: hcl.Pos{Line: 3, Column: 3, Byte: 45}, End: hcl.Pos{Line: 3, Column: 9, Byte: 51}}
	ds := config.FromHCL(hcl.Diagnostics{
		{Severity: hcl.DiagWarning, Summary: "two\nlines \x1b[2J", Detail: "d", Subject: &at, Extra: core.Try("do this")},
		{Severity: hcl.DiagError, Summary: "no place"},
	}, p.Files)
	want := core.Diagnostics{
		{Severity: core.SeverityWarning, Summary: "two lines \uFFFD[2J", Detail: "d", Try: "do this", Context: `source "crm" "a", stream "s"`,
			Snippet: `  stream "s" {`, Range: &core.Range{File: "main.hcl", Line: 3, Column: 3, EndLine: 3, EndColumn: 9}},
		{Severity: core.SeverityError, Summary: "no place", Try: ds[1].Try},
	}
	if rendered(ds) != rendered(want) || ds[0].Severity != want[0].Severity || ds[1].Try == "" {
		t.Errorf("got %+v\nwant %+v", ds, want)
	}
	if config.FromHCL(nil, nil) != nil {
		t.Error("no diagnostics became some")
	}
}

func TestRenderColor(t *testing.T) {
	_, ds := load(t, "source \"crm\" \"a\" {\n\ttoken\t= [1]\n}\n", nil)
	var b strings.Builder
	config.RenderText(&b, ds, true)
	want := "\x1b[1;31mError:\x1b[0m \x1b[1mWrong value for \"token\"\x1b[0m\n\n" +
		"  on main.hcl line 2, column 10, in source \"crm\" \"a\":\n" +
		"  2: \ttoken\t= [(sensitive)]\n" +
		"     \t     \t  \x1b[1;31m^^^\x1b[0m\n\n" +
		"  This attribute takes a text, and this is a list.\n\n" +
		"  Write token = secret(\"env:TOKEN\")\n\n"
	if b.String() != want {
		t.Errorf("got  %q\nwant %q", b.String(), want)
	}
}
