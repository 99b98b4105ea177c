package normalize

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
)

// Phone returns the normaliser of phone numbers to E.164, such as +358401234567. A
// number without a country code is read as one of region, a two-letter code such as
// "FI"; with no region it is not usable. Extensions are dropped. Withheld numbers,
// placeholders and numbers no network could route by their length are not usable.
func Phone(region string) Func {
	region = strings.ToUpper(region)
	home := numberingPlans().regions[region]
	return func(dst []byte, s string) ([]byte, bool) {
		if len(s) > 80 || isPlaceholderPhone(s) {
			return dst, false
		}
		start := len(dst)
		s = strings.TrimPrefix(trimSpace(s), "tel:")
		dst, code, outcome := appendPlainPhone(dst, s, home)
		if outcome == undecided {
			if full, ok := withPlus(s, home); ok {
				s = full
			}
			dst, code, outcome = appendPhone(dst, s, region)
		}
		if outcome != usable {
			return dst[:start], false
		}
		if dst, outcome = settle(dst, start, code); outcome != usable || allSame(dst[start+1+code:]) || isPlaceholderPhone(dst[start:]) {
			return dst[:start], false
		}
		return dst, true
	}
}

// withPlus adds the plus that was left out before the country code of home. Where numbers
// within the country begin with a prefix, one without it is not of that kind, though its
// digits may be a valid number of the country's as they are: 49 155 51135758 in Germany.
func withPlus(s string, home *phoneRegion) (string, bool) {
	if home == nil || len(home.prefixText) == 0 {
		return "", false
	}
	digits, plus, ok := plainDigits(nil, s)
	if !ok || plus || !bytes.HasPrefix(digits, home.codeText) || bytes.HasPrefix(digits, home.prefixText) {
		return "", false
	}
	var number phonenumbers.PhoneNumber
	full := "+" + string(digits)
	return full, phonenumbers.ParseToNumber(full, "", &number) == nil && phonenumbers.IsValidNumber(&number)
}

// IsFixedLine reports whether a number in E.164 belongs to a fixed line, where a household or
// an office answers. Where the numbers of a country do not tell, as in North America, it is
// false.
func IsFixedLine(number string) bool {
	var n phonenumbers.PhoneNumber
	return phonenumbers.ParseToNumber(number, "", &n) == nil && phonenumbers.GetNumberType(&n) == phonenumbers.FIXED_LINE
}

// appendPhone leaves the parsing to the library: it reads every way of writing a number,
// at 15 µs each. code is the length of the country code.
func appendPhone(dst []byte, s string, region string) (out []byte, code int, _ outcome) {
	var number phonenumbers.PhoneNumber
	if err := phonenumbers.ParseToNumber(s, region, &number); err != nil || phonenumbers.IsPossibleNumberWithReason(&number) != phonenumbers.IS_POSSIBLE {
		return dst, 0, unusable
	}
	dst = append(dst, '+')
	n := len(dst)
	dst = appendInt(dst, uint64(number.GetCountryCode()))
	code = len(dst) - n
	if number.GetItalianLeadingZero() {
		for range max(number.GetNumberOfLeadingZeros(), 1) {
			dst = append(dst, '0')
		}
	}
	return appendInt(dst, number.GetNationalNumber()), code, usable
}

// settle reads the number in dst[start:] again until nothing changes: of junk such as
// 0000001 each reading takes a national prefix off.
func settle(dst []byte, start, code int) ([]byte, outcome) {
	const readings = 20
	number := dst[start+1:]
	plan, national := numberingPlans().split(number)
	if plan != nil && !plan.transforms {
		for range readings {
			rest := plan.strip(national)
			if len(rest) == len(national) {
				break
			}
			national = rest
		}
		dst = append(dst[:start+1+code], national...)
		if !plan.lengths.has(len(national)) {
			return dst, unusable
		}
		return dst, usable
	}
	for range readings {
		again, _, outcome := appendPhone(nil, string(dst[start:]), "")
		if outcome != usable || string(again) == string(dst[start:]) {
			return dst, outcome
		}
		dst = append(dst[:start], again...)
	}
	return dst, unusable
}

func appendInt(dst []byte, n uint64) []byte {
	if n >= 10 {
		dst = appendInt(dst, n/10)
	}
	return append(dst, byte('0'+n%10))
}

// isPlaceholderPhone reports text without a number in it: too few digits, one digit
// repeated, a run up or down, or a word such as "withheld".
func isPlaceholderPhone[T string | []byte](s T) bool {
	var digits [32]byte
	n := 0
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false // digits of other scripts are left to the parser
		}
		if isDigit(s[i]) && n < len(digits) {
			digits[n] = s[i]
			n++
		}
	}
	if n < 5 || allSame(digits[:n]) {
		return true
	}
	run := true
	for i := 1; i < n && run; i++ {
		run = digits[i] == digits[0]+byte(i)
	}
	return run || n >= 7 && allSame(digits[n-7:n])
}
