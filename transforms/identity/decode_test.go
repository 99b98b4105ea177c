package identity_test

import (
	"context"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity"
)

// parse decodes the body of an identity block; source.<a>.<b> names table raw_<a>.<b>.
func parse(t testing.TB, name, body string) (core.Model, hcl.Diagnostics) {
	t.Helper()
	file, diags := hclsyntax.ParseConfig([]byte(body), "identity.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	table := func(s string) cty.Value { return cty.StringVal(s) }
	eval := &hcl.EvalContext{Variables: map[string]cty.Value{
		"source": cty.ObjectVal(map[string]cty.Value{
			"crm":     cty.ObjectVal(map[string]cty.Value{"contacts": table(`"raw_crm"."contacts"`)}),
			"erp":     cty.ObjectVal(map[string]cty.Value{"customers": table(`"raw_erp"."customers"`)}),
			"web":     cty.ObjectVal(map[string]cty.Value{"events": table(`"raw_web"."events"`), "visitors": table(`"raw_web"."visitors"`)}),
			"support": cty.ObjectVal(map[string]cty.Value{"users": table(`"raw_support"."users"`)}),
			"surveys": cty.ObjectVal(map[string]cty.Value{"answers": table(`"raw_surveys"."answers"`)}),
			"calls":   cty.ObjectVal(map[string]cty.Value{"callers": table(`"raw_calls"."callers"`)}),
			"set":     cty.ObjectVal(map[string]cty.Value{"records": table(`"raw_set"."records"`)}),
			"a":       cty.ObjectVal(map[string]cty.Value{"items": table(`"raw_a"."items"`)}),
			"b":       cty.ObjectVal(map[string]cty.Value{"items": table(`"raw_b"."items"`)}),
		}),
		"ref": cty.ObjectVal(map[string]cty.Value{
			"joins":       table(`"raw_ref"."joins"`),
			"separations": table(`"raw_ref"."separations"`),
			"labels":      table(`"raw_ref"."labels"`),
		}),
	}}
	return identity.Decode(name, file.Body, eval, nil)
}

func field(name string, m core.Means) arrow.Field {
	return core.WithMeans(arrow.Field{Name: name, Type: arrow.BinaryTypes.String, Nullable: true}, m)
}

func TestDecodeDiagnostics(t *testing.T) {
	tests := map[string]struct{ body, want string }{
		"no records":       {``, "needs records"},
		"not a table":      {`from = 7`, "not a table"},
		"unknown rule":     {"record \"a\" {\n from = source.crm.contacts\n map {\n email = \"mail\"\n }\n}\nmatch_rule \"r\" {\n on = [\"emial\"]\n}", `No record maps "emial"`},
		"did you mean":     {"record \"a\" {\n from = source.crm.contacts\n map {\n email = \"mail\"\n }\n}\nmatch_rule \"r\" {\n on = [\"emial\"]\n}", `Did you mean "email"?`},
		"unreadable":       {"from = source.crm.contacts\nmatch_rule \"r\" {\n on = [\"email\"]\n and = \"agree(\"\n}", "cannot be read"},
		"stop below miss":  {"from = source.crm.contacts\nclustering {\n missing_edge_bits = -1\n stop_bits = -2\n}", "missing_edge_bits must be below"},
		"bands":            {"from = source.crm.contacts\ndecision {\n link = 0.5\n review = 0.8\n}", "Bands must fall"},
		"method":           {"from = source.crm.contacts\nclustering {\n method = \"magic\"\n}", "no clustering method"},
		"normaliser":       {"from = source.crm.contacts\nidentifier \"email\" {\n normalize = [\"rot13\"]\n}", "Unknown normaliser"},
		"pattern":          {"from = source.crm.contacts\nidentifier \"email\" {\n blocklist {\n pattern = [\"(a)\\\\1\"]\n }\n}", "pattern cannot be read"},
		"survivorship":     {"from = source.crm.contacts\nsurvivorship {\n default = [\"best\"]\n}", "no survivorship rule"},
		"duration":         {"from = source.crm.contacts\nidentifier \"phone\" {\n valid_for = \"2 years\"\n}", "not a duration"},
		"kind":             {"from = source.crm.contacts\nattribute \"x\" {\n kind = \"colour\"\n}", "no kind"},
		"two records":      {"record \"a\" {\n from = source.crm.contacts\n}\nrecord \"a\" {\n from = source.erp.customers\n}", "two records called"},
		"unknown argument": {"from = source.crm.contacts\nfroom = 1", "Unsupported argument"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, diags := parse(t, "person", test.body)
			if !diags.HasErrors() || !strings.Contains(diags.Error()+allText(diags), test.want) {
				t.Errorf("got %v, want an error with %q", allText(diags), test.want)
			}
		})
	}
}

func allText(diags hcl.Diagnostics) string {
	var b strings.Builder
	for _, d := range diags {
		b.WriteString(d.Summary + ": " + d.Detail + "\n")
	}
	return b.String()
}

func TestPlanMapsColumnsByMeaning(t *testing.T) {
	model, diags := parse(t, "person", "from = [source.crm.contacts, source.erp.customers]")
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	tables := map[core.TableName]core.Table{
		{Schema: "raw_crm", Name: "contacts"}: {Name: core.RawTable("crm", "contacts"), Key: []string{"id"}, Schema: arrow.NewSchema([]arrow.Field{
			field("id", core.PersonID("crm")), field("mail", core.PersonEmail), field("note", core.TextFree)}, nil)},
		{Schema: "raw_erp", Name: "customers"}: {Name: core.RawTable("erp", "customers"), Key: []string{"no"}, Schema: arrow.NewSchema([]arrow.Field{
			field("no", core.PersonID("erp")), field("email", core.PersonEmail), field("name", core.PersonNameFull)}, nil)},
	}
	plan, err := model.Plan(context.Background(), core.ModelPlanRequest{Tables: tables})
	if err != nil {
		t.Fatal(err)
	}
	notes := strings.Join(plan.Notes, "\n")
	for _, want := range []string{"raw_crm.contacts: crm_id=id email=mail", "raw_erp.customers: erp_id=no email=email full_name=name"} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes = %q, want %q in them", notes, want)
		}
	}
	if plan.Outputs[0].Name != (core.TableName{Schema: "identity", Name: "person_map"}) {
		t.Errorf("first output = %v", plan.Outputs[0].Name)
	}
}
