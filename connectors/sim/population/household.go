package population

import (
	"time"

	"github.com/unsilo/unsilo/connectors/sim/dice"
)

// addHousehold draws one household and its people. Shares are per 1000 households:
// 330 live alone, 330 are couples, 300 families with grown children, 40 flats.
func (p *Population) addHousehold(limit int) {
	id := len(p.Households)
	d := dice.New(p.seed, "household", id)
	at := d.N(3)
	h := Household{ID: id, Country: at, Address: p.address(&d, at)}
	if d.Chance(400) {
		h.Landline = p.landline(at)
	}
	p.Households = append(p.Households, h)
	family, first := p.familyName(&d, at), len(p.People)
	switch kind := d.N(1000); {
	case kind < 330 || limit > 0 && limit-first < 2:
		p.addPerson(&d, id, family, d.Chance(500), d.Between(1945, 2006), "")
	case kind < 660:
		p.addCouple(&d, id, family)
	case kind < 960:
		p.addFamily(&d, id, family)
	default:
		for range d.Between(2, 3) {
			p.addPerson(&d, id, p.familyName(&d, at), d.Chance(500), d.Between(1990, 2006), "")
		}
		p.mark(first, len(p.People), Flatmates)
	}
	p.shareHome(&d, id)
}

func (p *Population) addCouple(d *dice.Dice, id int, family string) {
	year := d.Between(1942, 1995)
	p.addPerson(d, id, family, false, year+d.Between(-4, 4), "")
	wife := p.addPerson(d, id, family, true, year, "")
	maiden := p.familyName(d, p.Households[id].Country)
	switch {
	case d.Chance(200): // kept her own name
		wife.Family, wife.Born = maiden, maiden
	default:
		wife.Born = maiden
	}
}

// addFamily adds parents and one to three grown children. Of 1000 families 50 have a
// son named like his father, and 40 have twins.
func (p *Population) addFamily(d *dice.Dice, id int, family string) {
	first := len(p.People)
	p.addCouple(d, id, family)
	father := p.People[first]
	year := 1962 + d.N(14)
	p.People[first].Birth = birthDate(d, year)
	p.People[first+1].Birth = birthDate(d, year+d.Between(-2, 3))
	switch kind := d.N(1000); {
	case kind < 50:
		p.addPerson(d, id, family, false, year+d.Between(24, 30), father.Given)
		p.mark(first, first+1, FatherSon)
		p.mark(first+2, first+3, FatherSon)
	case kind < 90:
		one := p.addPerson(d, id, family, d.Chance(500), year+d.Between(24, 30), "")
		born, given := one.Birth, one.Given
		other := p.addPerson(d, id, family, one.Female, 2000, "")
		other.Birth = born
		if other.Given == given {
			other.Given, other.Nick = given+"-Maria", ""
		}
		p.mark(first+2, first+4, Twins)
	default:
		for range d.Between(1, 3) {
			p.addPerson(d, id, family, d.Chance(500), year+d.Between(24, 30), "")
		}
	}
}

// shareHome decides what the members of a household share: of 1000 households of two
// or more, 60 share a mailbox and 50 a browser.
func (p *Population) shareHome(d *dice.Dice, id int) {
	h := &p.Households[id]
	if len(h.Members) < 2 {
		return
	}
	a, b := h.Members[0], h.Members[1]
	if d.Chance(60) {
		c := &p.countries[h.Country]
		h.Mailbox = p.unique(c.mailbox+"."+slug(p.People[a].Family), "", "@"+dice.Pick(d, c.privateDomains))
		for _, m := range []int{a, b} {
			p.People[m].Private = h.Mailbox
			p.People[m].Packs |= FamilyMailbox
		}
	}
	if d.Chance(50) {
		p.mark(a, a+1, SharedDevice)
		p.mark(b, b+1, SharedDevice)
	}
}

func (p *Population) mark(from, to int, pack Packs) {
	for i := from; i < to; i++ {
		p.People[i].Packs |= pack
	}
}

// addPerson appends a person; given may be "" to draw one. The pointer is good until
// the next person is added.
func (p *Population) addPerson(d *dice.Dice, home int, family string, female bool, year int, given string) *Person {
	at := p.Households[home].Country
	c := &p.countries[at]
	if given == "" {
		names := c.male
		if female {
			names = c.female
		}
		given = names[d.Low(len(names))]
	}
	id := len(p.People)
	person := Person{
		ID: id, Household: home, Company: -1, Female: female, Given: given, Nick: c.nicknames[given],
		Family: family, Born: family, Birth: birthDate(d, year), Mobile: p.mobile(at), Joined: -d.Between(20, 1500),
	}
	local := slug(given) + "." + slug(family)
	if d.Chance(400) {
		local += person.Birth[2:4]
	}
	person.Private = p.unique(local, "", "@"+dice.Pick(d, c.privateDomains))
	if d.Chance(300) {
		p.employ(d, &person)
	}
	p.People = append(p.People, person)
	p.Households[home].Members = append(p.Households[home].Members, id)
	return &p.People[id]
}

// employ gives the person a company in their country: of 1000 employees 150 use the
// company's role mailbox and 400 the switchboard number.
func (p *Population) employ(d *dice.Dice, person *Person) {
	at := d.Low(len(p.Companies))
	for p.Companies[at].Country != p.Households[person.Household].Country {
		at = (at + 1) % len(p.Companies)
	}
	person.Company = at
	company := &p.Companies[at]
	if d.Chance(150) {
		person.Work = company.Mailbox
		person.Packs |= RoleMailbox
	} else {
		person.Work = p.unique(slug(person.Given)+"."+slug(person.Family), "", "@"+company.Domain)
	}
	if d.Chance(400) {
		person.Packs |= Switchboard
	}
}

func (p *Population) familyName(d *dice.Dice, at int) string {
	c := &p.countries[at]
	if d.Chance(450) {
		return c.families[d.Low(len(c.families))]
	}
	return dice.Pick(d, c.roots) + dice.Pick(d, c.endings)
}

func birthDate(d *dice.Dice, year int) string {
	first := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
	return first.AddDate(0, 0, d.N(365)).Format(time.DateOnly)
}
