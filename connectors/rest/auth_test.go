package rest_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/unsilo/unsilo/connectors/rest"
	"github.com/unsilo/unsilo/core"
)

// authDefinition is a connector with one stream and the given auth block.
func authDefinition(auth string) string {
	return `connector "rest" "acme" {
  field "base_url" {}
  field "user" {}
  field "secret" { secret = true }
  field "refresh" { secret = true }
  field "hosts" { type = "strings" }
  client {
    base_url    = config.base_url
    allow_hosts = config.hosts
    timeout     = "500ms"
  }
` + auth + quickRetry + siloStream + "}"
}

func TestStaticAuth(t *testing.T) {
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("jane:pa55word"))
	tests := map[string]struct {
		auth  string
		check func(r *http.Request) string
		want  string
	}{
		"none":           {``, func(r *http.Request) string { return r.Header.Get("Authorization") }, ""},
		"basic":          {"auth \"basic\" {\n username = config.user\n password = config.secret\n}", func(r *http.Request) string { return r.Header.Get("Authorization") }, basic},
		"key in header":  {"auth \"api_key\" {\n header = \"X-Key\"\n value = config.secret\n}", func(r *http.Request) string { return r.Header.Get("X-Key") }, "pa55word"},
		"key in query":   {"auth \"api_key\" {\n query = \"key\"\n value = config.secret\n}", func(r *http.Request) string { return r.URL.Query().Get("key") }, "pa55word"},
		"another scheme": {"auth \"bearer\" {\n scheme = \"Token\"\n token = config.secret\n}", func(r *http.Request) string { return r.Header.Get("Authorization") }, "Token pa55word"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got string
			server, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
				got = tt.check(r)
				w.WriteHeader(403)
			})
			src := openAt(t, define(t, authDefinition(tt.auth)), server, map[string]any{"user": "jane", "secret": "pa55word"})
			err := pull(t, src, "people", newTable(), nil)
			if got != tt.want {
				t.Errorf("sent: got %q, want %q", got, tt.want)
			}
			if core.KindOf(err) != core.KindPermission || strings.Contains(err.Error(), "pa55word") {
				t.Errorf("error: got %v", err)
			}
		})
	}
}

// issuer gives out access tokens that end after some uses.
type issuer struct {
	mu      sync.Mutex
	issued  int
	uses    int    // of the current token
	limit   int    // uses of one token
	refresh string // the refresh token that is good now
	rotate  bool
	refuse  bool
	forms   []string
}

func (s *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.URL.Path == "/oauth/token" {
		_ = r.ParseForm()
		s.forms = append(s.forms, r.Form.Encode()+" "+r.Header.Get("Authorization"))
		if s.refuse || (s.refresh != "" && r.Form.Get("refresh_token") != s.refresh) {
			w.WriteHeader(400)
			fmt.Fprint(w, `{"error":"invalid_grant","error_description":"the grant r3fresh0 is not valid"}`)
			return
		}
		s.issued++
		s.uses = 0
		answer := map[string]any{"access_token": fmt.Sprintf("access-%d", s.issued), "expires_in": 3600}
		if s.rotate {
			s.refresh = fmt.Sprintf("r3fresh%d", s.issued)
			answer["refresh_token"] = s.refresh
		}
		reply(w, answer)
		return
	}
	s.uses++
	if r.Header.Get("Authorization") != fmt.Sprintf("Bearer access-%d", s.issued) || s.uses > s.limit {
		w.WriteHeader(401)
		return
	}
	reply(w, (&silo{}).doc(r))
}

const oauthBlock = `auth "oauth2" {
    grant         = "%s"
    token_url     = "/oauth/token"
    client_id     = config.user
    client_secret = config.secret
    refresh_token = config.refresh
    client_auth   = "%s"
    scopes        = ["read", "write"]
  }`

func TestOAuth(t *testing.T) {
	values := map[string]any{"user": "client-1", "secret": "pa55word", "refresh": "r3fresh0"}
	tests := map[string]struct {
		issuer *issuer
		grant  string
		auth   string
		issued int
		kind   core.Kind
	}{
		"client credentials":                {&issuer{limit: 100}, "client_credentials", "body", 1, ""},
		"client in the header":              {&issuer{limit: 100}, "client_credentials", "basic", 1, ""},
		"tokens end in mid-run":             {&issuer{limit: 2}, "client_credentials", "body", 3, ""},
		"refresh token that rotates":        {&issuer{limit: 2, rotate: true, refresh: "r3fresh0"}, "refresh_token", "body", 3, ""},
		"token refused again and again":     {&issuer{limit: 0}, "client_credentials", "body", 2, core.KindAuth},
		"client refused":                    {&issuer{refuse: true}, "client_credentials", "body", 0, core.KindAuth},
		"refresh token replaced by another": {&issuer{limit: 9, refresh: "else"}, "refresh_token", "body", 0, core.KindAuth},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			server, _ := serve(t, tt.issuer.ServeHTTP)
			src := openAt(t, define(t, authDefinition(fmt.Sprintf(oauthBlock, tt.grant, tt.auth))), server, values)
			got := newTable()
			err := pull(t, src, "people", got, nil)
			if core.KindOf(err) != tt.kind {
				t.Fatalf("error: got %v, want kind %q", err, tt.kind)
			}
			if err == nil {
				wantOracle(t, got)
			} else if strings.Contains(err.Error(), "r3fresh") || strings.Contains(err.Error(), "pa55word") {
				t.Errorf("the error tells a secret: %v", err)
			}
			if tt.issuer.issued != tt.issued {
				t.Errorf("tokens: got %d, want %d", tt.issuer.issued, tt.issued)
			}
			for _, form := range tt.issuer.forms {
				if !strings.Contains(form, "scope=read+write") || strings.Contains(form, "Basic") != (tt.auth == "basic") ||
					strings.Contains(form, "client_secret") != (tt.auth == "body") {
					t.Errorf("form: %s", form)
				}
			}
		})
	}
}

