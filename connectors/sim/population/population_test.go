package population_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/nyaruka/phonenumbers"

	"github.com/unsilo/unsilo/connectors/sim/dice"
	"github.com/unsilo/unsilo/connectors/sim/population"
)

func TestSameSeedSamePeople(t *testing.T) {
	one, two := population.New(9, 500), population.New(9, 500)
	if !reflect.DeepEqual(one.People, two.People) || !reflect.DeepEqual(one.Companies, two.Companies) {
		t.Error("one seed made two populations")
	}
	if reflect.DeepEqual(one.People[:50], population.New(10, 500).People[:50]) {
		t.Error("two seeds made one population")
	}
	bigger := population.New(9, 500)
	bigger.Grow(3)
	if !reflect.DeepEqual(one.People, bigger.People[:len(one.People)]) {
		t.Error("a new household changed people who were there before")
	}
}

func TestNumbersAndAddressesAreSound(t *testing.T) {
	p := population.New(1, 5000)
	mobiles, mails := map[string]int{}, map[string]int{}
	for i := range p.People {
		person := &p.People[i]
		valid(t, person.Mobile)
		mobiles[person.Mobile]++
		if person.Packs&population.FamilyMailbox == 0 {
			mails[person.Private]++
		}
		checkMail(t, person.Private)
		if person.Work != "" {
			checkMail(t, person.Work)
		}
		if at, err := time.Parse(time.DateOnly, person.Birth); err != nil || at.Year() < 1935 || at.Year() > 2008 {
			t.Errorf("birth date %s: %v", person.Birth, err)
		}
		if home := p.HomeOf(i); home.Landline != "" {
			valid(t, home.Landline)
		}
	}
	for i := range p.Companies {
		valid(t, p.Companies[i].Phone)
		if !strings.HasSuffix(p.Companies[i].Domain, ".example") {
			t.Errorf("company domain %s is not reserved", p.Companies[i].Domain)
		}
	}
	shared := 0
	for _, n := range mobiles {
		if n > 1 {
			shared++
		}
	}
	if recycled := count(p, population.RecycledPhone); shared == 0 || shared > recycled {
		t.Errorf("%d mobile numbers have two owners, %d people are in the pack", shared, recycled)
	}
	for mail, n := range mails {
		if n > 1 {
			t.Errorf("%d people have the address %s", n, mail)
		}
	}
}

func valid(t *testing.T, number string) {
	t.Helper()
	n, err := phonenumbers.Parse(number, "")
	if err != nil || !phonenumbers.IsValidNumber(n) {
		t.Errorf("number %s is not valid: %v", number, err)
	}
}

func checkMail(t *testing.T, mail string) {
	t.Helper()
	local, domain, ok := strings.Cut(mail, "@")
	reserved := strings.HasSuffix(domain, ".example") || domain == "example.org" ||
		strings.HasSuffix(domain, ".example.com") || strings.HasSuffix(domain, ".example.net")
	if !ok || local == "" || !reserved || strings.ContainsFunc(mail, func(r rune) bool { return r > 'z' || r <= ' ' }) {
		t.Errorf("e-mail address %q", mail)
	}
}

func count(p *population.Population, pack population.Packs) int {
	n := 0
	for i := range p.People {
		if p.People[i].Packs&pack != 0 {
			n++
		}
	}
	return n
}

// Every pack is there, at about the rate its comment declares.
func TestPacksAtTheirRates(t *testing.T) {
	p := population.New(4, 20000)
	for _, c := range []struct {
		pack      population.Packs
		low, high int // people of 20,000
	}{
		{population.FamilyMailbox, 500, 1100}, {population.Switchboard, 2000, 2900}, {population.FatherSon, 130, 400},
		{population.Twins, 100, 350}, {population.RecycledPhone, 120, 260}, {population.SharedDevice, 400, 1000},
		{population.RoleMailbox, 700, 1200}, {population.Flatmates, 600, 1300},
	} {
		if n := count(p, c.pack); n < c.low || n > c.high {
			t.Errorf("%s: %d people of %d, want %d to %d", c.pack, n, len(p.People), c.low, c.high)
		}
	}
}

// Pairs of a pack look alike in what it says and are told apart by something.
func TestPacksAreWhatTheySay(t *testing.T) {
	p := population.New(4, 20000)
	for h := range p.Households {
		members := p.Households[h].Members
		for i, a := range members {
			for _, b := range members[i+1:] {
				one, two := &p.People[a], &p.People[b]
				both := one.Packs & two.Packs
				switch {
				case both&population.FatherSon != 0 && (one.Given != two.Given || one.Family != two.Family || one.Birth == two.Birth):
					t.Errorf("father and son: %+v, %+v", one, two)
				case both&population.Twins != 0 && (one.Birth != two.Birth || one.Family != two.Family || one.Given == two.Given):
					t.Errorf("twins: %+v, %+v", one, two)
				case both&population.FamilyMailbox != 0 && (one.Private != two.Private || one.Mobile == two.Mobile):
					t.Errorf("family mailbox: %+v, %+v", one, two)
				}
			}
		}
	}
	first := map[string]*population.Person{}
	for i := range p.People {
		person := &p.People[i]
		if other := first[person.Mobile]; other != nil {
			if person.Former == other.Former || person.Household == other.Household {
				t.Errorf("recycled number: %+v, %+v", person, other)
			}
		}
		first[person.Mobile] = person
	}
}

func TestPackNames(t *testing.T) {
	if got := (population.Twins | population.Unlinkable).String(); got != "twins,unlinkable" {
		t.Errorf("got %q", got)
	}
	if got := population.Packs(0).String(); got != "" {
		t.Errorf("no pack is called %q", got)
	}
}

// Noise is frequent enough to matter and leaves the value recognisable.
func TestNoise(t *testing.T) {
	d := dice.New(1, "noise")
	changed, phones, names := 0, map[string]bool{}, map[string]bool{}
	person := &population.Person{Given: "Väinö", Family: "Mäkinen", Born: "Mäkinen"}
	for range 2000 {
		mail := population.NoisyEmail(&d, "matti.virtanen@mail.example.com")
		if !strings.EqualFold(strings.TrimSpace(mail), "matti.virtanen@mail.example.com") {
			changed++
		}
		phone := population.NoisyPhone(&d, "+358457312345", "FI")
		phones[phone] = true
		n, err := phonenumbers.Parse(phone, "FI")
		if err != nil || phonenumbers.Format(n, phonenumbers.E164) != "+358457312345" && !strings.HasPrefix(phone, "358") {
			t.Fatalf("phone %q does not read as +358457312345: %v", phone, err)
		}
		given, family := population.NoisyName(&d, person)
		names[given+" "+family] = true
	}
	if changed < 60 || changed > 180 {
		t.Errorf("%d of 2000 addresses have a tag or a typing error, want about 104", changed)
	}
	if len(phones) != 7 {
		t.Errorf("%d ways to write a number, want 7: %v", len(phones), phones)
	}
	for _, want := range []string{"Väinö Mäkinen", "Vaino Makinen", "Mäkinen Väinö", "VÄINÖ MÄKINEN", "V. Mäkinen"} {
		if !names[want] {
			t.Errorf("nobody wrote %q: %v", want, names)
		}
	}
}
