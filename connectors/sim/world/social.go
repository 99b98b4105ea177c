package world

import (
	"strconv"
	"strings"

	"github.com/unsilo/unsilo/connectors/sim/dice"
	"github.com/unsilo/unsilo/connectors/sim/population"
)

// NegativeWords are the words of which every negative post has one, and no other post any.
func NegativeWords() []string { return []string{"broken", "disappointed", "useless", "refund"} }

func negativePosts() []string {
	return []string{"My lamp is broken again.", "So disappointed with the service.", "The app is useless today.",
		"Third week without an answer, I want a refund."}
}

func otherPosts() []string {
	return []string{"The new lamp looks great in the hall.", "Parcel came in two days, thank you.",
		"Does anyone know the opening hours?", "Nice people in the shop today.", "Bought a second one for the summer house."}
}

// snowflake makes an id from a time, as the network does: ids grow with time.
func snowflake(at int64, seq int) int64 { return at<<16 | int64(seq&0xffff) }

// addAccount makes a profile. Unless it is known to the CRM, nothing in it identifies the
// person.
func (w *World) addAccount(d *dice.Dice, person int, at int64, known bool) {
	p, n := &w.state.People.People[person], len(w.state.Accounts.planned)
	handle := strings.ToLower(population.Fold(p.Given)) + strconv.Itoa(d.Between(10, 99)) + strconv.Itoa(n)
	handle = strings.NewReplacer("-", "", "'", "", ".", "").Replace(handle)
	row := Account{
		ID: snowflake(at, n), Person: person, Packs: population.Unlinkable, Handle: handle, Display: p.Given,
		Followers: d.Low(900), Created: at, Updated: at,
	}
	if known {
		row.Packs, row.Display = p.Packs&(population.FatherSon|population.Twins|population.Flatmates), p.Given+" "+p.Family
		row.Note = "Lives in " + w.state.People.HomeOf(person).Address.City
	}
	w.by.account[person] = w.state.Accounts.add(&w.calendar, at, row)
}

// post is a day on the network: one post per 250 customers, and in the fever three times
// as many more, two thirds of them calling six hours later.
func (w *World) post(day int) {
	d := w.roll("social", day)
	for range max(1, d.Share(w.state.Options.Customers, 4)) {
		w.status(&d, w.moment(&d, day, 6, 23), d.Chance(120))
	}
	if !w.fever(day) {
		return
	}
	for range d.Share(w.state.Options.Customers, 12) {
		at := w.moment(&d, day, 2, 13)
		w.status(&d, at, d.Chance(900))
		for range 2 {
			if p := w.someone(&d, day, nil); p >= 0 {
				w.call(&d, at+FeverLead*hourMillis+int64(d.N(1800))*secondMillis, p, Fever)
				w.by.mood[p] = 4
			}
		}
	}
}

// status writes a post. Of 1000 30 are edited and 25 deleted a day later.
func (w *World) status(d *dice.Dice, at int64, negative bool) {
	if len(w.state.Accounts.planned) == 0 {
		return
	}
	author := d.N(len(w.state.Accounts.planned))
	for range 20 {
		if a := w.state.Accounts.planned[author]; a.Created < at {
			break
		}
		author = d.N(author + 1)
	}
	text, tag := dice.Pick(d, otherPosts()), dice.Pick(d, []string{"lumo", "lumo", "design"})
	if negative {
		text = dice.Pick(d, negativePosts())
	}
	n := len(w.state.Statuses.planned)
	i := w.state.Statuses.add(&w.calendar, at, Status{
		ID: snowflake(at, n), Account: author, Text: text + " #" + tag, Tag: tag, Negative: negative,
		Replies: d.Low(5), Likes: d.Low(40), Created: at,
	})
	day := int((at - w.state.Options.Start.UnixMilli()) / dayMillis)
	switch kind := d.N(1000); {
	case kind < 30:
		w.later(day+1, task{kind: taskEdit, id: i})
	case kind < 55:
		w.later(day+1, task{kind: taskUnpost, id: i})
	}
}

func (w *World) edit(d *dice.Dice, day, status int) {
	w.state.Statuses.change(&w.calendar, w.moment(d, day, 6, 23), status, func(r *Status, at int64) {
		r.Text, r.Edited = "Edited: "+r.Text, at
	})
}

func (w *World) unpost(d *dice.Dice, day, status int) {
	w.state.Statuses.end(&w.calendar, w.moment(d, day, 6, 23), status, nil)
}
