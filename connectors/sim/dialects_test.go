package sim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/unsilo/unsilo/connectors/sim"
)

// reader reads the dialects as simply as can be.
type reader struct {
	t    *testing.T
	c    *sim.Company
	url  string
	http *http.Client
}

func newReader(t *testing.T, opt sim.Options) *reader {
	t.Helper()
	c := sim.New(opt)
	s := httptest.NewServer(c.Handler())
	t.Cleanup(s.Close)
	return &reader{t, c, s.URL, s.Client()}
}

// get sends a request and decodes the answer; it demands the status.
func (r *reader) get(status int, method, at, body string, header map[string]string, into any) http.Header {
	r.t.Helper()
	if strings.HasPrefix(at, "/") {
		at = r.url + at
	}
	req, err := http.NewRequestWithContext(context.Background(), method, at, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	resp, err := r.http.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		r.t.Fatal(err)
	}
	if resp.StatusCode != status {
		r.t.Fatalf("%s %s: got status %d %s, want %d", method, at, resp.StatusCode, text, status)
	}
	if into != nil {
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		if err := d.Decode(into); err != nil {
			r.t.Fatalf("%s %s: %v in %.200s", method, at, err, text)
		}
	}
	return resp.Header
}

type record = map[string]any

func (r *reader) crmAuth() map[string]string {
	return map[string]string{"Authorization": "Bearer " + r.c.Credentials().CRMToken, "Content-Type": "application/json"}
}

type crmAnswer struct {
	Total   int      `json:"total"`
	Results []record `json:"results"`
	Paging  struct {
		Next struct{ After, Link string }
	}
}

func (r *reader) crmList(stream string, archived bool) []record {
	table := r.expected("crm", stream)
	var all []record
	at := fmt.Sprintf("/crm/v3/objects/%s?limit=100&archived=%v&properties=%s", stream, archived, strings.Join(table.Columns, ","))
	for range 100 {
		var page crmAnswer
		r.get(200, "GET", at, "", r.crmAuth(), &page)
		all = append(all, page.Results...)
		if page.Paging.Next.After == "" {
			return all
		}
		at = page.Paging.Next.Link
	}
	r.t.Fatal("paging does not end")
	return nil
}

func (r *reader) expected(source, stream string) *sim.Table {
	r.t.Helper()
	table, err := r.c.Expected(source, stream)
	if err != nil {
		r.t.Fatal(err)
	}
	return table
}

// compare demands that the records, by column, are the rows of the oracle, in any order.
func (r *reader) compare(source, stream string, got []record, value func(record, string) any) {
	r.t.Helper()
	table := r.expected(source, stream)
	want := map[string][]any{}
	for _, row := range table.Rows {
		want[tableKey(table, row)] = row
	}
	if len(got) != len(want) {
		r.t.Errorf("%s.%s: got %d records, want %d", source, stream, len(got), len(want))
	}
	if len(want) == 0 {
		r.t.Errorf("%s.%s: the oracle is empty, which proves nothing", source, stream)
	}
	for _, rec := range got {
		row := make([]any, len(table.Columns))
		for i, c := range table.Columns {
			row[i] = value(rec, c)
		}
		key := tableKey(table, row)
		w, ok := want[key]
		if !ok {
			r.t.Fatalf("%s.%s: record %s is not in the oracle", source, stream, key)
		}
		for i, c := range table.Columns {
			if !equal(row[i], w[i]) {
				r.t.Fatalf("%s.%s %s column %s: got %v, want %v", source, stream, key, c, row[i], w[i])
			}
		}
	}
}

func tableKey(t *sim.Table, row []any) string {
	var parts []string
	for i, c := range t.Columns {
		for _, k := range t.Key {
			if c == k {
				parts = append(parts, fmt.Sprint(row[i]))
			}
		}
	}
	return strings.Join(parts, "/")
}

func equal(got, want any) bool {
	switch w := want.(type) {
	case nil:
		return got == nil
	case time.Time:
		text, _ := got.(string)
		at, err := time.Parse(time.RFC3339Nano, text)
		return err == nil && at.Equal(w)
	case bool:
		return got == w || got == strconv.FormatBool(w)
	}
	if fmt.Sprint(got) == fmt.Sprint(want) {
		return true
	}
	a, errA := strconv.ParseFloat(fmt.Sprint(got), 64)
	b, errB := strconv.ParseFloat(fmt.Sprint(want), 64)
	return errA == nil && errB == nil && a == b
}

