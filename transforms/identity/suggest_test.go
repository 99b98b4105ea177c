package identity_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity"
)

func described(source, stream string, fields ...arrow.Field) core.Table {
	return core.Table{Name: core.RawTable(source, stream), Key: []string{"id"}, Schema: arrow.NewSchema(fields, nil)}
}

func TestSuggestLeavesOutTablesThatDescribeNobody(t *testing.T) {
	id := field("id", core.NotPersonal)
	tables := []core.Table{
		described("crm", "contacts", field("id", core.PersonID("crm")), field("mail", core.PersonEmail), field("mobile", core.PersonPhone), field("tel", core.PersonPhone)),
		described("crm", "deals", id, field("contact", core.PersonID("crm"))),
		described("crm", "companies", field("id", core.CompanyID), field("name", core.CompanyName)),
		described("web", "log", id, field("vid", core.DeviceCookie), field("member", core.PersonID("web"))),
		described("ads", "campaigns", field("id", ""), field("name", ""), field("budget", "")),
		described("list", "guests", field("id", ""), field("name", ""), field("street", ""), field("member_id", "")),
		described("erp", "crosswalk", id, field("crm", core.PersonID("crm")), field("erp", core.PersonID("erp"))),
	}
	x, err := identity.Suggest("person", tables)
	if err != nil {
		t.Fatal(err)
	}
	block, left, _ := strings.Cut(x.HCL, "# Left out:")
	for _, want := range []string{"source.crm.contacts", `phone  = ["mobile", "tel"]`, "source.web.log", `key   = ["vid"]`, `grain = "distinct"`, "source.list.guests",
		"identifier \"member_id\" {\n    links = false", "source.erp.crosswalk"} {
		if !strings.Contains(block, want) {
			t.Errorf("the block lacks %q:\n%s", want, x.HCL)
		}
	}
	for _, want := range []string{"crm.deals: it only refers to people, by crm_id = contact", "crm.companies", "ads.campaigns"} {
		if !strings.Contains(left, want) {
			t.Errorf("not left out: %q:\n%s", want, x.HCL)
		}
	}
	if firm, err := identity.Suggest("firm", tables); err != nil || !strings.Contains(firm.HCL, "source.crm.companies") || strings.Contains(firm.HCL, "from = source.crm.contacts") {
		t.Errorf("firms: %s, %v", firm.HCL, err)
	}
	if guest, err := identity.Suggest("guest", tables[:1]); err != nil || !strings.Contains(guest.HCL, `entity = "person"`) {
		t.Errorf("guests: %s, %v", guest.HCL, err)
	}
	if _, err := identity.Suggest("person", tables[2:3]); core.KindOf(err) != core.KindConfig {
		t.Errorf("nobody: %v, want a configuration error", err)
	}
}

// TestSuggestionWorksUnedited builds the block as it was written, and the five lines that
// say the same.
func TestSuggestionWorksUnedited(t *testing.T) {
	wh := hardCases(t)
	tables, err := wh.Tables(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	x, err := identity.Suggest("person", tables)
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(strings.TrimSuffix(strings.TrimSpace(x.HCL), "}"), "\n")
	build(t, wh, person(t, body), "1")
	other := hardCases(t)
	build(t, other, person(t, twoLists), "1")
	if a, b := groups(mapped(t, wh, "person")), groups(mapped(t, other, "person")); a != b {
		t.Errorf("suggested:\n%s\nfive lines:\n%s\nblock:\n%s", a, b, x.HCL)
	}
	if len(x.Columns) != 12 {
		t.Errorf("%d columns, want 12: %v", len(x.Columns), fmt.Sprint(x.Columns))
	}
}
