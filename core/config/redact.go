package config

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// The least lengths at which texts are searched for: shorter ones would be found in
// everything.
const (
	minSecret = 4
	minForm   = 8
)

// addForms adds a value, what is secret inside it, and how both may be written. The
// caller holds the lock.
func (s *Secrets) addForms(value string) {
	for _, secret := range append([]string{value}, innerSecrets(value)...) {
		for _, form := range formsOf(secret) {
			if !slices.Contains(s.forms, form) {
				s.forms = append(s.forms, form)
			}
		}
	}
	slices.SortStableFunc(s.forms, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
}

// hidePair takes the user:password of HTTP basic authentication out of text. A password
// too short to be found inside it by itself is hidden with it.
func (s *Secrets) hidePair(user, password string) {
	s.Hide(base64.StdEncoding.EncodeToString([]byte(user + ":" + password)))
}

// innerSecrets finds the parts of a secret that may appear by themselves: the password
// of a URL, the lines of a key, the texts of a JSON document.
func innerSecrets(value string) []string {
	var inner []string
	if u, err := url.Parse(value); err == nil && u.User != nil {
		password, _ := u.User.Password()
		inner = append(inner, password)
		if _, escaped, ok := strings.Cut(u.User.String(), ":"); ok {
			inner = append(inner, escaped)
		}
	}
	if strings.Contains(value, "\n") {
		for line := range strings.Lines(value) {
			if line = strings.TrimSpace(line); len(line) >= minForm && !strings.HasPrefix(line, "-----") {
				inner = append(inner, line)
			}
		}
	}
	var document map[string]any
	if json.Unmarshal([]byte(value), &document) == nil {
		for _, v := range document {
			if text, ok := v.(string); ok && len(text) >= 2*minForm && !strings.HasPrefix(text, "https://") {
				inner = append(inner, text)
			}
		}
	}
	return inner
}

// formsOf lists how a secret may be written: as it is, in URLs, JSON, Go, HTML, hex and
// base64 at each of the three alignments, so that it is found within a longer text, such
// as the user:password of HTTP basic authentication.
func formsOf(secret string) []string {
	if len(secret) < minSecret {
		return nil
	}
	forms := []string{secret}
	quoted, _ := json.Marshal(secret)
	written := []string{
		url.QueryEscape(secret), url.PathEscape(secret), strings.ReplaceAll(url.QueryEscape(secret), "+", "%20"),
		strings.Trim(string(quoted), `"`), jsonPlain(secret), strings.Trim(strconv.Quote(secret), `"`),
		html.EscapeString(secret), hex.EncodeToString([]byte(secret)), strings.ToUpper(hex.EncodeToString([]byte(secret))),
	}
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for shift := range 3 {
			written = append(written, shifted(encoding, secret, shift))
		}
	}
	for _, form := range written {
		if len(form) >= minForm || len(form) >= minSecret && strings.ContainsAny(form, `%\&`) {
			forms = append(forms, form)
		}
	}
	slices.Sort(forms)
	return slices.Compact(forms)
}

// jsonPlain is JSON without escapes for HTML.
func jsonPlain(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(s) != nil {
		return s
	}
	return strings.Trim(strings.TrimSuffix(b.String(), "\n"), `"`)
}

// shifted encodes a secret that stands after some other bytes, without the characters at
// both ends that depend on its neighbours.
func shifted(encoding *base64.Encoding, secret string, shift int) string {
	all := encoding.EncodeToString(append(make([]byte, shift), secret...))
	first := (shift*8 + 5) / 6
	last := (shift + len(secret)) * 8 / 6
	return all[first:last]
}

// Redact replaces every known secret in a text, in all its forms.
func (s *Secrets) Redact(text string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return redact(text, s.find(text))
}

// span is a part of a text.
type span struct{ start, end int }

// find gives the parts of a text that are secret, in order and apart from each other.
// The caller holds the lock.
func (s *Secrets) find(text string) []span {
	var found []span
	for _, form := range s.forms {
		for from := 0; ; {
			i := strings.Index(text[from:], form)
			if i < 0 {
				break
			}
			found = append(found, span{from + i, from + i + len(form)})
			from += i + 1
		}
	}
	slices.SortFunc(found, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	var merged []span
	for _, f := range found {
		if n := len(merged); n > 0 && f.start <= merged[n-1].end {
			merged[n-1].end = max(merged[n-1].end, f.end)
			continue
		}
		merged = append(merged, f)
	}
	return merged
}

func redact(text string, spans []span) string {
	if len(spans) == 0 {
		return text
	}
	var b strings.Builder
	from := 0
	for _, sp := range spans {
		b.WriteString(text[from:sp.start])
		b.WriteString(sensitive)
		from = sp.end
	}
	b.WriteString(text[from:])
	return b.String()
}

// Writer gives a writer that passes text on with all known secrets replaced, also those
// that become known later, and those cut in two by the writes. The end of the text waits
// while it may be the beginning of a secret; Close passes it on. It does not close w.
func (s *Secrets) Writer(w io.Writer) io.WriteCloser { return &redactor{secrets: s, to: w} }

type redactor struct {
	secrets *Secrets
	mu      sync.Mutex
	to      io.Writer
	waiting string
}

// Write passes on all but what may be the beginning of a secret.
func (r *redactor) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	text := r.waiting + string(p)
	r.secrets.mu.RLock()
	spans := r.secrets.find(text)
	hold := r.secrets.opening(text)
	r.secrets.mu.RUnlock()
	// A secret that was found whole must not be cut by the place where the rest waits.
	cut := len(text) - hold
	for i, sp := range spans {
		if sp.start < cut && sp.end > cut {
			cut = sp.start
		}
		if sp.start >= cut {
			spans = spans[:i]
			break
		}
	}
	r.waiting = text[cut:]
	if _, err := io.WriteString(r.to, redact(text[:cut], spans)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close passes on what has waited.
func (r *redactor) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	text := r.secrets.Redact(r.waiting)
	r.waiting = ""
	_, err := io.WriteString(r.to, text)
	return err
}

// opening is the length of the longest end of a text that begins a secret without
// completing it. The caller holds the lock.
func (s *Secrets) opening(text string) int {
	longest := 0
	for _, form := range s.forms {
		for n := min(len(form)-1, len(text)); n > longest; n-- {
			if strings.HasSuffix(text, form[:n]) {
				longest = n
				break
			}
		}
	}
	return longest
}
