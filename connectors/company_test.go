package connectors_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"net/http/httptest"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/hashicorp/hcl/v2"
	"go.uber.org/goleak"

	"github.com/unsilo/unsilo/connectors/hubspot"
	"github.com/unsilo/unsilo/connectors/mastodon"
	"github.com/unsilo/unsilo/connectors/rest"
	"github.com/unsilo/unsilo/connectors/sim"
	"github.com/unsilo/unsilo/connectors/zendesk"
	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/coretest"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == strconv.Itoa(runtime.GOMAXPROCS(0)) {
		_ = f.Value.Set("16") // most of the time these tests wait as they are told
	}
	goleak.VerifyTestMain(m)
}

// company serves a small simulated company on loopback.
func company(t *testing.T, opt sim.Options) (*sim.Company, *httptest.Server) {
	t.Helper()
	if opt.Customers == 0 {
		opt.Customers = 120
	}
	c := sim.New(opt)
	server := httptest.NewServer(c.Handler())
	t.Cleanup(server.Close)
	return c, server
}

// vendor is a connector with the configuration of a company, for the department that
// the company calls name.
func vendor(c *sim.Company, name, url string) coretest.ConnectorCase {
	cred := c.Credentials()
	switch name {
	case "crm":
		return coretest.ConnectorCase{Connector: hubspot.Connector(), Config: core.Config{Source: name, Values: map[string]any{
			"base_url": url, "token": cred.CRMToken, "requests_per_10s": int64(100_000), "searches_per_second": int64(100_000)}}}
	case "support":
		return coretest.ConnectorCase{Connector: zendesk.Connector(), Config: core.Config{Source: name, Values: map[string]any{
			"base_url": url, "email": cred.SupportEmail, "token": cred.SupportToken, "requests_per_minute": int64(100_000), "page_size": int64(40)}}}
	}
	if text, ok := inline()[name]; ok {
		def, _ := rest.Parse([]byte(text), name+".hcl", hcl.Pos{})
		return coretest.ConnectorCase{Connector: rest.New(def), Config: core.Config{Source: name, Values: map[string]any{
			"base_url": url, "key": cred.SurveyKey, "client_id": cred.AdsClientID, "client_secret": cred.AdsClientSecret}}}
	}
	return coretest.ConnectorCase{Connector: mastodon.Connector(), Streams: []string{"timeline", "directory"},
		Config: core.Config{Source: name, Values: map[string]any{"base_url": url, "token": cred.SocialToken, "requests_per_5m": int64(100_000)}}}
}

// inline are definitions of APIs that no vendor's connector is for: a header key with
// offsets, and OAuth2 with page numbers.
func inline() map[string]string {
	fields := ""
	for _, name := range []string{"base_url", "key", "client_id", "client_secret"} {
		fields += "field \"" + name + "\" { help = \"for tests\" }\n"
	}
	return map[string]string{
		"surveys": `connector "rest" "surveys" {
			summary = "Survey answers"
			version = "1"
			` + fields + `
			client { base_url = config.base_url }
			auth "api_key" {
			  header = "X-Api-Key"
			  value  = config.key
			}
			stream "answers" {
			  path        = "/surveys/v1/answers"
			  query       = { updated_since = window.start }
			  records     = "items"
			  primary_key = ["id"]
			  paginate "offset" {
			    size       = 100
			    size_param = "limit"
			    param      = "offset"
			    total      = response.body.total
			  }
			  incremental "datetime" {
			    cursor   = "updated_at"
			    lookback = "12h"
			  }
			  means = { email = "person.email" }
			}
		}`,
		"ads": `connector "rest" "ads" {
			summary = "Campaigns and spend"
			version = "1"
			` + fields + `
			client { base_url = config.base_url }
			auth "oauth2" {
			  token_url     = "${config.base_url}/ads/oauth/token"
			  client_id     = config.client_id
			  client_secret = config.client_secret
			}
			stream "spend" {
			  path        = "/ads/v1/spend"
			  records     = "data"
			  primary_key = ["campaign_id", "date"]
			  paginate "page" {
			    start       = 1
			    size        = 500
			    size_param  = "page_size"
			    param       = "page"
			    total_pages = response.body.total_pages
			  }
			}
		}`,
	}
}

// TestContract holds the vendors' connectors to the contract of all connectors.
func TestContract(t *testing.T) {
	for _, name := range []string{"crm", "support", "social", "surveys", "ads"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, server := company(t, sim.Options{Seed: 3})
			test := vendor(c, name, server.URL)
			bad := map[string]string{"base_url": "ftp://example.com", "start_date": "yesterday", "token": ""}
			if _, own := inline()[name]; own {
				bad = map[string]string{"base_url": "ftp://example.com"}
			}
			for field, wrong := range bad {
				values := maps.Clone(test.Config.Values)
				values[field] = wrong
				test.BadConfigs = append(test.BadConfigs, core.Config{Values: values})
			}
			test.Mutate = func(context.Context) error {
				c.Advance(26 * time.Hour)
				return nil
			}
			coretest.TestConnector(t, test)
		})
	}
}

// streams pairs what connectors read with what the company knows to be true.
func streams() []pairing {
	return []pairing{
		{"crm", "contacts", "contacts", map[string]string{"id": "hs_object_id"}},
		{"crm", "companies", "companies", map[string]string{"id": "hs_object_id"}},
		{"crm", "deals", "deals", map[string]string{"id": "hs_object_id"}},
		{"crm", "tickets", "tickets", map[string]string{"id": "hs_object_id"}},
		{"crm", "owners", "owners", nil},
		{"support", "tickets", "tickets", nil},
		{"support", "users", "users", nil},
		{"surveys", "answers", "answers", nil},
		{"ads", "spend", "spend", nil},
		{"social", "timeline", "statuses", nil},
		{"social", "directory", "accounts", nil},
	}
}

