package rest_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/unsilo/unsilo/core"
)

// TestGivesUp reads silos that stay broken: the error has a kind, no row of the broken
// page comes, and requests are bounded.
func TestGivesUp(t *testing.T) {
	always := func(f func(w http.ResponseWriter)) func(*silo, int, http.ResponseWriter, *http.Request) bool {
		return func(s *silo, n int, w http.ResponseWriter, _ *http.Request) bool {
			if n < 3 {
				return false
			}
			f(w)
			return s.fire("broken")
		}
	}
	status := func(code int, body string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { w.WriteHeader(code); fmt.Fprint(w, body) }
	}
	tests := map[string]struct {
		fault    func(w http.ResponseWriter)
		kind     core.Kind
		requests int
		says     string
	}{
		"500":            {status(500, `{"message":"boom"}`), core.KindUnavailable, 5, "boom (3 attempts)"},
		"401":            {status(401, `{"error":"token is expired"}`), core.KindAuth, 4, "token is expired"},
		"403":            {status(403, `{"message":"missing scope crm.read"}`), core.KindPermission, 3, "missing scope crm.read"},
		"404":            {status(404, `{"error":{"title":"no such object"}}`), core.KindConfig, 3, "no such object"},
		"400":            {status(400, `{"errors":[{"detail":"bad field"}]}`), core.KindConfig, 3, "bad field"},
		"html":           {status(200, "<html>"), core.KindUnavailable, 5, "not what was promised"},
		"no records":     {status(200, `{"error":"try later"}`), core.KindData, 3, "no records at $.items"},
		"constant next":  {status(200, `{"items":[],"next":"same"}`), core.KindData, 5, "leads back"},
		"same page":      {status(200, `{"items":[{"id":10},{"id":11}],"next":"77"}`), core.KindData, 5, "page"},
		"long wait":      {func(w http.ResponseWriter) { w.Header().Set("Retry-After", "7200"); w.WriteHeader(429) }, core.KindQuota, 3, ""},
		"daily quota":    {status(429, `{"policyName":"DAILY"}`), core.KindQuota, 3, "used up"},
		"429 for ever":   {status(429, ``), core.KindLimited, 0, ""},
		"cut for ever":   {status(200, `{"items":[{"id":1},{"id`), core.KindUnavailable, 5, "stops in the middle"},
		"other host":     {func(w http.ResponseWriter) { w.Header().Set("Location", "http://other.example/x"); w.WriteHeader(302) }, core.KindData, 3, "another host"},
		"redirect loop":  {func(w http.ResponseWriter) { w.Header().Set("Location", "/people"); w.WriteHeader(302) }, core.KindData, 8, "too many redirects"},
		"token in error": {status(400, `{"message":"bad s3cr3t-token of jane@example.org, call +358 40 1234567"}`), core.KindConfig, 3, "bad *** of ***"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &silo{fault: always(tt.fault)}
			server, log := serve(t, s.ServeHTTP)
			def := define(t, api(`
  retry {
    initial      = "2ms"
    max          = "50ms"
    max_attempts = 3
    max_elapsed  = "400ms"
  }
  on_response {
    when    = response.body.policyName == "DAILY"
    action  = "quota"
    message = "the calls of this day are used up"
  }`, siloStream))
			src := openAt(t, def, server, nil)
			got := newTable()
			err := pull(t, src, "people", got, nil)
			if core.KindOf(err) != tt.kind {
				t.Errorf("kind: got %q of %v, want %q", core.KindOf(err), err, tt.kind)
			}
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error: got %v, want it to say %q", err, tt.says)
			}
			if err != nil && (strings.Contains(err.Error(), "s3cr3t") || strings.Contains(err.Error(), "after=") || strings.Contains(err.Error(), "jane")) {
				t.Errorf("error tells too much: %v", err)
			}
			if tt.requests > 0 && log.count() != tt.requests {
				t.Errorf("requests: got %d, want %d: %q", log.count(), tt.requests, log.urls)
			}
			if s.fired["broken"] == 0 {
				t.Error("the fault did not fire")
			}
			if len(got.rows) != 20 || len(got.states) != 0 {
				t.Errorf("got %d rows and positions %s, want the 20 rows of whole pages and no position", len(got.rows), got.states)
			}
			var e *core.Error
			if errors.As(err, &e) && tt.kind == core.KindQuota && name == "long wait" && e.RetryAfter != 2*time.Hour {
				t.Errorf("RetryAfter: got %v", e.RetryAfter)
			}
			if errors.As(err, &e) && e.Stream != "people" {
				t.Errorf("stream: got %q", e.Stream)
			}
		})
	}
}
