package normalize

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// AppendDomain writes the host of a URL, an e-mail address or a bare domain: lower case,
// ASCII, without port, "www." and trailing dot.
func AppendDomain(dst []byte, s string) ([]byte, bool) {
	start := len(dst)
	dst, ok := appendHost(dst, hostOf(s))
	for ok && len(dst)-start > 4 && string(dst[start:start+4]) == "www." && bytes.IndexByte(dst[start+4:], '.') > 0 {
		dst = append(dst[:start], dst[start+4:]...)
	}
	if !ok || bytes.IndexByte(dst[start:], '.') < 0 {
		return dst[:start], false
	}
	return dst, true
}

// AppendCompanyDomain writes the domain that was registered, acme.co.uk for
// mail.acme.co.uk. It is false for public mail providers, whose domain says nothing
// about the company.
func AppendCompanyDomain(dst []byte, s string) ([]byte, bool) {
	start := len(dst)
	dst, ok := AppendDomain(dst, s)
	if !ok {
		return dst, false
	}
	registered, err := publicsuffix.EffectiveTLDPlusOne(string(dst[start:]))
	if err != nil {
		return dst[:start], false
	}
	if _, public := lists().publicMail[registered]; public || IsPublicMail(dst[start:]) {
		return dst[:start], false
	}
	return append(dst[:start], registered...), true
}

// IsPublicMail reports whether a normalised domain gives mailboxes to everybody.
func IsPublicMail(domain []byte) bool {
	_, ok := lists().publicMail[string(domain)]
	return ok
}

// hostOf cuts scheme, user, port and path away.
func hostOf(s string) string {
	s = trimSpace(s)
	if i := strings.Index(s, "://"); i >= 0 {
		s = s[i+3:]
	}
	if i := strings.IndexAny(s, "/?#"); i >= 0 {
		s = s[:i]
	}
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		s = s[i+1:]
	}
	if i := strings.LastIndexByte(s, ':'); i >= 0 {
		s = s[:i]
	}
	return strings.Trim(s, " <>,;'\"")
}

// appendHost writes a host name of at most 253 letters, digits and hyphens in labels of
// at most 63; the last label is not a number.
func appendHost(dst []byte, host string) ([]byte, bool) {
	start := len(dst)
	host = strings.TrimRight(host, ".")
	for i := 0; i < len(host); i++ {
		if host[i] >= utf8.RuneSelf {
			if !utf8.ValidString(host) {
				return dst, false
			}
			ascii, err := idna.Lookup.ToASCII(host)
			if err != nil {
				return dst, false
			}
			host = strings.TrimRight(ascii, ".")
			break
		}
	}
	if len(host) == 0 || len(host) > 253 {
		return dst, false
	}
	label := 0
	for i := 0; i <= len(host); i++ {
		if i == len(host) || host[i] == '.' {
			if label == 0 || label > 63 || host[i-1] == '-' || host[i-label] == '-' {
				return dst[:start], false
			}
			label = 0
			if i < len(host) {
				dst = append(dst, '.')
			}
			continue
		}
		c := host[i] | 0x20
		if !isLetter(c) {
			c = host[i]
			if !isDigit(c) && c != '-' && c != '_' {
				return dst[:start], false
			}
		}
		dst = append(dst, c)
		label++
	}
	if allDigits(dst[start+bytes.LastIndexByte(dst[start:], '.')+1:]) {
		return dst[:start], false
	}
	return dst, true
}
