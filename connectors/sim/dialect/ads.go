package dialect

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/unsilo/unsilo/connectors/sim/dice"
	"github.com/unsilo/unsilo/connectors/sim/fault"
	"github.com/unsilo/unsilo/connectors/sim/world"
)

// TokenLife is how long an access token of the ads dialect is said to last.
const TokenLife = time.Hour

// ads has the paths of the advertising platform: OAuth2 client credentials, page numbers,
// and a report whose last days are not final.
func (a *api) ads(mux *http.ServeMux) {
	mux.HandleFunc("POST /ads/oauth/token", a.adsToken)
	mux.HandleFunc("GET /ads/v1/campaigns", a.adsAuth(a.adsCampaigns))
	mux.HandleFunc("GET /ads/v1/spend", a.adsAuth(a.adsSpend))
}

// adsToken gives an access token for client credentials, in the header or in the form.
func (a *api) adsToken(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<16)
	id, secret, ok := r.BasicAuth()
	if !ok {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	c := a.opt.Credentials
	switch {
	case r.PostFormValue("grant_type") != "client_credentials":
		refusal(http.StatusBadRequest, `{"error":"unsupported_grant_type"}`)(w, r)
		return
	case !same(id, c.AdsClientID) || !same(secret, c.AdsClientSecret):
		refusal(http.StatusUnauthorized, `{"error":"invalid_client","error_description":"client id or secret is wrong"}`)(w, r)
		return
	}
	a.mu.Lock()
	a.issued++
	token := fmt.Sprintf("ads-%016x", dice.Hash(0, c.AdsClientSecret, a.issued))
	a.tokens[token] = true
	a.mu.Unlock()
	w.Header().Set("Cache-Control", "no-store")
	answer(w, fmt.Appendf(nil, `{"access_token":%q,"token_type":"bearer","expires_in":%d}`, token, int(TokenLife/time.Second)))
}

// adsAuth lets valid tokens pass. The fault token_expired makes all of them void.
func (a *api) adsAuth(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		a.mu.Lock()
		if hit := fault.Of(r.Context()); hit.Kind == fault.TokenExpired {
			clear(a.tokens)
			hit.Fired()
		}
		ok := a.tokens[token]
		a.mu.Unlock()
		if !ok {
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
			refusal(http.StatusUnauthorized, `{"error":"invalid_token","error_description":"the access token expired"}`)(w, r)
			return
		}
		next(w, r)
	}
}

func adsBad(w http.ResponseWriter, r *http.Request, message string) {
	refusal(http.StatusBadRequest, `{"error":"invalid_request","error_description":"`+message+`"}`)(w, r)
}

func (a *api) adsCampaigns(w http.ResponseWriter, r *http.Request) {
	a.world.Read(func(s *world.State) {
		var rows []json.RawMessage
		for _, c := range s.Campaigns {
			o := newObject()
			o.text("campaign_id", c.ID)
			o.text("name", c.Name)
			o.text("channel", c.Channel)
			o.text("code", c.Code)
			rows = append(rows, o.done())
		}
		adsPage(w, r, s, rows)
	})
}

func (a *api) adsSpend(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	a.world.Read(func(s *world.State) {
		day := func(name string, def int) (int, error) {
			text := q.Get(name)
			if text == "" {
				return def, nil
			}
			at, err := moment(text)
			return int(at.Sub(s.Options.Start) / (24 * time.Hour)), err
		}
		first, errFirst := day("from", 0)
		last, errLast := day("to", 1<<20)
		if errFirst != nil || errLast != nil {
			adsBad(w, r, "from and to must be days such as 2026-01-31")
			return
		}
		var rows []json.RawMessage
		for _, c := range s.SpendRows(first, last) {
			o := newObject()
			o.text("campaign_id", s.Campaigns[c.Campaign].ID)
			o.text("date", c.Date)
			o.int("impressions", int64(c.Impressions))
			o.int("clicks", int64(c.Clicks))
			o.int("conversions", int64(c.Conversions))
			o.raw("cost", []byte(world.Money(int64(c.Cents))))
			o.text("currency", "EUR")
			o.text("updated_at", stampOf(c.Updated))
			rows = append(rows, o.done())
		}
		adsPage(w, r, s, rows)
	})
}

// adsPage writes one numbered page of rows.
func adsPage(w http.ResponseWriter, r *http.Request, s *world.State, rows []json.RawMessage) {
	size, ok := number(r.URL.Query(), "page_size", 100, 1, 1000)
	page, okPage := number(r.URL.Query(), "page", 1, 1, 1<<30)
	if !ok || !okPage {
		adsBad(w, r, "page_size must be from 1 to 1000, page from 1")
		return
	}
	all := make([]int, len(rows))
	for i := range all {
		all[i] = i
	}
	p := positions(r, all, (page-1)*size, size, func(i int) json.RawMessage { return rows[i] },
		func(int) int64 { return 0 }, s.Now)
	total := len(rows) + fault.Of(r.Context()).Shift()
	o := newObject()
	o.raw("data", list(p.Rows))
	o.int("page", int64(page))
	o.int("page_size", int64(size))
	o.int("total_pages", int64((total+size-1)/size))
	o.int("total", int64(total))
	answer(w, o.done())
}
