package world

import (
	"strconv"
	"strings"
)

func contactColumns() []column[Contact] {
	return []column[Contact]{
		{"hs_object_id", Int, func(r *Contact) any { return r.ID }},
		{"email", Text, func(r *Contact) any { return orNull(r.Email) }},
		{"firstname", Text, func(r *Contact) any { return orNull(r.First) }},
		{"lastname", Text, func(r *Contact) any { return orNull(r.Last) }},
		{"phone", Text, func(r *Contact) any { return orNull(r.Phone) }},
		{"mobilephone", Text, func(r *Contact) any { return orNull(r.Mobile) }},
		{"date_of_birth", Day, func(r *Contact) any { return orNull(r.Birth) }},
		{"address", Text, func(r *Contact) any { return orNull(r.Street) }},
		{"city", Text, func(r *Contact) any { return orNull(r.City) }},
		{"zip", Text, func(r *Contact) any { return orNull(r.Zip) }},
		{"country", Text, func(r *Contact) any { return orNull(r.Country) }},
		{"company", Text, func(r *Contact) any { return orNull(r.CompanyName) }},
		{"associatedcompanyid", Int, func(r *Contact) any { return idOrNull(firstCompany, r.Company) }},
		{"customer_number", Text, func(r *Contact) any { return orNull(r.CustomerNo) }},
		{"social_handle", Text, func(r *Contact) any { return orNull(r.Handle) }},
		{"lifecyclestage", Text, func(r *Contact) any { return orNull(r.Stage) }},
		{"hubspot_owner_id", Int, func(r *Contact) any { return OwnerID(r.Owner) }},
		{"marketing_consent", Bool, func(r *Contact) any { return r.Consent }},
		{"hs_merged_object_ids", Text, func(r *Contact) any { return orNull(r.Merged) }},
		{"createdate", Stamp, func(r *Contact) any { return fromMillis(r.Created) }},
		{"lastmodifieddate", Stamp, func(r *Contact) any { return fromMillis(r.Updated) }},
	}
}

func companyColumns() []column[Company] {
	return []column[Company]{
		{"hs_object_id", Int, func(r *Company) any { return r.ID }},
		{"name", Text, func(r *Company) any { return orNull(r.Name) }},
		{"domain", Text, func(r *Company) any { return orNull(r.Domain) }},
		{"phone", Text, func(r *Company) any { return orNull(r.Phone) }},
		{"city", Text, func(r *Company) any { return orNull(r.City) }},
		{"zip", Text, func(r *Company) any { return orNull(r.Zip) }},
		{"country", Text, func(r *Company) any { return orNull(r.Country) }},
		{"industry", Text, func(r *Company) any { return orNull(r.Industry) }},
		{"customer_number", Text, func(r *Company) any { return orNull(r.CustomerNo) }},
		{"hubspot_owner_id", Int, func(r *Company) any { return OwnerID(r.Owner) }},
		{"createdate", Stamp, func(r *Company) any { return fromMillis(r.Created) }},
		{"hs_lastmodifieddate", Stamp, func(r *Company) any { return fromMillis(r.Updated) }},
	}
}

func dealColumns() []column[Deal] {
	return []column[Deal]{
		{"hs_object_id", Int, func(r *Deal) any { return r.ID }},
		{"dealname", Text, func(r *Deal) any { return orNull(r.Name) }},
		{"dealstage", Text, func(r *Deal) any { return orNull(r.Stage) }},
		{"pipeline", Text, func(*Deal) any { return "default" }},
		{"amount", Amount, func(r *Deal) any { return Money(r.Amount) }},
		{"closedate", Stamp, func(r *Deal) any { return stampOrNull(r.Close) }},
		{"hubspot_owner_id", Int, func(r *Deal) any { return OwnerID(r.Owner) }},
		{"hs_primary_associated_company", Int, func(r *Deal) any { return idOrNull(firstCompany, r.Company) }},
		{"primary_contact_id", Int, func(r *Deal) any { return idOrNull(firstContact, r.Contact) }},
		{"createdate", Stamp, func(r *Deal) any { return fromMillis(r.Created) }},
		{"hs_lastmodifieddate", Stamp, func(r *Deal) any { return fromMillis(r.Updated) }},
	}
}

