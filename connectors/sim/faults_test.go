package sim_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/unsilo/unsilo/connectors/sim"
	"github.com/unsilo/unsilo/connectors/sim/fault"
)

func (r *reader) spoil(rules ...fault.Rule) {
	r.t.Helper()
	if err := r.c.Faults().SetPlan(fault.Plan{Rules: rules}); err != nil {
		r.t.Fatal(err)
	}
}

func (r *reader) fired(k fault.Kind) {
	r.t.Helper()
	if r.c.Faults().Log().Fired[k] == 0 {
		r.t.Errorf("the fault %s never fired", k)
	}
}

// distinct keeps the last record of each key.
func distinct(records []record, key string) []record {
	byKey := map[string]record{}
	for _, rec := range records {
		byKey[fmt.Sprint(rec[key])] = rec
	}
	var out []record
	for _, rec := range byKey {
		out = append(out, rec)
	}
	return out
}

// Duplicates, repeated and empty pages, shifts and disorder lose nothing: a reader that
// follows the positions and removes duplicates by key gets the oracle's rows.
func TestSpoiledPagesLoseNothing(t *testing.T) {
	for _, kind := range []fault.Kind{fault.EdgeDuplicate, fault.SamePage, fault.EmptyPage, fault.Shuffled, fault.Shifted} {
		t.Run(string(kind), func(t *testing.T) {
			r := newReader(t, sim.Options{Customers: 300, Seed: 1})
			r.spoil(fault.Rule{Fault: kind, Nth: 2, Times: 2})
			contacts := r.crmList("contacts", false)
			if kind != fault.Shifted { // the list is paged by id, where nothing shifts
				r.fired(kind)
			}
			repeated := kind == fault.EdgeDuplicate || kind == fault.SamePage
			if got := distinct(contacts, "id"); (len(got) < len(contacts)) != repeated {
				t.Errorf("%d contacts, %d of them distinct", len(contacts), len(got))
			} else {
				r.compare("crm", "contacts", got, property)
			}
			r.spoil(fault.Rule{Fault: kind, Nth: 2, Times: 2})
			tickets, _ := r.export("tickets", "start_time=0")
			if kind != fault.Shifted {
				r.fired(kind)
			}
			r.compare("support", "tickets", distinct(tickets, "id"), ticket)
			auth := r.adsToken()
			r.spoil(fault.Rule{Fault: kind, Nth: 2, Times: 2})
			spend := r.adsAll("/ads/v1/spend?", auth)
			if opaque := kind == fault.SamePage || kind == fault.EmptyPage; !opaque {
				r.fired(kind)
			} else if n := r.c.Faults().Log().Fired[kind]; n != 0 {
				t.Errorf("%s fired %d times where positions are numbers", kind, n)
			}
			for _, rec := range spend {
				rec["key"] = fmt.Sprint(rec["campaign_id"], rec["date"])
			}
			if got := distinct(spend, "key"); kind == fault.Shifted && len(got) == len(spend) {
				t.Error("shifted pages show no row twice")
			}
			r.compare("ads", "spend", distinct(spend, "key"), plain)
		})
	}
}

func TestLateRowsAppear(t *testing.T) {
	r := newReader(t, sim.Options{Customers: 300, Seed: 1, Now: time.Date(2026, 3, 3, 18, 0, 0, 0, time.UTC)})
	r.spoil(fault.Rule{Fault: fault.Late, Wait: 8 * time.Hour, Times: 100})
	first, cursor := r.export("tickets", "start_time=0")
	late := len(r.expected("support", "tickets").Rows) - len(first)
	if late <= 0 {
		t.Fatalf("%d tickets are late, want some", late)
	}
	r.spoil()
	rest, _ := r.export("tickets", "cursor="+cursor)
	r.compare("support", "tickets", distinct(append(first, rest...), "id"), ticket)
	r.spoil(fault.Rule{Fault: fault.Late, Wait: 8 * time.Hour, Times: 100})
	if n := len(r.crmList("contacts", false)); n >= len(r.expected("crm", "contacts").Rows) {
		t.Errorf("no late contact among %d", n)
	}
}

