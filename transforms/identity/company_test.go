package identity_test

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/zeebo/xxh3"

	"github.com/unsilo/unsilo/connectors/sim"
	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/normalize"
)

// companyBlock is the identity of a project over the simulated company, as its guide has it.
const companyBlock = `
region = "FI"
record "crm" {
  from = source.crm.contacts
}
record "erp" {
  from = source.erp.customers
}
record "support" {
  from = source.support.users
}
record "surveys" {
  from = source.surveys.answers
}
record "calls" {
  from  = source.calls.callers
  key   = ["call_id"]
  trust = 20
}
record "web" {
  from  = source.web.visitors
  key   = ["cookie"]
  trust = 10
}
identifier "erp_id" {
  priority  = 1
  exclusive = true
}`

// companyStreams are the streams of people and what their columns mean.
var companyStreams = []struct{ source, stream, columns string }{
	{"crm", "contacts", "id=person.id.hubspot email=person.email firstname=person.name.given lastname=person.name.family phone=person.phone " +
		"mobilephone=person.phone date_of_birth=person.birth_date address=person.address.street city=person.address.city zip=person.address.postcode " +
		"country=person.address.country associatedcompanyid=company.id customer_number=person.id.erp social_handle=social.handle"},
	{"erp", "customers", "id=none customer_no=person.id.erp given_name=person.name.given family_name=person.name.family vat_no=company.id " +
		"email=person.email phone=person.phone birth_date=person.birth_date postcode=person.address.postcode city=person.address.city " +
		"country=person.address.country"},
	{"support", "users", "id=person.id.zendesk external_id=person.id.erp name=person.name.full email=person.email phone=person.phone"},
	{"surveys", "answers", "id=none email=person.email customer_number=person.id.erp"},
}

// whom says whom a record is about: two people where both used one browser.
type whom struct {
	persons []string
	packs   []string
	// blind records hold one number or address and no name, and no record with a name of
	// their own person holds it: at best it leads to somebody else.
	blind bool
}

func (w whom) unlinkable() bool { return slices.Contains(w.packs, "unlinkable") }

// landCompany makes a company and lands what its silos know of people. With masked, what
// reaches people lands as tokens.
func landCompany(t testing.TB, wh core.Warehouse, opt sim.Options, masked bool) map[string]whom {
	t.Helper()
	c := sim.New(opt)
	var holders []holder
	for _, s := range companyStreams {
		table := expectedTable(t, c, s.source, s.stream)
		l := newLanding(s.columns, masked)
		for _, row := range table.Rows {
			l.row(func(column string) string {
				if column == "id" {
					column = table.Key[0]
				}
				return cellOf(table, row, column)
			}, cellOf(table, row, "country"))
		}
		holders = append(holders, l.land(t, wh, s.source, s.stream, "id")...)
	}
	holders = append(holders, landCalls(t, wh, c, masked)...)
	landVisitors(t, wh, c)
	truth := companyTruth(t, c)
	blindfold(truth, holders)
	return truth
}

// holder is a record that holds values by which people are reached.
type holder struct {
	record string
	named  bool
	values []string
}

// blindfold finds the blind records.
func blindfold(truth map[string]whom, holders []holder) {
	known := map[string]bool{} // person and value
	for _, h := range holders {
		for _, p := range truth[h.record].persons {
			for _, v := range h.values {
				known[p+" "+v] = known[p+" "+v] || h.named
			}
		}
	}
	for _, h := range holders {
		w := truth[h.record]
		if len(w.persons) == 1 && !h.named && len(h.values) == 1 && !known[w.persons[0]+" "+h.values[0]] {
			w.blind = true
			truth[h.record] = w
		}
	}
}

