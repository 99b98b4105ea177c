package world

// Times in records are milliseconds since 1970 in UTC, 0 for none. Person is an index of
// population.People, -1 for none; it is the hidden truth and no dialect shows it.

// Contact is a person in the CRM.
type Contact struct {
	ID                         int64
	Person                     int
	Packs                      Packs
	Company                    int // row of Companies, -1 for none
	Owner                      int
	First, Last                string
	Email, Phone, Mobile       string
	Birth                      string
	Street, City, Zip, Country string
	CompanyName                string
	CustomerNo                 string
	Handle                     string
	Stage                      string
	Consent                    bool
	Merged                     string // ids merged into this one, joined by ;
	Created, Updated           int64
	Archived                   int64
}

// Company is an account in the CRM.
type Company struct {
	ID                    int64
	Account               int // index of population.Companies
	Owner                 int
	Name, Domain, Phone   string
	City, Zip, Country    string
	CustomerNo, Industry  string
	Created, Updated, End int64
}

// Deal is a sales opportunity of a company.
type Deal struct {
	ID               int64
	Company          int // row of Companies
	Contact          int // row of Contacts, -1 for none
	Owner            int
	Name, Stage      string
	Amount           int64 // cents
	Close            int64
	Created, Updated int64
	Archived         int64
}

// Open reports whether the deal is neither won nor lost.
func (d *Deal) Open() bool { return d.Stage != "closedwon" && d.Stage != "closedlost" }

// Request is a ticket in the CRM: what the sales department does for a contact.
type Request struct {
	ID               int64
	Contact          int
	Owner            int
	Subject, Stage   string
	Created, Updated int64
	Archived         int64
}

// Customer is a person or a company in the ERP.
type Customer struct {
	ID                   int64
	Person               int
	Account              int
	Packs                Packs
	Number               string
	Kind                 string // person or company
	Name, Given, Family  string
	VAT                  string
	Email, Phone         string
	Birth                string
	Street, Postcode     string
	City, Country        string
	Created, Updated     int64
	orders, openInvoices int
}

// Order is what somebody bought.
type Order struct {
	ID       int64
	Number   string
	Customer int // row of Customers
	Date     int64
	Total    int64 // cents
	Status   string
	Channel  string // web, store, phone, sales
	Campaign string
	Updated  int64
	visit    bool
}

// Invoice asks for the money of an order.
type Invoice struct {
	ID       int64
	Number   string
	Customer int
	Order    int
	Issued   int64
	Due      int64
	Total    int64
	Status   string // open, paid
	Updated  int64
}

// Payment is money that came in.
type Payment struct {
	ID      int64
	Invoice int
	Amount  int64
	Method  string
	Paid    int64
	Updated int64
}

// User is a person in the help desk: somebody who asked, or an agent.
type User struct {
	ID               int64
	Person           int // -1 for agents
	Packs            Packs
	Name, Email      string
	Phone            string
	ExternalID       string // customer number or ""
	Office           bool   // asks by the office address
	Role             string
	Created, Updated int64
}

// Ticket is a case in the help desk.
type Ticket struct {
	ID               int64
	Requester        int // row of Users
	Assignee         int
	Subject, Text    string
	Status           string
	Priority         string
	Topic, Channel   string
	Created, Updated int64
}

// Unresolved reports whether somebody still has to do something.
func (t *Ticket) Unresolved() bool {
	return t.Status == "new" || t.Status == "open" || t.Status == "pending" || t.Status == "hold"
}

// Account is a profile on the social network.
type Account struct {
	ID               int64
	Person           int
	Packs            Packs
	Handle, Display  string
	Note             string
	Followers        int
	Created, Updated int64
}

// Status is a post.
type Status struct {
	ID              int64
	Account         int
	Text, Tag       string
	Negative        bool
	Replies, Likes  int
	Created, Edited int64
	Deleted         int64
}

// Answer is one answer to the question how likely somebody is to recommend us.
type Answer struct {
	ID                int64
	Person            int
	Packs             Packs
	Survey            string
	Score             int
	Comment           string
	Channel           string
	Consent           bool
	Email, CustomerNo string
	Created, Updated  int64
}

// Call is one call to the call centre, from the first ring to the last word.
type Call struct {
	Person                 int
	Packs                  Packs
	Start                  int64
	Wait, Talk             int // seconds
	Queue, Agent           int
	Abandoned, Transferred bool
	Number, Name           string
	Reason                 Reason
}

// End is when the call was over.
func (c *Call) End() int64 { return c.Start + int64(c.Wait+c.Talk)*1000 }

// Reason is why something happened, for the planted effects.
type Reason uint8

// The reasons.
const (
	Usual Reason = iota
	AfterCampaign
	AfterFailedCheckout
	Fever
)

// Hit is one line of the web server's access log.
type Hit struct {
	At       int64
	Person   int32 // -1 for strangers
	Cookie   int32
	Ref      int32 // row of Customers for a login, of Orders for thanks, else -1
	Cents    int32 // value of the cart
	Status   int16
	Campaign int8 // index of Campaigns, -1 for none
	Page     Page
}

// Page is what was asked for.
type Page uint8

// The pages.
const (
	PageHome Page = iota
	PageProduct
	PageHelp
	PageLogin
	PageCart
	PagePay
	PageThanks
	PageLogout
)

// Cookie is one browser, and who used it.
type Cookie struct {
	ID      string
	Owner   int
	Other   int // second user of a shared device, -1 for none
	Packs   Packs
	Agent   int
	Logins  int // logins so far, also those still to come today
	Created int64
}

// Campaign is one advertising campaign.
type Campaign struct {
	ID, Name, Channel, Code string
	// Weight is the share of visits it brings, Return the planned revenue per 100 spent.
	Weight, Return int
	// CostPerClick is in cents.
	CostPerClick int
}