func plain(rec record, column string) any { return rec[column] }

func property(rec record, column string) any {
	return rec["properties"].(record)[column]
}

func TestCRMList(t *testing.T) {
	r := newReader(t, sim.Options{Customers: 300, Seed: 1})
	for _, stream := range []string{"contacts", "companies", "deals", "tickets"} {
		r.compare("crm", stream, r.crmList(stream, false), property)
	}
	archived, want := r.crmList("contacts", true), r.expected("crm", "contacts").Archived
	if len(archived) != len(want) || len(want) == 0 {
		t.Errorf("archived contacts: got %d, want %d", len(archived), len(want))
	}
	for _, rec := range archived {
		if rec["archived"] != true || rec["archivedAt"] == nil {
			t.Errorf("an archived contact says %v, %v", rec["archived"], rec["archivedAt"])
		}
	}
	r.get(400, "GET", "/crm/v3/objects/contacts?limit=101", "", r.crmAuth(), nil)
	r.get(401, "GET", "/crm/v3/objects/contacts", "", map[string]string{"Authorization": "Bearer x"}, nil)
	r.get(404, "GET", "/crm/v3/objects/cats", "", r.crmAuth(), nil)
}

func TestCRMOwnersAndAssociations(t *testing.T) {
	r := newReader(t, sim.Options{Customers: 100, Seed: 1})
	var owners crmAnswer
	r.get(200, "GET", "/crm/v3/owners", "", r.crmAuth(), &owners)
	r.compare("crm", "owners", owners.Results, plain)
	var deals crmAnswer
	r.get(200, "GET", "/crm/v3/objects/deals?associations=companies", "", r.crmAuth(), &deals)
	text, err := json.Marshal(deals.Results[0]["associations"])
	if err != nil || !regexp.MustCompile(`^\{"companies":\{"results":\[\{"id":"\d+","type":"deal_to_company"\}\]\}\}$`).Match(text) {
		t.Errorf("associations of a deal: %s", text)
	}
}

// A reader that walks the search by time and id finds everything, ties and cap or not.
func TestCRMSearch(t *testing.T) {
	r := newReader(t, sim.Options{Customers: 600, Seed: 1, SearchCap: 400, Now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)})
	columns := `"` + strings.Join(r.expected("crm", "contacts").Columns, `","`) + `"`
	var all []record
	lastID := "0"
	for range 40 {
		body := fmt.Sprintf(`{"filterGroups":[{"filters":[{"propertyName":"lastmodifieddate","operator":"GTE","value":"0"},
			{"propertyName":"hs_object_id","operator":"GT","value":%q}]}],
			"sorts":[{"propertyName":"hs_object_id","direction":"ASCENDING"}],"properties":[%s],"limit":200}`, lastID, columns)
		var page crmAnswer
		r.get(200, "POST", "/crm/v3/objects/contacts/search", body, r.crmAuth(), &page)
		if len(page.Results) == 0 {
			break
		}
		all = append(all, page.Results...)
		lastID = all[len(all)-1]["id"].(string)
	}
	r.compare("crm", "contacts", all, property)
	tied := map[string]int{}
	for _, rec := range all {
		tied[property(rec, "lastmodifieddate").(string)]++
	}
	if n := tied["2026-03-01T02:00:00.000Z"]; n < 150 {
		t.Errorf("%d contacts share the stamp of the nightly batch, want a third of %d", n, len(all))
	}
	beyond := `{"filterGroups":[],"limit":200,"after":"300"}`
	r.get(400, "POST", "/crm/v3/objects/contacts/search", beyond, r.crmAuth(), nil)
	bad := `{"filterGroups":[{"filters":[{"propertyName":"hs_lastmodifieddate","operator":"GTE","value":"0"}]}]}`
	r.get(400, "POST", "/crm/v3/objects/contacts/search", bad, r.crmAuth(), nil)
}

func (r *reader) supportAuth() map[string]string {
	req := http.Request{Header: http.Header{}}
	c := r.c.Credentials()
	req.SetBasicAuth(c.SupportEmail+"/token", c.SupportToken)
	return map[string]string{"Authorization": req.Header.Get("Authorization")}
}

