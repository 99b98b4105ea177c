package configs_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/unsilo/unsilo/connectors/sim"
	"github.com/unsilo/unsilo/connectors/sim/truth"
)

// demonstration is a demo under way, and beside it the same company once more, which knows
// what each silo should hold.
type demonstration struct {
	program
	dir, project string
	company      *sim.Company
	masks        *masks
}

// TestQuickstart runs the demo as a user would, lets days pass, and compares every landed
// table, the answers and the identities with what the simulated company knows.
func TestQuickstart(t *testing.T) {
	d := demonstration{program: testProgram(t), dir: t.TempDir(), company: sim.New(sim.Options{Customers: 300, Seed: 7})}
	d.project = filepath.Join(d.dir, "project")
	t.Cleanup(func() { d.run(t, nil, "demo", "--dir", d.dir, "--stop") })

	var shown outcome
	step(t, "demo", func() {
		shown = d.run(t, nil, "demo", "--dir", d.dir, "--customers", "300", "--seed", "7", "--no-open").wantCode(t, 0)
		shown.wantPlugins(t, "sql", "file", "rest")
	})
	key, err := os.ReadFile(filepath.Join(d.project, ".unsilo", "privacy.key"))
	must(t, err)
	d.masks = newMasks(strings.TrimSpace(string(key)))
	step(t, "compare", func() { d.wantAll(t) })
	step(t, "nothing changed", func() {
		if res := d.sync(t); res.Landed != 0 || res.Status != "done" {
			t.Errorf("got %s and %d rows landed, want 0", res.Status, res.Landed)
		}
	})
	for _, by := range []time.Duration{24 * time.Hour, 3 * 24 * time.Hour} {
		step(t, "time passes", func() { d.advance(t, by) })
	}
	d.wantIdentities(t, shown)
	step(t, "stop", func() { d.stop(t) })
}

func (d demonstration) sync(t *testing.T) result {
	t.Helper()
	return d.run(t, nil, "-C", d.project, "run", "-o", "json").wantCode(t, 0).result(t)
}

// quickstartStreams are all streams of configs/quickstart.
func quickstartStreams() []oracle {
	return []oracle{
		{"crm", "contacts", "id=hs_object_id text, email text, firstname text, lastname text, phone text, mobilephone text, date_of_birth text, address text, " +
			"city text, zip text, country text, associatedcompanyid text, customer_number text, social_handle text, lifecyclestage text, " +
			"marketing_consent text, createdate instant, lastmodifieddate instant"},
		{"crm", "companies", "id=hs_object_id text, name text, domain text, phone text, city text, zip text, country text, industry text, " +
			"hubspot_owner_id text, createdate instant, hs_lastmodifieddate instant"},
		{"crm", "deals", "id=hs_object_id text, dealname text, dealstage text, amount money, closedate instant, hubspot_owner_id text, " +
			"hs_primary_associated_company text, primary_contact_id text, createdate instant, hs_lastmodifieddate instant"},
		{"erp", "customers", "id int, customer_no text, kind text, name text, given_name text, family_name text, vat_no text, email text, phone text, birth_date date, " +
			"street text redact, postcode text, city text, country text, create_date instant, write_date instant"},
		{"erp", "orders", "id int, order_no text, customer_id int, ordered_at instant, total money, currency text, status text, channel text, campaign text, write_date instant"},
		{"erp", "invoices", "id int, invoice_no text, customer_id int, order_id int, issue_date date, due_date date, total money, currency text, status text, write_date instant"},
		{"support", "users", "id int, name text, email text, phone text, external_id text, role text, created_at second, updated_at second"},
		{"support", "tickets", "id int, subject text, description text redact, status text, priority text, channel text, requester_id int, assignee_id int, " +
			"created_at second, updated_at second, generated_timestamp int"},
		{"social", "statuses", "id int, content text, replies_count int, favourites_count int, created_at instant, edited_at instant"},
		{"surveys", "answers", "id int, survey text, score int, comment text redact, channel text, consent bool, email text, customer_number text, submitted_at instant, updated_at instant"},
		{"ads", "campaigns", "campaign_id text, name text, channel text, code text"},
		{"ads", "spend", "campaign_id text, date text, impressions int, clicks int, conversions int, cost money, currency text, updated_at instant"},
		{"web", "access", "remote_addr text person.ip, time second, method text, path text, status int, body_bytes_sent=bytes int, http_user_agent=user_agent text, " +
			"cookie_vid=vid text, request_id text"},
		{"calls", "cdr", "accountcode text, src text, dst text, dcontext text, clid text, channel text, dstchannel text, lastapp text, lastdata text, start instant, " +
			"answer instant, \"end\"=end instant, duration int, billsec int, disposition text, amaflags text, uniqueid text, userfield text"},
		{"calls", "queue_log", "time epoch, callid text, queue text, agent blank, event text, data1 blank, data2 blank, data3 blank, data4 blank, data5 blank"},
	}
}

