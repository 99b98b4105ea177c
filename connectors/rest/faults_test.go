package rest_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// silo is an API of 50 people in pages of 10 by cursor, whose requests can go wrong.
type silo struct {
	mu    sync.Mutex
	n     int            // requests so far
	fired map[string]int // faults that happened
	// fault answers request n (from 1) itself and returns true, or lets it pass.
	fault func(s *silo, n int, w http.ResponseWriter, r *http.Request) bool
	// early notes requests that came before the API allowed them.
	until time.Time
	early int
}

const (
	siloRows = 50
	siloPage = 10
)

func (s *silo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	if time.Now().Before(s.until) {
		s.early++
	}
	if s.fault != nil && s.fault(s, s.n, w, r) {
		return
	}
	reply(w, s.doc(r))
}

// doc is the page that a request asks for.
func (s *silo) doc(r *http.Request) map[string]any {
	at, _ := strconv.Atoi(r.URL.Query().Get("after"))
	doc := map[string]any{"items": people(at, min(at+siloPage, siloRows))}
	if at+siloPage < siloRows {
		doc["next"] = strconv.Itoa(at + siloPage)
	}
	return doc
}

// fire notes that a fault happened.
func (s *silo) fire(name string) bool {
	if s.fired == nil {
		s.fired = map[string]int{}
	}
	s.fired[name]++
	return true
}

// tell refuses the request and remembers until when.
func (s *silo) tell(w http.ResponseWriter, status int, wait time.Duration, head string) bool {
	s.until = time.Now().Add(wait)
	if head != "" {
		name, value, _ := strings.Cut(head, ": ")
		w.Header().Set(name, value)
	}
	w.WriteHeader(status)
	return s.fire("told")
}

const siloStream = `
  stream "people" {
    path        = "/people"
    records     = "items"
    primary_key = ["id"]
    paginate "cursor" {
      next  = response.body.next
      param = "after"
    }
    incremental "datetime" {
      cursor = "updated_at"
    }
    schema {
      field "id" { type = "int" }
      field "name" {}
      field "updated_at" { type = "timestamp" }
    }
  }
`

// only lets a fault happen at one request.
func only(at int, f func(s *silo, w http.ResponseWriter, r *http.Request) bool) func(*silo, int, http.ResponseWriter, *http.Request) bool {
	return func(s *silo, n int, w http.ResponseWriter, r *http.Request) bool { return n == at && f(s, w, r) }
}

