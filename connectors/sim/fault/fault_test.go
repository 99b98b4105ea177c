package fault_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/unsilo/unsilo/connectors/sim/fault"
)

const body = `{"rows":["one","two","three","four","five","six","seven"]}`

// bench is an API with an injector before it.
func bench(t *testing.T, rules ...fault.Rule) (*fault.Injector, func() (*http.Response, string, error)) {
	t.Helper()
	i := fault.New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	}), nil)
	if err := i.SetPlan(fault.Plan{Seed: 1, Rules: rules}); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(i)
	t.Cleanup(s.Close)
	client := s.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return i, func() (*http.Response, string, error) {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, s.URL+"/v1/things?page=2", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			return nil, "", err
		}
		defer func() { _ = resp.Body.Close() }()
		text, err := io.ReadAll(resp.Body)
		return resp, string(text), err
	}
}

func TestTransportFaults(t *testing.T) {
	for _, c := range []struct {
		rule   fault.Rule
		status int
		header string // that must be there
		holds  string // in the body
		broken bool   // the body cannot be read to its end
	}{
		{rule: fault.Rule{Fault: fault.Limited, Wait: 2 * time.Second}, status: 429, header: "Retry-After"},
		{rule: fault.Rule{Fault: fault.LimitedDate}, status: 429, header: "Retry-After"},
		{rule: fault.Rule{Fault: fault.LimitedEpoch}, status: 429, header: "X-Rate-Limit-Reset"},
		{rule: fault.Rule{Fault: fault.LimitedBare}, status: 429, holds: "RATE_LIMITS"},
		{rule: fault.Rule{Fault: fault.LimitedBody}, status: 200, holds: `"code":"606"`},
		{rule: fault.Rule{Fault: fault.Broken, Status: 502}, status: 502},
		{rule: fault.Rule{Fault: fault.Broken}, status: 503},
		{rule: fault.Rule{Fault: fault.EmptyRefusal}, status: 406},
		{rule: fault.Rule{Fault: fault.WaitPage}, status: 420, holds: "<html>"},
		{rule: fault.Rule{Fault: fault.HTML}, status: 200, holds: "<html>"},
		{rule: fault.Rule{Fault: fault.Cut}, status: 200, broken: true},
		{rule: fault.Rule{Fault: fault.ChunkBreak}, status: 200, broken: true},
		{rule: fault.Rule{Fault: fault.Slow, Wait: 50 * time.Millisecond}, status: 200, holds: body},
		{rule: fault.Rule{Fault: fault.Redirect, Target: "http://other.example"}, status: 307, header: "Location"},
		{rule: fault.Rule{Fault: fault.Unauthorized}, status: 401},
	} {
		t.Run(string(c.rule.Fault)+strconv.Itoa(c.rule.Status), func(t *testing.T) {
			i, get := bench(t, c.rule)
			resp, text, err := get()
			if c.broken != errors.Is(err, io.ErrUnexpectedEOF) || !c.broken && err != nil {
				t.Fatalf("reading the body: got %v, broken should be %v", err, c.broken)
			}
			if resp.StatusCode != c.status || c.header != "" && resp.Header.Get(c.header) == "" || !strings.Contains(text, c.holds) {
				t.Errorf("got status %d, header %v, %q", resp.StatusCode, resp.Header, text)
			}
			if c.broken && !strings.HasPrefix(body, text) {
				t.Errorf("a cut body is %q, want the beginning of the right one", text)
			}
			if l := i.Log(); l.Fired[c.rule.Fault] != 1 || l.Requests != 1 || l.Entries[0].Query != "page=2" {
				t.Errorf("log %+v", l)
			}
		})
	}
}

