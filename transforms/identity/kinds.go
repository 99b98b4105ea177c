package identity

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity/frame"
)

// attributeOf says which attribute a column fills and of what kind it is.
type attributeOf struct {
	name string
	kind frame.Kind
}

// meaning maps a column's meaning to the attribute it fills. Meanings that say nothing
// about who is who have no attribute.
func meaning(m core.Means, entity string) (attributeOf, bool) {
	if system, ok := strings.CutPrefix(string(m), "person.id."); ok {
		return attributeOf{system + "_id", frame.ID}, true
	}
	known := map[core.Means]attributeOf{
		core.PersonEmail: {"email", frame.Email}, core.PersonPhone: {"phone", frame.Phone},
		core.PersonNameGiven: {"first_name", frame.GivenName}, core.PersonNameFamily: {"last_name", frame.FamilyName},
		core.PersonNameFull: {"full_name", frame.FullName}, core.PersonBirthDate: {"birth_date", frame.BirthDate},
		core.PersonGender: {"gender", frame.Category}, core.PersonNationalID: {"national_id", frame.ID},
		core.PersonIBAN: {"iban", frame.ID}, core.AddressStreet: {"street", frame.Street},
		core.AddressCity: {"city", frame.City}, core.AddressPostcode: {"postcode", frame.Postcode},
		core.AddressRegion: {"region", frame.Category}, core.AddressCountry: {"country", frame.Category},
		core.DeviceCookie: {"cookie", frame.Token}, core.SocialHandle: {"handle", frame.Handle},
	}
	firm := map[core.Means]attributeOf{
		core.CompanyDomain: {"domain", frame.Domain}, core.CompanyName: {"company", frame.Company},
		core.CompanyID: {"company_id", frame.ID},
	}
	if a, ok := known[m]; ok {
		return a, true
	}
	a, ok := firm[m]
	if entity == entityPerson && a.kind == frame.ID {
		a.kind = frame.Category // colleagues share it: an account, not a person
	}
	return a, ok
}

// ofEmployer are attributes of the firm that a person works for: they group people, and are
// no evidence that two are one.
func ofEmployer(entity, attribute string) bool {
	return entity == entityPerson && (attribute == "company" || attribute == "company_id" || attribute == "domain")
}

// namePatterns guess an attribute from a column's name; the first pattern that fits wins.
// A pattern is a list of words of which all must occur.
var namePatterns = []struct {
	words  string
	person attributeOf
	thing  attributeOf
}{
	{"full name|fullname|first and surname|first and last name|name and surname", attributeOf{"full_name", frame.FullName}, attributeOf{}},
	{"first name|given name|forename|fname|firstname|givenname", attributeOf{"first_name", frame.GivenName}, attributeOf{}},
	{"last name|family name|surname|lname|lastname|familyname|sname", attributeOf{"last_name", frame.FamilyName}, attributeOf{}},
	{"middle name|middlename|mname", attributeOf{"middle_name", frame.Word}, attributeOf{}},
	{"display name|person name|contact name|customer name", attributeOf{"full_name", frame.FullName}, attributeOf{}},
	{"birth date|birthdate|date of birth|dob|birthday|born", attributeOf{"birth_date", frame.BirthDate}, attributeOf{}},
	{"birth place|birthplace|place of birth", attributeOf{"birth_place", frame.Word}, attributeOf{}},
	{"birth year|year of birth|byear|yob", attributeOf{"birth_year", frame.Year}, attributeOf{}},
	{"email|e mail|mail", attributeOf{"email", frame.Email}, attributeOf{"email", frame.Email}},
	{"phone|telephone|tel|mobile|cell|msisdn|fax", attributeOf{"phone", frame.Phone}, attributeOf{"phone", frame.Phone}},
	{"postcode|post code|postal code|zip|plz|zipcode|postal", attributeOf{"postcode", frame.Postcode}, attributeOf{"postcode", frame.Postcode}},
	{"city|suburb|town|locality|municipality", attributeOf{"", frame.City}, attributeOf{"", frame.City}},
	{"street|address|addr", attributeOf{"", frame.Street}, attributeOf{"", frame.Street}},
	{"domain|website|web site|homepage|url", attributeOf{"domain", frame.Domain}, attributeOf{"domain", frame.Domain}},
	{"company|organisation|organization|employer", attributeOf{"", frame.Company}, attributeOf{"", frame.Company}},
	{"gender|sex", attributeOf{"gender", frame.Category}, attributeOf{"gender", frame.Category}},
	{"handle|screen name|username|user name|login", attributeOf{"handle", frame.Handle}, attributeOf{}},
	{"ssn|soc sec|national id|passport|tax id|vat|iban|isbn|doi|ean|upc|gtin|asin|sku|mpn|duns|lei", attributeOf{"", frame.ID}, attributeOf{"", frame.ID}},
	{"price|amount|cost|msrp", attributeOf{"", frame.Number}, attributeOf{"", frame.Number}},
	{"year", attributeOf{"", frame.Year}, attributeOf{"", frame.Year}},
	{"title|description|abstract|details|features", attributeOf{"", frame.Text}, attributeOf{"", frame.Text}},
	{"authors|author", attributeOf{}, attributeOf{"", frame.Text}},
	{"name", attributeOf{"full_name", frame.FullName}, attributeOf{"", ""}},
}

