package identity

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/identity/predicate"
	"github.com/unsilo/unsilo/transforms/normalize"
)

// normaliser returns the normal form of values of a kind; nothing is appended when a
// value is missing, a placeholder or not of that kind.
func normaliser(kind frame.Kind, region string) normalize.Func {
	switch kind {
	case frame.GivenName, frame.FamilyName, frame.FullName:
		return normalize.AppendName
	case frame.Email:
		return normalize.AppendEmail
	case frame.Phone:
		return orElse(normalize.Phone(region), appendDigits)
	case frame.BirthDate:
		return orElse(normalize.BirthDate(normalize.DayFirst), appendBrokenDate)
	case frame.Date:
		return orElse(normalize.Date(normalize.DayFirst), appendBrokenDate)
	case frame.Street:
		return normalize.AppendStreet
	case frame.Postcode:
		return normalize.AppendPostcode
	case frame.Company:
		return normalize.AppendCompany
	case frame.Domain:
		return normalize.AppendDomain
	case frame.Handle:
		return normalize.AppendHandle
	case frame.ID:
		return appendIdentifier
	case frame.Token:
		return normalize.AppendToken
	case frame.Number:
		return appendNumber
	case frame.Year:
		return appendYear
	}
	return normalize.AppendText
}

func orElse(first, second normalize.Func) normalize.Func {
	return func(dst []byte, s string) ([]byte, bool) {
		if out, ok := first(dst, s); ok {
			return out, true
		}
		return second(dst, s)
	}
}

// appendDigits keeps local phone numbers that no region explains.
func appendDigits(dst []byte, s string) ([]byte, bool) {
	start, same := len(dst), true
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			dst = append(dst, s[i])
			same = same && s[i] == dst[start]
		}
	}
	if len(dst)-start < 6 || same {
		return dst[:start], false
	}
	return dst, true
}

// appendBrokenDate keeps eight digits that are no day of the calendar: a typing error
// still tells something.
func appendBrokenDate(dst []byte, s string) ([]byte, bool) {
	var digits []byte
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			digits = append(digits, s[i])
		}
	}
	if len(digits) != 8 || strings.Trim(string(digits), "0") == "" || normalize.IsPlaceholder(s) {
		return dst, false
	}
	if _, ok := normalize.Date(normalize.DayFirst)(nil, s); ok {
		return dst, false // a real day that BirthDate refuses
	}
	dst = append(append(dst, digits[:4]...), '-')
	dst = append(append(dst, digits[4:6]...), '-')
	return append(dst, digits[6:]...), true
}

// appendIdentifier writes letters and digits in lower case, without signs between them.
func appendIdentifier(dst []byte, s string) ([]byte, bool) {
	start := len(dst)
	folded, ok := normalize.AppendWords(dst, s)
	if !ok || normalize.IsPlaceholder(s) && !counted(folded[start:]) {
		return dst[:start], false
	}
	kept := folded[:start]
	zeros := true
	for _, c := range folded[start:] {
		if c != ' ' {
			kept = append(kept, c)
			zeros = zeros && c == '0'
		}
	}
	if zeros {
		return dst[:start], false
	}
	return kept, true
}

// counted reports whether a number of one digit is more likely one of a count, such as 111
// after 110, than a placeholder.
func counted(s []byte) bool {
	if len(s) < 3 || len(s) > 4 || s[0] < '1' || s[0] > '8' {
		return false
	}
	for _, c := range s {
		if c != s[0] {
			return false
		}
	}
	return true
}

// appendNumber finds the first number in a text such as "$1,299.00" and writes it without
// sign of currency, thousands separators and trailing zeros.
func appendNumber(dst []byte, s string) ([]byte, bool) {
	m := numberPattern.FindString(s)
	if m == "" {
		return dst, false
	}
	m = strings.NewReplacer(",", "", " ", "", "'", "").Replace(decimalComma(m))
	whole, fraction, _ := strings.Cut(m, ".")
	whole = strings.TrimLeft(whole, "0")
	fraction = strings.TrimRight(fraction, "0")
	if whole == "" {
		whole = "0"
	}
	dst = append(dst, whole...)
	if fraction != "" {
		dst = append(append(dst, '.'), fraction...)
	}
	return dst, true
}

var numberPattern = regexp.MustCompile(`\d[\d,' ]*(\.\d+)?(,\d{1,2}\b)?`)

// decimalComma turns 1.299,50 and 12,5 into the form with a point.
func decimalComma(s string) string {
	comma := strings.LastIndexByte(s, ',')
	if comma < 0 || strings.IndexByte(s[comma:], '.') >= 0 || len(s)-comma-1 == 3 {
		return s
	}
	return strings.ReplaceAll(s[:comma], ".", "") + "." + s[comma+1:]
}

func appendYear(dst []byte, s string) ([]byte, bool) {
	if y := yearPattern.FindString(s); y != "" {
		return append(dst, y...), true
	}
	return dst, false
}

var yearPattern = regexp.MustCompile(`\b(1[5-9]|20)\d\d\b`)

// namedNormaliser finds a normaliser that a user wrote by name: "lower", "e164(default_region = \"DE\")".
func namedNormaliser(text, region string) (normalize.Func, error) {
	e, err := predicate.Parse(text)
	if err != nil {
		return nil, err
	}
	if e.Op != predicate.Call {
		return nil, fmt.Errorf("%q is not a normaliser", text)
	}
	switch e.Name {
	case "e164", "phone":
		if len(e.Args) == 1 && e.Args[0].Text != "" {
			region = e.Args[0].Text
		}
		return orElse(normalize.Phone(region), appendDigits), nil
	case "left":
		if len(e.Args) == 1 && e.Args[0].Number >= 1 {
			n := int(e.Args[0].Number)
			return func(dst []byte, s string) ([]byte, bool) { return append(dst, s[:min(n, len(s))]...), s != "" }, nil
		}
	}
	if f := simpleNormaliser(e.Name); f != nil {
		return f, nil
	}
	return nil, fmt.Errorf("there is no normaliser %q", e.Name)
}

func simpleNormaliser(name string) normalize.Func {
	switch name {
	case "email", "strip_plus_tag", "gmail_dots":
		return normalize.AppendEmail
	case "lower", "trim", "strip_accents", "transliterate", "text":
		return normalize.AppendText
	case "name":
		return normalize.AppendName
	case "upper", "alnum", "code", "id":
		return appendIdentifier
	case "strip_at", "handle":
		return normalize.AppendHandle
	case "digits":
		return appendDigits
	case "number":
		return appendNumber
	case "year":
		return appendYear
	case "date":
		return normalize.Date(normalize.DayFirst)
	case "company":
		return normalize.AppendCompany
	case "domain":
		return normalize.AppendDomain
	case "postcode":
		return normalize.AppendPostcode
	case "street", "address":
		return normalize.AppendStreet
	case "exact", "none":
		return normalize.AppendID
	}
	return nil
}

// chain applies normalisers one after the other; all must accept.
func chain(steps []normalize.Func) normalize.Func {
	return func(dst []byte, s string) ([]byte, bool) {
		for i, step := range steps {
			if i == len(steps)-1 {
				return step(dst, s)
			}
			out, ok := step(nil, s)
			if !ok {
				return dst, false
			}
			s = string(out)
		}
		return dst, false
	}
}