// TestSharedRenewal reads twenty times at once with a token that ends: all of them share
// the renewals.
func TestSharedRenewal(t *testing.T) {
	s := &issuer{limit: 40}
	server, _ := serve(t, s.ServeHTTP)
	src := openAt(t, define(t, authDefinition(fmt.Sprintf(oauthBlock, "client_credentials", "body"))), server,
		map[string]any{"user": "client-1", "secret": "pa55word", "refresh": "x"})
	st := streamOf(t, src, "people")
	var g errgroup.Group
	for range 20 {
		g.Go(func() error {
			return src.Read(context.Background(), core.ReadRequest{Stream: st}, func(core.Batch) error { return nil })
		})
	}
	// A reader whose renewed token ends at once, because the others used it up, may give up.
	if err := g.Wait(); err != nil && core.KindOf(err) != core.KindAuth {
		t.Fatal(err)
	}
	if most := 20 * 5 / 40 * 3; s.issued > most {
		t.Errorf("tokens: got %d, want at most %d", s.issued, most)
	}
}

func TestSession(t *testing.T) {
	logins, uses := 0, 0
	server, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			logins++
			uses = 0
			reply(w, map[string]any{"session": map[string]any{"id": fmt.Sprintf("session-%d", logins)}})
			return
		}
		if uses++; r.Header.Get("X-Session") != fmt.Sprintf("session-%d", logins) || uses > 3 {
			w.WriteHeader(401)
			return
		}
		reply(w, (&silo{}).doc(r))
	})
	src := openAt(t, define(t, authDefinition(`auth "session" {
    login {
      path = "/login"
      json = { user = config.user, password = config.secret }
    }
    token  = response.body.session.id
    header = "X-Session"
  }`)), server, map[string]any{"user": "jane", "secret": "pa55word"})
	got := newTable()
	if err := pull(t, src, "people", got, nil); err != nil {
		t.Fatal(err)
	}
	wantOracle(t, got)
	if logins != 2 {
		t.Errorf("logins: got %d, want 2", logins)
	}
}

// TestRedirect follows a redirect to an allowed host without credentials, and to no other.
func TestRedirect(t *testing.T) {
	var seen http.Header
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = r.Header.Clone()
		reply(w, (&silo{}).doc(r))
	}))
	defer other.Close()
	server, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+"/people?"+r.URL.RawQuery, http.StatusTemporaryRedirect)
	})
	auth := "auth \"api_key\" {\n header = \"X-Key\"\n value = config.secret\n}"
	allowed := map[string]any{"secret": "pa55word", "hosts": []any{strings.TrimPrefix(other.URL, "http://")}}
	src := openAt(t, define(t, authDefinition(auth)), server, allowed)
	got := newTable()
	if err := pull(t, src, "people", got, nil); err != nil {
		t.Fatal(err)
	}
	wantOracle(t, got)
	if seen.Get("X-Key") != "" || seen.Get("Authorization") != "" {
		t.Errorf("the other host was shown credentials: %v", seen)
	}
	src = openAt(t, define(t, authDefinition(auth)), server, map[string]any{"secret": "pa55word"})
	seen = nil
	if err := pull(t, src, "people", newTable(), nil); core.KindOf(err) != core.KindData || seen != nil {
		t.Errorf("redirect to a strange host: got %v, request %v", err, seen)
	}
}

// TestPrivate checks which base addresses may lead to private networks.
func TestPrivate(t *testing.T) {
	server, log := serve(t, func(w http.ResponseWriter, r *http.Request) { reply(w, (&silo{}).doc(r)) })
	port := server.URL[strings.LastIndex(server.URL, ":"):]
	tests := map[string]bool{"http://127.0.0.1" + port: true, "http://localhost" + port: true}
	for base, reaches := range tests {
		before := log.count()
		src, err := rest.New(define(t, authDefinition(""))).Open(t.Context(), core.Config{Values: map[string]any{"base_url": base}})
		if err != nil {
			t.Fatal(err)
		}
		err = src.Check(t.Context())
		if (err == nil) != reaches || (log.count() > before) != reaches {
			t.Errorf("%s: got %v, reaches %v", base, err, log.count() > before)
		}
		_ = src.Close()
	}
}

// TestBadBase refuses base URLs that cannot be right before anything is sent.
func TestBadBase(t *testing.T) {
	for _, base := range []any{nil, "", "acme.example", "ftp://acme.example", "http://", "https://jane:pw@acme.example", "https://acme.example?x=1"} {
		_, err := rest.New(define(t, authDefinition(""))).Open(t.Context(), core.Config{Values: map[string]any{"base_url": base}})
		if core.KindOf(err) != core.KindConfig {
			t.Errorf("%v: got %v, want a config error", base, err)
		}
	}
}
