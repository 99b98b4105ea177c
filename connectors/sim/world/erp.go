package world

import (
	"strconv"
	"strings"

	"github.com/unsilo/unsilo/connectors/sim/dice"
	"github.com/unsilo/unsilo/connectors/sim/population"
)

// addCustomer opens an account for a person in the ERP.
func (w *World) addCustomer(d *dice.Dice, person int, at int64) int {
	p, s := &w.state.People.People[person], &w.state
	home := s.People.HomeOf(person)
	id := firstCustomer + int64(len(s.Customers.planned))
	row := Customer{
		ID: id, Person: person, Account: -1, Number: customerNumber(int(id - firstCustomer)), Kind: "person",
		Street: home.Address.Street, Postcode: home.Address.Postcode, City: home.Address.City,
		Country: home.Address.Country, Created: at, Updated: at,
	}
	used := p.Packs & (population.FatherSon | population.Twins | population.Flatmates)
	row.Given, row.Family = population.NoisyName(d, p)
	row.Name = row.Family + ", " + row.Given
	if d.Chance(950) {
		row.Email = population.NoisyEmail(d, p.Private)
		used |= p.Packs & population.FamilyMailbox
	}
	switch kind := d.N(1000); {
	case kind < 100 && home.Landline != "" && row.Email != "":
		row.Phone = population.NoisyPhone(d, home.Landline, row.Country)
		used |= population.SharedLandline
	default:
		row.Phone = population.NoisyPhone(d, p.Mobile, row.Country)
		used |= p.Packs & population.RecycledPhone
	}
	if used != 0 || d.Chance(800) {
		row.Birth = p.Birth
	}
	row.Packs = used
	return s.Customers.add(&w.calendar, at, row)
}

// addBusiness opens an account for a company in the ERP.
func (w *World) addBusiness(d *dice.Dice, company int, at int64) int {
	c := &w.state.People.Companies[company]
	id := firstCustomer + int64(len(w.state.Customers.planned))
	return w.state.Customers.add(&w.calendar, at, Customer{
		ID: id, Person: -1, Account: company, Number: customerNumber(int(id - firstCustomer)), Kind: "company",
		Name: population.CompanyName(d, c), VAT: c.VAT, Email: c.Mailbox,
		Phone: population.NoisyPhone(d, c.Phone, c.Address.Country), Street: c.Address.Street,
		Postcode: c.Address.Postcode, City: c.Address.City, Country: c.Address.Country, Created: at, Updated: at,
	})
}

// order books an order for a customer; campaign is an index of Campaigns or -1. Most are
// invoiced the next day and delivered soon after; of 1000 orders of people 30 are
// cancelled, and vanish from the ERP two weeks later.
func (w *World) order(d *dice.Dice, day int, at int64, customer int, cents int64, channel string, campaign int) int {
	id := firstOrder + int64(len(w.state.Orders.planned))
	row := Order{
		ID: id, Number: orderNumber(int(id - firstOrder)), Customer: customer, Date: at, Total: cents,
		Status: "new", Channel: channel, Updated: at,
	}
	if campaign >= 0 {
		row.Campaign = w.state.Campaigns[campaign].Code
	}
	w.state.Customers.planned[customer].orders++
	i := w.state.Orders.add(&w.calendar, at, row)
	if channel != "sales" && campaign < 0 && d.Chance(30) {
		w.later(day+1, task{kind: taskCancel, id: i})
		w.later(day+15, task{kind: taskPurge, id: i})
		return i
	}
	w.later(day+1, task{kind: taskInvoice, id: i})
	w.later(day+d.Between(2, 5), task{kind: taskDeliver, id: i})
	return i
}

// invoice bills an order. Of 1000 invoices 930 are paid in time or nearly, 50 late, 20
// never.
func (w *World) invoice(d *dice.Dice, day, order int) {
	at := w.moment(d, day, 6, 8)
	o := w.state.Orders.planned[order]
	id := firstInvoice + int64(len(w.state.Invoices.planned))
	i := w.state.Invoices.add(&w.calendar, at, Invoice{
		ID: id, Number: "R-" + strconv.FormatInt(id, 10), Customer: o.Customer, Order: order, Issued: at,
		Due: w.midnight(day + 14), Total: o.Total, Status: "open", Updated: at,
	})
	w.state.Orders.change(&w.calendar, at, order, func(r *Order, at int64) { r.Status, r.Updated = "invoiced", at })
	switch kind := d.N(1000); {
	case kind < 930:
		w.later(day+d.Between(1, 15), task{kind: taskPay, id: i})
	case kind < 980:
		w.later(day+d.Between(25, 70), task{kind: taskPay, id: i})
	}
}

