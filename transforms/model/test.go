package model

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"

	"github.com/unsilo/unsilo/core"
)

// The kinds of tests.
const (
	testUnique         = "unique"
	testNotNull        = "not_null"
	testAcceptedValues = "accepted_values"
	testRelationships  = "relationships"
	testExpression     = "expression"
	testFreshness      = "freshness"
	testRowCount       = "row_count"
)

func testKinds() []string {
	return []string{testUnique, testNotNull, testAcceptedValues, testRelationships, testExpression, testFreshness, testRowCount}
}

// test is one test block.
type test struct {
	kind, name string
	severity   core.TestSeverity
	// columns of the result that it reads.
	columns []string
	values  []string
	to      core.TableName
	field   string
	sql     string
	// warn and fail bound the age of the newest row; 0 is no bound.
	warn, fail time.Duration
	// least and most bound the number of rows; negative is no bound.
	least, most int64
	// at is the place of each attribute, for faults that show only beside the tables.
	at map[string]hcl.Range
	// definition is the part of the model's fingerprint.
	definition string
}

// testBlock is the form of every test block; what is particular to its kind is in Rest.
type testBlock struct {
	Kind     string         `hcl:"kind,label"`
	Name     string         `hcl:"name,optional"`
	Severity hcl.Expression `hcl:"severity,optional"`
	Rest     hcl.Body       `hcl:",remain"`
	Range    hcl.Range      `hcl:",def_range"`
}

// decodeTest reads one test block.
func decodeTest(b testBlock, eval *hcl.EvalContext) (test, hcl.Diagnostics) {
	t := test{kind: b.Kind, name: b.Name, severity: core.TestError, at: map[string]hcl.Range{"": b.Range}, least: -1, most: -1}
	severity, diags := text(b.Severity, eval)
	switch s := core.TestSeverity(severity); s {
	case core.TestError, core.TestWarn:
		t.severity = s
	case "":
	default:
		diags = append(diags, fault(b.Severity.Range(), fmt.Sprintf("No severity is called %q", severity),
			"An error keeps the earlier table, a warning does not.", oneOf(severity, []string{string(core.TestError), string(core.TestWarn)})))
	}
	attrs, more := b.Rest.JustAttributes()
	if !more.HasErrors() {
		for name, attr := range attrs {
			t.at[name] = attr.Expr.Range()
		}
	}
	decode, ok := map[string]func(hcl.Body, *hcl.EvalContext) hcl.Diagnostics{
		testUnique: t.decodeColumns, testNotNull: t.decodeColumns, testAcceptedValues: t.decodeValues, testRelationships: t.decodeRelationships,
		testExpression: t.decodeExpression, testFreshness: t.decodeFreshness, testRowCount: t.decodeRowCount,
	}[b.Kind]
	if !ok {
		return t, append(diags, fault(b.Range, fmt.Sprintf("No test is called %q", b.Kind), "The label of a test block says what is tested.", oneOf(b.Kind, testKinds())))
	}
	diags = append(diags, decode(b.Rest, eval)...)
	t.define()
	return t, diags
}

// define writes what the test does for the fingerprint.
func (t *test) define() {
	out, err := json.Marshal([]any{t.kind, t.name, t.severity, t.columns, t.values, t.to, t.field, t.sql, t.warn, t.fail, t.least, t.most})
	if err == nil {
		t.definition = string(out)
	}
}

// nameTests gives names to tests without one, and refuses names given twice.
func nameTests(tests []test, blocks []testBlock) hcl.Diagnostics {
	var diags hcl.Diagnostics
	seen := map[string]bool{}
	for i, t := range tests {
		name := t.name
		if name == "" {
			name = strings.Join(append([]string{t.kind}, t.columns...), "_")
			for n := 2; seen[name]; n++ {
				name = strings.Join(append([]string{t.kind}, t.columns...), "_") + "_" + strconv.Itoa(n)
			}
		}
		if seen[name] {
			diags = append(diags, fault(blocks[i].Range, fmt.Sprintf("Two tests are called %q", name), "A test is known by its name.", "Change one of the names."))
		}
		seen[name] = true
		tests[i].name = name
	}
	return diags
}

