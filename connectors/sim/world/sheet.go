package world

import (
	"fmt"
	"time"
)

// Type is the type of a column.
type Type uint8

// The types, with the Go type of a value; nil stands for null in each.
const (
	Text   Type = iota // string
	Int                // int64
	Bool               // bool
	Stamp              // time.Time in UTC, milliseconds
	Day                // string, 2026-01-31
	Amount             // string, 12.34
)

// Column is one column of a stream.
type Column struct {
	Name string
	Type Type
}

// Sheet shows the records of one stream as plain values. It is good until the state
// changes.
type Sheet struct {
	Source, Stream string
	Columns        []Column
	// Len counts the records there ever were; Live says whether one exists now, with
	// archived ones among them.
	Len  int
	Live func(i int) bool
	// Archived is when a record was put away, zero for not.
	Archived func(i int) time.Time
	// Key and Updated are the record's identity and time of last change.
	Key     func(i int) string
	Updated func(i int) time.Time
	// Row gives a record's values in the order of Columns.
	Row func(i int) []any
}

type column[T any] struct {
	name string
	typ  Type
	get  func(r *T) any
}

func sheet[T any](t *Table[T], columns []column[T], updated, archived func(*T) int64) *Sheet {
	s := &Sheet{
		Source: t.Source, Stream: t.Stream, Len: len(t.Rows),
		Live:    func(i int) bool { return t.Rows[i] != nil },
		Key:     func(i int) string { return t.key(t.Rows[i]) },
		Updated: func(i int) time.Time { return fromMillis(updated(t.Rows[i])) },
		Row: func(i int) []any {
			values := make([]any, len(columns))
			for c := range columns {
				values[c] = columns[c].get(t.Rows[i])
			}
			return values
		},
		Archived: func(i int) time.Time {
			if archived == nil || archived(t.Rows[i]) == 0 {
				return time.Time{}
			}
			return fromMillis(archived(t.Rows[i]))
		},
	}
	for _, c := range columns {
		s.Columns = append(s.Columns, Column{c.name, c.typ})
	}
	return s
}

// Sheet shows a stream of records; the logs (web, calls) and the advertising report have
// no sheet.
func (s *State) Sheet(source, stream string) (*Sheet, error) {
	switch source + "." + stream {
	case "crm.contacts":
		return sheet(s.Contacts, contactColumns(), func(r *Contact) int64 { return r.Updated },
			func(r *Contact) int64 { return r.Archived }), nil
	case "crm.companies":
		return sheet(s.Companies, companyColumns(), func(r *Company) int64 { return r.Updated }, nil), nil
	case "crm.deals":
		return sheet(s.Deals, dealColumns(), func(r *Deal) int64 { return r.Updated },
			func(r *Deal) int64 { return r.Archived }), nil
	case "crm.tickets":
		return sheet(s.Requests, requestColumns(), func(r *Request) int64 { return r.Updated },
			func(r *Request) int64 { return r.Archived }), nil
	case "erp.customers":
		return sheet(s.Customers, customerColumns(), func(r *Customer) int64 { return r.Updated }, nil), nil
	case "erp.orders":
		return sheet(s.Orders, orderColumns(), func(r *Order) int64 { return r.Updated }, nil), nil
	case "erp.invoices":
		return sheet(s.Invoices, invoiceColumns(), func(r *Invoice) int64 { return r.Updated }, nil), nil
	case "erp.payments":
		return sheet(s.Payments, paymentColumns(), func(r *Payment) int64 { return r.Updated }, nil), nil
	case "support.users":
		return sheet(s.Users, userColumns(), func(r *User) int64 { return r.Updated }, nil), nil
	case "support.tickets":
		return sheet(s.Tickets, ticketColumns(), func(r *Ticket) int64 { return r.Updated }, nil), nil
	case "social.accounts":
		return sheet(s.Accounts, accountColumns(), func(r *Account) int64 { return r.Updated }, nil), nil
	case "social.statuses":
		return sheet(s.Statuses, statusColumns(s), func(r *Status) int64 { return max(r.Created, r.Edited) }, nil), nil
	case "surveys.answers":
		return sheet(s.Answers, answerColumns(), func(r *Answer) int64 { return r.Updated }, nil), nil
	}
	return nil, fmt.Errorf("find stream %s of source %s: there is none", stream, source)
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func stampOrNull(ms int64) any {
	if ms == 0 {
		return nil
	}
	return fromMillis(ms)
}

func day(ms int64) string { return fromMillis(ms).Format(time.DateOnly) }
