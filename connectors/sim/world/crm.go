package world

import (
	"strconv"
	"strings"

	"github.com/unsilo/unsilo/connectors/sim/dice"
	"github.com/unsilo/unsilo/connectors/sim/population"
)

// addContact writes a person down in the CRM: business contacts by their office address
// and often the switchboard, others by their private one.
func (w *World) addContact(d *dice.Dice, person int, at int64) int {
	p, s := &w.state.People.People[person], &w.state
	home := s.People.HomeOf(person)
	row := Contact{
		ID: firstContact + int64(len(s.Contacts.planned)), Person: person, Company: -1, Owner: d.N(owners),
		Street: home.Address.Street, City: home.Address.City, Zip: home.Address.Postcode, Country: home.Address.Country,
		Stage: "lead", Consent: d.Chance(650), Created: at, Updated: at,
	}
	row.First, row.Last = population.NoisyName(d, p)
	email, used := p.Private, p.Packs&(population.FatherSon|population.Twins|population.Flatmates)
	row.Phone = population.NoisyPhone(d, p.Mobile, row.Country)
	if c := s.People.EmployerOf(person); c != nil {
		row.Company, row.CompanyName = w.by.companyRow[p.Company], population.CompanyName(d, c)
		if d.Chance(800) {
			email = p.Work
			used |= p.Packs & population.RoleMailbox
			row.Street, row.City, row.Zip, row.Country = c.Address.Street, c.Address.City, c.Address.Postcode, c.Address.Country
		}
		if p.Packs&population.Switchboard != 0 {
			used |= population.Switchboard
			row.Mobile = row.Phone
			row.Phone = population.NoisyPhone(d, c.Phone, c.Address.Country)
			if d.Chance(300) {
				row.Phone = population.Extension(d, c.Phone)
			}
		}
	}
	if email == p.Private {
		used |= p.Packs & population.FamilyMailbox
	}
	row.Packs = used | p.Packs&population.RecycledPhone
	row.Email = population.NoisyEmail(d, email)
	if used != 0 || d.Chance(500) {
		row.Birth = p.Birth
	}
	if c := w.by.customer[person]; c >= 0 {
		row.Stage = "customer"
		if d.Chance(700) || email != p.Private {
			row.CustomerNo = s.Customers.planned[c].Number
		}
	}
	if a := w.by.account[person]; a >= 0 && s.Accounts.planned[a].Packs&population.Unlinkable == 0 {
		row.Handle = "@" + s.Accounts.planned[a].Handle
	}
	if p.Former {
		row.Stage = "other"
	}
	return s.Contacts.add(&w.calendar, at, row)
}

func (w *World) addCompany(i int) {
	d := dice.New(w.state.Options.Seed, "account", i)
	c := &w.state.People.Companies[i]
	at := w.moment(&d, -d.Between(60, 1500), 8, 17)
	row := Company{
		ID: firstCompany + int64(i), Account: i, Owner: d.N(owners), Name: population.CompanyName(&d, c), Domain: c.Domain,
		Phone: c.Phone, City: c.Address.City, Zip: c.Address.Postcode, Country: c.Address.Country,
		Industry: dice.Pick(&d, []string{"MANUFACTURING", "RETAIL", "CONSTRUCTION", "FOOD_PRODUCTION", "LOGISTICS"}),
		Created:  at, Updated: at,
	}
	customer := -1
	if d.Chance(800) {
		customer = w.addBusiness(&d, i, at)
		row.CustomerNo = w.state.Customers.planned[customer].Number
	}
	w.by.companyCustomer = append(w.by.companyCustomer, customer)
	w.by.companyRow = append(w.by.companyRow, w.state.Companies.add(&w.calendar, at, row))
}

// keepCRM is a day of care in the CRM: changed, merged and archived contacts, and on the
// first of a month a batch that stamps a third of all contacts with one time.
func (w *World) keepCRM(day int) {
	d := w.roll("crm", day)
	n := w.state.Options.Customers
	for range max(3, d.Share(n, 7)) {
		if p := w.someone(&d, day, w.inCRM); p >= 0 {
			w.touch(&d, day, p)
		}
	}
	for range max(1, n/4000) {
		if p := w.someone(&d, day, func(p int) bool { return w.inCRM(p) && w.by.twin[p] >= 0 }); p >= 0 && d.Chance(500) {
			w.merge(&d, day, p)
		}
	}
	for range max(1, n/2500) {
		if p := w.someone(&d, day, w.inCRM); p >= 0 {
			w.archive(&d, day, p)
		}
	}
	if fromMillis(w.midnight(day)).Day() == 1 {
		w.batch(&d, day)
	}
	w.keepCompanies(&d, day)
	w.keepRequests(&d, day)
}

