package normalize

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxEmail is the longest address that mail can be sent to, in bytes.
const maxEmail = 254

// AppendEmail writes an address in lower case with its host in ASCII. It takes the
// address out of "Anna <anna@acme.fi>" and "mailto:anna@acme.fi?subject=hi", drops
// "+tag", and for Gmail the dots, which its servers ignore. Letters beyond ASCII in the
// local part are written as percent and hex. Placeholders such as noemail@example.com
// and test@test.com are not usable; role mailboxes are, see IsRoleMailbox.
func AppendEmail(dst []byte, s string) ([]byte, bool) {
	start := len(dst)
	local, host, ok := splitEmail(s)
	if !ok {
		return dst, false
	}
	dst = appendLocalPart(dst, local)
	at := len(dst)
	if at == start {
		return dst, false
	}
	dst = append(dst, '@')
	dst, ok = appendHost(dst, host)
	if !ok || bytes.IndexByte(dst[at:], '.') < 0 {
		return dst[:start], false
	}
	if h := string(dst[at+1:]); h == "gmail.com" || h == "googlemail.com" {
		dst = appendGmail(dst[:at], start)
	}
	if len(dst)-start > maxEmail || isPlaceholderEmail(dst[start:]) {
		return dst[:start], false
	}
	return dst, true
}

// splitEmail finds the local part and the host in what stands in an e-mail field.
func splitEmail(s string) (local, host string, ok bool) {
	s = trimSpace(s)
	if open := strings.LastIndexByte(s, '<'); open >= 0 {
		if end := strings.IndexByte(s[open:], '>'); end > 0 {
			s = trimSpace(s[open+1 : open+end])
		}
	}
	if len(s) > 7 && strings.EqualFold(s[:7], "mailto:") {
		s, _, _ = strings.Cut(s[7:], "?")
	}
	s = strings.Trim(s, " \t'\"<>,;")
	at := strings.LastIndexByte(s, '@')
	if at <= 0 || at == len(s)-1 {
		return "", "", false
	}
	local, host = s[:at], s[at+1:]
	if n := len(local); n > 2 && local[0] == '"' && local[n-1] == '"' {
		local = local[1 : n-1]
	}
	if plus := strings.IndexByte(local, '+'); plus > 0 {
		local = local[:plus]
	}
	return local, host, true
}

// appendLocalPart writes the part before the @, or nothing when it holds a character
// that no mail server accepts outside quotes.
func appendLocalPart(dst []byte, local string) []byte {
	start := len(dst)
	for i := 0; i < len(local); i++ {
		c := local[i]
		switch {
		case c-'A' < 26:
			dst = append(dst, c+'a'-'A')
		case c >= utf8.RuneSelf:
			return appendForeignLocal(dst[:start], local)
		case isAlnum(c) || strings.IndexByte(".-_+!#$%&'*/=?^`{|}~", c) >= 0:
			dst = append(dst, c)
		default:
			return dst[:start]
		}
	}
	return dst
}

// appendForeignLocal is appendLocalPart for letters beyond ASCII.
func appendForeignLocal(dst []byte, local string) []byte {
	const hex = "0123456789abcdef"
	if !utf8.ValidString(local) {
		return dst
	}
	start := len(dst)
	for _, r := range norm.NFKC.String(strings.ToLower(norm.NFKC.String(local))) {
		if r < utf8.RuneSelf {
			n := len(dst)
			if dst = appendLocalPart(dst, string(r)); len(dst) == n {
				return dst[:start]
			}
			continue
		}
		if !unicode.In(r, unicode.L, unicode.M, unicode.N) {
			return dst[:start]
		}
		for _, b := range []byte(string(r)) {
			dst = append(dst, '%', hex[b>>4], hex[b&15])
		}
	}
	return dst
}

// appendGmail rewrites the local part in dst[start:] without dots and adds the host.
func appendGmail(dst []byte, start int) []byte {
	end := start
	for _, c := range dst[start:] {
		if c != '.' {
			dst[end] = c
			end++
		}
	}
	return append(dst[:end], "@gmail.com"...)
}

// isPlaceholderEmail reports an address that stands for none.
func isPlaceholderEmail(address []byte) bool {
	at := bytes.LastIndexByte(address, '@')
	local, host := address[:at], address[at+1:]
	if len(local) == 0 {
		return true
	}
	name, _, _ := bytes.Cut(host, []byte{'.'})
	switch string(name) {
	case "example", "test", "none", "noemail", "nomail", "invalid", "localhost", "xxx", "na", "unknown", "domain":
		return isPlaceholderWord(local) || string(name) == string(local)
	}
	switch string(local) {
	case "noemail", "no-email", "no.email", "no_email", "nomail", "no-mail", "unknown", "notprovided", "not.provided",
		"donotemail", "keinemail", "keine", "ei.sahkopostia", "eisahkopostia", "placeholder", "dummy":
		return true
	}
	return allSame(local) && len(local) > 3
}

// IsRoleMailbox reports whether the local part of a normalised address names a function
// and not a person: info@, sales@, noreply@. Such an address is read by many.
func IsRoleMailbox(address []byte) bool {
	at := bytes.LastIndexByte(address, '@')
	if at < 0 {
		return false
	}
	_, ok := lists().roles[string(address[:at])]
	return ok
}

// IsHouseholdMailbox reports whether the local part of a normalised address has a word by
// which families call what they share: family.smith@, perhe.virtanen@, the-meyer-family@.
func IsHouseholdMailbox(address []byte) bool {
	at := bytes.LastIndexByte(address, '@')
	if at < 0 {
		return false
	}
	for word := range bytes.FieldsFuncSeq(address[:at], func(r rune) bool { return r == '.' || r == '_' || r == '-' || r >= '0' && r <= '9' }) {
		if lists().households.has(word) {
			return true
		}
	}
	return false
}
