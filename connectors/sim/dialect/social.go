package dialect

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/unsilo/unsilo/connectors/sim/fault"
	"github.com/unsilo/unsilo/connectors/sim/world"
)

// social has the paths of the Mastodon-like network.
func (a *api) social(mux *http.ServeMux) {
	refuse := refusal(http.StatusUnauthorized, `{"error":"The access token is invalid"}`)
	token := a.opt.Credentials.SocialToken
	mux.HandleFunc("GET /api/v1/timelines/public", bearer(token, refuse, func(w http.ResponseWriter, r *http.Request) {
		a.timeline(w, r, "")
	}))
	mux.HandleFunc("GET /api/v1/timelines/tag/{tag}", bearer(token, refuse, func(w http.ResponseWriter, r *http.Request) {
		a.timeline(w, r, "")
	}))
	mux.HandleFunc("GET /api/v1/accounts/{id}/statuses", bearer(token, refuse, func(w http.ResponseWriter, r *http.Request) {
		a.timeline(w, r, r.PathValue("id"))
	}))
	mux.HandleFunc("GET /api/v1/directory", bearer(token, refuse, a.directory))
}

// timeline is a page of posts, newest first. max_id and since_id bound it; min_id gives
// the page that follows it immediately.
func (a *api) timeline(w http.ResponseWriter, r *http.Request, account string) {
	q := r.URL.Query()
	limit, ok := number(q, "limit", 20, 1, 1000)
	below, okBelow := number(q, "max_id", 0, 0, 1<<62)
	above, okAbove := number(q, "since_id", 0, 0, 1<<62)
	least, okLeast := number(q, "min_id", 0, 0, 1<<62)
	if !ok || !okBelow || !okAbove || !okLeast {
		refusal(http.StatusUnprocessableEntity, `{"error":"Validation failed: an id or the limit is no number"}`)(w, r)
		return
	}
	limit = min(limit, 40)
	a.world.Read(func(s *world.State) {
		ids := a.posts(s, account, r.PathValue("tag"))
		from, _ := slices.BinarySearchFunc(ids, int64(max(above, least)+1), postBefore(s))
		to := len(ids)
		if below > 0 {
			to, _ = slices.BinarySearchFunc(ids, int64(below), postBefore(s))
		}
		from = min(from, to)
		if least > 0 {
			to = min(to, from+limit)
		} else {
			from = max(from, to-limit)
		}
		hit := fault.Of(r.Context())
		late := hidden(hit, s.Now)
		p := fault.Page{At: q.Get("max_id") + q.Get("min_id")}
		for n := to - 1; n >= from; n-- {
			post := s.Statuses.Rows[ids[n]]
			if late.IsZero() || post.Created <= late.UnixMilli() {
				p.Rows = append(p.Rows, statusJSON(r.Host, s, post))
			}
		}
		hit.Apply(&p)
		if from < to {
			links(w, r, s.Statuses.Rows[ids[to-1]].ID, s.Statuses.Rows[ids[from]].ID)
		}
		answer(w, list(p.Rows))
	})
}

// posts gives the rows of the posts of an account or with a tag, oldest first; empty
// names choose all.
func (a *api) posts(s *world.State, account, tag string) []int {
	return a.ordered(s, "posts of "+account+" tag "+tag, len(s.Statuses.Rows), func(i int) bool {
		r := s.Statuses.Rows[i]
		return r != nil && (tag == "" || r.Tag == tag) &&
			(account == "" || strconv.FormatInt(s.Accounts.Rows[r.Account].ID, 10) == account)
	}, func(i, j int) int {
		return int(min(1, max(-1, s.Statuses.Rows[i].ID-s.Statuses.Rows[j].ID)))
	})
}

func postBefore(s *world.State) func(i int, id int64) int {
	return func(i int, id int64) int {
		if s.Statuses.Rows[i].ID < id {
			return -1
		}
		return 1
	}
}

