package world

import (
	"github.com/unsilo/unsilo/connectors/sim/dice"
)

// stages are the steps of a deal up to its end.
func stages() []string {
	return []string{"appointmentscheduled", "qualifiedtobuy", "presentationscheduled", "decisionmakerboughtin",
		"contractsent", "closedwon"}
}

// addDeal opens a deal with a company at a time.
func (w *World) addDeal(d *dice.Dice, at int64) {
	company := d.Low(len(w.state.Companies.planned))
	c := w.state.Companies.planned[company]
	contact := -1
	for range 20 {
		p := d.N(len(w.state.People.People))
		if w.state.People.People[p].Company == c.Account && w.by.contact[p] >= 0 {
			contact = w.by.contact[p]
			break
		}
	}
	if c.Created > at {
		at = c.Created + hourMillis
	}
	step := d.N(3)
	w.state.Deals.add(&w.calendar, at, Deal{
		ID: firstDeal + int64(len(w.state.Deals.planned)), Company: company, Contact: contact, Owner: c.Owner,
		Name:  c.Name + " " + dice.Pick(d, []string{"yearly contract", "pilot", "extension", "spare parts", "framework"}),
		Stage: stages()[step], Amount: int64(d.Between(20, 400)) * 5000, Close: at + int64(d.Between(20, 90))*dayMillis,
		Created: at, Updated: at,
	})
}

// sell is a day of the sales department: new deals, and steps of open ones. A deal that
// is won becomes an order.
func (w *World) sell(day int) {
	d := w.roll("sales", day)
	n := len(w.state.Deals.planned)
	for range max(1, d.Share(len(w.state.Companies.planned), 30)) {
		w.addDeal(&d, w.moment(&d, day, 9, 17))
	}
	for i := range n {
		deal := w.state.Deals.planned[i]
		if deal.Archived != 0 {
			continue
		}
		switch {
		case !deal.Open():
			if d.Chance(2) {
				w.state.Deals.end(&w.calendar, w.moment(&d, day, 9, 17), i, func(r *Deal, at int64) { r.Archived = at })
			}
		case d.Chance(90):
			w.step(&d, day, i)
		}
	}
}

func (w *World) step(d *dice.Dice, day, deal int) {
	lost, won := d.Chance(200), false
	at := w.moment(d, day, 9, 17)
	w.state.Deals.change(&w.calendar, at, deal, func(r *Deal, at int64) {
		r.Updated = at
		if lost {
			r.Stage, r.Close = "closedlost", at
			return
		}
		names := stages()
		for i, name := range names {
			if name == r.Stage {
				r.Stage = names[i+1]
				break
			}
		}
		if won = !r.Open(); won {
			r.Close = at
		}
	})
	r := w.state.Deals.planned[deal]
	if customer := w.by.companyCustomer[w.state.Companies.planned[r.Company].Account]; won && customer >= 0 {
		w.order(d, day, r.Updated+hourMillis, customer, r.Amount, "sales", -1)
	}
}