func TestToldWaits(t *testing.T) {
	for _, kind := range []fault.Kind{fault.Limited, fault.LimitedDate, fault.LimitedEpoch} {
		i, get := bench(t, fault.Rule{Fault: kind, Wait: 500 * time.Millisecond})
		resp, _, err := get()
		if err != nil {
			t.Fatal(err)
		}
		told := i.Log().Entries[0].NotBefore
		if wait := said(t, resp); wait.Sub(told).Abs() > time.Second || time.Until(told) > 2*time.Second {
			t.Errorf("%s: the header says %v, the log %v", kind, wait, told)
		}
		if resp, _, err = get(); err != nil || resp.StatusCode != http.StatusTooManyRequests {
			t.Errorf("%s: a request that was under way got %v, %v; want 429", kind, resp, err)
		}
		time.Sleep(60 * time.Millisecond)
		if resp, _, err = get(); err != nil || resp.StatusCode != http.StatusTooManyRequests {
			t.Errorf("%s: a request that came early got %v, %v; want 429", kind, resp, err)
		}
		if l := i.Log(); l.Early < 1 || !l.Entries[2].Early || l.Fired[kind] != 1 {
			t.Errorf("%s: %d early requests in the log, want at least 1; fired %v", kind, l.Early, l.Fired)
		}
	}
}

// said gives the time that an answer asks to wait until.
func said(t *testing.T, resp *http.Response) time.Time {
	t.Helper()
	if epoch := resp.Header.Get("X-Rate-Limit-Reset"); epoch != "" {
		n, err := strconv.ParseInt(epoch, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return time.Unix(n, 0)
	}
	after := resp.Header.Get("Retry-After")
	if n, err := strconv.Atoi(after); err == nil {
		return time.Now().Add(time.Duration(n) * time.Second)
	}
	at, err := http.ParseTime(after)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestWaitGrowsForTheImpatient(t *testing.T) {
	i, get := bench(t, fault.Rule{Fault: fault.LimitedGrowing, Wait: 2 * time.Second})
	var last time.Time
	for range 3 {
		if _, _, err := get(); err != nil {
			t.Fatal(err)
		}
		e := i.Log().Entries
		if told := e[len(e)-1].NotBefore; !told.After(last) {
			t.Errorf("told %v after %v: the wait does not grow", told, last)
		} else {
			last = told
		}
		time.Sleep(60 * time.Millisecond)
	}
	if n := i.Log().Early; n != 2 {
		t.Errorf("%d early requests, want 2", n)
	}
}

func TestRulesChooseRequests(t *testing.T) {
	i, get := bench(t, fault.Rule{Fault: fault.Broken, Nth: 3, Times: 2}, fault.Rule{Method: "POST", Fault: fault.HTML, Times: -1},
		fault.Rule{Path: "/v2/**", Fault: fault.HTML, Times: -1}, fault.Rule{Path: "/v1/*", Fault: fault.EmptyRefusal, Nth: 6})
	var got []int
	for range 9 {
		resp, _, err := get()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, resp.StatusCode)
	}
	// The last rule sees only requests that the first one leaves.
	if want := "[200 200 503 503 200 200 200 406 200]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
	if n := i.Log().Count("/v1/things"); n != 9 {
		t.Errorf("log counts %d requests, want 9", n)
	}
}

func TestChanceFollowsTheSeed(t *testing.T) {
	run := func() (hits string) {
		_, get := bench(t, fault.Rule{Fault: fault.Broken, PerMille: 300, Times: -1})
		for range 60 {
			resp, _, err := get()
			if err != nil {
				t.Fatal(err)
			}
			hits += strconv.Itoa(resp.StatusCode / 500)
		}
		return hits
	}
	one := run()
	if n := strings.Count(one, "1"); n < 8 || n > 30 {
		t.Errorf("300 of 1000 hit %d of 60", n)
	}
	if two := run(); one != two {
		t.Errorf("one seed hit %s, then %s", one, two)
	}
}

func TestPlansThatCannotWork(t *testing.T) {
	i := fault.New(http.NotFoundHandler(), nil)
	for _, r := range []fault.Rule{{Fault: "rain"}, {Fault: fault.HTML, Path: "["}, {Fault: fault.Redirect}} {
		if err := i.SetPlan(fault.Plan{Rules: []fault.Rule{r}}); err == nil {
			t.Errorf("the rule %+v was taken", r)
		}
	}
}
