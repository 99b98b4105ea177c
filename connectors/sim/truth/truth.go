// Package truth writes down what the simulated company's systems do not say: which
// record belongs to whom, and what the answers to the planted questions are.
//
// The files are for judging a join afterwards. They belong outside the project, where no
// connector reads.
package truth

import (
	"strconv"

	"github.com/unsilo/unsilo/connectors/sim/population"
	"github.com/unsilo/unsilo/connectors/sim/world"
)

// Record is one row of the truth: a record of a stream and whom it is about. Ids are ""
// where there is nobody.
type Record struct {
	Source, Stream, Key        string
	Person, Household, Account string
	Packs                      population.Packs
}

// PersonID is the name of a person in the truth.
func PersonID(person int) string { return name('P', person, 7) }

// AccountID is the name of a business customer in the truth.
func AccountID(company int) string { return name('A', company, 6) }

// name writes a letter and a number with leading zeros.
func name(letter byte, n, width int) string {
	text := strconv.Itoa(n)
	b := append(make([]byte, 0, 12), letter)
	for range width - len(text) {
		b = append(b, '0')
	}
	return string(append(b, text...))
}

// Each calls f for every record that exists now, archived ones included. The records of
// the web log are its cookies (stream access, keyed by the cookie), one for each person
// who used it; those of the calls are call ids, for the streams cdr and queue_log.
func Each(s *world.State, f func(Record)) {
	t := teller{s: s, f: f}
	s.Contacts.Each(func(_ int, r *world.Contact) {
		t.tell(world.CRM, "contacts", key(r.ID), r.Person, t.account(r.Company), r.Packs)
	})
	s.Companies.Each(func(i int, r *world.Company) {
		t.tell(world.CRM, "companies", key(r.ID), -1, r.Account, 0)
	})
	s.Deals.Each(func(_ int, r *world.Deal) {
		t.tell(world.CRM, "deals", key(r.ID), t.contact(r.Contact), t.account(r.Company), 0)
	})
	s.Requests.Each(func(_ int, r *world.Request) {
		t.tell(world.CRM, "tickets", key(r.ID), t.contact(r.Contact), -1, 0)
	})
	s.Customers.Each(func(_ int, r *world.Customer) {
		t.tell(world.ERP, "customers", key(r.ID), r.Person, r.Account, r.Packs)
	})
	t.erp()
	s.Users.Each(func(_ int, r *world.User) {
		if r.Person < 0 {
			f(Record{Source: world.Support, Stream: "users", Key: key(r.ID), Person: "staff-" + key(r.ID)})
			return
		}
		t.tell(world.Support, "users", key(r.ID), r.Person, s.People.People[r.Person].Company, r.Packs)
	})
	s.Tickets.Each(func(_ int, r *world.Ticket) {
		u := s.Users.Rows[r.Requester]
		t.tell(world.Support, "tickets", key(r.ID), u.Person, s.People.People[u.Person].Company, u.Packs)
	})
	s.Accounts.Each(func(_ int, r *world.Account) {
		t.tell(world.Social, "accounts", key(r.ID), r.Person, -1, r.Packs)
	})
	s.Statuses.Each(func(_ int, r *world.Status) {
		if a := s.Accounts.Rows[r.Account]; a != nil {
			t.tell(world.Social, "statuses", key(r.ID), a.Person, -1, a.Packs)
		}
	})
	s.Answers.Each(func(_ int, r *world.Answer) {
		t.tell(world.Surveys, "answers", key(r.ID), r.Person, -1, r.Packs)
	})
	t.logs()
}

// teller fills in households and names.
type teller struct {
	s *world.State
	f func(Record)
}

func (t teller) tell(source, stream, key string, person, account int, packs population.Packs) {
	r := Record{Source: source, Stream: stream, Key: key, Packs: packs}
	if person >= 0 {
		r.Person = PersonID(person)
		r.Household = name('H', t.s.People.People[person].Household, 7)
	}
	if account >= 0 {
		r.Account = AccountID(account)
	}
	t.f(r)
}

// account gives the company behind a row of Companies.
func (t teller) account(row int) int {
	if row < 0 || t.s.Companies.Rows[row] == nil {
		return -1
	}
	return t.s.Companies.Rows[row].Account
}

// contact gives the person behind a row of Contacts.
func (t teller) contact(row int) int {
	if row < 0 || t.s.Contacts.Rows[row] == nil {
		return -1
	}
	return t.s.Contacts.Rows[row].Person
}

func (t teller) customer(row int) (person, account int) {
	if c := t.s.Customers.Rows[row]; c != nil {
		return c.Person, c.Account
	}
	return -1, -1
}

func (t teller) erp() {
	s := t.s
	s.Orders.Each(func(_ int, r *world.Order) {
		p, a := t.customer(r.Customer)
		t.tell(world.ERP, "orders", key(r.ID), p, a, 0)
	})
	s.Invoices.Each(func(_ int, r *world.Invoice) {
		p, a := t.customer(r.Customer)
		t.tell(world.ERP, "invoices", key(r.ID), p, a, 0)
	})
	s.Payments.Each(func(_ int, r *world.Payment) {
		if i := s.Invoices.Rows[r.Invoice]; i != nil {
			p, a := t.customer(i.Customer)
			t.tell(world.ERP, "payments", key(r.ID), p, a, 0)
		}
	})
}

func (t teller) logs() {
	s, now := t.s, t.s.Now.UnixMilli()
	for i := range s.Calls {
		c := &s.Calls[i]
		if c.Start > now {
			break
		}
		t.tell(world.Calls, "queue_log", s.CallID(i), c.Person, -1, c.Packs)
		if c.End() <= now {
			t.tell(world.Calls, "cdr", s.CallID(i), c.Person, -1, c.Packs)
		}
	}
	loggedIn := make([]bool, len(s.Cookies))
	seen := make([]bool, len(s.Cookies))
	for i := range s.HitsUntil(s.Now) {
		h := &s.Hits[i]
		seen[h.Cookie] = true
		if h.Page == world.PageLogin {
			loggedIn[h.Cookie] = true
		}
	}
	for i := range s.Cookies {
		if !seen[i] {
			continue
		}
		c, packs := &s.Cookies[i], s.Cookies[i].Packs
		if !loggedIn[i] {
			packs |= population.Unlinkable
		}
		t.tell(world.Web, "access", c.ID, c.Owner, -1, packs)
		if c.Other >= 0 {
			t.tell(world.Web, "access", c.ID, c.Other, -1, packs)
		}
	}
}

func key(id int64) string { return strconv.FormatInt(id, 10) }
