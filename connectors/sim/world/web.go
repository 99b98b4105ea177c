package world

import (
	"fmt"
	"strconv"

	"github.com/unsilo/unsilo/connectors/sim/dice"
	"github.com/unsilo/unsilo/connectors/sim/population"
)

// campaigns are the advertising campaigns of the company, the same for every seed. Return
// is what they bring per 100 spent. The one with the highest return is the trap: its
// customers keep the telephones busy.
func campaigns() []Campaign {
	return []Campaign{
		{"cmp-101", "Spring lights", "search", "spring-lights", 24, 420, 62},
		{"cmp-102", "Home office", "search", "home-office", 18, 380, 71},
		{"cmp-103", "Clear-out weekend", "social", "clear-out", 6, 900, 18},
		{"cmp-104", "Garden season", "display", "garden", 12, 350, 44},
		{"cmp-105", "Newsletter", "email", "newsletter", 14, 480, 9},
		{"cmp-106", "Back to nature", "social", "nature", 10, 400, 35},
		{"cmp-107", "Trade partners", "search", "partners", 8, 360, 88},
		{"cmp-108", "Brand film", "video", "brand-film", 8, 340, 51},
	}
}

// trap is the campaign whose customers call far more often than others.
const trap = 2

// surf is a day of visits to the web shop: one per 17 customers, some by strangers.
func (w *World) surf(day int) {
	d := w.roll("web", day)
	for range d.Share(w.state.Options.Customers, 60) {
		if d.Chance(180) {
			w.visitStranger(&d, day)
			continue
		}
		campaign := w.clicked(&d)
		clean := func(p int) bool { return campaign != trap || w.clean(p) }
		if p := w.someone(&d, day, clean); p >= 0 {
			w.visit(&d, day, p, campaign)
		}
	}
}

// clicked draws the campaign that brought a visit, -1 for none.
func (w *World) clicked(d *dice.Dice) int {
	if !d.Chance(350) {
		return -1
	}
	n := d.N(100)
	for i, c := range w.state.Campaigns {
		if n -= c.Weight; n < 0 {
			return i
		}
	}
	return -1
}

// clean reports whether a person can carry a planted effect: in the ERP with their own
// number and address, and in no pack.
func (w *World) clean(person int) bool {
	p, c := &w.state.People.People[person], w.by.customer[person]
	return p.Packs == 0 && c >= 0 && w.state.Customers.planned[c].Packs == 0
}

// browser gives the cookie a person surfs with: the household's on a shared device, else
// their own, renewed in 40 of 1000 visits.
func (w *World) browser(d *dice.Dice, person int, at int64) int {
	p := &w.state.People.People[person]
	if p.Packs&population.SharedDevice != 0 {
		members := w.state.People.HomeOf(person).Members
		c, ok := w.by.homeCookie[p.Household]
		if !ok {
			c = w.addCookie(d, Cookie{Owner: members[0], Other: members[1], Packs: population.SharedDevice}, at)
			w.by.homeCookie[p.Household] = c
		}
		return c
	}
	if w.by.cookie[person] < 0 || d.Chance(40) {
		w.by.cookie[person] = w.addCookie(d, Cookie{Owner: person, Other: -1}, at)
	}
	return w.by.cookie[person]
}

func (w *World) addCookie(d *dice.Dice, c Cookie, at int64) int {
	c.ID, c.Agent, c.Created = fmt.Sprintf("v%016x", d.Uint64()), d.Low(6), at
	w.state.Cookies = append(w.state.Cookies, c)
	return len(w.state.Cookies) - 1
}

func (w *World) visitStranger(d *dice.Dice, day int) {
	at := w.moment(d, day, 6, 23)
	v := w.enter(w.addCookie(d, Cookie{Owner: -1, Other: -1, Packs: population.Unlinkable}, at), -1, at, w.clicked(d))
	for range d.Between(1, 3) {
		v.look(d, PageProduct, 200)
	}
}

// visit is one visit of a known person. Of 1000 visitors with an account 600 log in, of
// those 450 fill a cart, of those 700 try to pay, and 30 of the tries are refused.
func (w *World) visit(d *dice.Dice, day, person, campaign int) {
	at := w.moment(d, day, 6, 23)
	v := w.enter(w.browser(d, person, at), person, at, campaign)
	for range d.Between(1, 3) {
		v.look(d, PageProduct, 200)
	}
	if d.Chance(60) {
		v.look(d, PageHelp, 200)
	}
	if w.by.customer[person] < 0 || campaign != trap && !d.Chance(600) {
		return
	}
	v.login(d)
	if campaign != trap && !d.Chance(450) {
		return
	}
	v.cents = int64(d.Between(20, 140)) * 100
	v.look(d, PageCart, 200)
	switch {
	case campaign == trap && d.Chance(500) || campaign != trap && !d.Chance(700):
		return
	case d.Chance(30):
		v.look(d, PagePay, 402)
		return
	}
	v.look(d, PagePay, 302)
	v.ref = w.order(d, day, v.at+2*secondMillis, w.by.customer[person], v.cents, "web", campaign)
	v.look(d, PageThanks, 200)
	if campaign == trap && !w.state.Options.Quiet {
		w.by.trapped[person] = true
		for range d.Between(5, 7) {
			w.later(day+d.Between(1, 14), task{taskCall, person, int(AfterCampaign)})
		}
	}
}