// wantAll compares every landed table, and then the answers.
func (d demonstration) wantAll(t *testing.T) {
	t.Helper()
	for _, o := range quickstartStreams() {
		d.sameAs(t, d.project, nil, d.masks, d.company, o)
	}
	e := d.company.Effects()
	d.wantMargins(t, e)
	d.wantCheckout(t, e)
	d.wantFever(t, e)
}

// advance lets time pass and runs the project: exactly what changed may land.
func (d demonstration) advance(t *testing.T, by time.Duration) {
	t.Helper()
	type state struct {
		keys []string
		rows [][]string
	}
	snapshot := func() map[string]state {
		all := map[string]state{}
		for _, o := range quickstartStreams() {
			_, keys, rows := o.expected(t, d.company, d.masks)
			all[o.source+"."+o.stream] = state{keys, rows}
		}
		return all
	}
	before := snapshot()
	d.run(t, nil, "demo", "--dir", d.dir, "--advance", strconv.Itoa(int(by.Hours()))+"h").wantCode(t, 0)
	d.company.Advance(by)
	after := snapshot()
	res := d.sync(t)
	var all done
	for name, now := range after {
		want := difference(before[name].keys, now.keys, before[name].rows, now.rows)
		wantCounts(t, res, name, want)
		all = done{all.inserted + want.inserted, all.changed + want.changed, all.deleted + want.deleted}
	}
	t.Logf("after %s: %+v", by, all)
	if all.inserted == 0 || all.changed == 0 || all.deleted == 0 {
		t.Errorf("the days bring %+v: no proof of all three", all)
	}
	d.wantAll(t)
}

// wantMargins: what needs no identity is exact; calls are found as far as people are.
func (d demonstration) wantMargins(t *testing.T, e truth.Effects) {
	t.Helper()
	_, rows := d.query(t, d.project, nil, `SELECT p.code, round(m.revenue * 100), round(m.spend * 100), m.customers, m.calls, m.margin
		FROM marts.campaign_margin m JOIN raw_ads.campaigns p ON p.name = m.campaign ORDER BY m.margin`)
	found := map[string][]float64{}
	for _, r := range rows {
		for _, text := range r[1:] {
			found[r[0]] = append(found[r[0]], toFloat(t, text))
		}
	}
	calls, all := 0.0, 0
	for _, c := range e.Campaigns {
		f := found[c.Code]
		if len(f) == 0 {
			t.Errorf("campaign %s is missing", c.Code)
			continue
		}
		if int64(f[0]) != c.Revenue || int64(f[1]) != c.Spend {
			t.Errorf("campaign %s: got revenue %v and spend %v, want %d and %d", c.Code, f[0], f[1], c.Revenue, c.Spend)
		}
		if math.Abs(f[2]-float64(c.Customers)) > 1 {
			t.Errorf("campaign %s: got %v customers, want %d", c.Code, f[2], c.Customers)
		}
		calls, all = calls+f[3], all+c.Linkable
	}
	if math.Abs(calls/float64(all)-1) > 0.15 {
		t.Errorf("got %v calls of the campaigns' customers, want %d within 15 %%", calls, all)
	}
	if worst := rows[0]; worst[0] != e.Trap || toFloat(t, worst[5]) >= 0 {
		t.Errorf("the campaign that costs more than it brings is %s, got %v", e.Trap, worst)
	}
}

