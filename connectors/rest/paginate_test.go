package rest_test

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"
)

// TestPaginate reads 25 rows in pages of 10 by every kind of paging.
func TestPaginate(t *testing.T) {
	const total = 25
	query := func(r *http.Request, name string, otherwise int) int {
		n, err := strconv.Atoi(r.URL.Query().Get(name))
		if err != nil {
			return otherwise
		}
		return n
	}
	tests := map[string]struct {
		stream   string
		handler  func(base string) http.HandlerFunc
		requests int
	}{
		"none": {"path = \"/people\"\n records = \"items\"", func(string) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) { reply(w, map[string]any{"items": people(0, total)}) }
		}, 1},
		"cursor": {`path = "/people"
			records = "items"
			paginate "cursor" {
			  next  = response.body.paging.next.after
			  param = "after"
			}`, func(string) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				at := query(r, "after", 0)
				doc := map[string]any{"items": people(at, min(at+10, total))}
				if at+10 < total {
					doc["paging"] = map[string]any{"next": map[string]any{"after": strconv.Itoa(at + 10)}}
				}
				reply(w, doc)
			}
		}, 3},
		"next_link relative": {`path = "/v1/people"
			records = "items"
			query = { size = 10 }
			paginate "next_link" { next = response.body.next_page_uri }`, func(string) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				at := query(r, "at", 0)
				doc := map[string]any{"items": people(at, min(at+10, total)), "next_page_uri": nil}
				if at+10 < total {
					doc["next_page_uri"] = fmt.Sprintf("/v1/people?size=10&at=%d", at+10)
				}
				reply(w, doc)
			}
		}, 3},
		"next_link with stop": {`path = "/people"
			records = "items"
			paginate "next_link" {
			  next = response.body.next
			  stop = response.body.end_of_stream
			}`, func(base string) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				at := query(r, "at", 0)
				reply(w, map[string]any{"items": people(at, min(at+10, total)), "next": fmt.Sprintf("%s/people?at=%d", base, at+10),
					"end_of_stream": at+10 >= total})
			}
		}, 3},
		"link_header": {`path = "/people"
			paginate "link_header" {}`, func(base string) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				at := query(r, "max_id", 0)
				if at+10 < total {
					w.Header().Set("Link", fmt.Sprintf(`<%s/people?min_id=0>; rel="prev", <%s/people?max_id=%d>; title="a, b"; rel="next"`, base, base, at+10))
				}
				reply(w, people(at, min(at+10, total)))
			}
		}, 3},
		"offset until empty": {`path = "/people"
			paginate "offset" {
			  size       = 10
			  size_param = "limit"
			  param      = "offset"
			}`, func(string) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				at := query(r, "offset", 0)
				reply(w, people(min(at, total), min(at+query(r, "limit", 3), total)))
			}
		}, 4},
		"offset with total and a smaller page than asked": {`path = "/people"
			records = "items"
			paginate "offset" {
			  size       = 100
			  size_param = "limit"
			  param      = "offset"
			  total      = response.body.total
			}`, func(string) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				at := query(r, "offset", 0)
				reply(w, map[string]any{"total": total, "items": people(min(at, total), min(at+10, total))})
			}
		}, 3},
		"page with has_more": {`path = "/people"
			records = "items"
			paginate "page" {
			  start      = 1
			  size       = 10
			  size_param = "per_page"
			  param      = "page"
			  has_more   = response.body.more
			}`, func(string) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				at := (query(r, "page", 0) - 1) * 10
				reply(w, map[string]any{"items": people(at, min(at+10, total)), "more": at+10 < total})
			}
		}, 3},
		"offset, an empty page and more": {`path = "/people"
			records = "items"
			paginate "offset" {
			  size     = 10
			  param    = "offset"
			  has_more = response.body.more
			}`, func(string) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				at := query(r, "offset", 0)
				if at == 10 {
					reply(w, map[string]any{"items": people(0, 0), "more": true})
					return
				}
				at = max(0, at-10) + min(at, 10)/20*10 // rows 10 on are at offset 20
				reply(w, map[string]any{"items": people(at, min(at+10, total)), "more": at+10 < total})
			}
		}, 4},
		"page until short": {`path = "/people"
			paginate "page" {
			  size    = 10
			  param   = "page"
			  stop_on = "short"
			}`, func(string) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				at := query(r, "page", 0) * 10
				reply(w, people(min(at, total), min(at+10, total)))
			}
		}, 3},
		"keyset": {`path = "/people"
			query = { after_id = page.key, limit = page.size }
			paginate "keyset" {
			  field   = "id"
			  size    = 10
			  stop_on = "short"
			}`, func(string) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				at := query(r, "after_id", -1) + 1
				reply(w, people(at, min(at+10, total)))
			}
		}, 3},
		"keyset, inclusive": {`path = "/people"
			paginate "keyset" {
			  field = "id"
			  param = "from_id"
			}`, func(string) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				at := query(r, "from_id", 0)
				reply(w, people(at, min(at+10, total)))
			}
		}, 4},
		"empty page with next": {`path = "/people"
			records = "items"
			paginate "cursor" {
			  next  = response.body.next
			  param = "after"
			}`, func(string) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				switch n := query(r, "after", 0); n {
				case 0:
					reply(w, map[string]any{"items": people(0, 10), "next": 1})
				case 1, 2:
					reply(w, map[string]any{"items": people(0, 0), "next": n + 1})
				default:
					reply(w, map[string]any{"items": people(10, total)})
				}
			}
		}, 4},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var base string
			server, log := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if got := r.Header.Get("Authorization"); got != "Bearer s3cr3t-token" {
					t.Errorf("Authorization: got %q", got)
				}
				tt.handler(base)(w, r)
			})
			base = server.URL
			def := define(t, api(quickRetry, `stream "people" {
				primary_key = ["id"]
				schema {
				  field "id" { type = "int" }
				}
				`+tt.stream+"\n}"))
			src := openAt(t, def, server, nil)
			got := newTable()
			if err := pull(t, src, "people", got, nil); err != nil {
				t.Fatal(err)
			}
			if len(got.rows) != total || got.sent != total {
				t.Errorf("rows: got %d, sent %d, want %d", len(got.rows), got.sent, total)
			}
			if log.count() != tt.requests {
				t.Errorf("requests: got %d, want %d: %q", log.count(), tt.requests, log.urls)
			}
			if name := got.rows["7/"]["name"]; name != "person 7" {
				t.Errorf("row 7: got %v", got.rows["7/"])
			}
		})
	}
}