func (w *World) inCRM(person int) bool { return w.by.contact[person] >= 0 }

// touch changes one contact: of 1000 changes 250 are a consent given or withdrawn, 200 a
// new owner, 150 a move, 150 the stage, 100 a telephone, 100 an e-mail address, 50 a name.
func (w *World) touch(d *dice.Dice, day, person int) {
	p := &w.state.People.People[person]
	kind := d.N(1000)
	w.state.Contacts.change(&w.calendar, w.moment(d, day, 8, 19), w.by.contact[person], func(r *Contact, at int64) {
		r.Updated = at
		switch {
		case kind < 250:
			r.Consent = !r.Consent
		case kind < 450:
			r.Owner = (r.Owner + d.Between(1, owners-1)) % owners
		case kind < 600:
			r.Street = strings.TrimRight(r.Street, " ABCDEF") + " " + string(rune('A'+d.N(6)))
		case kind < 750:
			r.Stage = dice.Pick(d, []string{"lead", "opportunity", "customer", "evangelist"})
		case kind < 850:
			r.Mobile = p.Mobile
		case kind < 950:
			r.Email = population.NoisyEmail(d, strings.TrimSpace(r.Email))
		default:
			r.Last = p.Family
		}
	})
}

// merge joins a person's duplicate contact into the first one, as people do by hand.
func (w *World) merge(d *dice.Dice, day, person int) {
	kept, gone := w.by.contact[person], w.by.twin[person]
	if kept < 0 || gone < 0 {
		return
	}
	w.by.twin[person] = -1
	at := w.moment(d, day, 9, 17)
	id := strconv.FormatInt(w.state.Contacts.planned[gone].ID, 10)
	w.state.Contacts.change(&w.calendar, at, kept, func(r *Contact, at int64) { r.Merged, r.Updated = id, at })
	w.state.Contacts.end(&w.calendar, at, gone, func(r *Contact, at int64) { r.Archived = at })
}

func (w *World) archive(d *dice.Dice, day, person int) {
	row := w.by.contact[person]
	w.by.contact[person] = -1
	w.state.Contacts.end(&w.calendar, w.moment(d, day, 9, 18), row, func(r *Contact, at int64) { r.Archived = at })
}

// batch stamps every third contact with one time, as a nightly job in a CRM does.
func (w *World) batch(d *dice.Dice, day int) {
	at := w.midnight(day) + 2*hourMillis
	for i, r := range w.state.Contacts.planned {
		if r.Archived != 0 || i%3 != day%3 || max(r.Updated, r.Archived)+secondMillis > at {
			continue
		}
		owner := d.N(owners)
		w.state.Contacts.change(&w.calendar, at, i, func(r *Contact, at int64) { r.Owner, r.Updated = owner, at })
	}
}

func (w *World) keepCompanies(d *dice.Dice, day int) {
	for range max(1, d.Share(len(w.state.Companies.planned), 10)) {
		i, owner := d.N(len(w.state.Companies.planned)), d.N(owners)
		w.state.Companies.change(&w.calendar, w.moment(d, day, 9, 17), i, func(r *Company, at int64) {
			r.Owner, r.Updated = owner, at
		})
	}
}

func (w *World) keepRequests(d *dice.Dice, day int) {
	n := len(w.state.Requests.planned)
	for range max(1, d.Share(w.state.Options.Customers, 1)) {
		if p := w.someone(d, day, w.inCRM); p >= 0 {
			at := w.moment(d, day, 9, 16)
			w.state.Requests.add(&w.calendar, at, Request{
				ID: firstRequest + int64(len(w.state.Requests.planned)), Contact: w.by.contact[p], Owner: d.N(owners),
				Subject: dice.Pick(d, []string{"Send the price list", "Call back", "Book a demo", "Check the contract"}),
				Stage:   "1", Created: at, Updated: at,
			})
		}
	}
	for i := max(0, n-20); i < n; i++ {
		r := w.state.Requests.planned[i]
		if r.Archived != 0 || !d.Chance(150) {
			continue
		}
		if d.Chance(60) {
			w.state.Requests.end(&w.calendar, w.moment(d, day, 9, 17), i, func(r *Request, at int64) { r.Archived = at })
			continue
		}
		w.state.Requests.change(&w.calendar, w.moment(d, day, 9, 17), i, func(r *Request, at int64) {
			r.Stage, r.Updated = map[string]string{"1": "2", "2": "3", "3": "4", "4": "4"}[r.Stage], at
		})
	}
}