func requestColumns() []column[Request] {
	return []column[Request]{
		{"hs_object_id", Int, func(r *Request) any { return r.ID }},
		{"subject", Text, func(r *Request) any { return orNull(r.Subject) }},
		{"hs_pipeline_stage", Text, func(r *Request) any { return orNull(r.Stage) }},
		{"hubspot_owner_id", Int, func(r *Request) any { return OwnerID(r.Owner) }},
		{"primary_contact_id", Int, func(r *Request) any { return idOrNull(firstContact, r.Contact) }},
		{"createdate", Stamp, func(r *Request) any { return fromMillis(r.Created) }},
		{"hs_lastmodifieddate", Stamp, func(r *Request) any { return fromMillis(r.Updated) }},
	}
}

func customerColumns() []column[Customer] {
	return []column[Customer]{
		{"id", Int, func(r *Customer) any { return r.ID }},
		{"customer_no", Text, func(r *Customer) any { return r.Number }},
		{"kind", Text, func(r *Customer) any { return r.Kind }},
		{"name", Text, func(r *Customer) any { return orNull(r.Name) }},
		{"given_name", Text, func(r *Customer) any { return orNull(r.Given) }},
		{"family_name", Text, func(r *Customer) any { return orNull(r.Family) }},
		{"vat_no", Text, func(r *Customer) any { return orNull(r.VAT) }},
		{"email", Text, func(r *Customer) any { return orNull(r.Email) }},
		{"phone", Text, func(r *Customer) any { return orNull(r.Phone) }},
		{"birth_date", Day, func(r *Customer) any { return orNull(r.Birth) }},
		{"street", Text, func(r *Customer) any { return orNull(r.Street) }},
		{"postcode", Text, func(r *Customer) any { return orNull(r.Postcode) }},
		{"city", Text, func(r *Customer) any { return orNull(r.City) }},
		{"country", Text, func(r *Customer) any { return orNull(r.Country) }},
		{"create_date", Stamp, func(r *Customer) any { return fromMillis(r.Created) }},
		{"write_date", Stamp, func(r *Customer) any { return fromMillis(r.Updated) }},
	}
}

func orderColumns() []column[Order] {
	return []column[Order]{
		{"id", Int, func(r *Order) any { return r.ID }},
		{"order_no", Text, func(r *Order) any { return r.Number }},
		{"customer_id", Int, func(r *Order) any { return int64(firstCustomer + r.Customer) }},
		{"ordered_at", Stamp, func(r *Order) any { return fromMillis(r.Date) }},
		{"total", Amount, func(r *Order) any { return Money(r.Total) }},
		{"currency", Text, func(*Order) any { return "EUR" }},
		{"status", Text, func(r *Order) any { return r.Status }},
		{"channel", Text, func(r *Order) any { return r.Channel }},
		{"campaign", Text, func(r *Order) any { return orNull(r.Campaign) }},
		{"write_date", Stamp, func(r *Order) any { return fromMillis(r.Updated) }},
	}
}

func invoiceColumns() []column[Invoice] {
	return []column[Invoice]{
		{"id", Int, func(r *Invoice) any { return r.ID }},
		{"invoice_no", Text, func(r *Invoice) any { return r.Number }},
		{"customer_id", Int, func(r *Invoice) any { return int64(firstCustomer + r.Customer) }},
		{"order_id", Int, func(r *Invoice) any { return int64(firstOrder + r.Order) }},
		{"issue_date", Day, func(r *Invoice) any { return day(r.Issued) }},
		{"due_date", Day, func(r *Invoice) any { return day(r.Due) }},
		{"total", Amount, func(r *Invoice) any { return Money(r.Total) }},
		{"currency", Text, func(*Invoice) any { return "EUR" }},
		{"status", Text, func(r *Invoice) any { return r.Status }},
		{"write_date", Stamp, func(r *Invoice) any { return fromMillis(r.Updated) }},
	}
}

func paymentColumns() []column[Payment] {
	return []column[Payment]{
		{"id", Int, func(r *Payment) any { return r.ID }},
		{"invoice_id", Int, func(r *Payment) any { return int64(firstInvoice + r.Invoice) }},
		{"amount", Amount, func(r *Payment) any { return Money(r.Amount) }},
		{"method", Text, func(r *Payment) any { return r.Method }},
		{"paid_at", Stamp, func(r *Payment) any { return fromMillis(r.Paid) }},
		{"write_date", Stamp, func(r *Payment) any { return fromMillis(r.Updated) }},
	}
}

func userColumns() []column[User] {
	return []column[User]{
		{"id", Int, func(r *User) any { return r.ID }},
		{"name", Text, func(r *User) any { return orNull(r.Name) }},
		{"email", Text, func(r *User) any { return orNull(r.Email) }},
		{"phone", Text, func(r *User) any { return orNull(r.Phone) }},
		{"external_id", Text, func(r *User) any { return orNull(r.ExternalID) }},
		{"role", Text, func(r *User) any { return r.Role }},
		{"created_at", Stamp, func(r *User) any { return fromMillis(r.Created) }},
		{"updated_at", Stamp, func(r *User) any { return fromMillis(r.Updated) }},
	}
}

