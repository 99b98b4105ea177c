package frame

// Kind says how values of an attribute are normalised, blocked and compared.
type Kind string

// The kinds of attributes.
const (
	GivenName  Kind = "given_name"
	FamilyName Kind = "family_name"
	FullName   Kind = "full_name"
	Email      Kind = "email"
	Phone      Kind = "phone"
	Date       Kind = "date"       // any date
	BirthDate  Kind = "birth_date" // a date that says who
	Street     Kind = "street"
	City       Kind = "city"
	Postcode   Kind = "postcode"
	Company    Kind = "company"  // name of a firm
	Domain     Kind = "domain"   // company domain
	Handle     Kind = "handle"   // social handle
	ID         Kind = "id"       // a number or code that identifies
	Token      Kind = "token"    // masked: only equality means anything
	Category   Kind = "category" // few values, or an exact code
	Word       Kind = "word"     // a short text: city, occupation, brand
	Text       Kind = "text"     // several words: title, description
	Codes      Kind = "codes"    // model numbers inside texts
	Number     Kind = "number"
	Year       Kind = "year"
)

// Kinds lists every kind a user may write.
func Kinds() []Kind {
	return []Kind{GivenName, FamilyName, FullName, Email, Phone, Date, BirthDate, Street, City, Postcode, Company,
		Domain, Handle, ID, Token, Category, Word, Text, Codes, Number, Year}
}
