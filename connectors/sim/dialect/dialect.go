// Package dialect speaks for the systems of the simulated company over HTTP. Each dialect
// has its own way to log in, to page and to say what changed: crm, support, social,
// surveys and ads. Package sim lists their paths.
//
// The package shows what package world holds and keeps nothing but issued tokens and
// sort orders. What goes wrong on purpose is decided by package fault.
package dialect

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/unsilo/unsilo/connectors/sim/fault"
	"github.com/unsilo/unsilo/connectors/sim/world"
)

// Credentials are what the dialects accept.
type Credentials struct {
	CRMToken                     string
	SupportEmail, SupportToken   string
	SocialToken                  string
	SurveyKey                    string
	AdsClientID, AdsClientSecret string
}

// Options shape the dialects.
type Options struct {
	Credentials Credentials
	// SearchCap is the largest number of results of one CRM search; 0 is 10,000.
	SearchCap int
}

// api is what the dialects share.
type api struct {
	world *world.World
	opt   Options

	mu     sync.Mutex
	orders map[string]*order // by stream and kind of order
	tokens map[string]bool   // valid access tokens of the ads dialect
	issued int
}

// Handler answers all dialects.
func Handler(w *world.World, opt Options) http.Handler {
	if opt.SearchCap <= 0 {
		opt.SearchCap = 10000
	}
	a := &api{world: w, opt: opt, orders: map[string]*order{}, tokens: map[string]bool{}}
	mux := http.NewServeMux()
	a.crm(mux)
	a.support(mux)
	a.social(mux)
	a.surveys(mux)
	a.ads(mux)
	return mux
}

// bearer lets requests with the token pass.
func bearer(token string, refuse, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !same(r.Header.Get("Authorization"), "Bearer "+token) {
			refuse(w, r)
			return
		}
		next(w, r)
	}
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// refusal gives an answer of a status and a JSON body.
func refusal(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, body)
	}
}

// answer writes a JSON body.
func answer(w http.ResponseWriter, body []byte) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body)
}

// object writes JSON objects field by field.
type object struct{ b []byte }

func newObject() *object { return &object{[]byte{'{'}} }

// field writes a name and lets the caller write the value.
func (o *object) field(name string) {
	if len(o.b) > 0 && o.b[len(o.b)-1] != '{' {
		o.b = append(o.b, ',')
	}
	o.b = appendString(o.b, name)
	o.b = append(o.b, ':')
}

func (o *object) raw(name string, v []byte) {
	o.field(name)
	o.b = append(o.b, v...)
}

func (o *object) text(name, v string) {
	o.field(name)
	o.b = appendString(o.b, v)
}

func (o *object) int(name string, v int64) {
	o.field(name)
	o.b = strconv.AppendInt(o.b, v, 10)
}

func (o *object) bool(name string, v bool) {
	o.field(name)
	o.b = strconv.AppendBool(o.b, v)
}

// value writes what a Sheet holds.
func (o *object) value(name string, typ world.Type, v any, stamp string) {
	o.field(name)
	switch v := v.(type) {
	case nil:
		o.b = append(o.b, "null"...)
	case int64:
		o.b = strconv.AppendInt(o.b, v, 10)
	case bool:
		o.b = strconv.AppendBool(o.b, v)
	case time.Time:
		o.b = append(v.AppendFormat(append(o.b, '"'), stamp), '"')
	case string:
		if typ == world.Amount {
			o.b = append(o.b, v...)
			return
		}
		o.b = appendString(o.b, v)
	}
}

func (o *object) done() []byte { return append(o.b, '}') }

func appendString(b []byte, s string) []byte {
	q, err := json.Marshal(s)
	if err != nil {
		return append(b, `""`...)
	}
	return append(b, q...)
}

// list writes rows as a JSON array.
func list(rows []json.RawMessage) []byte {
	b := []byte{'['}
	for i, r := range rows {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, r...)
	}
	return append(b, ']')
}

// number reads a query parameter with a default and bounds; ok is false outside them.
func number(q url.Values, name string, def, low, high int) (n int, ok bool) {
	text := q.Get(name)
	if text == "" {
		return def, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= low && n <= high
}

// moment reads an ISO time or a date.
func moment(text string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("read time %q: write it like 2026-01-31T12:00:00Z", text)
	}
	return t, nil
}

// retag makes an opaque position look different; untag undoes it.
func retag(position string) string {
	base, n, _ := strings.Cut(position, "~")
	count, _ := strconv.Atoi(n)
	return base + "~" + strconv.Itoa(count+1)
}

func untag(position string) string {
	base, _, _ := strings.Cut(position, "~")
	return base
}

// hidden gives the time from which on rows are not shown in this answer; zero for none.
func hidden(hit *fault.Hit, now time.Time) time.Time {
	if hit.Kind == fault.Late {
		hit.Fired()
		return now.Add(-hit.Wait())
	}
	return time.Time{}
}
