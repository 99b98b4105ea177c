package dialect

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/unsilo/unsilo/connectors/sim/fault"
	"github.com/unsilo/unsilo/connectors/sim/world"
)

const supportStamp = "2006-01-02T15:04:05Z"

// support has the paths of the Zendesk-like help desk: the cursor export of tickets and
// users.
func (a *api) support(mux *http.ServeMux) {
	for _, stream := range []string{"tickets", "users"} {
		h := a.supportAuth(func(w http.ResponseWriter, r *http.Request) { a.export(w, r, stream) })
		mux.HandleFunc("GET /api/v2/incremental/"+stream+"/cursor", h)
		mux.HandleFunc("GET /api/v2/incremental/"+stream+"/cursor.json", h)
	}
}

func (a *api) supportAuth(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		user, password, ok := r.BasicAuth()
		c := a.opt.Credentials
		if !ok || !same(user, c.SupportEmail+"/token") || !same(password, c.SupportToken) {
			refusal(http.StatusUnauthorized, `{"error":"Couldn't authenticate you"}`)(w, r)
			return
		}
		next(w, r)
	}
}

// place is a position in an export: after the row that changed at Time, and has the place
// Row in the sheet.
type place struct {
	time time.Time
	row  int
}

func (p place) String() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d|%d", p.time.UnixMilli(), p.row))
}

func parsePlace(text string) (place, error) {
	raw, err := base64.RawURLEncoding.DecodeString(untag(text))
	if err != nil {
		return place{}, fmt.Errorf("read cursor: %w", err)
	}
	ms, row, _ := strings.Cut(string(raw), "|")
	at, err := strconv.ParseInt(ms, 10, 64)
	if err != nil {
		return place{}, fmt.Errorf("read cursor: %w", err)
	}
	n, err := strconv.Atoi(row)
	if err != nil {
		return place{}, fmt.Errorf("read cursor: %w", err)
	}
	return place{time.UnixMilli(at).UTC(), n}, nil
}

// export is a page of an incremental export, in order of change.
func (a *api) export(w http.ResponseWriter, r *http.Request, stream string) {
	q := r.URL.Query()
	limit, ok := number(q, "per_page", 1000, 1, 1000)
	if !ok {
		refusal(http.StatusBadRequest, `{"error":"InvalidValue","description":"per_page must be from 1 to 1000"}`)(w, r)
		return
	}
	a.world.Read(func(s *world.State) {
		from, problem := supportStart(s, q)
		if problem != "" {
			refusal(http.StatusBadRequest, `{"error":"InvalidValue","description":"`+problem+`"}`)(w, r)
			return
		}
		sheet, err := s.Sheet(world.Support, stream)
		if err != nil {
			refusal(http.StatusNotFound, `{"error":"RecordNotFound","description":"Not found"}`)(w, r)
			return
		}
		a.exportPage(w, r, s, sheet, from, limit)
	})
}

func supportStart(s *world.State, q url.Values) (from place, problem string) {
	if cursor := q.Get("cursor"); cursor != "" {
		from, err := parsePlace(cursor)
		if err != nil {
			return place{}, "cursor is not one of ours"
		}
		return from, ""
	}
	n, err := strconv.ParseInt(q.Get("start_time"), 10, 64)
	if err != nil {
		return place{}, "start_time must be given in epoch seconds"
	}
	if at := time.Unix(n, 0); at.After(s.Now.Add(-time.Minute)) {
		return place{}, "StartTimeTooRecent: start_time must be more than a minute ago"
	}
	return place{time.Unix(n, 0).UTC(), -1}, ""
}

func (a *api) exportPage(w http.ResponseWriter, r *http.Request, s *world.State, sheet *world.Sheet, from place, limit int) {
	rows := a.byUpdate(s, sheet)
	first := sort.Search(len(rows), func(n int) bool {
		c := sheet.Updated(rows[n]).Compare(from.time)
		return c > 0 || c == 0 && rows[n] > from.row
	})
	q := r.URL.Query()
	hit := fault.Of(r.Context())
	late := hidden(hit, s.Now)
	p := fault.Page{At: q.Get("cursor"), Next: from.String(), Tag: retag}
	end := true
	for n := first; n < len(rows); n++ {
		at := sheet.Updated(rows[n])
		if !late.IsZero() && at.After(late) {
			break
		}
		if len(p.Rows) == limit {
			end = false
			break
		}
		p.Rows = append(p.Rows, supportRow(sheet, rows[n]))
		p.Next = place{at, rows[n]}.String()
	}
	if p.At == "" {
		p.Tag = func(string) string { return retag(from.String()) }
	}
	before := p.Next
	hit.Apply(&p)
	o := newObject()
	o.raw(sheet.Stream, list(p.Rows))
	o.text("after_cursor", p.Next)
	next := url.Values{"cursor": {p.Next}}
	if v := q.Get("per_page"); v != "" {
		next.Set("per_page", v)
	}
	o.text("after_url", "http://"+r.Host+r.URL.Path+"?"+next.Encode())
	o.raw("before_cursor", []byte("null"))
	// A page that a fault has put in between is not the last one.
	o.bool("end_of_stream", end && p.Next == before)
	answer(w, o.done())
}

func supportRow(sheet *world.Sheet, i int) json.RawMessage {
	o := newObject()
	for n, v := range sheet.Row(i) {
		switch c := sheet.Columns[n]; {
		case c.Name == "topic":
			topic, _ := v.(string)
			o.raw("tags", append(append([]byte{'['}, appendString(nil, topic)...), ']'))
		case c.Name == "channel":
			channel, _ := v.(string)
			via := newObject()
			via.text("channel", channel)
			o.raw("via", via.done())
		default:
			o.value(c.Name, c.Type, v, supportStamp)
		}
	}
	return o.done()
}
