package identity_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
	warehouse "github.com/unsilo/unsilo/core/warehouse/memory"
)

// A change is a second build of a town: what it says of the CRM then, and which columns golden
// records have.
type change struct {
	name, body string
	fields     func(f []arrow.Field)
	first      func(w *town)
	then       func(w *town)
	golden     []string
	confined   bool
}

// commonName is a family name that a few records have.
func commonName(w *town) string {
	count := map[string]int{}
	for _, row := range w.crm {
		count[strings.ToLower(row[3])]++
	}
	best := ""
	for name, n := range count {
		if name != "" && n >= 2 && n <= 6 && (best == "" || name < best) {
			best = name
		}
	}
	return best
}

func setLast(w *town, at int, value string) {
	w.crm[at] = slices.Clone(w.crm[at])
	w.crm[at][len(w.crm[at])-1] = value
}

func changes() []change {
	const from = "from = [source.crm.contacts, source.web.visitors]\n"
	golden := everything()["person_golden"]
	return []change{
		{name: "a family name that only words tell is erased", body: from + `attribute "last_name" { compare = false }`, golden: golden, confined: true,
			then: func(w *town) {
				name := commonName(w)
				w.crm = slices.DeleteFunc(w.crm, func(row []string) bool { return strings.ToLower(row[3]) == name })
			}},
		{name: "a column of one value gets another", body: from, golden: golden, confined: true,
			first: func(w *town) {
				for at := range w.crm {
					setLast(w, at, "Mill Lane")
				}
			},
			then: func(w *town) { setLast(w, 3, "Church Street"); setLast(w, 4, "Church Street") }},
		{name: "a column gets a meaning", golden: []string{"person_id", "records", "x1"},
			body: `record "c" {
  from = source.crm.contacts
  map {
    first_name = "first_name"
    last_name  = "last_name"
    birth_date = "birth_date"
    x1         = "x1"
  }
}`,
			fields: func(f []arrow.Field) {
				f[9].Metadata = arrow.NewMetadata([]string{core.MeansKey}, []string{string(core.PersonPhone)})
			},
			then: func(*town) {}},
	}
}

func TestConfinedChangesEqualBuildsOfEverything(t *testing.T) {
	for _, c := range changes() {
		t.Run(c.name, func(t *testing.T) {
			w := newTown(2)
			if c.first != nil {
				c.first(w)
			}
			fields := w.crmFields()
			if c.fields != nil {
				fields[9].Name = "x1"
			}
			var narrow, full core.Warehouse = warehouse.New(), warehouse.New()
			for i := range 2 {
				if i > 0 {
					if c.then(w); c.fields != nil {
						c.fields(fields)
					}
				}
				for _, wh := range []core.Warehouse{narrow, full} {
					fill(t, wh, core.RawTable("crm", "contacts"), []string{"id"}, fields, w.crm)
					fill(t, wh, core.RawTable("web", "visitors"), []string{"visit"}, w.webFields(), w.web)
					if wh == full && i > 0 {
						dropTable(t, wh, "person_key")
					}
					build(t, wh, person(t, c.body), fmt.Sprint("run", i))
				}
				compareTowns(t, narrow, full, fmt.Sprint("run", i), "", c.golden...)
			}
			if _, confined := metricOf(t, narrow, "run1", "records.touched"); confined != c.confined {
				t.Errorf("confined %v, want %v", confined, c.confined)
			}
		})
	}
}

// TestConfinedBuildOfTwoBlocksOfOneTable gives rows to a table that two record blocks read: a
// row is two records of one key.
func TestConfinedBuildOfTwoBlocksOfOneTable(t *testing.T) {
	const body = `record "contact" { from = source.crm.contacts }
record "payer" {
  from = source.web.visitors
  map {
    first_name = "payer_first"
    last_name  = "payer_last"
  }
}
record "receiver" {
  from = source.web.visitors
  map {
    first_name = "receiver_first"
    last_name  = "receiver_last"
  }
}`
	w := newTown(2)
	var narrow, full core.Warehouse = warehouse.New(), warehouse.New()
	for i := range 2 {
		var orders [][]string
		for k := range 2 * i {
			orders = append(orders, []string{fmt.Sprint("order", k), w.crm[k][1], w.crm[k][3], w.crm[k+5][1], w.crm[k+5][3]})
		}
		for _, wh := range []core.Warehouse{narrow, full} {
			fill(t, wh, core.RawTable("crm", "contacts"), []string{"id"}, w.crmFields(), w.crm)
			fill(t, wh, core.RawTable("web", "visitors"), []string{"id"}, plain("id", "payer_first", "payer_last", "receiver_first", "receiver_last"), orders)
			if wh == full && i > 0 {
				dropTable(t, wh, "person_key")
			}
			build(t, wh, person(t, body), fmt.Sprint("run", i))
		}
		compareTowns(t, narrow, full, fmt.Sprint("run", i), "", "person_id", "records", "first_name", "last_name")
	}
}