// links sets the header that says where the pages before and after are.
func links(w http.ResponseWriter, r *http.Request, newest, oldest int64) {
	at := func(name string, id int64) string {
		q := r.URL.Query()
		for _, n := range []string{"max_id", "min_id", "since_id"} {
			q.Del(n)
		}
		if since := r.URL.Query().Get("since_id"); since != "" && name == "max_id" {
			q.Set("since_id", since)
		}
		q.Set(name, strconv.FormatInt(id, 10))
		return "http://" + r.Host + r.URL.Path + "?" + q.Encode()
	}
	w.Header().Set("Link", fmt.Sprintf(`<%s>; rel="next", <%s>; rel="prev"`, at("max_id", oldest), at("min_id", newest)))
}

func statusJSON(host string, s *world.State, r *world.Status) json.RawMessage {
	account := s.Accounts.Rows[r.Account]
	o := newObject()
	o.text("id", strconv.FormatInt(r.ID, 10))
	o.text("created_at", stampOf(r.Created))
	if r.Edited == 0 {
		o.raw("edited_at", []byte("null"))
	} else {
		o.text("edited_at", stampOf(r.Edited))
	}
	o.text("visibility", "public")
	o.text("language", "en")
	o.text("url", "http://"+host+"/@"+account.Handle+"/"+strconv.FormatInt(r.ID, 10))
	o.text("content", "<p>"+r.Text+"</p>")
	o.int("replies_count", int64(r.Replies))
	o.int("reblogs_count", 0)
	o.int("favourites_count", int64(r.Likes))
	tag := newObject()
	tag.text("name", r.Tag)
	o.raw("tags", list([]json.RawMessage{tag.done()}))
	o.raw("account", accountJSON(host, account))
	return o.done()
}

func accountJSON(host string, r *world.Account) json.RawMessage {
	o := newObject()
	o.text("id", strconv.FormatInt(r.ID, 10))
	o.text("username", r.Handle)
	o.text("acct", r.Handle)
	o.text("display_name", r.Display)
	o.text("note", r.Note)
	o.text("url", "http://"+host+"/@"+r.Handle)
	o.int("followers_count", int64(r.Followers))
	o.text("created_at", stampOf(r.Created))
	return o.done()
}

func stampOf(ms int64) string { return time.UnixMilli(ms).UTC().Format(crmStamp) }

// directory is a page of accounts, paged by offset.
func (a *api) directory(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	limit, ok := number(q, "limit", 40, 1, 1000)
	offset, okOffset := number(url.Values{"offset": q["offset"]}, "offset", 0, 0, 1<<40)
	if !ok || !okOffset {
		refusal(http.StatusUnprocessableEntity, `{"error":"Validation failed: limit and offset must be numbers"}`)(w, r)
		return
	}
	limit = min(limit, 80)
	a.world.Read(func(s *world.State) {
		rows := a.ordered(s, "social accounts", len(s.Accounts.Rows), func(i int) bool { return s.Accounts.Rows[i] != nil }, nil)
		p := positions(r, rows, offset, limit, func(i int) json.RawMessage { return accountJSON(r.Host, s.Accounts.Rows[i]) },
			func(i int) int64 { return s.Accounts.Rows[i].Updated }, s.Now)
		answer(w, list(p.Rows))
	})
}

// positions cuts a page out of rows that are paged by position, with faults.
func positions(r *http.Request, rows []int, offset, limit int, write func(int) json.RawMessage, stamp func(int) int64, now time.Time) fault.Page {
	hit := fault.Of(r.Context())
	late := hidden(hit, now)
	shift := 0
	if len(rows) > 0 {
		shift = hit.Shift()
	}
	p := fault.Page{At: strconv.Itoa(offset)}
	if offset == 0 {
		p.At = ""
	}
	for n := offset; n < len(rows)+shift && n < offset+limit; n++ {
		i := rows[max(0, n-shift)]
		if late.IsZero() || stamp(i) <= late.UnixMilli() {
			p.Rows = append(p.Rows, write(i))
		}
	}
	if offset+limit < len(rows)+shift {
		p.Next = strconv.Itoa(offset + limit)
	}
	hit.Apply(&p)
	return p
}
