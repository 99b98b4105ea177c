package population

import (
	"strings"

	"github.com/unsilo/unsilo/connectors/sim/dice"
)

// NoisyEmail writes an address as it gets typed: of 1000, 140 with capitals, 40 with a
// plus tag, 12 with a typing error, 10 with blanks around it.
func NoisyEmail(d *dice.Dice, email string) string {
	local, domain, ok := strings.Cut(email, "@")
	if !ok {
		return email
	}
	switch kind := d.N(1000); {
	case kind < 60:
		return strings.ToUpper(email)
	case kind < 140:
		return strings.ToUpper(local[:1]) + local[1:] + "@" + domain
	case kind < 180:
		return local + "+" + dice.Pick(d, []string{"shop", "news", "orders"}) + "@" + domain
	case kind < 192:
		i := d.N(max(1, len(local)-1))
		return local[:i] + local[i+1:] + "@" + domain
	case kind < 202:
		return " " + email + " "
	}
	return email
}

// NoisyPhone writes an E.164 number as people and systems do: half as it is, the rest
// national, with blanks, with 00, without the plus, or with an extension.
func NoisyPhone(d *dice.Dice, e164, country string) string {
	if e164 == "" {
		return ""
	}
	dial := map[string]string{"FI": "358", "DE": "49", "GB": "44"}[country]
	rest, ok := strings.CutPrefix(e164, "+"+dial)
	if !ok {
		return e164
	}
	switch kind := d.N(1000); {
	case kind < 500:
		return e164
	case kind < 700:
		return "0" + rest[:3] + " " + rest[3:]
	case kind < 800:
		return "+" + dial + " " + rest[:2] + " " + rest[2:5] + " " + rest[5:]
	case kind < 860:
		return "00" + dial + rest
	case kind < 920:
		return dial + rest
	case kind < 960:
		return "+" + dial + " (0) " + rest[:3] + "-" + rest[3:]
	}
	return "0" + rest
}

// Extension adds an office extension to a number.
func Extension(d *dice.Dice, phone string) string {
	return phone + " ext. " + decimal(d.Between(10, 99))
}

// NoisyName gives given and family name as a system may hold them: of 1000, 60 with the
// nickname, 60 without diacritics, 25 swapped, 20 in capitals, 15 with an initial; and of
// those who changed their name 80 with the one at birth.
func NoisyName(d *dice.Dice, p *Person) (given, family string) {
	given, family = p.Given, p.Family
	if p.Born != p.Family && d.Chance(80) {
		family = p.Born
	}
	kind := d.N(1000)
	switch {
	case kind < 60 && p.Nick != "":
		given = p.Nick
	case kind < 120:
		given, family = Fold(given), Fold(family)
	case kind < 145:
		given, family = family, given
	case kind < 165:
		given, family = strings.ToUpper(given), strings.ToUpper(family)
	case kind < 180:
		given = string([]rune(given)[:1]) + "."
	}
	return given, family
}

// CompanyName gives a company's name as systems hold it: with its legal form, without,
// or in capitals.
func CompanyName(d *dice.Dice, c *Company) string {
	switch kind := d.N(1000); {
	case kind < 600:
		return c.Legal
	case kind < 900:
		return c.Name
	}
	return strings.ToUpper(c.Legal)
}
