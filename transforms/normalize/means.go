package normalize

import (
	"strings"

	"github.com/unsilo/unsilo/core"
)

// Options are what normalisers need to know beyond the value.
type Options struct {
	// Region reads phone numbers without a country code: "FI".
	Region string
	// Dates says how dates with slashes are read.
	Dates DateOrder
}

// For returns the normaliser for values of a meaning. Identifiers, and columns without
// a meaning, keep their spelling.
func For(m core.Means, o Options) Func {
	switch m {
	case core.PersonEmail:
		return AppendEmail
	case core.PersonPhone:
		return Phone(o.Region)
	case core.PersonNameGiven, core.PersonNameFamily, core.PersonNameFull:
		return AppendName
	case core.PersonBirthDate:
		return BirthDate(o.Dates)
	case core.PersonNationalID, core.PersonIBAN:
		return AppendCode
	case core.AddressStreet:
		return AppendStreet
	case core.AddressPostcode:
		return AppendPostcode
	case core.AddressCity, core.AddressRegion, core.AddressCountry, core.PersonGender, core.TextFree:
		return AppendText
	case core.SocialHandle:
		return AppendHandle
	case core.CompanyDomain:
		return AppendDomain
	case core.CompanyName:
		return AppendCompany
	}
	return AppendID
}

// AppendCode writes a number of an official register, such as an IBAN: its letters and
// digits, in upper case.
func AppendCode(dst []byte, s string) ([]byte, bool) {
	start := len(dst)
	for _, c := range appendASCII(nil, strings.TrimSpace(s)) {
		switch {
		case isLetter(c):
			dst = append(dst, c-('a'-'A'))
		case isDigit(c):
			dst = append(dst, c)
		}
	}
	if len(dst)-start < 4 || allSame(dst[start:]) || IsPlaceholder(string(dst[start:])) {
		return dst[:start], false
	}
	return dst, true
}