type pairing struct {
	source, stream, truth string
	names                 map[string]string // our column to theirs, where they differ
}

// landed is a table as a warehouse would hold it: rows by key, values as text.
type landed struct {
	mu      sync.Mutex
	key     []string
	rows    map[string]map[string]string
	after   core.State
	rejects int
	full    bool // rows of a full read replace the table
}

func newLanded(st core.Stream) *landed {
	return &landed{key: st.PrimaryKey, rows: map[string]map[string]string{}, full: !st.Cursor.Incremental()}
}

func (l *landed) store(b core.Batch) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b.After != nil {
		l.after = b.After
	}
	if b.Rows == nil {
		return nil
	}
	for i := range int(b.Rows.NumRows()) {
		row := map[string]string{}
		for c, col := range b.Rows.Columns() {
			if col.IsNull(i) {
				continue
			}
			row[b.Rows.ColumnName(c)] = col.ValueStr(i)
			if at, ok := col.(*array.Timestamp); ok {
				row[b.Rows.ColumnName(c)] = stamp(time.UnixMicro(int64(at.Value(i))))
			}
		}
		id := ""
		for _, k := range l.key {
			id += row[k]
		}
		switch b.Op {
		case core.OpUpsert:
			l.rows[id] = row
		case core.OpDelete:
			delete(l.rows, id)
		case core.OpReject:
			l.rejects++
		}
	}
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// wantTruth compares a table with the company's own.
func wantTruth(t *testing.T, c *sim.Company, p pairing, l *landed) {
	t.Helper()
	truth, err := c.Expected(p.source, p.truth)
	if err != nil {
		t.Fatal(err)
	}
	if len(truth.Rows) == 0 {
		t.Fatalf("%s.%s: the company has no rows", p.source, p.truth)
	}
	wrong := 0
	for _, row := range truth.Rows {
		id := ""
		for _, k := range truth.Key {
			id += plain(row[slices.Index(truth.Columns, k)])
		}
		got, ok := l.rows[id]
		if !ok {
			t.Errorf("%s.%s: row %s is missing", p.source, p.stream, id)
			wrong++
		}
		for name, text := range got {
			theirs, ok := p.names[name]
			if !ok {
				theirs = name
			}
			if k := slices.Index(truth.Columns, theirs); k >= 0 && !alike(text, row[k]) {
				t.Errorf("%s.%s: row %s, %s: got %q, want %v", p.source, p.stream, id, name, text, row[k])
				wrong++
			}
		}
		if wrong > 5 {
			t.FailNow()
		}
	}
	if len(l.rows) != len(truth.Rows) {
		t.Errorf("%s.%s: got %d rows, want %d", p.source, p.stream, len(l.rows), len(truth.Rows))
	}
	if l.rejects > 0 {
		t.Errorf("%s.%s: %d rejects", p.source, p.stream, l.rejects)
	}
}

func plain(v any) string {
	if at, ok := v.(time.Time); ok {
		return stamp(at)
	}
	return fmt.Sprint(v)
}

// alike compares text with a value of the company: money may have more zeros, times
// fewer digits, and posts are paragraphs.
func alike(text string, want any) bool {
	if want == nil {
		return false
	}
	w := plain(want)
	if at, ok := want.(time.Time); ok {
		return text == w || text == stamp(at.Truncate(time.Second))
	}
	return text == w || strings.TrimRight(text, "0.") == strings.TrimRight(w, "0.") || text == "<p>"+w+"</p>"
}

// pull reads a stream to its end, going on from where the table stands.
func pull(ctx context.Context, src core.Source, st core.Stream, l *landed) error {
	if l.full {
		clear(l.rows)
	}
	if err := src.Read(ctx, core.ReadRequest{Stream: st, After: l.after}, l.store); err != nil {
		return err
	}
	if st.Name != "timeline" { // the stream whose deletes nothing but a sweep finds
		return nil
	}
	alive := newLanded(st)
	if err := src.Read(ctx, core.ReadRequest{Stream: st, KeysOnly: true}, alive.store); err != nil {
		return err
	}
	maps.DeleteFunc(l.rows, func(id string, _ map[string]string) bool { _, ok := alive.rows[id]; return !ok })
	return nil
}

// openVendor opens a department's connector, also as a plugin process would that has no
// more than the generic connector.
func openVendor(t *testing.T, c *sim.Company, name, url string) (core.Source, map[string]core.Stream) {
	t.Helper()
	v := vendor(c, name, url)
	src, err := v.Connector.Open(t.Context(), v.Config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = src.Close() })
	list, err := src.Streams(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]core.Stream{}
	for _, st := range list {
		byName[st.Name] = st
	}
	return src, byName
}

// TestCompany reads every stream, moves the company by days, reads again, and compares
// each time with what the company knows.
func TestCompany(t *testing.T) {
	for _, p := range streams() {
		t.Run(p.source+"."+p.stream, func(t *testing.T) {
			t.Parallel()
			c, server := company(t, sim.Options{Seed: 7, Customers: 300})
			src, all := openVendor(t, c, p.source, server.URL)
			st := all[p.stream]
			table := newLanded(st)
			for day := range 4 {
				if day > 0 {
					c.Advance(time.Duration(day) * 31 * time.Hour)
				}
				if err := pull(t.Context(), src, st, table); err != nil {
					t.Fatal(err)
				}
				wantTruth(t, c, p, table)
			}
		})
	}
}
