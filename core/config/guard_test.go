package config_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/unsilo/unsilo/core/config"
)

// TestGuards loads files that would exhaust the stack, the memory or the patience of a
// program without guards.
func TestGuards(t *testing.T) {
	const deep = 1_000_000
	nest := func(open, inner, end string) string {
		return "locals {\n  x = " + strings.Repeat(open, deep) + inner + strings.Repeat(end, deep) + "\n}\n"
	}
	chain := func(part string, n int) string { return "locals {\n  x = 1" + strings.Repeat(part, n) + "\n}\n" }
	list := `split(",", "` + strings.Repeat("x,", 220) + `")`
	tests := []struct{ name, src, want string }{
		{"parentheses", nest("(", "1", ")"), "File too large"},
		{"brackets", nest("[", "1", "]")[:1<<20], "Nested more than 256 levels deep"},
		{"parentheses within the size", "locals {\n x = " + strings.Repeat("(", 1_000_000), "Nested more than 256 levels deep"},
		{"objects", "locals {\n x = " + strings.Repeat("{a=", 20_000), "Nested more than 256 levels deep"},
		{"not", "locals {\n x = " + strings.Repeat("!", 20_000), "Nested more than 256 levels deep"},
		{"minus", "locals {\n x = " + strings.Repeat("-", 20_000), "Nested more than 256 levels deep"},
		{"spaced minus", "locals {\n x = " + strings.Repeat("- ", 20_000), "Nested more than 256 levels deep"},
		{"templates", "locals {\n x = " + strings.Repeat(`"${`, 300_000), "Nested more than 256 levels deep"},
		{"heredocs", "locals {\n x = " + strings.Repeat("<<A\n${", 20_000), "Nested more than 256 levels deep"},
		{"directives", "locals {\n x = \"" + strings.Repeat("%{if a}", 20_000), "Nested more than 256 levels deep"},
		{"spaced directives", "locals {\n x = \"" + strings.Repeat("%{~ for a in b ~}", 20_000), "Nested more than 256 levels deep"},
		{"blocks", strings.Repeat("a {\n", 200_000), "Nested more than 256 levels deep"},
		{"functions", "locals {\n x = " + strings.Repeat("upper(", 20_000), "Nested more than 256 levels deep"},
		{"conditions", chain(" == 1 ? 1 : 1", 20_000), "More than 2000 operators in a row"},
		{"conditions over lines", "locals {\n x = (1" + strings.Repeat(" == 1 ? 1 :\n1", 20_000) + ")\n}\n", "More than 2000 operators in a row"},
		{"sums", chain("+1", 100_000), "More than 2000 operators in a row"},
		{"indexes", chain("[0]", 20_000), "More than 2000 operators in a row"},
		{"indexes over lines", "locals {\n x = [a" + strings.Repeat("[0\n]", 20_000), "More than 2000 operators in a row"},
		{"attributes", chain(".a", 20_000), "More than 2000 operators in a row"},
		{"splats", chain(".*", 20_000), "More than 2000 operators in a row"},
		{"size", strings.Repeat("# ten bytes\n", 1<<20), "File too large"},
		{"long number", "locals {\n x = " + strings.Repeat("9", 500) + "\n}\n", "Number too large"},
		{"nested for", "locals {\n x = [for a in " + list + " : [for b in " + list + " : [for c in " + list + " : c]]]\n}\n",
			"Expression too large to evaluate"},
		{"for of a for", "locals {\n l = " + list + "\n x = [for a in [for b in local.l : local.l] : [for c in local.l : local.l]]\n}\n",
			"Expression too large to evaluate"},
		{"nested for of counts", "locals {\n l = " + list + "\n x = [for a in local.l : length([for b in local.l : length([for c in local.l : c])])]\n}\n",
			"Expression too large to evaluate"},
		{"doubling", doubling(60), "Expression too large to evaluate"},
		{"doubling by functions", "locals {\n a0 = \"" + strings.Repeat("x", 1000) + "\"\n" + repeatLocals(60, `replace(local.a%d, "x", "xx")`) + "}\n",
			"Error in function call"},
		{"width", "locals {\n x = format(\"%999999999s\", \"\")\n}\n", "Error in function call"},
		{"splat product", "locals {\n l = [for a in " + list + " : " + list + "]\n x = [for a in local.l : local.l[*][*]]\n}\n",
			"Expression too large to evaluate"},
		{"squared numbers", "locals {\n a0 = 1e300\n" + repeatLocals(60, "local.a%[1]d * local.a%[1]d") + "}\n", "Number too large"},
		{"many mistakes", strings.Repeat("x {}\n", 20_000), "Unknown block \"x\""},
		{"many unknown names", "model \"m\" {\n x = [" + strings.Repeat("a,", 50_000) + "]\n}\n", "Unknown name \"a\""},
		{"many attributes", "source \"crm\" \"a\" {\n" + manyAttributes(20_000) + "}\n", "Missing attribute \"token\""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start := workTime()
			_, ds := load(t, tt.src, nil)
			took := workTime() - start
			found := false
			for _, d := range ds {
				found = found || d.Summary == tt.want
				if len(d.Snippet) > 2000 || len(d.Detail) > 2000 {
					t.Errorf("%q has a snippet of %d and a detail of %d bytes", d.Summary, len(d.Snippet), len(d.Detail))
				}
			}
			if !found {
				t.Errorf("got %d diagnostics, want %q among them: %.600s", len(ds), tt.want, rendered(ds))
			}
			if len(ds) > 201 {
				t.Errorf("got %d diagnostics", len(ds))
			}
			if took > 20*time.Second {
				t.Errorf("took %v", took)
			}
			if _, err := config.Format([]byte(tt.src)); err == nil && tt.want != "Expression too large to evaluate" && len(tt.src) > 1<<20 {
				t.Error("fmt takes what load refuses")
			}
		})
	}
}

