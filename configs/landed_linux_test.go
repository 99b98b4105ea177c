package configs_test

import (
	"database/sql"
	"encoding/csv"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/unsilo/unsilo/core"
)

// sameEverywhere compares every table of the warehouse with what the servers say when they
// are asked directly, and with the files.
func (s *stage) sameEverywhere(t *testing.T) {
	t.Helper()
	for _, c := range []struct {
		db           *database
		landed       string
		table, where string
		columns      string
	}{
		{s.erp, "raw_erp.customers", "customers", "", "id int, customer_no text, kind text, name text, given_name text, family_name text, vat_no text, " +
			"email text person.email, phone text person.phone, birth_date date person.birth_date, street text redact, postcode text, city text, country text, " +
			"create_date instant, write_date instant"},
		{s.erp, "raw_erp.orders", "orders", "", "id int, order_no text, customer_id int, ordered_at instant, total decimal, currency text, status text, " +
			"channel text, campaign text, write_date instant"},
		{s.erp, "raw_erp.invoices", "invoices", "", "id int, invoice_no text, customer_id int, order_id int, issue_date date, due_date date, total decimal, " +
			"currency text, status text, write_date instant"},
		{s.erp, "raw_erp.payments", "payments", "", "id int, invoice_id int, amount decimal, method text, paid_at instant, write_date instant"},
		{s.erp, "raw_erp.stock_moves", "logistics.stock_moves", "", movesColumns},
		{s.shop, "raw_shop.customers", "customers", " WHERE deleted_at IS NULL", shopColumns},
		{s.shop, "raw_shop.baskets", "baskets", "", basketColumns},
	} {
		cols := parseColumns(c.columns)
		wantRows(t, c.landed, names(cols), s.landed(t, s.project, s.env, c.landed, cols), c.db.rows(t, s.masks, c.table+c.where, cols))
	}
	for _, o := range crmObjects() {
		s.sameAs(t, s.project, s.env, s.masks, s.company, o)
	}
	s.sameVisits(t)
	s.sameCalls(t)
	s.sameEvents(t)
}

// crmObjects are compared with what the company knows, since nobody else does.
func crmObjects() []oracle {
	return []oracle{
		{"crm", "contacts", "id=hs_object_id text, email text person.email, firstname text, lastname text, phone text person.phone, mobilephone text person.phone, " +
			"date_of_birth text person.birth_date, address text redact, city text, zip text, country text, associatedcompanyid text, customer_number text, " +
			"lifecyclestage text, marketing_consent text, createdate instant, lastmodifieddate instant"},
		{"crm", "companies", "id=hs_object_id text, name text, domain text, phone text, city text, zip text, country text, industry text, createdate instant, " +
			"hs_lastmodifieddate instant"},
		{"crm", "deals", "id=hs_object_id text, dealname text, dealstage text, amount money, closedate instant, hs_primary_associated_company text, " +
			"primary_contact_id text, createdate instant, hs_lastmodifieddate instant"},
	}
}

// rows asks a server for the rows of a table as comparisons write them.
func (d *database) rows(t *testing.T, m *masks, from string, cols []column) [][]string {
	t.Helper()
	var exprs []string
	for _, c := range cols {
		exprs = append(exprs, c.direct(d.dialect))
	}
	found, err := d.QueryContext(t.Context(), "SELECT "+strings.Join(exprs, ", ")+" FROM "+from)
	must(t, err)
	defer func() { must(t, found.Close()) }()
	cells, into := make([]sql.NullString, len(cols)), make([]any, len(cols))
	for i := range cells {
		into[i] = &cells[i]
	}
	var all [][]string
	for found.Next() {
		must(t, found.Scan(into...))
		row := make([]string, len(cols))
		for i, c := range cols {
			if row[i] = null; cells[i].Valid {
				row[i] = value(m.landed(t, c, cells[i].String))
			}
		}
		all = append(all, row)
	}
	must(t, found.Err())
	return all
}

// logLine takes a line of the log apart, in a way of the test's own.
var logLine = regexp.MustCompile(`^(\S+) - - \[([^\]]+)\] "(?:(GET|POST|HEAD) (\S+) (HTTP/1\.1)|((?:[^"\\]|\\.)*))" (\d+) (\d+) "((?:[^"\\]|\\.)*)" "(?:[^"\\]|\\.)*" "([^"]*)" "([0-9a-f]{32})" (\d+\.\d{3})$`)

