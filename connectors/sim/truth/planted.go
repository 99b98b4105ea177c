package truth

import (
	"sort"
	"time"

	"github.com/unsilo/unsilo/connectors/sim/world"
)

// outage finds who saw a payment fail, whom they told, and what is at risk.
func outage(s *world.State) OutageEffect {
	var e OutageEffect
	type failure struct{ at, cents int64 }
	failed := map[int]failure{}
	for i := range s.HitsUntil(s.Now) {
		h := &s.Hits[i]
		if h.Page != world.PagePay || h.Status != 503 {
			continue
		}
		if _, again := failed[int(h.Person)]; !again {
			failed[int(h.Person)] = failure{h.At, int64(h.Cents)}
		}
		at := time.UnixMilli(h.At).UTC()
		if e.From.IsZero() {
			e.From = at
		}
		e.To = at
	}
	const hour = int64(3600 * 1000)
	called := map[int]bool{}
	for i := range s.Calls {
		c := &s.Calls[i]
		if f, ok := failed[c.Person]; ok && c.End() <= s.Now.UnixMilli() && c.Start > f.at && c.Start <= f.at+24*hour {
			called[c.Person] = true
		}
	}
	bought, number := map[int]bool{}, map[int]string{}
	s.Customers.Each(func(_ int, r *world.Customer) { number[r.Person] = r.Number })
	s.Orders.Each(func(_ int, o *world.Order) {
		if c := s.Customers.Rows[o.Customer]; c != nil {
			if f, ok := failed[c.Person]; ok && o.Date > f.at && o.Date <= f.at+72*hour {
				bought[c.Person] = true
			}
		}
	})
	e.Affected, e.Callers = len(failed), len(called)
	e.Silent = e.Affected - e.Callers
	for _, p := range sortedKeys(failed) {
		if called[p] {
			continue
		}
		e.SilentNumbers = append(e.SilentNumbers, number[p])
		if !bought[p] {
			e.AtRisk += failed[p].cents
		}
	}
	return e
}

// weeks counts calls, answers and posts per week.
func weeks(s *world.State) []WeekEffect {
	const week = int64(7 * 24 * 3600 * 1000)
	start, now := s.Options.Start.UnixMilli(), s.Now.UnixMilli()
	list := make([]WeekEffect, 0, (now-start)/week+1)
	for at := start; at < now; at += week {
		list = append(list, WeekEffect{Monday: time.UnixMilli(at).UTC().Format(time.DateOnly)})
	}
	of := func(at int64) *WeekEffect {
		if at < start || at >= start+week*int64(len(list)) {
			return &WeekEffect{}
		}
		return &list[(at-start)/week]
	}
	for i := range s.Calls {
		if c := &s.Calls[i]; c.End() <= now {
			of(c.Start).Calls++
		}
	}
	s.Answers.Each(func(_ int, r *world.Answer) {
		w := of(r.Created)
		w.Answers++
		switch {
		case r.Score >= 9:
			w.Promoters++
		case r.Score <= 6:
			w.Detractor++
		}
	})
	s.Statuses.Each(func(_ int, r *world.Status) {
		w := of(r.Created)
		w.Posts++
		if r.Negative {
			w.Negative++
		}
	})
	return list
}

// riskyDeals lists the open deals of companies whose people have unresolved tickets or
// which owe money past the due date.
func riskyDeals(s *world.State) []RiskyDeal {
	tickets, overdue := map[int]int{}, map[int]int{}
	s.Tickets.Each(func(_ int, r *world.Ticket) {
		// Only an office address ties a ticket to the company in what the systems hold.
		u := s.Users.Rows[r.Requester]
		if r.Unresolved() && u.Office {
			tickets[s.People.People[u.Person].Company]++
		}
	})
	today := s.Now.Format(time.DateOnly)
	s.Invoices.Each(func(_ int, r *world.Invoice) {
		due := time.UnixMilli(r.Due).UTC().Format(time.DateOnly)
		if c := s.Customers.Rows[r.Customer]; c != nil && c.Account >= 0 && r.Status == "open" && due < today {
			overdue[c.Account]++
		}
	})
	var list []RiskyDeal
	s.Deals.Each(func(_ int, r *world.Deal) {
		account := s.Companies.Rows[r.Company].Account
		if r.Archived == 0 && r.Open() && tickets[account]+overdue[account] > 0 {
			list = append(list, RiskyDeal{
				Deal: key(r.ID), Owner: key(world.OwnerID(r.Owner)), Amount: r.Amount, Account: AccountID(account),
				Tickets: tickets[account], Overdue: overdue[account],
			})
		}
	})
	sort.Slice(list, func(i, j int) bool { return list[i].Deal < list[j].Deal })
	return list
}
