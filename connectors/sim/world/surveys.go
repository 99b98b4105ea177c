package world

import (
	"github.com/unsilo/unsilo/connectors/sim/dice"
	"github.com/unsilo/unsilo/connectors/sim/population"
)

type surveyKind int

const (
	relationship surveyKind = iota
	afterContact
)

// ask is a day of the relationship survey: one answer per 500 customers, and now and then
// a consent taken back, which removes the identifying fields.
func (w *World) ask(day int) {
	d := w.roll("survey", day)
	n := len(w.state.Answers.planned)
	for range max(1, d.Share(w.state.Options.Customers, 2)) {
		if p := w.someone(&d, day, nil); p >= 0 {
			w.answer(&d, day, p, relationship)
		}
	}
	if n < 10 || !d.Chance(500) {
		return
	}
	if i := d.N(n); w.state.Answers.planned[i].Consent {
		w.state.Answers.change(&w.calendar, w.moment(&d, day, 20, 22), i, func(r *Answer, at int64) {
			r.Consent, r.Email, r.CustomerNo, r.Packs, r.Updated = false, "", "", population.Unlinkable, at
		})
	}
}

// answer records one answer. Usual scores lie around 8; a bad experience takes points
// off. Of 1000 answers 700 come with consent, and only those say who answered.
func (w *World) answer(d *dice.Dice, day, person int, kind surveyKind) {
	p := &w.state.People.People[person]
	score := 5 + max(d.N(6), d.N(6))
	comment := dice.Pick(d, []string{"", "", "All good.", "Quick and friendly."})
	drop := w.by.mood[person]
	if w.fever(day) || w.fever(day-1) {
		drop = max(drop, d.Between(2, 5))
	}
	if drop > 0 {
		score, comment = max(0, score-drop-1), dice.Pick(d, []string{"", "Too long a wait.", "It did not work."})
		delete(w.by.mood, person)
	}
	at := w.moment(d, day, 9, 21)
	row := Answer{
		ID: firstAnswer + int64(len(w.state.Answers.planned)), Person: person, Packs: population.Unlinkable,
		Survey: []string{"nps_relationship", "nps_after_contact"}[kind], Score: score, Comment: comment,
		Channel: dice.Pick(d, []string{"email", "sms", "web"}), Consent: d.Chance(700), Created: at, Updated: at,
	}
	if row.Consent {
		row.Packs = p.Packs & (population.FamilyMailbox | population.FatherSon | population.Twins | population.Flatmates)
		if c := w.by.customer[person]; c >= 0 && d.Chance(500) {
			row.CustomerNo = w.state.Customers.planned[c].Number
		} else {
			row.Email = population.NoisyEmail(d, p.Private)
		}
	}
	w.state.Answers.add(&w.calendar, at, row)
}

// Spend is one campaign's day as the advertising platform reports it.
type Spend struct {
	Campaign, Day      int
	Date               string
	Impressions        int
	Clicks             int
	Cents, Conversions int
	Updated            int64
}

// SpendRows gives the report of the days from first to last, counted from the start, as
// it stands now. The last three days are not final: spend and clicks still grow.
func (s *State) SpendRows(first, last int) []Spend {
	today := int(s.Now.Sub(s.Options.Start).Milliseconds() / dayMillis)
	var rows []Spend
	for day := max(0, first); day <= min(last, today-1); day++ {
		for i := range s.Campaigns {
			rows = append(rows, s.spend(day, i, today-day))
		}
	}
	return rows
}

// spend is the report on a day, age days after it.
func (s *State) spend(day, campaign, age int) Spend {
	c := &s.Campaigns[campaign]
	d := dice.New(s.Options.Seed, "spend", day, campaign)
	// Of 1000 visits 350 come by a campaign, 820 are by known people; of those 156 buy, or
	// 485 for the trap, at 80 on average.
	buyers := 156
	if campaign == trap {
		buyers = 485
	}
	micro := s.Options.Customers * 60 * 350 / 1000 * c.Weight * 820 / 1000 * buyers / 1000 // visits x 100,000
	final := micro * 8000 / 100000 * 100 / c.Return * d.Between(80, 120) / 100
	known := []int{0, 720, 910, 975, 1000}[min(max(age, 1), 4)]
	cents := final * known / 1000
	clicks := cents / c.CostPerClick
	at := s.Options.Start.UnixMilli() + int64(day+min(age, 4))*dayMillis + 3*hourMillis
	return Spend{
		Campaign: campaign, Day: day, Date: fromMillis(s.Options.Start.UnixMilli() + int64(day)*dayMillis).Format("2006-01-02"),
		Impressions: clicks * d.Between(40, 80), Clicks: clicks, Cents: cents, Conversions: clicks * d.Between(2, 6) / 100,
		Updated: min(at, s.Now.UnixMilli()),
	}
}