func ticketColumns() []column[Ticket] {
	return []column[Ticket]{
		{"id", Int, func(r *Ticket) any { return r.ID }},
		{"subject", Text, func(r *Ticket) any { return orNull(r.Subject) }},
		{"description", Text, func(r *Ticket) any { return orNull(r.Text) }},
		{"status", Text, func(r *Ticket) any { return r.Status }},
		{"priority", Text, func(r *Ticket) any { return r.Priority }},
		{"topic", Text, func(r *Ticket) any { return r.Topic }},
		{"channel", Text, func(r *Ticket) any { return r.Channel }},
		{"requester_id", Int, func(r *Ticket) any { return int64(firstUser + r.Requester) }},
		{"assignee_id", Int, func(r *Ticket) any { return int64(firstUser + r.Assignee) }},
		{"created_at", Stamp, func(r *Ticket) any { return fromMillis(r.Created) }},
		{"updated_at", Stamp, func(r *Ticket) any { return fromMillis(r.Updated) }},
		{"generated_timestamp", Int, func(r *Ticket) any { return (r.Updated + 999) / 1000 }},
	}
}

func accountColumns() []column[Account] {
	return []column[Account]{
		{"id", Int, func(r *Account) any { return r.ID }},
		{"username", Text, func(r *Account) any { return r.Handle }},
		{"display_name", Text, func(r *Account) any { return orNull(r.Display) }},
		{"note", Text, func(r *Account) any { return r.Note }},
		{"followers_count", Int, func(r *Account) any { return int64(r.Followers) }},
		{"created_at", Stamp, func(r *Account) any { return fromMillis(r.Created) }},
	}
}

func statusColumns(s *State) []column[Status] {
	return []column[Status]{
		{"id", Int, func(r *Status) any { return r.ID }},
		{"account_id", Int, func(r *Status) any { return s.Accounts.planned[r.Account].ID }},
		{"content", Text, func(r *Status) any { return "<p>" + r.Text + "</p>" }},
		{"tag", Text, func(r *Status) any { return r.Tag }},
		{"replies_count", Int, func(r *Status) any { return int64(r.Replies) }},
		{"favourites_count", Int, func(r *Status) any { return int64(r.Likes) }},
		{"created_at", Stamp, func(r *Status) any { return fromMillis(r.Created) }},
		{"edited_at", Stamp, func(r *Status) any { return stampOrNull(r.Edited) }},
	}
}

func answerColumns() []column[Answer] {
	return []column[Answer]{
		{"id", Int, func(r *Answer) any { return r.ID }},
		{"survey", Text, func(r *Answer) any { return r.Survey }},
		{"score", Int, func(r *Answer) any { return int64(r.Score) }},
		{"comment", Text, func(r *Answer) any { return orNull(r.Comment) }},
		{"channel", Text, func(r *Answer) any { return r.Channel }},
		{"consent", Bool, func(r *Answer) any { return r.Consent }},
		{"email", Text, func(r *Answer) any { return orNull(r.Email) }},
		{"customer_number", Text, func(r *Answer) any { return orNull(r.CustomerNo) }},
		{"submitted_at", Stamp, func(r *Answer) any { return fromMillis(r.Created) }},
		{"updated_at", Stamp, func(r *Answer) any { return fromMillis(r.Updated) }},
	}
}

// Owner is a sales person in the CRM.
type Owner struct {
	ID                 int64
	Email, First, Last string
}

// Owners lists the sales people. They are no part of the population.
func Owners() []Owner {
	var list []Owner
	for i := range owners {
		first, last, _ := strings.Cut(staffName(i), " ")
		list = append(list, Owner{OwnerID(i), "sales" + strconv.Itoa(i+1) + "@unsilo-sim.example", first, last})
	}
	return list
}

// OwnerID is the CRM's id of a sales person.
func OwnerID(owner int) int64 { return 1_200_001 + int64(owner) }

func idOrNull(first int64, row int) any {
	if row < 0 {
		return nil
	}
	return first + int64(row)
}

// CallID is Asterisk's id of a call.
func (s *State) CallID(i int) string {
	return strconv.FormatInt(s.Calls[i].Start/1000, 10) + "." + strconv.Itoa(1000+i)
}