func (t *test) decodeColumns(body hcl.Body, eval *hcl.EvalContext) hcl.Diagnostics {
	var b struct {
		Columns []string `hcl:"columns"`
	}
	diags := gohcl.DecodeBody(body, eval, &b)
	if len(b.Columns) == 0 && !diags.HasErrors() {
		diags = append(diags, fault(t.at["columns"], "The test names no column", "", `Write columns = ["id"].`))
	}
	t.columns = b.Columns
	return diags
}

func (t *test) decodeValues(body hcl.Body, eval *hcl.EvalContext) hcl.Diagnostics {
	var b struct {
		Column string   `hcl:"column"`
		Values []string `hcl:"values"`
	}
	diags := gohcl.DecodeBody(body, eval, &b)
	if len(b.Values) == 0 && !diags.HasErrors() {
		diags = append(diags, fault(t.at["values"], "The test accepts no value", "", `Write values = ["open", "closed"].`))
	}
	t.columns, t.values = []string{b.Column}, b.Values
	return diags
}

func (t *test) decodeRelationships(body hcl.Body, eval *hcl.EvalContext) hcl.Diagnostics {
	var b struct {
		Column string `hcl:"column"`
		To     string `hcl:"to"`
		Field  string `hcl:"field,optional"`
	}
	diags := gohcl.DecodeBody(body, eval, &b)
	if diags.HasErrors() {
		return diags
	}
	t.columns, t.field = []string{b.Column}, b.Field
	if t.field == "" {
		t.field = b.Column
	}
	var ok bool
	if t.to, ok = core.ParseTableName(strings.ReplaceAll(b.To, `"`, "")); !ok {
		diags = append(diags, fault(t.at["to"], "This is no table", "The values of the column are looked for in another table.", "Write to = model.customers, or another reference."))
	}
	return diags
}

func (t *test) decodeExpression(body hcl.Body, eval *hcl.EvalContext) hcl.Diagnostics {
	var b struct {
		SQL string `hcl:"sql"`
	}
	diags := gohcl.DecodeBody(body, eval, &b)
	t.sql = strings.TrimSpace(b.SQL)
	if t.sql == "" && !diags.HasErrors() {
		diags = append(diags, fault(t.at["sql"], "There is no expression", "It is true for rows that pass.", `Write sql = "total >= 0".`))
	}
	return diags
}

func (t *test) decodeFreshness(body hcl.Body, eval *hcl.EvalContext) hcl.Diagnostics {
	var b struct {
		Column string  `hcl:"column"`
		Warn   *string `hcl:"warn,optional"`
		Error  *string `hcl:"error,optional"`
	}
	diags := gohcl.DecodeBody(body, eval, &b)
	if diags.HasErrors() {
		return diags
	}
	t.columns = []string{b.Column}
	if b.Warn == nil && b.Error == nil {
		return append(diags, fault(t.at[""], "The test has no bound", "It compares the newest row with the present.", `Write warn = "6h", error = "24h", or both.`))
	}
	for name, bound := range map[string]struct {
		text *string
		to   *time.Duration
	}{"warn": {b.Warn, &t.warn}, "error": {b.Error, &t.fail}} {
		if bound.text == nil {
			continue
		}
		d, err := core.ParseDuration(*bound.text)
		if err != nil || d <= 0 {
			diags = append(diags, fault(t.at[name], fmt.Sprintf("Wrong duration %q", *bound.text), "It is the greatest age of the newest row.", "Write it like 90s, 15m, 24h, 7d or 2w."))
		}
		*bound.to = d
	}
	return diags
}

func (t *test) decodeRowCount(body hcl.Body, eval *hcl.EvalContext) hcl.Diagnostics {
	var b struct {
		Min *int64 `hcl:"min,optional"`
		Max *int64 `hcl:"max,optional"`
	}
	diags := gohcl.DecodeBody(body, eval, &b)
	if b.Min == nil && b.Max == nil && !diags.HasErrors() {
		diags = append(diags, fault(t.at[""], "The test has no bound", "", "Write min = 1, max = 1000000, or both."))
	}
	if b.Min != nil {
		t.least = *b.Min
	}
	if b.Max != nil {
		t.most = *b.Max
	}
	return diags
}
