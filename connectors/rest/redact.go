package rest

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// redactor removes credentials, and what looks personal, from text for people. It may be
// used by several goroutines.
type redactor struct {
	mu      sync.Mutex
	secrets []string
}

// add notes a credential.
func (r *redactor) add(secret string) {
	if len(secret) < 4 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret)} {
		if !slices.Contains(r.secrets, s) {
			r.secrets = append(r.secrets, s)
		}
	}
}

const maxMessage = 300

// text gives one line of at most 300 characters without credentials, e-mail addresses,
// long numbers and queries.
func (r *redactor) text(s string) string {
	r.mu.Lock()
	for _, secret := range r.secrets {
		s = strings.ReplaceAll(s, secret, "***")
	}
	r.mu.Unlock()
	s = personal().ReplaceAllString(s, "***")
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) > maxMessage {
		s = string([]rune(s)[:maxMessage]) + "…"
	}
	return s
}

// personal matches e-mail addresses, runs of digits as in telephone and account numbers,
// bearer credentials, and the query of a URL.
func personal() *regexp.Regexp {
	return regexp.MustCompile(`[\w.+%-]+@[\w-]+(\.[\w-]+)+|\+?\d[\d -]{6,}\d|(?i:bearer|basic) [\w.~+/=-]{8,}|\?[\w.%-]+=[^\s"']*`)
}

// place names a request for messages: method, host and path.
func (r *redactor) place(method string, u *url.URL) string {
	return method + " " + r.text(u.Scheme+"://"+u.Host+u.EscapedPath())
}
