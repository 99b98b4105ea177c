package world

import (
	"strconv"

	"github.com/unsilo/unsilo/connectors/sim/dice"
	"github.com/unsilo/unsilo/connectors/sim/population"
)

// Topics are what tickets are about, with the first line of each.
func topics() [][2]string {
	return [][2]string{
		{"delivery", "Where is my parcel?"}, {"invoice", "The amount on the invoice is wrong"},
		{"return", "I want to send it back"}, {"fault", "It stopped working"},
		{"account", "I cannot log in"}, {"question", "Does it come in blue?"},
	}
}

func staffName(i int) string {
	return []string{"Team Aspen", "Team Birch", "Team Cedar", "Team Dogwood", "Team Elder", "Team Fir", "Team Ginkgo",
		"Team Hazel", "Team Ivy", "Team Juniper", "Team Kapok", "Team Larch"}[i%agents]
}

func (w *World) addAgent(i int) {
	at := w.midnight(-700) + int64(i)*hourMillis
	w.state.Users.add(&w.calendar, at, User{
		ID: firstUser + int64(i), Person: -1, Name: staffName(i), Email: "agent" + strconv.Itoa(i+1) + "@unsilo-sim.example",
		Role: "agent", Created: at, Updated: at,
	})
}

// asker gives the person's row in the help desk, made at the first question.
func (w *World) asker(d *dice.Dice, person int, at int64) int {
	if w.by.user[person] >= 0 {
		return w.by.user[person]
	}
	p, s := &w.state.People.People[person], &w.state
	used := p.Packs & (population.FatherSon | population.Twins | population.Flatmates)
	given, family := population.NoisyName(d, p)
	u := User{
		ID: firstUser + int64(len(s.Users.planned)), Person: person, Name: given + " " + family, Role: "end-user",
		Created: at, Updated: at,
	}
	email := p.Private
	if p.Work != "" && d.Chance(700) {
		email, u.Office = p.Work, true
		used |= p.Packs & population.RoleMailbox
	} else {
		used |= p.Packs & population.FamilyMailbox
	}
	u.Email = population.NoisyEmail(d, email)
	contact := w.by.contact[person]
	known := contact >= 0 && s.Contacts.planned[contact].Email == email
	if d.Chance(550) || !known {
		u.Phone = population.NoisyPhone(d, p.Mobile, s.People.HomeOf(person).Address.Country)
		used |= p.Packs & population.RecycledPhone
	}
	if c := w.by.customer[person]; c >= 0 && d.Chance(400) {
		u.ExternalID = s.Customers.planned[c].Number
	}
	u.Packs = used
	w.by.user[person] = s.Users.add(&w.calendar, at, u)
	return w.by.user[person]
}

// help is a day of the help desk: one new ticket per 200 customers, and some changes and
// deletions of old ones.
func (w *World) help(day int) {
	d := w.roll("support", day)
	rate := 5
	if w.fever(day) {
		rate = 12
	}
	for range max(1, d.Share(w.state.Options.Customers, rate)) {
		if p := w.someone(&d, day, nil); p >= 0 {
			w.ticket(&d, w.moment(&d, day, 7, 21), p, dice.Pick(&d, []string{"email", "email", "web", "chat"}))
		}
	}
	if n := len(w.state.Tickets.planned); n > 20 && d.Chance(400) {
		i := d.N(n - 10)
		if t := w.state.Tickets.planned[i]; t.Status == "closed" {
			w.state.Tickets.end(&w.calendar, w.moment(&d, day, 20, 22), i, func(r *Ticket, at int64) {
				r.Status, r.Subject, r.Text, r.Updated = "deleted", "SCRUBBED", "SCRUBBED", at
			})
		}
	}
}

// ticket opens a case. Of 1000 some 920 are solved within ten days.
func (w *World) ticket(d *dice.Dice, at int64, person int, channel string) {
	user := w.asker(d, person, at)
	day := int((at - w.state.Options.Start.UnixMilli()) / dayMillis)
	topic := dice.Pick(d, topics())
	if w.fever(day) && d.Chance(600) {
		topic = topics()[3]
	}
	i := w.state.Tickets.add(&w.calendar, at, Ticket{
		ID: firstTicket + int64(len(w.state.Tickets.planned)), Requester: user, Assignee: d.N(agents),
		Subject: topic[1], Text: topic[1] + " Please answer soon.", Status: dice.Pick(d, []string{"new", "open"}),
		Priority: dice.Pick(d, []string{"low", "normal", "normal", "high"}), Topic: topic[0], Channel: channel,
		Created: at, Updated: at,
	})
	switch {
	case d.Chance(920):
		w.later(day+d.Between(1, 10), task{kind: taskSolve, id: i})
	case d.Chance(500):
		w.state.Tickets.change(&w.calendar, at+int64(d.Between(5, 50))*minuteMillis, i, func(r *Ticket, at int64) {
			r.Status, r.Updated = "pending", at
		})
	}
}

func (w *World) solve(d *dice.Dice, day, ticket int) {
	w.state.Tickets.change(&w.calendar, w.moment(d, day, 8, 18), ticket, func(r *Ticket, at int64) {
		r.Status, r.Updated = "solved", at
	})
	w.later(day+4, task{kind: taskClose, id: ticket})
	if d.Chance(300) {
		person := w.state.Users.planned[w.state.Tickets.planned[ticket].Requester].Person
		w.later(day+1, task{taskSurvey, person, int(afterContact)})
	}
}

// closeTicket is the nightly rule that closes what was solved four days ago: all such
// tickets get one stamp.
func (w *World) closeTicket(day, ticket int) {
	w.state.Tickets.change(&w.calendar, w.midnight(day)+2*hourMillis, ticket, func(r *Ticket, at int64) {
		r.Status, r.Updated = "closed", at
	})
}
