package world

import (
	"strings"
	"time"

	"github.com/unsilo/unsilo/connectors/sim/dice"
	"github.com/unsilo/unsilo/connectors/sim/population"
)

// The fever: seven days in which a product fails, people write about it in public, and
// the telephones ring FeverLead hours after each wave of posts.
const (
	feverDay  = 91
	feverDays = 7
	FeverLead = 6
)

// FeverWeek is the first day of the fever.
func FeverWeek(start time.Time) time.Time { return start.AddDate(0, 0, feverDay) }

func (w *World) fever(day int) bool {
	return day >= feverDay && day < feverDay+feverDays && !w.state.Options.Quiet
}

// Queues are the call centre's queues.
func Queues() []string { return []string{"support", "orders", "sales"} }

// ring is a day of usual calls: one per 100 customers, half as many at weekends.
func (w *World) ring(day int) {
	d := w.roll("calls", day)
	rate := 10
	if w.weekend(day) {
		rate = 5
	}
	for range d.Share(w.state.Options.Customers, rate) {
		if p := w.someone(&d, day, nil); p >= 0 {
			w.call(&d, w.moment(&d, day, 8, 19), p, Usual)
		}
	}
}

// callBack is a call that an earlier event led to; after a failed checkout it comes
// before noon.
func (w *World) callBack(d *dice.Dice, day, person int, why Reason) {
	last := 19
	if why == AfterFailedCheckout {
		last = 12
	}
	if !w.by.gone[person] {
		w.call(d, w.moment(d, day, 8, last), person, why)
	}
}

// call is one call. Of 1000 usual ones 30 withhold their number, 70 come from the
// household's telephone, 50 from the office; planted ones show the person's own number.
// Of 1000 callers 100 wait longer than five minutes, and of 1000 of those 320 hang up; those
// whom an earlier event made call are answered sooner.
func (w *World) call(d *dice.Dice, at int64, person int, why Reason) {
	c := Call{Person: person, Start: at, Reason: why, Agent: d.N(agents), Queue: d.Low(len(Queues()))}
	w.number(d, &c)
	c.Wait = d.Between(4, 240)
	if (why == Usual || why == Fever) && d.Chance(100) {
		c.Wait = d.Between(301, 900)
		c.Abandoned = d.Chance(320)
	}
	switch {
	case why == AfterCampaign:
		c.Talk = d.Between(360, 600)
	case !c.Abandoned:
		c.Talk = d.Between(40, 600)
		c.Transferred = d.Chance(60)
	}
	if c.Wait > 300 {
		w.by.mood[person] = 3
	}
	w.state.Calls = append(w.state.Calls, c)
	day := int((at - w.state.Options.Start.UnixMilli()) / dayMillis)
	if !c.Abandoned && d.Chance(150) {
		w.ticket(d, c.End()+int64(d.Between(1, 20))*minuteMillis, person, "phone")
	}
	if d.Chance(180) {
		w.later(day+1, task{taskSurvey, person, int(afterContact)})
	}
}

func (w *World) number(d *dice.Dice, c *Call) {
	p := &w.state.People.People[c.Person]
	home := w.state.People.HomeOf(c.Person)
	number, country, kind := p.Mobile, home.Address.Country, d.N(1000)
	c.Packs = p.Packs & population.RecycledPhone
	if c.Reason == Usual {
		switch company := w.state.People.EmployerOf(c.Person); {
		case kind < 30:
			c.Number, c.Packs = "anonymous", population.Unlinkable
			return
		case kind < 100 && home.Landline != "":
			number, c.Packs = home.Landline, population.SharedLandline|population.Unlinkable
		case kind < 150 && company != nil:
			number, country = company.Phone, company.Address.Country
			c.Packs = population.Switchboard | population.Unlinkable
		}
	}
	// The exchange stands in Finland: it shows numbers from there in the national form.
	c.Number = number
	switch form := d.N(1000); {
	case form < 300 && country == "FI":
		c.Number = "0" + strings.TrimPrefix(number, "+358")
	case form < 400:
		c.Number = "00" + number[1:]
	}
	if c.Packs&population.Unlinkable == 0 && d.Chance(300) {
		c.Name = p.Given + " " + p.Family
	}
}
