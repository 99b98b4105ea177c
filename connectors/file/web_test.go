package file_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/unsilo/unsilo/connectors/file"
	"github.com/unsilo/unsilo/core"
)

// site serves one text, with and without what lets a client tell its version.
type site struct {
	text     atomic.Pointer[string]
	requests atomic.Int64
	headers  bool
	status   int
	auth     atomic.Pointer[string]
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.requests.Add(1)
	auth := r.Header.Get("Authorization")
	s.auth.Store(&auth)
	if s.status != 0 {
		w.WriteHeader(s.status)
		return
	}
	text := *s.text.Load()
	if s.headers {
		w.Header().Set("ETag", `"`+strings.ToUpper(text[:1])+time.Duration(len(text)).String()+`"`)
		http.ServeContent(w, r, "a.csv", time.Time{}, strings.NewReader(text))
		return
	}
	_, _ = w.Write([]byte(text))
}

func TestHTTP(t *testing.T) {
	for name, headers := range map[string]bool{"with ranges and versions": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			s := &site{headers: headers}
			text := "id,name\n1,a\n2,b\n"
			s.text.Store(&text)
			server := httptest.NewServer(s)
			defer server.Close()
			l := land(t, open(t, map[string]any{"path": server.URL + "/a.csv?key=k"}))
			if n := l.next(t); n != 2 {
				t.Errorf("got %d rows, want 2", n)
			}
			before := s.requests.Load()
			if n := l.next(t); n != 0 {
				t.Errorf("nothing new: got %d rows", n)
			}
			if made := s.requests.Load() - before; headers && made > 1 {
				t.Errorf("%d requests for an unchanged file", made)
			}
			text += "3,c\n"
			s.text.Store(&text)
			if n := l.next(t); n != 1 {
				t.Errorf("grown: got %d rows, want 1", n)
			}
			equal(t, "name", l.column("name"), "a", "b", "c")
			for id := range l.rows {
				if strings.Contains(id, "key=") {
					t.Errorf("row key %q holds the query of the URL", id)
				}
			}
		})
	}
}

func TestHTTPFaults(t *testing.T) {
	for status, kind := range map[int]core.Kind{
		401: core.KindAuth, 403: core.KindPermission, 404: core.KindConfig, 429: core.KindLimited, 500: core.KindUnavailable, 503: core.KindUnavailable,
	} {
		s := &site{status: status}
		server := httptest.NewServer(s)
		src, err := file.Connector().Open(t.Context(), core.Config{Values: map[string]any{"token": "tok-4711-secret"},
			Streams: []core.StreamConfig{{Name: "s", Values: map[string]any{"path": server.URL + "/a.csv?key=hidden"}}}})
		if err != nil {
			t.Fatal(err)
		}
		err = src.Check(t.Context())
		if core.KindOf(err) != kind {
			t.Errorf("%d: got error %v of kind %q, want %q", status, err, core.KindOf(err), kind)
		}
		if err != nil && (strings.Contains(err.Error(), "hidden") || strings.Contains(err.Error(), "4711")) {
			t.Errorf("%d: error %q holds a secret", status, err)
		}
		if got := *s.auth.Load(); got != "Bearer tok-4711-secret" {
			t.Errorf("authorization: got %q", got)
		}
		server.Close()
		err = errors.Join(src.Check(t.Context()), src.Close())
		if core.KindOf(err) != core.KindUnavailable {
			t.Errorf("nobody there: got error %v", err)
		}
	}
}

func TestRedirectTakesNoCredentials(t *testing.T) {
	text := "id\n1\n"
	target := &site{}
	target.text.Store(&text)
	other := httptest.NewServer(target)
	defer other.Close()
	server := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusFound))
	defer server.Close()
	src, err := file.Connector().Open(t.Context(), core.Config{Values: map[string]any{"token": "tok-4711"},
		Streams: []core.StreamConfig{{Name: "s", Values: map[string]any{"path": server.URL + "/a.csv"}}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := src.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := *target.auth.Load(); got != "" {
		t.Errorf("another host got %q", got)
	}
}
