package sim_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/unsilo/unsilo/connectors/sim"
)

// Whatever is asked, the dialects answer, and never with a fault of their own.
func FuzzRequests(f *testing.F) {
	c := sim.New(sim.Options{Customers: 50, Seed: 1})
	handler, k := c.Handler(), c.Credentials()
	f.Add("/crm/v3/objects/contacts", "after=5&limit=3&properties=email,,x&archived=true", "")
	f.Add("/crm/v3/objects/deals/search", "", `{"filterGroups":[{"filters":[{"propertyName":"amount","operator":"GT","value":3}]}],"after":"0"}`)
	f.Add("/crm/v3/objects/contacts/search", "", `{"sorts":["-email"],"filterGroups":[{"filters":[{"propertyName":"hs_object_id","operator":"IN","values":["1"]}]}]}`)
	f.Add("/crm/v3/owners", "after=9", "")
	f.Add("/api/v2/incremental/tickets/cursor", "cursor=MTc2NzYwMDAwMDAwMHwz~1", "")
	f.Add("/api/v2/incremental/users/cursor", "start_time=0&per_page=2", "")
	f.Add("/api/v1/timelines/public", "max_id=99&min_id=3&limit=5", "")
	f.Add("/api/v1/directory", "offset=70&limit=9", "")
	f.Add("/surveys/v1/pages/answers", "page=2&per_page=7&updated_since=2026-01-31", "")
	f.Add("/surveys/v1/answers", "offset=99999999999", "")
	f.Add("/ads/oauth/token", "", "grant_type=client_credentials&client_id=a")
	f.Add("/ads/v1/spend", "from=2026-01-05&to=9999-12-31&page=3", "")
	f.Fuzz(func(t *testing.T, path, query, body string) {
		method := http.MethodGet
		if body != "" {
			method = http.MethodPost
		}
		r := httptest.NewRequest(method, "/", strings.NewReader(body))
		r.URL = &url.URL{Path: "/" + strings.TrimPrefix(path, "/"), RawQuery: query}
		r.Header.Set("X-Api-Key", k.SurveyKey)
		r.Header.Set("Authorization", "Bearer "+k.CRMToken)
		switch {
		case strings.HasPrefix(path, "/api/v2"):
			r.SetBasicAuth(k.SupportEmail+"/token", k.SupportToken)
		case strings.HasPrefix(path, "/api/v1"):
			r.Header.Set("Authorization", "Bearer "+k.SocialToken)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("%s %s?%s: status %d %s", method, path, query, w.Code, w.Body)
		}
	})
}