// truthWords are names of columns that hold an answer; the matcher never looks at them.
var truthWords = []string{"cluster", "cluster_id", "clusterid", "truth", "truth_id", "label", "entity_id", "entity",
	"true_id", "gold", "gold_id", "person_id_truth", "unique_id", "match_id"}

// guess names the attribute of a column without a meaning.
func guess(f arrow.Field, entity string) (attributeOf, bool) {
	plain := plainName(f.Name)
	for _, w := range truthWords {
		if plain == w {
			return attributeOf{}, false
		}
	}
	if strings.HasPrefix(plain, "_") || plain == "" {
		return attributeOf{}, false
	}
	spaced := " " + strings.ReplaceAll(plain, "_", " ") + " "
	for _, p := range namePatterns {
		for _, words := range strings.Split(p.words, "|") {
			if !strings.Contains(spaced, " "+words+" ") {
				continue
			}
			a := p.thing
			if entity == entityPerson {
				a = p.person
			}
			if a.kind == "" && a.name == "" {
				break
			}
			if a.name == "" {
				a.name = plain
			}
			return a, true
		}
	}
	if plain == "id" || strings.HasSuffix(plain, "_at") || plain == "source" || plain == "row" || plain == "index" {
		return attributeOf{}, false
	}
	if arrow.IsFloating(f.Type.ID()) || arrow.IsDecimal(f.Type.ID()) {
		return attributeOf{plain, frame.Number}, true
	}
	if f.Type.ID() == arrow.TIMESTAMP || f.Type.ID() == arrow.DATE32 || f.Type.ID() == arrow.DATE64 {
		return attributeOf{plain, frame.Date}, true
	}
	return attributeOf{plain, ""}, true // the data will tell
}

// plainName writes a column name in lower case with single underscores: FirstName and
// "first name" both become first_name.
func plainName(name string) string {
	var b strings.Builder
	lower := false
	for _, r := range strings.TrimSpace(name) {
		upper := r >= 'A' && r <= 'Z'
		switch {
		case upper:
			if lower {
				b.WriteByte('_')
			}
			b.WriteRune(r - 'A' + 'a')
		case r == '_' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r > 127:
			b.WriteRune(r)
		default:
			b.WriteByte('_')
		}
		lower = r >= 'a' && r <= 'z' || r >= '0' && r <= '9'
	}
	return strings.Join(strings.FieldsFunc(b.String(), func(r rune) bool { return r == '_' }), "_")
}

// The entities with defaults of their own.
const (
	entityPerson = "person"
	entityFirm   = "firm"
	entityThing  = "thing"
)

// entityOf guesses what an identity is about from its name.
func entityOf(name string) string {
	plain := plainName(name)
	for _, w := range []string{"person", "people", "customer", "contact", "patient", "employee", "citizen", "member", "user", "individual", "voter", "human"} {
		if strings.Contains(plain, w) {
			return entityPerson
		}
	}
	for _, w := range []string{"firm", "company", "companies", "account", "organisation", "organization", "business", "supplier", "vendor", "restaurant", "employer", "shop"} {
		if strings.Contains(plain, w) {
			return entityFirm
		}
	}
	return entityThing
}