// sameVisits compares the access log's table with the log and with the requests that the
// test has made.
func (s *stage) sameVisits(t *testing.T) {
	t.Helper()
	columns := "remote_addr text person.ip, method text, path text, protocol text, status int, body_bytes_sent int, http_referer text, cookie_vid text, time instant, request_id text, request_time float"
	cols := parseColumns(columns)
	var lines [][]string
	for _, line := range readLines(t, s.web.log()+"*") {
		m := logLine.FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("the test cannot read the log's line %s", line)
		}
		at, err := time.Parse("02/Jan/2006:15:04:05 -0700", m[2])
		must(t, err)
		took, err := strconv.ParseFloat(m[12], 64)
		must(t, err)
		path := m[4]
		if m[3] == "" {
			path = fromLog(t, m[6])
		}
		lines = append(lines, []string{value(s.masks.token(t, core.PersonIP, m[1])), valueOr(m[3]), value(path), valueOr(m[5]), value(m[7]), value(m[8]),
			dashed(fromLog(t, m[9])), dashed(m[10]), value(strconv.FormatInt(at.UnixMicro(), 10)), value(m[11]), value(strconv.FormatInt(int64(math.Round(took*1e6)), 10))})
	}
	_, got := s.query(t, s.project, s.env, selectText(cols)+" FROM raw_web.access")
	wantRows(t, "raw_web.access against the log", names(cols), got, lines)
	var sent [][]string
	for _, v := range s.web.sent {
		sent = append(sent, []string{valueOr(v.method), value(v.path), value(fmt.Sprint(v.status)), value(fmt.Sprint(v.size)),
			valueOr(strings.ToValidUTF8(v.referer, "\uFFFD")), valueOr(v.cookie)})
	}
	asked := parseColumns("method text, path text, status int, body_bytes_sent int, http_referer text, cookie_vid text")
	_, got = s.query(t, s.project, s.env, selectText(asked)+" FROM raw_web.access")
	wantRows(t, "raw_web.access against the requests", names(asked), got, sent)
}

var hexEscape = regexp.MustCompile(`\\x[0-9A-F]{2}`)

// fromLog undoes nginx's way of writing bytes that are not plain text.
func fromLog(t *testing.T, text string) string {
	t.Helper()
	plain := hexEscape.ReplaceAllStringFunc(text, func(e string) string {
		b, err := strconv.ParseUint(e[2:], 16, 8)
		must(t, err)
		return string([]byte{byte(b)})
	})
	return strings.ToValidUTF8(plain, "\uFFFD")
}

func dashed(text string) string {
	if text == "-" {
		return null
	}
	return value(text)
}

// sameCalls compares the call records with Asterisk's files, read by Go's CSV reader.
func (s *stage) sameCalls(t *testing.T) {
	t.Helper()
	cols := parseColumns("accountcode text, src text person.phone, dst text, dcontext text, clid text redact, channel text, dstchannel text, lastapp text, " +
		"lastdata text, start instant, answer instant, \"end\" instant, duration int, billsec int, disposition text, amaflags text, uniqueid text, userfield text, " +
		"caller_name text, caller_number text person.phone")
	in := csv.NewReader(strings.NewReader(strings.Join(withoutCopies(readLines(t, s.calls+"/cdr-csv/Master.csv*")), "\n")))
	in.FieldsPerRecord = 18
	records, err := in.ReadAll()
	must(t, err)
	var want [][]string
	for _, r := range records {
		name, number := "", "" // "Name" <number>, a number alone, or a name alone
		if head, tail, ok := strings.Cut(r[4], " <"); ok {
			name, number = strings.Trim(head, `"`), strings.TrimSuffix(tail, ">")
		} else if strings.Trim(r[4], "+0123456789") == "" {
			number = r[4]
		} else {
			name = r[4]
		}
		r = append(r, name, number)
		row := make([]string, len(cols))
		for i, c := range cols {
			if c.kind == "instant" && r[i] != "" {
				at, err := time.Parse(time.DateTime, r[i])
				must(t, err)
				r[i] = strconv.FormatInt(at.UnixMicro(), 10)
			}
			// Asterisk puts texts into quotes: an empty one is a text.
			if row[i] = null; r[i] != "" || c.kind == "text" && i < 18 {
				row[i] = value(s.masks.landed(t, c, r[i]))
			}
		}
		want = append(want, row)
	}
	_, got := s.query(t, s.project, s.env, selectText(cols)+" FROM raw_calls.cdr")
	wantRows(t, "raw_calls.cdr", names(cols), got, want)
}

// withoutCopies drops lines that stand in two files because one was copied.
func withoutCopies(lines []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, line := range lines {
		if !seen[line] {
			out = append(out, line)
		}
		seen[line] = true
	}
	return out
}

// sameEvents compares the queue log's table with the files.
func (s *stage) sameEvents(t *testing.T) {
	t.Helper()
	cols := parseColumns("time instant, callid text, queue text, agent text, event text, data1 text, data2 text text.free, data3 text, data4 text, data5 text")
	var want [][]string
	for _, line := range readLines(t, s.calls+"/queue_log*") {
		if line == badEvent {
			continue
		}
		fields := strings.Split(line, "|")
		row := make([]string, len(cols))
		for i, c := range cols {
			row[i] = null
			if i < len(fields) && fields[i] != "" && (fields[i] != "NONE" || i > 3) {
				row[i] = value(s.masks.landed(t, c, fields[i]))
			}
		}
		row[0] += "000000"
		want = append(want, row)
	}
	_, got := s.query(t, s.project, s.env, selectText(cols)+" FROM raw_calls.queue_log")
	wantRows(t, "raw_calls.queue_log", names(cols), got, want)
}