// TestFaults reads the silo while one thing goes wrong. The rows must be the oracle's, and
// the requests at most one more for each time that something went wrong.
func TestFaults(t *testing.T) {
	second := time.Second
	tests := map[string]struct {
		fault func(*silo, int, http.ResponseWriter, *http.Request) bool
		fires int
		extra int // requests beyond the ideal
	}{
		"429 with seconds": {only(2, func(s *silo, w http.ResponseWriter, _ *http.Request) bool {
			return s.tell(w, 429, second, "Retry-After: 1")
		}), 1, 1},
		"429 with a date": {only(2, func(s *silo, w http.ResponseWriter, _ *http.Request) bool {
			at := time.Now().Add(2 * second).Truncate(second)
			return s.tell(w, 429, time.Until(at), "Retry-After: "+at.UTC().Format(http.TimeFormat))
		}), 1, 1},
		"429 with epoch": {only(2, func(s *silo, w http.ResponseWriter, _ *http.Request) bool {
			at := time.Now().Add(2 * second).Truncate(second)
			return s.tell(w, 429, time.Until(at), "X-Rate-Limit-Reset: "+strconv.FormatInt(at.Unix(), 10))
		}), 1, 1},
		"429 with milliseconds": {only(2, func(s *silo, w http.ResponseWriter, _ *http.Request) bool {
			return s.tell(w, 429, 300*time.Millisecond, "X-Wait-Ms: 300")
		}), 1, 1},
		"429 with nothing": {only(2, func(s *silo, w http.ResponseWriter, _ *http.Request) bool {
			return s.tell(w, 429, 0, "")
		}), 1, 1},
		"wait that grows": {func(s *silo, n int, w http.ResponseWriter, _ *http.Request) bool {
			if n != 2 && time.Now().After(s.until) {
				return false
			}
			wait := second
			if n > 2 {
				wait = 5 * second // a client that keeps sending waits longer
			}
			return s.tell(w, 429, wait, "Retry-After: "+strconv.Itoa(int(wait/second)))
		}, 1, 1},
		"limit told in a body of 200": {only(3, func(s *silo, w http.ResponseWriter, _ *http.Request) bool {
			s.until = time.Now().Add(second)
			reply(w, map[string]any{"items": people(0, 3), "error": map[string]any{"code": 606, "wait": 1}})
			return s.fire("body")
		}), 1, 1},
		"503 with Retry-After": {only(2, func(s *silo, w http.ResponseWriter, _ *http.Request) bool {
			return s.tell(w, 503, second, "Retry-After: 1")
		}), 1, 1},
		"500 three times": {func(s *silo, n int, w http.ResponseWriter, _ *http.Request) bool {
			if n < 2 || n > 4 {
				return false
			}
			w.WriteHeader(500)
			return s.fire("500")
		}, 3, 3},
		"406 empty": {only(2, func(s *silo, w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(406); return s.fire("406") }), 1, 1},
		"420 html": {only(2, func(s *silo, w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(420)
			fmt.Fprint(w, "<html>calm down</html>")
			return s.fire("420")
		}), 1, 1},
		"200 html": {only(2, func(s *silo, w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<html>maintenance</html>")
			return s.fire("html")
		}), 1, 1},
		"cut in a record": {only(3, func(s *silo, w http.ResponseWriter, r *http.Request) bool {
			text, _ := json.Marshal(s.doc(r))
			w.Header().Set("Content-Length", strconv.Itoa(len(text)))
			_, _ = w.Write(text[:len(text)/2])
			return s.fire("cut")
		}), 1, 1},
		"cut in a chunk": {only(3, func(s *silo, w http.ResponseWriter, r *http.Request) bool {
			text, _ := json.Marshal(s.doc(r))
			_, _ = w.Write(text[:len(text)/2])
			_ = http.NewResponseController(w).Flush()
			s.fire("chunk")
			panic(http.ErrAbortHandler)
		}), 1, 1},
		"cut after the records": {only(3, func(s *silo, w http.ResponseWriter, r *http.Request) bool {
			text, _ := json.Marshal(s.doc(r))
			_, _ = w.Write(text[:len(text)-2])
			return s.fire("cut")
		}), 1, 1},
		"broken gzip": {only(3, func(s *silo, w http.ResponseWriter, r *http.Request) bool {
			text, _ := json.Marshal(s.doc(r))
			var buf bytes.Buffer
			z := gzip.NewWriter(&buf)
			_, _ = z.Write(text)
			_ = z.Close()
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(buf.Bytes()[:buf.Len()-12])
			return s.fire("gzip")
		}), 1, 1},
		"401 once": {only(3, func(s *silo, w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(401); return s.fire("401") }), 1, 1},
		"connection closed": {only(2, func(s *silo, _ http.ResponseWriter, _ *http.Request) bool {
			s.fire("closed")
			panic(http.ErrAbortHandler)
		}), 1, 1},
		"the same page twice": {only(3, func(s *silo, w http.ResponseWriter, _ *http.Request) bool {
			reply(w, map[string]any{"items": people(10, 20), "next": "20"})
			return s.fire("same")
		}), 1, 1},
		"page edge repeated": {func(s *silo, n int, w http.ResponseWriter, r *http.Request) bool {
			doc := s.doc(r)
			at, _ := strconv.Atoi(r.URL.Query().Get("after"))
			if at > 0 {
				doc["items"] = people(at-1, min(at+siloPage, siloRows))
				s.fire("edge")
			}
			reply(w, doc)
			return true
		}, 4, 0},
		"empty page with next": {func(s *silo, _ int, w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Query().Get("after") != "20" || s.fired != nil {
				return false
			}
			reply(w, map[string]any{"items": people(0, 0), "next": "020"})
			return s.fire("empty")
		}, 1, 1},
		"short page in the middle": {func(s *silo, _ int, w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Query().Get("after") != "20" {
				return false
			}
			reply(w, map[string]any{"items": people(20, 23), "next": "23"})
			return s.fire("short")
		}, 1, 1},
		"rows in any order": {func(s *silo, _ int, w http.ResponseWriter, r *http.Request) bool {
			doc := s.doc(r)
			slices.Reverse(doc["items"].([]map[string]any))
			reply(w, doc)
			return s.fire("order")
		}, 5, 0},
		"redirect within the host": {only(2, func(s *silo, w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, "/moved?"+r.URL.RawQuery, http.StatusFound)
			return s.fire("redirect")
		}), 1, 1},
		"a new field": {only(2, func(s *silo, w http.ResponseWriter, r *http.Request) bool {
			doc := s.doc(r)
			for _, row := range doc["items"].([]map[string]any) {
				row["sim_added"] = "x"
			}
			reply(w, doc)
			return s.fire("drift")
		}), 1, 0},
		"numbers as text": {only(2, func(s *silo, w http.ResponseWriter, r *http.Request) bool {
			doc := s.doc(r)
			for _, row := range doc["items"].([]map[string]any) {
				row["id"] = fmt.Sprint(row["id"])
			}
			reply(w, doc)
			return s.fire("text")
		}), 1, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &silo{fault: tt.fault}
			server, log := serve(t, s.ServeHTTP)
			def := define(t, api(`
  retry {
    initial = "5ms"
    max     = "20ms"
    wait_header "Retry-After" {}
    wait_header "X-Rate-Limit-Reset" { unit = "epoch_s" }
    wait_header "X-Wait-Ms" { unit = "milliseconds" }
  }
  on_response {
    when         = response.body.error.code == 606
    action       = "rate_limited"
    wait_seconds = response.body.error.wait
  }`, siloStream))
			src := openAt(t, def, server, nil)
			got := newTable()
			if err := pull(t, src, "people", got, nil); err != nil {
				t.Fatal(err)
			}
			wantOracle(t, got)
			if got.sent != siloRows {
				t.Errorf("rows sent: got %d, want %d", got.sent, siloRows)
			}
			fired := 0
			for _, n := range s.fired {
				fired += n
			}
			if fired != tt.fires {
				t.Errorf("faults: got %v, want %d", s.fired, tt.fires)
			}
			if ideal := siloRows / siloPage; log.count() != ideal+tt.extra {
				t.Errorf("requests: got %d, want %d: %q", log.count(), ideal+tt.extra, log.urls)
			}
			if s.early != 0 {
				t.Errorf("%d requests came earlier than told", s.early)
			}
			if len(got.states) == 0 {
				t.Error("no position came")
			}
		})
	}
}

// wantOracle compares the table with what the silo holds.
func wantOracle(t *testing.T, got *table) {
	t.Helper()
	if len(got.rows) != siloRows {
		t.Errorf("rows: got %d, want %d: %v", len(got.rows), siloRows, got.ids())
	}
	for _, p := range people(0, siloRows) {
		row := got.rows[fmt.Sprint(p["id"])+"/"]
		if row["name"] != p["name"] || row["updated_at"] != p["updated_at"] {
			t.Errorf("row %v: got %v", p, row)
		}
	}
	if got.rejects != 0 {
		t.Errorf("rejects: got %d", got.rejects)
	}
}