func expectedTable(t testing.TB, c *sim.Company, source, stream string) *sim.Table {
	t.Helper()
	table, err := c.Expected(source, stream)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func cellOf(table *sim.Table, row []any, column string) string {
	at := slices.Index(table.Columns, column)
	if at < 0 || row[at] == nil {
		return ""
	}
	if day, ok := row[at].(time.Time); ok {
		return day.Format(time.DateOnly)
	}
	return fmt.Sprint(row[at])
}

// landing collects the rows of one stream.
type landing struct {
	names, means []string
	masked       bool
	fields       []arrow.Field
	rows         [][]string
	holders      []holder
}

func newLanding(columns string, masked bool) *landing {
	l := &landing{masked: masked}
	for _, c := range strings.Fields(columns) {
		name, means, _ := strings.Cut(c, "=")
		f := core.WithMeans(arrow.Field{Name: name, Type: arrow.BinaryTypes.String, Nullable: true}, core.Means(means))
		if masked && reaching(means) != nil {
			f.Metadata = arrow.NewMetadata([]string{core.MeansKey, core.MaskKey}, []string{means, "hmac"})
		}
		l.names, l.means, l.fields = append(l.names, name), append(l.means, means), append(l.fields, f)
	}
	return l
}

// reaching gives the normal form of what masks cover: how to reach people, and birth dates.
func reaching(means string) func(country string) normalize.Func {
	switch means {
	case "person.email":
		return func(string) normalize.Func { return normalize.AppendEmail }
	case "person.phone":
		return func(country string) normalize.Func { return normalize.Phone(cmp.Or(country, "FI")) }
	case "person.birth_date":
		return func(string) normalize.Func { return normalize.BirthDate(normalize.DayFirst) }
	}
	return nil
}

func (l *landing) row(cell func(column string) string, country string) {
	row := make([]string, len(l.names))
	h := holder{}
	for i, name := range l.names {
		row[i] = cell(name)
		if strings.HasPrefix(l.means[i], "person.name.") {
			h.named = h.named || strings.ContainsFunc(row[i], unicode.IsLetter)
		}
		if reaching(l.means[i]) == nil || row[i] == "" {
			continue
		}
		text, ok := reaching(l.means[i])(country).Of(row[i])
		if ok && l.means[i] != "person.birth_date" {
			h.values = append(h.values, text)
		}
		switch {
		case l.masked && ok:
			row[i] = "p1_" + strconv.FormatUint(xxh3.HashString(text), 36)
		case l.masked:
			row[i] = ""
		}
	}
	l.rows, l.holders = append(l.rows, row), append(l.holders, h)
}

// land writes the rows to a table, whose first column is the key.
func (l *landing) land(t testing.TB, wh core.Warehouse, source, stream, key string) []holder {
	fill(t, wh, core.RawTable(source, stream), []string{key}, l.fields, l.rows)
	for i := range l.holders {
		l.holders[i].record = source + "." + stream + ":" + l.rows[i][0]
	}
	return l.holders
}

// landCalls lands calls with a number, one row each.
func landCalls(t testing.TB, wh core.Warehouse, c *sim.Company, masked bool) []holder {
	table := expectedTable(t, c, "calls", "cdr")
	l := newLanding("call_id=none phone=person.phone name=person.name.full", masked)
	seen := map[string]bool{}
	for _, row := range table.Rows {
		id, number := cellOf(table, row, "uniqueid"), cellOf(table, row, "src")
		if seen[id] || !strings.ContainsAny(number, "0123456789") {
			continue
		}
		seen[id] = true
		name, _, _ := strings.Cut(cellOf(table, row, "clid"), "<")
		l.row(func(column string) string {
			return map[string]string{"call_id": id, "phone": number, "name": strings.Trim(name, `" `)}[column]
		}, "FI")
	}
	return l.land(t, wh, "calls", "callers", "call_id")
}

// landVisitors lands browsers, with the customer number where one customer logged in.
func landVisitors(t testing.TB, wh core.Warehouse, c *sim.Company) {
	table := expectedTable(t, c, "web", "access")
	logins := map[string][]string{}
	var order []string
	for _, row := range table.Rows {
		cookie := cellOf(table, row, "vid")
		if _, known := logins[cookie]; !known {
			order, logins[cookie] = append(order, cookie), nil
		}
		if _, number, ok := strings.Cut(cellOf(table, row, "path"), "/account/login?customer="); ok && !slices.Contains(logins[cookie], number) {
			logins[cookie] = append(logins[cookie], number)
		}
	}
	l := newLanding("cookie=device.cookie customer_no=person.id.erp", false)
	for _, cookie := range order {
		number := ""
		if len(logins[cookie]) == 1 {
			number = logins[cookie][0]
		}
		l.rows = append(l.rows, []string{cookie, number})
	}
	fill(t, wh, core.RawTable("web", "visitors"), []string{"cookie"}, l.fields, l.rows)
}