func (r *reader) export(stream string, from string) (all []record, cursor string) {
	at := "/api/v2/incremental/" + stream + "/cursor?per_page=7&" + from
	for range 1000 {
		var page struct {
			Tickets, Users []record
			AfterCursor    string `json:"after_cursor"`
			AfterURL       string `json:"after_url"`
			EndOfStream    bool   `json:"end_of_stream"`
		}
		r.get(200, "GET", at, "", r.supportAuth(), &page)
		all = append(append(all, page.Tickets...), page.Users...)
		if page.EndOfStream {
			return all, page.AfterCursor
		}
		at = page.AfterURL
	}
	r.t.Fatal("paging does not end")
	return nil, ""
}

func ticket(rec record, column string) any {
	switch column {
	case "topic":
		return rec["tags"].([]any)[0]
	case "channel":
		return rec["via"].(record)["channel"]
	}
	return rec[column]
}

func TestSupportExport(t *testing.T) {
	r := newReader(t, sim.Options{Customers: 500, Seed: 2})
	users, _ := r.export("users", "start_time=0")
	r.compare("support", "users", users, plain)
	tickets, cursor := r.export("tickets", "start_time=0")
	r.compare("support", "tickets", tickets, ticket)
	if again, _ := r.export("tickets", "cursor="+url.QueryEscape(cursor)); len(again) != 0 {
		t.Errorf("from the end on: got %d tickets, want none", len(again))
	}
	tied := map[any]int{}
	for _, rec := range tickets {
		tied[rec["updated_at"]]++
	}
	most := 0
	for _, n := range tied {
		most = max(most, n)
	}
	if most < 4 {
		t.Errorf("at most %d tickets share a stamp: page edges between equal stamps are not tested", most)
	}
	changes := sim.Tally(r.c.Advance(48 * time.Hour))["support.tickets"]
	more, _ := r.export("tickets", "cursor="+url.QueryEscape(cursor))
	byID := map[string]record{}
	for _, rec := range append(tickets, more...) {
		byID[fmt.Sprint(rec["id"])] = rec
	}
	var merged []record
	for _, rec := range byID {
		merged = append(merged, rec)
	}
	r.compare("support", "tickets", merged, ticket)
	if len(more) == 0 || len(more) > changes["create"]+changes["update"]+changes["delete"] {
		t.Errorf("after two days: got %d tickets for the changes %v", len(more), changes)
	}
	r.get(401, "GET", "/api/v2/incremental/users/cursor?start_time=0", "", nil, nil)
	r.get(400, "GET", fmt.Sprintf("/api/v2/incremental/users/cursor?start_time=%d", r.c.Now().Unix()), "", r.supportAuth(), nil)
}

func (r *reader) socialAuth() map[string]string {
	return map[string]string{"Authorization": "Bearer " + r.c.Credentials().SocialToken}
}

func status(rec record, column string) any {
	switch column {
	case "account_id":
		return rec["account"].(record)["id"]
	case "tag":
		return rec["tags"].([]any)[0].(record)["name"]
	}
	return rec[column]
}

func TestSocial(t *testing.T) {
	r := newReader(t, sim.Options{Customers: 500, Seed: 2})
	var all []record
	at := "/api/v1/timelines/public?limit=40"
	for at != "" {
		var page []record
		header := r.get(200, "GET", at, "", r.socialAuth(), &page)
		all = append(all, page...)
		at = ""
		if m := regexp.MustCompile(`<([^>]+)>; rel="next"`).FindStringSubmatch(header.Get("Link")); m != nil && len(page) > 0 {
			at = m[1]
		}
		if len(all) > 10000 {
			t.Fatal("paging does not end")
		}
	}
	r.compare("social", "statuses", all, status)
	var accounts []record
	for offset := 0; offset < 2000; offset += 80 {
		var page []record
		r.get(200, "GET", fmt.Sprintf("/api/v1/directory?limit=80&offset=%d", offset), "", r.socialAuth(), &page)
		accounts = append(accounts, page...)
	}
	r.compare("social", "accounts", accounts, plain)
	newest := all[0]["id"].(string)
	r.c.Advance(72 * time.Hour)
	var fresh []record
	r.get(200, "GET", "/api/v1/timelines/public?limit=40&min_id="+newest, "", r.socialAuth(), &fresh)
	if len(fresh) == 0 || fresh[len(fresh)-1]["id"].(string) <= newest {
		t.Errorf("posts after %s: got %d", newest, len(fresh))
	}
	var own []record
	r.get(200, "GET", "/api/v1/accounts/"+all[0]["account"].(record)["id"].(string)+"/statuses", "", r.socialAuth(), &own)
	if len(own) == 0 {
		t.Error("an account that posted has no posts")
	}
}