func (w *World) cancel(d *dice.Dice, day, order int) {
	w.state.Orders.change(&w.calendar, w.moment(d, day, 9, 17), order, func(r *Order, at int64) {
		r.Status, r.Updated = "cancelled", at
	})
}

func (w *World) purge(d *dice.Dice, day, order int) {
	w.state.Customers.planned[w.state.Orders.planned[order].Customer].orders--
	w.state.Orders.end(&w.calendar, w.moment(d, day, 3, 4), order, nil)
}

func (w *World) deliver(d *dice.Dice, day, order int) {
	w.state.Orders.change(&w.calendar, w.moment(d, day, 9, 18), order, func(r *Order, at int64) {
		r.Status, r.Updated = "delivered", at
	})
}

func (w *World) pay(d *dice.Dice, day, invoice int) {
	at := w.moment(d, day, 4, 6)
	inv := w.state.Invoices.planned[invoice]
	w.state.Payments.add(&w.calendar, at, Payment{
		ID: firstPayment + int64(len(w.state.Payments.planned)), Invoice: invoice, Amount: inv.Total,
		Method: dice.Pick(d, []string{"card", "card", "transfer", "wallet"}), Paid: at, Updated: at,
	})
	w.state.Invoices.change(&w.calendar, at, invoice, func(r *Invoice, at int64) { r.Status, r.Updated = "paid", at })
}

// keepERP is a day of care in the ERP: corrected customers, and the removal of some who
// never bought anything.
func (w *World) keepERP(day int) {
	d := w.roll("erp", day)
	for range max(2, d.Share(w.state.Options.Customers, 3)) {
		if p := w.someone(&d, day, w.inERP); p >= 0 {
			w.correct(&d, day, p)
		}
	}
	for range max(1, w.state.Options.Customers/3000) {
		p := w.someone(&d, day, func(p int) bool {
			return w.inERP(p) && w.state.Customers.planned[w.by.customer[p]].orders == 0
		})
		if p >= 0 {
			w.state.Customers.end(&w.calendar, w.moment(&d, day, 10, 16), w.by.customer[p], nil)
			w.by.customer[p] = -1
			w.by.gone[p] = true
		}
	}
}

func (w *World) inERP(person int) bool { return w.by.customer[person] >= 0 }

// correct changes one customer: a new house letter, the number they really have, the name
// they have now.
func (w *World) correct(d *dice.Dice, day, person int) {
	p := &w.state.People.People[person]
	kind := d.N(3)
	w.state.Customers.change(&w.calendar, w.moment(d, day, 8, 18), w.by.customer[person], func(r *Customer, at int64) {
		r.Updated = at
		switch kind {
		case 0:
			r.Street = strings.TrimRight(r.Street, " ABCDEF") + " " + string(rune('A'+d.N(6)))
		case 1:
			r.Phone = p.Mobile
			r.Packs = r.Packs&^population.SharedLandline | p.Packs&population.RecycledPhone
		default:
			r.Given, r.Family = p.Given, p.Family
			r.Name = r.Family + ", " + r.Given
		}
	})
}

// shopElsewhere adds the orders of a day that do not come through the web shop: of 1000
// customers 4, and of 1000 companies 30.
func (w *World) shopElsewhere(day int) {
	d := w.roll("store", day)
	for range d.Share(w.state.Options.Customers, 4) {
		if p := w.someone(&d, day, w.inERP); p >= 0 {
			channel := dice.Pick(&d, []string{"store", "store", "phone"})
			w.order(&d, day, w.moment(&d, day, 9, 20), w.by.customer[p], int64(d.Between(15, 180))*100-5, channel, -1)
		}
	}
	for range d.Share(len(w.by.companyCustomer), 30) {
		if c := dice.Pick(&d, w.by.companyCustomer); c >= 0 {
			w.order(&d, day, w.moment(&d, day, 8, 17), c, int64(d.Between(200, 3000))*100, "phone", -1)
		}
	}
}

func customerNumber(row int) string { return "K-" + strconv.Itoa(100000+firstCustomer+row) }

func orderNumber(row int) string { return "O-" + strconv.Itoa(firstOrder+row) }
