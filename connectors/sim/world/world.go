// Package world is the life of a made-up company: what its systems hold about the
// population at any time, and what changes from day to day.
//
// Everything is a function of the seed, the number of customers, the start and the
// present time. A day is drawn as a whole from the state at its beginning; the clock then
// makes its events visible one by one. So two worlds with equal options that reach the
// same time, in however many steps, are equal.
//
// The package holds records and their hidden truth. It does not speak to anyone: the
// dialects, files and databases that show the records are in their own packages.
package world

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/unsilo/unsilo/connectors/sim/dice"
	"github.com/unsilo/unsilo/connectors/sim/population"
)

// Packs are the hard-negative groups of a record.
type Packs = population.Packs

// The sources, as the truth file names them.
const (
	CRM     = "crm"
	ERP     = "erp"
	Web     = "web"
	Calls   = "calls"
	Support = "support"
	Social  = "social"
	Surveys = "surveys"
	Ads     = "ads"
)

// Options make a world.
type Options struct {
	Seed      uint64
	Customers int
	// Start is the midnight at which the event log begins.
	Start time.Time
	// Quiet leaves out the planted effects, for negative controls.
	Quiet bool
}

// State is what the company's systems hold now.
type State struct {
	Options Options
	Now     time.Time
	People  *population.Population

	Contacts  *Table[Contact]
	Companies *Table[Company]
	Deals     *Table[Deal]
	Requests  *Table[Request]
	Customers *Table[Customer]
	Orders    *Table[Order]
	Invoices  *Table[Invoice]
	Payments  *Table[Payment]
	Users     *Table[User]
	Tickets   *Table[Ticket]
	Accounts  *Table[Account]
	Statuses  *Table[Status]
	Answers   *Table[Answer]

	// Calls and Hits are in order of their beginning and reach to the end of the day.
	Calls     []Call
	Hits      []Hit
	Cookies   []Cookie
	Campaigns []Campaign
	// Generation grows whenever something visible changes.
	Generation int
}

// World is a State that moves. Its methods may be called from several goroutines.
type World struct {
	mu       sync.RWMutex
	state    State
	calendar calendar
	days     int // days drawn so far
	agenda   map[int][]task
	by       byPerson
}

// byPerson finds a person's records; -1 is none. The slices grow with the population.
type byPerson struct {
	contact, twin, customer, user, account, cookie []int
	gone                                           []bool
	quiet                                          map[int]int // person to the first day of activity again
	companyCustomer, companyRow                    []int
	homeCookie                                     map[int]int
	mood                                           map[int]int  // person to points off the next survey
	trapped                                        map[int]bool // bought through the trap campaign
}

// New makes the world as it is at Start.
func New(opt Options) *World {
	w := &World{agenda: map[int][]task{}}
	w.state = State{
		Options: opt, Now: opt.Start, People: population.New(opt.Seed, opt.Customers), Campaigns: campaigns(),
	}
	w.state.tables()
	w.by.quiet, w.by.homeCookie, w.by.mood = map[int]int{}, map[int]int{}, map[int]int{}
	w.by.trapped = map[int]bool{}
	w.calendar.fast = true
	w.found()
	w.calendar.fast = false
	return w
}

// Read calls f with the present state, which it must neither change nor keep.
func (w *World) Read(f func(*State)) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	f(&w.state)
}

// Skip moves the clock forward without listing what happened.
func (w *World) Skip(to time.Time) { w.move(to, false) }

// Advance moves the clock forward and returns what happened, in order of time.
func (w *World) Advance(d time.Duration) []Change {
	w.mu.RLock()
	to := w.state.Now.Add(d)
	w.mu.RUnlock()
	return w.move(to, true)
}

func (w *World) move(to time.Time, list bool) []Change {
	w.mu.Lock()
	defer w.mu.Unlock()
	var changes []Change
	for w.state.Now.Before(to) {
		step := w.midnight(w.days)
		if now := w.state.Now.UnixMilli(); now == step {
			next := w.midnight(w.days + 1)
			w.calendar.fast = !list && next <= to.UnixMilli()
			w.draw(w.days)
			w.calendar.fast = false
			w.days++
			step = next
		}
		step = min(step, to.UnixMilli())
		before := w.state.Now.UnixMilli()
		due := w.calendar.due(step)
		w.state.Now = fromMillis(step)
		if list {
			changes = append(changes, w.state.withLogs(due, before, step)...)
		}
	}
	w.state.Generation++
	return changes
}

// midnight is the beginning of a day, counted from the start.
func (w *World) midnight(day int) int64 {
	return w.state.Options.Start.UnixMilli() + int64(day)*dayMillis
}

const (
	secondMillis = 1000
	minuteMillis = 60 * secondMillis
	hourMillis   = 60 * minuteMillis
	dayMillis    = 24 * hourMillis
)

// draw plans everything that happens on a day.
func (w *World) draw(day int) {
	calls, hits := len(w.state.Calls), len(w.state.Hits)
	w.grow(day)
	w.failCheckouts(day)
	w.work(day)
	w.keepCRM(day)
	w.sell(day)
	w.keepERP(day)
	w.surf(day)
	w.shopElsewhere(day)
	w.ring(day)
	w.help(day)
	w.post(day)
	w.ask(day)
	slices.SortStableFunc(w.state.Calls[calls:], func(a, b Call) int { return cmp.Compare(a.Start, b.Start) })
	slices.SortStableFunc(w.state.Hits[hits:], func(a, b Hit) int { return cmp.Compare(a.At, b.At) })
}

// roll gives the draws of one process on one day.
func (w *World) roll(label string, day int) dice.Dice {
	return dice.New(w.state.Options.Seed, label, day)
}

// moment gives a time of the day between two hours, in whole seconds.
func (w *World) moment(d *dice.Dice, day, fromHour, toHour int) int64 {
	return w.midnight(day) + int64(fromHour)*hourMillis + int64(d.N((toHour-fromHour)*3600))*secondMillis
}

// active reports whether a person does anything on a day.
func (w *World) active(person, day int) bool {
	p := &w.state.People.People[person]
	return !p.Former && p.Joined <= day && !w.by.gone[person] && w.by.quiet[person] <= day
}

// someone draws an active person for whom ok holds, or -1.
func (w *World) someone(d *dice.Dice, day int, ok func(person int) bool) int {
	for range 60 {
		if p := d.N(len(w.state.People.People)); w.active(p, day) && (ok == nil || ok(p)) {
			return p
		}
	}
	return -1
}

// weekend reports whether a day is a Saturday or a Sunday.
func (w *World) weekend(day int) bool {
	d := fromMillis(w.midnight(day)).Weekday()
	return d == time.Saturday || d == time.Sunday
}