func TestSurveysBothWays(t *testing.T) {
	r := newReader(t, sim.Options{Customers: 300, Seed: 2})
	key := map[string]string{"X-Api-Key": r.c.Credentials().SurveyKey}
	var byOffset, byPage []record
	for offset := 0; ; offset += 100 {
		var page struct {
			Total int
			Items []record
		}
		r.get(200, "GET", fmt.Sprintf("/surveys/v1/answers?limit=100&offset=%d", offset), "", key, &page)
		byOffset = append(byOffset, page.Items...)
		if offset+100 >= page.Total {
			break
		}
	}
	for n := 1; ; n++ {
		var page struct {
			Pages int
			Items []record
		}
		r.get(200, "GET", fmt.Sprintf("/surveys/v1/pages/answers?per_page=70&page=%d", n), "", key, &page)
		byPage = append(byPage, page.Items...)
		if n >= page.Pages {
			break
		}
	}
	r.compare("surveys", "answers", byOffset, plain)
	r.compare("surveys", "answers", byPage, plain)
	since := r.c.Now().Format(time.RFC3339)
	changes := sim.Tally(r.c.Advance(24 * time.Hour))["surveys.answers"]
	var page struct{ Total int }
	r.get(200, "GET", "/surveys/v1/answers?updated_since="+since, "", key, &page)
	if page.Total == 0 || page.Total > changes["create"]+changes["update"] {
		t.Errorf("a day later: got %d answers for the changes %v", page.Total, changes)
	}
	r.get(401, "GET", "/surveys/v1/answers", "", nil, nil)
}

func (r *reader) adsToken() map[string]string {
	c := r.c.Credentials()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {c.AdsClientID}, "client_secret": {c.AdsClientSecret}}
	var token struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   json.Number
	}
	r.get(200, "POST", "/ads/oauth/token", form.Encode(), map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, &token)
	return map[string]string{"Authorization": "Bearer " + token.AccessToken}
}

func (r *reader) adsAll(at string, auth map[string]string) []record {
	var all []record
	for n := 1; n < 1000; n++ {
		var page struct {
			TotalPages int `json:"total_pages"`
			Data       []record
		}
		r.get(200, "GET", fmt.Sprintf("%s&page_size=100&page=%d", at, n), "", auth, &page)
		all = append(all, page.Data...)
		if n >= page.TotalPages {
			return all
		}
	}
	r.t.Fatal("paging does not end")
	return nil
}

func TestAdsRestateTheLastDays(t *testing.T) {
	r := newReader(t, sim.Options{Customers: 300, Seed: 2})
	auth := r.adsToken()
	r.compare("ads", "campaigns", r.adsAll("/ads/v1/campaigns?", auth), plain)
	before := r.adsAll("/ads/v1/spend?", auth)
	r.compare("ads", "spend", before, plain)
	r.c.Advance(24 * time.Hour)
	after := r.adsAll("/ads/v1/spend?", auth)
	r.compare("ads", "spend", after, plain)
	restated, oldest := 0, "9999"
	costs := map[string]string{}
	for _, rec := range before {
		costs[fmt.Sprint(rec["campaign_id"], rec["date"])] = fmt.Sprint(rec["cost"])
	}
	for _, rec := range after {
		if old, ok := costs[fmt.Sprint(rec["campaign_id"], rec["date"])]; ok && old != fmt.Sprint(rec["cost"]) {
			restated++
			oldest = min(oldest, rec["date"].(string))
		}
	}
	if want := r.c.Now().AddDate(0, 0, -4).Format(time.DateOnly); restated == 0 || oldest < want {
		t.Errorf("%d days restated, the oldest %s, want some and none before %s", restated, oldest, want)
	}
	r.get(401, "GET", "/ads/v1/spend", "", map[string]string{"Authorization": "Bearer x"}, nil)
	r.get(401, "POST", "/ads/oauth/token", "grant_type=client_credentials&client_id=a&client_secret=b",
		map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, nil)
}
