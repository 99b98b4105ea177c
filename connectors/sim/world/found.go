package world

import (
	"strconv"

	"github.com/unsilo/unsilo/connectors/sim/dice"
	"github.com/unsilo/unsilo/connectors/sim/population"
)

// The first id of each kind of record. They are far apart so that a mistake shows.
const (
	firstContact  = 50_000_001
	firstCompany  = 7_000_001
	firstDeal     = 90_000_001
	firstRequest  = 30_000_001
	firstCustomer = 1001
	firstOrder    = 200_001
	firstInvoice  = 400_001
	firstPayment  = 600_001
	firstUser     = 360_000_000_001
	firstTicket   = 10_001
	firstAnswer   = 8_000_001

	owners = 6
	agents = 12
)

func (s *State) tables() {
	id := func(n int64) string { return strconv.FormatInt(n, 10) }
	s.Contacts = newTable(CRM, "contacts", func(r *Contact) int64 { return max(r.Updated, r.Archived) },
		func(r *Contact) string { return id(r.ID) })
	s.Companies = newTable(CRM, "companies", func(r *Company) int64 { return r.Updated },
		func(r *Company) string { return id(r.ID) })
	s.Deals = newTable(CRM, "deals", func(r *Deal) int64 { return max(r.Updated, r.Archived) },
		func(r *Deal) string { return id(r.ID) })
	s.Requests = newTable(CRM, "tickets", func(r *Request) int64 { return max(r.Updated, r.Archived) },
		func(r *Request) string { return id(r.ID) })
	s.Customers = newTable(ERP, "customers", func(r *Customer) int64 { return r.Updated },
		func(r *Customer) string { return id(r.ID) })
	s.Orders = newTable(ERP, "orders", func(r *Order) int64 { return r.Updated },
		func(r *Order) string { return id(r.ID) })
	s.Invoices = newTable(ERP, "invoices", func(r *Invoice) int64 { return r.Updated },
		func(r *Invoice) string { return id(r.ID) })
	s.Payments = newTable(ERP, "payments", func(r *Payment) int64 { return r.Updated },
		func(r *Payment) string { return id(r.ID) })
	s.Users = newTable(Support, "users", func(r *User) int64 { return r.Updated },
		func(r *User) string { return id(r.ID) })
	s.Tickets = newTable(Support, "tickets", func(r *Ticket) int64 { return r.Updated },
		func(r *Ticket) string { return id(r.ID) })
	s.Accounts = newTable(Social, "accounts", func(r *Account) int64 { return r.Updated },
		func(r *Account) string { return id(r.ID) })
	s.Statuses = newTable(Social, "statuses", func(r *Status) int64 { return max(r.Created, r.Edited) },
		func(r *Status) string { return id(r.ID) })
	s.Answers = newTable(Surveys, "answers", func(r *Answer) int64 { return r.Updated },
		func(r *Answer) string { return id(r.ID) })
}

// found makes the records that exist before the event log begins.
func (w *World) found() {
	for i := range agents {
		w.addAgent(i)
	}
	for i := range w.state.People.Companies {
		w.addCompany(i)
	}
	for i := range w.state.People.People {
		w.meet(i)
		d := dice.New(w.state.Options.Seed, "history", i)
		w.register(&d, i, w.past(&d, i), false)
	}
	d := w.roll("first deals", 0)
	for range d.Share(len(w.state.People.Companies), 1200) {
		w.addDeal(&d, w.midnight(-d.Between(1, 60))+int64(d.N(8*3600))*secondMillis+9*hourMillis)
	}
}

// meet makes room for a person in the indexes.
func (w *World) meet(int) {
	b := &w.by
	for _, list := range []*[]int{&b.contact, &b.twin, &b.customer, &b.user, &b.account, &b.cookie} {
		*list = append(*list, -1)
	}
	b.gone = append(b.gone, false)
}

// past draws when a person became known: on the day of joining, during office hours.
func (w *World) past(d *dice.Dice, person int) int64 {
	return w.moment(d, w.state.People.People[person].Joined, 8, 18)
}

// register makes a person's first records. Of 1000 people 850 are in the ERP, 900 in
// the CRM, all in one of them, and in both when it is sure; 60 are twice in the CRM; 120
// have a social profile.
func (w *World) register(d *dice.Dice, person int, at int64, sure bool) {
	p := &w.state.People.People[person]
	erp := d.Chance(850) || sure || p.Packs&(population.FatherSon|population.Twins|population.Flatmates) != 0
	crm := d.Chance(900) || sure || !erp
	if erp {
		w.by.customer[person] = w.addCustomer(d, person, at)
	}
	if d.Chance(120) && !p.Former {
		w.addAccount(d, person, at, crm && d.Chance(600))
	}
	if !crm {
		return
	}
	w.by.contact[person] = w.addContact(d, person, at+int64(d.N(3600))*secondMillis)
	if d.Chance(60) && p.Joined < -60 {
		w.by.twin[person] = w.addContact(d, person, at+int64(d.Between(2, 40))*dayMillis)
	}
}

// grow adds new customers: about one per 800 a day, at least one household.
func (w *World) grow(day int) {
	d := w.roll("grow", day)
	want := max(1, d.Share(w.state.Options.Customers, 1))
	for added := 0; added < want; {
		ids := w.state.People.Grow(day)
		for _, i := range ids {
			w.meet(i)
			w.register(&d, i, w.moment(&d, day, 8, 18), added == 0)
			added++
		}
	}
}
