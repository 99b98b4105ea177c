// Package population makes up people, the households they live in and the companies
// they work for, with the traits that make telling them apart hard: shared mailboxes
// and telephones, namesakes, twins, recycled numbers.
//
// It knows who is who. It does not know what any system has recorded about them; that
// is package world. Every name, street and mailbox is drawn from small lists written for
// this package; mail domains are reserved for examples, and telephone numbers are of
// valid shape, within ranges kept for fiction where those are large enough.
package population

import (
	"github.com/unsilo/unsilo/connectors/sim/dice"
)

// Packs are the hard-negative groups that a person or a record belongs to.
type Packs uint16

// The packs. Each is a way in which two people look alike and are not.
const (
	FamilyMailbox  Packs = 1 << iota // two of a household share one e-mail address
	Switchboard                      // the office number stands as the person's number
	FatherSon                        // same given and family name, same address
	Twins                            // same birth date, family name, address
	RecycledPhone                    // a number given to another person after two years
	SharedDevice                     // one browser, two logins
	RoleMailbox                      // info@ of the company as the person's address
	SharedLandline                   // a household's telephone
	Flatmates                        // unrelated people at one address
	Unlinkable                       // the record holds nothing that could identify anyone
)

// PackNames are the names in the truth file, in bit order.
func PackNames() []string {
	return []string{"family_mailbox", "switchboard", "father_son", "twins", "recycled_phone", "shared_device",
		"role_mailbox", "shared_landline", "flatmates", "unlinkable"}
}

// String gives the names joined by commas; "" for none.
func (p Packs) String() string {
	s := ""
	for i, name := range PackNames() {
		if p&(1<<i) != 0 {
			if s != "" {
				s += ","
			}
			s += name
		}
	}
	return s
}

// Person is one human being.
type Person struct {
	ID        int
	Household int
	// Company is an index of Companies, -1 for none.
	Company int
	Female  bool
	Given   string
	// Nick is a usual short form of Given, or "".
	Nick string
	// Family is the name today, Born the one at birth; they differ after a marriage.
	Family, Born string
	// Birth is a date, 1971-03-04.
	Birth string
	// Private and Work are e-mail addresses; Work may be "".
	Private, Work string
	// Mobile is E.164.
	Mobile string
	Packs  Packs
	// Joined is the day on which the company came to know the person, counted from the
	// start of the simulation; negative is before it.
	Joined int
	// Former people left more than two years before the start and do nothing since.
	Former bool
}

// Household is an address and the people there.
type Household struct {
	ID      int
	Country int
	Address Address
	// Landline is E.164 or "".
	Landline string
	// Mailbox is a shared e-mail address or "".
	Mailbox string
	Members []int
}

// Address is where a household lives or a company sits.
type Address struct {
	Street, Postcode, City, Country string
}

// Company is a business customer, and an account in the truth.
type Company struct {
	ID      int
	Country int
	Name    string
	// Legal is Name with the legal form.
	Legal   string
	Domain  string
	Mailbox string
	Phone   string
	VAT     string
	Address Address
}

// Population is everybody. It grows by Grow and never forgets.
type Population struct {
	seed      uint64
	countries []country
	taken     map[string]int
	mobiles   [3]int
	landlines [3]int

	People     []Person
	Households []Household
	Companies  []Company
}

// New makes at least people persons, in whole households, and the companies they
// work for.
func New(seed uint64, people int) *Population {
	p := &Population{seed: seed, countries: countries(), taken: map[string]int{}}
	for i := range max(6, people/20) {
		p.addCompany(i)
	}
	for len(p.People) < people {
		p.addHousehold(people)
	}
	p.recycleNumbers()
	return p
}

// Grow adds one household, whose people joined on the given day, and returns their
// indexes.
func (p *Population) Grow(day int) []int {
	first := len(p.People)
	p.addHousehold(0)
	var ids []int
	for i := first; i < len(p.People); i++ {
		p.People[i].Joined = day
		ids = append(ids, i)
	}
	return ids
}

// HomeOf gives the person's household.
func (p *Population) HomeOf(person int) *Household { return &p.Households[p.People[person].Household] }

// EmployerOf gives the person's company, or nil.
func (p *Population) EmployerOf(person int) *Company {
	if c := p.People[person].Company; c >= 0 {
		return &p.Companies[c]
	}
	return nil
}

func (p *Population) addCompany(i int) {
	d := dice.New(p.seed, "company", i)
	at := i % 3 // so that every country has one
	c := &p.countries[at]
	name := dice.Pick(&d, c.roots) + dice.Pick(&d, c.endings)
	name += " " + dice.Pick(&d, c.trades)
	domain := p.unique(slug(name), "", ".example")
	p.Companies = append(p.Companies, Company{
		ID: i, Country: at, Name: name, Legal: name + " " + dice.Pick(&d, c.legalForms),
		Domain: domain, Mailbox: c.office + "@" + domain, Phone: p.landline(at),
		VAT: c.code + "00" + digits(100000+i, 6), Address: p.address(&d, at),
	})
}

func (p *Population) address(d *dice.Dice, at int) Address {
	c := &p.countries[at]
	town := dice.Pick(d, c.cities)
	street := dice.Pick(d, c.streets) + dice.Pick(d, c.streetEnds)
	number := decimal(d.Between(1, 120))
	if d.Chance(250) {
		number += " " + string(rune('A'+d.N(6)))
	}
	a := Address{Street: street + " " + number, City: town.name, Country: c.code}
	if c.numberFirst {
		a.Street = number + " " + street
		a.Postcode = town.postcode + decimal(d.Between(1, 28)) + " " + decimal(d.Between(1, 9)) +
			string(rune('A'+d.N(26))) + string(rune('A'+d.N(26)))
	} else {
		a.Postcode = town.postcode + digits(d.N(1000), 3)
	}
	return a
}

// recycleNumbers gives the mobile number of people who left long ago to people who
// joined in the last year: four pairs in a thousand people.
func (p *Population) recycleNumbers() {
	d := dice.New(p.seed, "recycled")
	pairs := d.Share(len(p.People), 4)
	for tries := 0; pairs > 0 && tries < 20*len(p.People); tries++ {
		old, now := &p.People[d.N(len(p.People))], &p.People[d.N(len(p.People))]
		apart := old.Household != now.Household &&
			p.Households[old.Household].Country == p.Households[now.Household].Country
		if !apart || old.Packs != 0 || now.Packs != 0 {
			continue
		}
		old.Former, old.Joined = true, -d.Between(1100, 1700)
		now.Joined, now.Mobile = -d.Between(30, 300), old.Mobile
		old.Packs |= RecycledPhone
		now.Packs |= RecycledPhone
		pairs--
	}
}