// wantCheckout: who saw the failure is known by logins, who called by the numbers.
func (d demonstration) wantCheckout(t *testing.T, e truth.Effects) {
	t.Helper()
	_, rows := d.query(t, d.project, nil, "SELECT what_they_did, carts, people FROM marts.failed_checkout")
	var people, callers float64
	for _, r := range rows {
		people += toFloat(t, r[2])
		if strings.HasPrefix(r[0], "called") {
			callers += toFloat(t, r[2])
		}
	}
	if within := 0.05 * float64(e.Outage.Affected); math.Abs(people-float64(e.Outage.Affected)) > within+1 {
		t.Errorf("got %v people who saw the failure, want %d", people, e.Outage.Affected)
	}
	if math.Abs(callers-float64(e.Outage.Callers)) > 1 {
		t.Errorf("got %v callers, want %d", callers, e.Outage.Callers)
	}
}

// wantFever needs no identity and is exact.
func (d demonstration) wantFever(t *testing.T, e truth.Effects) {
	t.Helper()
	_, rows := d.query(t, d.project, nil, "SELECT CAST(week AS DATE), calls, posts, negative, fever FROM marts.fever ORDER BY week")
	byWeek, hottest := map[string]truth.WeekEffect{}, rows[0]
	for _, w := range e.Weeks {
		byWeek[w.Monday] = w
	}
	for _, r := range rows {
		w := byWeek[r[0]]
		if got, want := r[1:4], []string{strconv.Itoa(w.Calls), strconv.Itoa(w.Posts), strconv.Itoa(w.Negative)}; strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("week of %s: got calls, posts, negative posts %v, want %v", r[0], got, want)
		}
		if toFloat(t, r[4]) > toFloat(t, hottest[4]) {
			hottest = r
		}
	}
	if hottest[0] != e.Fever.Monday {
		t.Errorf("the fever is highest in the week of %s, want %s", hottest[0], e.Fever.Monday)
	}
}

func toFloat(t *testing.T, text string) float64 {
	t.Helper()
	if text == "" {
		return 0
	}
	f, err := strconv.ParseFloat(strings.TrimPrefix(text, "'"), 64)
	must(t, err)
	return f
}

var shownQuality = regexp.MustCompile(`precision ([0-9.]+) +recall ([0-9.]+)`)

// wantIdentities measures the identities by the truth, and looks at what the demo said of
// them.
func (d demonstration) wantIdentities(t *testing.T, shown outcome) {
	t.Helper()
	m := shownQuality.FindStringSubmatch(shown.stdout)
	if m == nil {
		t.Fatalf("the demo says nothing of quality\n%s", shown.stdout)
	}
	if toFloat(t, m[1]) < 0.995 || toFloat(t, m[2]) < 0.97 {
		t.Errorf("the demo shows %s, want precision 0.995 and recall 0.97", m[0])
	}
	ids := d.identities(t, d.project, nil)
	precision, recall, records := score(ids, readTruth(t, filepath.Join(d.dir, "company", "truth", "truth.parquet")), func(record string) string {
		return strings.NewReplacer("marts.callers:", "calls.cdr:", "marts.web_visitors:", "web.access:").Replace(record)
	})
	t.Logf("the demo shows %s; after four days precision %.4f, recall %.4f over %d records", m[0], precision, recall, records)
	if precision < 0.995 || recall < 0.97 {
		t.Errorf("got precision %.4f and recall %.4f, want 0.995 and 0.97", precision, recall)
	}
}

// stop ends the company; its process must go.
func (d demonstration) stop(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(d.dir, "company", "server.json"))
	must(t, err)
	var server struct{ PID int }
	must(t, json.Unmarshal(text, &server))
	if canSeeProcesses && processName(server.PID) != "unsilo" {
		t.Errorf("the company is not process %d", server.PID)
	}
	d.run(t, nil, "demo", "--dir", d.dir, "--stop").wantCode(t, 0)
	for deadline := time.Now().Add(10 * time.Second); processName(server.PID) == "unsilo"; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the company still runs as process %d", server.PID)
		}
	}
}

func step(t *testing.T, name string, do func()) {
	t.Helper()
	began := time.Now()
	do()
	t.Logf("%-28s %6.2fs", name, time.Since(began).Seconds())
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