// visiting is a visit under way.
type visiting struct {
	w        *World
	at       int64
	cents    int64
	person   int
	cookie   int
	campaign int
	ref      int
}

func (w *World) enter(cookie, person int, at int64, campaign int) *visiting {
	v := &visiting{w: w, at: at, person: person, cookie: cookie, campaign: campaign, ref: -1}
	v.log(PageHome, 200)
	return v
}

func (v *visiting) log(page Page, status int) {
	v.w.state.Hits = append(v.w.state.Hits, Hit{
		At: v.at, Person: int32(v.person), Cookie: int32(v.cookie), Ref: int32(v.ref), Cents: int32(v.cents),
		Status: int16(status), Campaign: int8(v.campaign), Page: page,
	})
}

// look asks for a page some seconds after the one before.
func (v *visiting) look(d *dice.Dice, page Page, status int) {
	v.at += int64(d.Between(3, 150)) * secondMillis
	v.log(page, status)
}

func (v *visiting) login(d *dice.Dice) {
	v.ref = v.w.by.customer[v.person]
	v.look(d, PageLogin, 302)
	v.ref = -1
	v.w.state.Cookies[v.cookie].Logins++
}

// failDay is the day on which the payment page fails for three hours.
const failDay = 80

// failCheckouts plants the outage: of 1000 customers 6 fail and call within a day, and ten
// times as many fail and stay silent. All of them do nothing else for three days.
func (w *World) failCheckouts(day int) {
	if day != failDay || w.state.Options.Quiet {
		return
	}
	d := w.roll("outage", day)
	callers := max(3, w.state.Options.Customers*6/1000)
	for i := range callers * 11 {
		p := w.someone(&d, day, func(p int) bool { return w.clean(p) && !w.by.trapped[p] })
		if p < 0 {
			return
		}
		at := w.moment(&d, day, 13, 15)
		v := w.enter(w.browser(&d, p, at), p, at, -1)
		v.look(&d, PageProduct, 200)
		v.login(&d)
		v.cents = int64(d.Between(20, 140)) * 100
		v.look(&d, PageCart, 200)
		v.look(&d, PagePay, 503)
		w.by.quiet[p] = day + 4
		w.by.mood[p] = 4
		switch {
		case i >= callers:
		case d.Chance(700):
			w.call(&d, v.at+int64(d.Between(5, 180))*minuteMillis, p, AfterFailedCheckout)
		default:
			w.later(day+1, task{taskCall, p, int(AfterFailedCheckout)})
		}
	}
}

// Line gives the parts of a hit as the access log shows them: method, path, status, and
// the number of bytes sent.
func (s *State) Line(h *Hit) (method, path string, status, bytes int) {
	n := int(dice.Hash(s.Options.Seed, "page", int(h.At), int(h.Cookie)) % 997)
	method, status, bytes = "GET", int(h.Status), 2000+n*13
	switch h.Page {
	case PageHome:
		path = "/"
		if h.Campaign >= 0 {
			c := &s.Campaigns[h.Campaign]
			path = "/?utm_source=" + c.Channel + "&utm_campaign=" + c.Code
		}
	case PageProduct:
		path = "/products/" + strconv.Itoa(1000+n%240)
	case PageHelp:
		path = "/help/" + []string{"returns", "delivery", "warranty", "payment"}[n%4]
	case PageLogin:
		method, path, bytes = "POST", "/account/login?customer="+customerNumber(int(h.Ref)), 0
	case PageCart:
		path = "/cart?value=" + Money(int64(h.Cents))
	case PagePay:
		method, path, bytes = "POST", "/checkout/pay?value="+Money(int64(h.Cents)), 180
	case PageThanks:
		path = "/checkout/thanks?order=" + orderNumber(int(h.Ref))
	default:
		path = "/account/logout"
	}
	return method, path, status, bytes
}

// Money writes cents as 12.34.
func Money(cents int64) string {
	return fmt.Sprintf("%d.%02d", cents/100, cents%100)
}
