package plan

import (
	_ "embed"
	"net/netip"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// isEmail reports one address: a local part, one @, a host with a dot.
func isEmail(s string) bool {
	s = strings.TrimSpace(s)
	at := strings.IndexByte(s, '@')
	if at < 1 || len(s) > 254 || strings.ContainsAny(s, " \t,;()") || strings.Contains(s, "://") {
		return false
	}
	host := s[at+1:]
	dot := strings.LastIndexByte(host, '.')
	return dot > 0 && len(host)-dot > 2 && strings.IndexByte(host, '@') < 0 && !strings.ContainsAny(host[dot+1:], "0123456789/_")
}

// digitsOf counts digits, and reports whether nothing but digits and the signs that
// people put between them is there.
func digitsOf(s, signs string) (n int, only bool) {
	for i := range len(s) {
		switch {
		case s[i]-'0' < 10:
			n++
		case strings.IndexByte(signs, s[i]) < 0:
			return n, false
		}
	}
	return n, true
}

// isPhone reports a phone number that its spelling gives away: a plus, or groups.
func isPhone(s string) bool {
	s = strings.TrimSpace(s)
	if s == "" || !mayBePhone(s) || isDateLike(s) {
		return false
	}
	n, _ := digitsOf(s, "+()-./ ")
	if s[0] == '+' || strings.HasPrefix(s, "00") && strings.ContainsAny(s, " -") {
		return n >= 9
	}
	groups := strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '-' || r == '/' || r == '(' || r == ')' })
	return n >= 9 && (s[0] == '(' || s[0] == '0') && len(groups) >= 2 && len(groups) <= 6 && strings.IndexByte(s, '.') < 0
}

// mayBePhone reports what can be a phone number under a name that says so.
func mayBePhone(s string) bool {
	s = strings.TrimPrefix(strings.TrimSpace(s), "tel:")
	if s == "" || strings.LastIndexByte(s, '+') > 0 {
		return false
	}
	if x := strings.IndexAny(s, "xe"); x > 6 {
		s = s[:x] // an extension
	}
	n, only := digitsOf(s, "+()-./ ")
	return only && n >= 6 && n <= 15
}

// isDateLike reports four digits, a sign and two digits at either end.
func isDateLike(s string) bool {
	groups := strings.FieldsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	return len(groups) >= 3 && len(s) >= 8 && (len(groups[0]) == 4 && len(groups[1]) == 2 && len(groups[2]) == 2 && s[0] != '0' ||
		len(groups[0]) <= 2 && len(groups[1]) <= 2 && len(groups[2]) == 4 && len(groups) == 3)
}

func isIP(s string) bool {
	_, err := netip.ParseAddr(strings.TrimSpace(s))
	return err == nil && strings.Count(s, ":")+strings.Count(s, ".") >= 3
}

// isPublicIP leaves out the addresses of machines inside a company, and version numbers.
func isPublicIP(s string) bool {
	a, err := netip.ParseAddr(strings.TrimSpace(s))
	if err != nil || !a.IsGlobalUnicast() || a.IsPrivate() || strings.Count(s, ":")+strings.Count(s, ".") < 3 {
		return false
	}
	return !a.Is4() || a.As4()[0] > 9
}

func isUserAgent(s string) bool {
	return strings.HasPrefix(s, "Mozilla/") || strings.HasPrefix(s, "Opera/") || strings.Contains(s, "AppleWebKit/") || strings.Contains(s, "CFNetwork/")
}

// isAnalyticsID reports the ids that web analytics put into cookies.
func isAnalyticsID(s string) bool {
	s = strings.TrimPrefix(s, "GA1.")
	if i := strings.IndexByte(s, '.'); i == 1 {
		s = s[2:]
	}
	random, stamp, ok := strings.Cut(s, ".")
	n, only := digitsOf(random, "")
	m, stampOnly := digitsOf(stamp, "")
	return ok && only && stampOnly && n >= 8 && n <= 10 && m == 10 && stamp[0] == '1'
}

func mayBeDeviceID(s string) bool { return len(s) >= 6 && len(s) <= 400 && !strings.Contains(s, "  ") }

func isHandle(s string) bool { return len(s) > 2 && len(s) < 60 && s[0] == '@' && mayBeHandle(s) }

func mayBeHandle(s string) bool {
	return len(s) > 1 && len(s) < 200 && strings.IndexByte(s, ' ') < 0 && strings.ContainsFunc(s, unicode.IsLetter)
}

// mayBeDate reports a day or a year.
func mayBeDate(s string) bool {
	n, only := digitsOf(s, "-./ :TZ+")
	return only && n >= 4 && n <= 20 || len(s) < 30 && n >= 5 && strings.ContainsFunc(s, unicode.IsLetter)
}

func mayBeGender(s string) bool { return len(s) <= 20 && strings.Count(s, " ") <= 1 }

// mayBeName reports one to five words of letters.
func mayBeName(s string) bool {
	if len(s) > 80 || strings.ContainsAny(s, "0123456789_@/\\:{}[]<>=") {
		return false
	}
	first, _ := utf8.DecodeRuneInString(s)
	words := strings.Fields(s)
	return len(words) >= 1 && len(words) <= 5 && unicode.IsLetter(first) && (unicode.IsUpper(first) || len(words) > 1 || s == strings.ToLower(s))
}

//go:embed given_names.txt
var givenNameData string

// givenNames are common given names of many countries, in lower case.
var givenNames = sync.OnceValue(func() map[string]bool { return wordSet(givenNameData) })

// isFullName reports two to four words in capitals, one of them a common given name.
func isFullName(s string) bool {
	words := strings.Fields(strings.ReplaceAll(s, ",", " "))
	if len(words) < 2 || len(words) > 4 || !mayBeName(s) {
		return false
	}
	given := false
	for _, w := range words {
		first, _ := utf8.DecodeRuneInString(w)
		if !unicode.IsUpper(first) && len(w) > 3 {
			return false
		}
		given = given || givenNames()[strings.ToLower(w)]
	}
	return given
}

func mayBeStreet(s string) bool {
	return len(s) >= 3 && len(s) <= 200 && strings.ContainsFunc(s, unicode.IsLetter) && strings.IndexByte(s, '@') < 0
}

// isStreet reports words and a house number.
func isStreet(s string) bool {
	return mayBeStreet(s) && strings.ContainsAny(s, "0123456789") && strings.Contains(strings.TrimSpace(s), " ")
}

func mayBePostcode(s string) bool {
	n, _ := digitsOf(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz -")
	return n >= 1 && len(s) >= 3 && len(s) <= 10
}

// isProse reports three words or more.
func isProse(s string) bool { return strings.Count(strings.TrimSpace(s), " ") >= 2 }

// isTelling reports text that holds an e-mail address or a phone number, greets somebody,
// or is simply long: what people write freely is taken for personal.
func isTelling(s string) bool {
	if strings.Count(s, " ") < 3 {
		return false
	}
	words := strings.Fields(s)
	if len(words) >= 12 && !strings.HasPrefix(s, "{") && !isUserAgent(s) {
		return true
	}
	for i, w := range words {
		w = strings.Trim(w, ".,;:!?()<>\"'")
		if isEmail(w) || len(w) > 9 && isPhone(w) {
			return true
		}
		if i == 0 && greetings[strings.ToLower(w)] {
			return true
		}
	}
	return false
}

var greetings = wordSet("hi hello dear hei moi hej hallo liebe lieber bonjour hola ciao terve regards")