func TestNewerThanAsked(t *testing.T) {
	r := newReader(t, sim.Options{Customers: 200, Seed: 1})
	r.spoil(fault.Rule{Fault: fault.Newer})
	until := r.c.Now().AddDate(0, 0, -10).Format(time.RFC3339)
	var page crmAnswer
	r.get(200, "POST", "/crm/v3/objects/contacts/search", fmt.Sprintf(`{"filterGroups":[{"filters":[
		{"propertyName":"lastmodifieddate","operator":"LT","value":%q}]}],"limit":20}`, until), r.crmAuth(), &page)
	if last := page.Results[len(page.Results)-1]; last["updatedAt"].(string) < until {
		t.Errorf("the last contact is of %v, want one after %s", last["updatedAt"], until)
	}
}

func TestDrift(t *testing.T) {
	r := newReader(t, sim.Options{Customers: 100, Seed: 1})
	key := map[string]string{"X-Api-Key": r.c.Credentials().SurveyKey}
	first := func(kind fault.Kind) record {
		r.spoil(fault.Rule{Fault: kind})
		var page struct{ Items []record }
		r.get(200, "GET", "/surveys/v1/answers?limit=100", "", key, &page)
		r.fired(kind)
		for _, rec := range page.Items {
			if rec["email"] == nil || rec["email"] == false {
				return rec
			}
		}
		t.Fatal("no answer without an address")
		return nil
	}
	if rec := first(fault.NewField); rec["sim_added"] != "new" {
		t.Errorf("no new field in %v", rec)
	}
	if _, text := first(fault.NumberAsText)["score"].(string); !text {
		t.Error("the score is no text")
	}
	if rec := first(fault.NullAsFalse); rec["email"] != false {
		t.Errorf("the missing address is %v, want false", rec["email"])
	}
}

func TestTokenExpiresBetweenPages(t *testing.T) {
	r := newReader(t, sim.Options{Customers: 100, Seed: 1})
	auth := r.adsToken()
	r.spoil(fault.Rule{Path: "/ads/v1/spend", Fault: fault.TokenExpired, Nth: 2})
	r.get(200, "GET", "/ads/v1/spend?page=1", "", auth, nil)
	r.get(401, "GET", "/ads/v1/spend?page=2", "", auth, nil)
	r.get(401, "GET", "/ads/v1/spend?page=2", "", auth, nil)
	r.get(200, "GET", "/ads/v1/spend?page=2", "", r.adsToken(), nil)
	r.spoil(fault.Rule{Path: "/crm/**", Fault: fault.Unauthorized})
	r.get(401, "GET", "/crm/v3/owners", "", r.crmAuth(), nil)
	r.get(200, "GET", "/crm/v3/owners", "", r.crmAuth(), nil)
}

func TestFaultsOverTheAdminPath(t *testing.T) {
	s := serve(t, sim.ServeOptions{Options: sim.Options{Customers: 60, Seed: 1}, Dir: t.TempDir(), AdminToken: "admin"})
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	r := &reader{t, s.Company, s.URL(), http.DefaultClient}
	auth := map[string]string{"Authorization": "Bearer admin"}
	r.get(204, "POST", "/_sim/faults", `{"rules":[{"path":"/crm/**","fault":"429_seconds","wait":1000000000}]}`, auth, nil)
	r.get(400, "POST", "/_sim/faults", `{"rules":[{"fault":"rain"}]}`, auth, nil)
	r.get(429, "GET", "/crm/v3/owners", "", r.crmAuth(), nil)
	var log fault.Log
	r.get(200, "GET", "/_sim/log", "", auth, &log)
	if log.Fired[fault.Limited] != 1 || log.Requests != 1 || !strings.HasPrefix(log.Entries[0].Path, "/crm") {
		t.Errorf("log: %+v", log)
	}
	http.DefaultClient.CloseIdleConnections()
}
