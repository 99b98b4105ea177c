package plan

import (
	"strings"
	"time"
)

// compact removes spaces, dots, hyphens and slashes, in upper case.
func compact(s string) string {
	return strings.ToUpper(strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -./", r) {
			return -1
		}
		return r
	}, s))
}

// longestID is the longest form of any number below, groups and all.
const longestID = 42

// hasDigits reports whether there are enough digits for an identity number.
func hasDigits(s string) bool {
	n := 0
	for i := range len(s) {
		if s[i]-'0' < 10 {
			n++
		}
	}
	return n >= 6
}

func numeric(s string) bool {
	n, only := digitsOf(s, "")
	return only && n > 0
}

// isAccount reports an IBAN or a payment card, by its check digits.
func isAccount(s string) bool {
	return len(s) <= longestID && hasDigits(s) && (isIBAN(compact(s)) || isCard(s))
}

// isIBAN checks the two check digits of an IBAN (ISO 7064, mod 97).
func isIBAN(s string) bool {
	if len(s) < 15 || len(s) > 34 || s[0]-'A' >= 26 || s[1]-'A' >= 26 || !numeric(s[2:4]) {
		return false
	}
	return mod97(s[4:]+s[:4]) == 1
}

// mod97 reads letters as 10 to 35; 0 is given for any other character, which no valid
// number has as its remainder.
func mod97(s string) int {
	rest := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c-'0' < 10:
			rest = (rest*10 + int(c-'0')) % 97
		case c-'A' < 26:
			rest = (rest*100 + int(c-'A') + 10) % 97
		default:
			return 0
		}
	}
	return rest
}

// isCard reports a payment card number: an issuer's first digits, its length, the Luhn
// digit. Digits must come bare or in groups of four.
func isCard(s string) bool {
	d := compact(s)
	if !numeric(d) || len(d) < 14 || len(d) > 19 || !luhn(d) || strings.Count(d, d[:1]) == len(d) {
		return false
	}
	two := d[:2]
	switch {
	case d[0] == '4':
		return len(d) == 16 || len(d) == 19
	case two >= "51" && two <= "55", two >= "22" && two <= "27":
		return len(d) == 16
	case two == "34" || two == "37":
		return len(d) == 15
	case two == "36" || two == "38" || two == "30":
		return len(d) == 14
	}
	return (two == "60" || two == "64" || two == "65") && len(d) == 16
}

// luhn checks a number by the Luhn rule.
func luhn(d string) bool {
	sum := 0
	for i := range len(d) {
		n := int(d[len(d)-1-i] - '0')
		if i%2 == 1 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}

// isNationalID reports the identity numbers that their form and check digits give away.
func isNationalID(s string) bool {
	if len(s) > longestID || !hasDigits(s) {
		return false
	}
	s = strings.ToUpper(strings.TrimSpace(s))
	return isHetu(s) || isSSN(s) || isNINO(s) || isSpanishID(s) || isCodiceFiscale(s) || isPersonnummer(s) || isNIR(s) ||
		isPESEL(s) || isFodselsnummer(s)
}

// mayBeNationalID reports what can be an identity number under a name that says so.
func mayBeNationalID(s string) bool {
	d := compact(s)
	n, only := digitsOf(d, "ABCDEFGHIJKLMNOPQRSTUVWXYZ+")
	return only && len(d) >= 6 && len(d) <= 16 && n >= 4
}

// isHetu checks a Finnish identity code: ddmmyy, century sign, three digits, check sign.
func isHetu(s string) bool {
	if len(s) != 11 || !numeric(s[:6]) || !numeric(s[7:10]) || strings.IndexByte("-+ABCDEFYXWVU", s[6]) < 0 || !isDay(s[:6], "020106") {
		return false
	}
	return "0123456789ABCDEFHJKLMNPRSTUVWXY"[number(s[:6]+s[7:10])%31] == s[10]
}

// isSSN reports a number of the United States' social security in its usual form.
func isSSN(s string) bool {
	if len(s) != 11 || s[3] != '-' || s[6] != '-' || !numeric(s[:3]+s[4:6]+s[7:]) {
		return false
	}
	return s[:3] != "000" && s[:3] != "666" && s[0] != '9' && s[4:6] != "00" && s[7:] != "0000"
}

// isNINO reports a British national insurance number.
func isNINO(s string) bool {
	s = strings.ReplaceAll(s, " ", "")
	return len(s) == 9 && s[0]-'A' < 26 && s[1]-'A' < 26 && numeric(s[2:8]) && s[8] >= 'A' && s[8] <= 'D' &&
		!strings.ContainsAny(s[:2], "DFIQUV") && s[1] != 'O'
}

// isSpanishID checks the letter of a DNI or NIE.
func isSpanishID(s string) bool {
	s = compact(s)
	if len(s) != 9 {
		return false
	}
	digits := s[:8]
	if i := strings.IndexByte("XYZ", digits[0]); i >= 0 {
		digits = string(rune('0'+i)) + digits[1:]
	}
	return numeric(digits) && "TRWAGMYFPDXBNJZSQVHLCKE"[number(digits)%23] == s[8]
}

// isCodiceFiscale reports the form of an Italian tax code.
func isCodiceFiscale(s string) bool {
	if len(s) != 16 {
		return false
	}
	for i, form := range []byte("LLLLLLDDLDDLDDDL") {
		if letter := s[i]-'A' < 26; letter != (form == 'L') || !letter && s[i]-'0' >= 10 {
			return false
		}
	}
	return strings.IndexByte("ABCDEHLMPRST", s[8]) >= 0
}

// isPersonnummer checks a Swedish personal number with its hyphen.
func isPersonnummer(s string) bool {
	if len(s) == 13 {
		s = s[2:]
	}
	if len(s) != 11 || s[6] != '-' && s[6] != '+' || !numeric(s[:6]+s[7:]) {
		return false
	}
	return isDay(s[:6], "060102") && luhn(s[:6]+s[7:])
}

// isNIR checks the key of a French social security number.
func isNIR(s string) bool {
	s = compact(s)
	return len(s) == 15 && numeric(s) && (s[0] == '1' || s[0] == '2') && s[3:5] >= "01" && s[3:5] <= "12" && 97-number(s[:13])%97 == number(s[13:])
}

// isPESEL checks a Polish identity number.
func isPESEL(s string) bool {
	if len(s) != 11 || !numeric(s) {
		return false
	}
	month := number(s[2:4]) % 20
	day := number(s[4:6])
	if month < 1 || month > 12 || day < 1 || day > 31 {
		return false
	}
	return weighted(s, 1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)%10 == 0
}

// isFodselsnummer checks both check digits of a Norwegian number.
func isFodselsnummer(s string) bool {
	s = strings.ReplaceAll(s, " ", "")
	return len(s) == 11 && numeric(s) && isDay(s[:6], "020106") &&
		weighted(s, 3, 7, 6, 1, 8, 9, 4, 5, 2, 1, 0)%11 == 0 && weighted(s, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)%11 == 0
}

// weighted sums digits times weights.
func weighted(digits string, weights ...int) int {
	sum := 0
	for i, w := range weights {
		sum += int(digits[i]-'0') * w
	}
	return sum
}

func number(digits string) int {
	n := 0
	for i := range len(digits) {
		n = n*10 + int(digits[i]-'0')
	}
	return n
}

// isDay reports whether six digits are a day in the layout given.
func isDay(digits, layout string) bool {
	_, err := time.Parse(layout, digits)
	return err == nil
}