// doubling makes local values that are each twice the one before.
func doubling(n int) string {
	return "locals {\n a0 = \"0123456789\"\n" + repeatLocals(n, `"${local.a%[1]d}${local.a%[1]d}"`) + "}\n"
}

func repeatLocals(n int, expression string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " a%d = %s\n", i+1, fmt.Sprintf(expression, i))
	}
	return b.String()
}

func manyAttributes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "a%d = \"x\"\n", i)
	}
	return b.String()
}

// TestGuardsLetPeopleWrite loads what is large for a person and small for a machine.
func TestGuardsLetPeopleWrite(t *testing.T) {
	var b strings.Builder
	b.WriteString("locals {\n  columns = [\n")
	for i := range 2000 {
		fmt.Fprintf(&b, "    \"column_%d\",\n", i)
	}
	b.WriteString("  ]\n  list = join(\", \", [for c in local.columns : \"\\\"${c}\\\"\" if c != \"column_7\"])\n}\n")
	b.WriteString("model \"wide\" {\n  sql = <<-SQL\n    SELECT ${local.list}\n")
	for i := range 500 {
		fmt.Fprintf(&b, "      , CASE WHEN a.x%d > 3 THEN '[((' ELSE \"!!\" END AS y%d -- ${length(local.columns)}\n", i, i)
	}
	b.WriteString("  SQL\n}\n")
	for i := range 300 {
		fmt.Fprintf(&b, "source \"crm\" \"s%d\" {\n  token = secret(\"env:T\")\n  stream \"a\" {}\n}\nmodel \"m%d\" {\n  sql = \"SELECT * FROM ${source.s%d.a}\"\n}\n", i, i, i)
	}
	p := good(t, b.String(), nil)
	if len(p.Sources) != 300 || len(p.Models) != 301 {
		t.Errorf("got %d sources and %d models, want 300 and 301", len(p.Sources), len(p.Models))
	}
}
