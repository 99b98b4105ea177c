package connectors_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/unsilo/unsilo/connectors/sim"
	"github.com/unsilo/unsilo/connectors/sim/fault"
	"github.com/unsilo/unsilo/core"
)

// spoilt is a stream with the paths of its requests that faults hit.
type spoilt struct {
	pairing
	paths []string
	// not are the faults that its dialect does not know.
	not []fault.Kind
}

func spoiltStreams() []spoilt {
	static := fault.TokenExpired // no token of these is ever issued
	return []spoilt{
		{find("crm", "contacts"), []string{"/crm/v3/objects/*", "/crm/v3/objects/*/search"}, []fault.Kind{static, fault.Shifted}},
		{find("support", "tickets"), []string{"/api/v2/incremental/tickets/*"}, []fault.Kind{static, fault.Shifted, fault.Newer}},
		{find("social", "timeline"), []string{"/api/v1/timelines/*"}, []fault.Kind{static, fault.Shifted, fault.Newer, fault.EmptyPage, fault.SamePage}},
		{find("surveys", "answers"), []string{"/surveys/v1/answers"}, []fault.Kind{static, fault.Newer, fault.EmptyPage, fault.SamePage}},
		{find("ads", "spend"), []string{"/ads/v1/spend"}, []fault.Kind{fault.Newer, fault.EmptyPage, fault.SamePage, fault.Late}},
	}
}

func find(source, stream string) pairing {
	all := streams()
	return all[slices.IndexFunc(all, func(p pairing) bool { return p.source == source && p.stream == stream })]
}

// TestCompanyFaults spoils the requests of a stream in every way there is, in a first read
// and in one after the company has moved. The table must be the company's, or the error
// typed; requests are at most a fifth more than without, and one for each fault; none
// comes earlier than told.
func TestCompanyFaults(t *testing.T) {
	for _, s := range spoiltStreams() {
		for _, kind := range fault.Kinds() {
			// Where false stands for null a definition says so, with false_is_null; these do not.
			if slices.Contains(s.not, kind) || kind == fault.NullAsFalse {
				continue
			}
			t.Run(s.stream+"/"+string(kind), func(t *testing.T) {
				t.Parallel()
				spoilOne(t, s, kind)
			})
		}
	}
}

// typed are the errors that may end a read instead.
func typed(kind fault.Kind) core.Kind {
	return map[fault.Kind]core.Kind{
		fault.LimitedBody: core.KindData, // a vendor that does not speak so is not understood
		fault.Redirect:    core.KindData, // to a host that the definition does not know
	}[kind]
}

func spoilOne(t *testing.T, s spoilt, kind fault.Kind) {
	c, server := company(t, sim.Options{Seed: 11, Customers: 260})
	src, all := openVendor(t, c, s.source, server.URL)
	st := all[s.stream]
	table, clean := newLanded(st), newLanded(st)
	fired := 0
	for round := range 2 {
		if round == 1 {
			c.Advance(30 * time.Hour)
		}
		plan(t, c)
		if err := pull(t.Context(), src, st, clean); err != nil {
			t.Fatal(err)
		}
		ideal := c.Faults().Log().Requests
		var rules []fault.Rule
		for _, path := range s.paths {
			r := fault.Rule{Path: path, Nth: 2 - round, Fault: kind, Target: "http://other.example", Wait: 1100 * time.Millisecond}
			if kind == fault.Late {
				r.Nth, r.Times, r.Wait = 1, -1, 9*time.Hour
			}
			rules = append(rules, r)
		}
		plan(t, c, rules...)
		err := pull(t.Context(), src, st, table)
		log := c.Faults().Log()
		for _, n := range log.Fired {
			fired += n
		}
		if log.Early > 0 {
			t.Errorf("%d requests came earlier than told", log.Early)
		}
		if most := ideal + max(ideal/5, fired+1); kind != fault.Late && log.Requests > most {
			t.Errorf("requests: got %d, want at most %d", log.Requests, most)
		}
		if err != nil && core.KindOf(err) != typed(kind) {
			t.Fatalf("error of kind %q: %v", core.KindOf(err), err)
		}
		if err != nil || kind == fault.Late {
			plan(t, c)
			if err := pull(t.Context(), src, st, table); err != nil {
				t.Fatal(err)
			}
		}
		wantTruth(t, c, s.pairing, table)
	}
	if fired == 0 {
		t.Error("the fault never fired")
	}
}

func plan(t *testing.T, c *sim.Company, rules ...fault.Rule) {
	t.Helper()
	if err := c.Faults().SetPlan(fault.Plan{Seed: 1, Rules: rules}); err != nil {
		t.Fatal(err)
	}
}

// TestKilled ends the reading after every number of requests, goes on from the last
// position in a new source, and compares the table in the end.
func TestKilled(t *testing.T) {
	for _, p := range []pairing{find("crm", "contacts"), find("support", "tickets"), find("social", "timeline")} {
		t.Run(p.source+"."+p.stream, func(t *testing.T) {
			t.Parallel()
			c := sim.New(sim.Options{Seed: 5, Customers: 300})
			k := &killer{next: c.Handler()}
			server := httptest.NewServer(k)
			t.Cleanup(server.Close)
			for requests := int64(1); requests <= 5; requests++ {
				_, all := openVendor(t, c, p.source, server.URL)
				table := newLanded(all[p.stream])
				done := false
				for tries := int64(0); tries < 40 && !done; tries++ {
					// Every try gets a little further, as a full read cannot be resumed.
					done = k.pull(t, c, p, server.URL, requests+tries, table)
				}
				if !done {
					t.Fatalf("never done with %d requests at a time", requests)
				}
				wantTruth(t, c, p, table)
			}
		})
	}
}

// killer is a server that ends its client after some requests.
type killer struct {
	next   http.Handler
	budget atomic.Int64
	kill   atomic.Pointer[context.CancelFunc]
}

func (k *killer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if k.budget.Add(-1) >= 0 {
		k.next.ServeHTTP(w, r)
		return
	}
	_, _ = io.Copy(io.Discard, r.Body) // else the server does not see that the client has gone
	(*k.kill.Load())()
	<-r.Context().Done()
}

// pull reads with a new source until it is killed; it reports whether it came to the end.
func (k *killer) pull(t *testing.T, c *sim.Company, p pairing, url string, requests int64, table *landed) bool {
	t.Helper()
	k.budget.Store(requests)
	src, all := openVendor(t, c, p.source, url)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	k.kill.Store(&stop)
	err := pull(ctx, src, all[p.stream], table)
	if err != nil && ctx.Err() == nil {
		t.Fatal(err)
	}
	return err == nil
}
