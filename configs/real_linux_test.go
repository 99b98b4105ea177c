package configs_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unsilo/unsilo/connectors/sql/sqltest"
)

// TestReal runs configs/real on a real PostgreSQL, MariaDB and nginx and on Asterisk's
// files, twice without and once with changes, kills each database server in the middle of
// a read, and asks the servers every time whether the warehouse has what they have.
func TestReal(t *testing.T) {
	s := newStage(t)
	step(t, "fill", func() { s.fill(t) })

	step(t, "plan and refusals", func() { s.looksBeforeItLeaps(t) })
	step(t, "first run, MariaDB restarts", func() {
		o, res := s.syncThrough(t, s.shop, 3<<20)
		o.wantPlugins(t, "sql", "file", "rest")
		if !o.retried("shop", "baskets") {
			t.Errorf("the restart of MariaDB made nothing try again\n%s", o.stderr)
		}
		wantCounts(t, res, "shop.baskets", done{inserted: startBaskets + 2})
		wantResumed(t, res, "shop.baskets", startBaskets+2)
		wantCounts(t, res, "erp.stock_moves", done{inserted: startMoves + 2})
		wantModels(t, res)
	})
	step(t, "compare", func() { s.sameEverywhere(t) })
	var before map[string]string
	step(t, "who is who", func() { before = s.whoIsWho(t) })
	step(t, "nothing changed", func() { s.wantNothingNew(t) })

	var moves, baskets done
	step(t, "change", func() { moves, baskets = s.change(t) })
	step(t, "run, PostgreSQL restarts", func() {
		o, res := s.syncThrough(t, s.erp, 3<<20)
		if !o.retried("erp", "stock_moves") {
			t.Errorf("the restart of PostgreSQL made nothing try again\n%s", o.stderr)
		}
		wantCounts(t, res, "erp.stock_moves", moves)
		wantResumed(t, res, "erp.stock_moves", moves.inserted+moves.changed)
		wantCounts(t, res, "shop.baskets", baskets)
		if got := res.stream(t, "calls.queue_log").Quarantined; got != 1 {
			t.Errorf("got %d lines of the queue log in quarantine, want 1", got)
		}
		wantModels(t, res)
	})
	step(t, "compare again", func() { s.sameEverywhere(t) })
	step(t, "who is who now", func() { s.wantSameIDs(t, before, s.whoIsWho(t)) })
	step(t, "half a line", func() { s.halfLine(t) })
	step(t, "nothing clear is stored", func() { s.wantNothingClear(t) })
}

// wantResumed demands that a read that was cut went on where it was cut, nearly: a few rows
// that share the last position come again.
func wantResumed(t *testing.T, res result, stream string, rows int64) {
	t.Helper()
	read := res.stream(t, stream).Read
	t.Logf("%s: %d rows read for %d", stream, read, rows)
	if read > rows+rows/20 {
		t.Errorf("%s: %d rows were read for %d", stream, read, rows)
	}
}

// looksBeforeItLeaps plans, which writes nothing, and tries wrong passwords, which must not
// be repeated to anybody.
func (s *stage) looksBeforeItLeaps(t *testing.T) {
	t.Helper()
	s.run(t, s.env, "-C", s.project, "plan", "-o", "json").wantCode(t, 0)
	if _, err := os.Stat(filepath.Join(s.project, "real.duckdb")); err == nil {
		t.Error("plan has made the warehouse")
	}
	s.run(t, s.env, "-C", s.project, "check").wantCode(t, 0)
	for name, source := range map[string]string{"ERP_PASSWORD": "erp", "SHOP_PASSWORD": "shop", "CRM_TOKEN": "crm"} {
		o := s.run(t, append(slices.Clone(s.env), name+"=Wrong-4711-secret"), "-C", s.project, "check", source).wantCode(t, 12)
		if strings.Contains(o.stdout+o.stderr, "Wrong-4711-secret") {
			t.Errorf("the refusal of %s repeats the secret\n%s%s", source, o.stdout, o.stderr)
		}
	}
}

// wantModels demands that every model was built and passed its tests.
func wantModels(t *testing.T, res result) {
	t.Helper()
	if len(res.Models) < 6 {
		t.Errorf("got %d models", len(res.Models))
	}
	for _, m := range res.Models {
		if m.Status != "done" || strings.Contains(m.Tests, "failed") || m.Rows == 0 {
			t.Errorf("model %s: %+v", m.Model, m)
		}
	}
}

// wantNothingNew runs the project again: nothing may land.
func (s *stage) wantNothingNew(t *testing.T) {
	t.Helper()
	o, res := s.sync(t, 0)
	if res.Landed != 0 || res.Status != "done" {
		t.Errorf("got status %s and %d rows landed, want 0\n%s", res.Status, res.Landed, o.stdout)
	}
}

// halfLine leaves a record without its end: it must wait, and land once when it is whole.
func (s *stage) halfLine(t *testing.T) {
	t.Helper()
	line := cdrLine("+358405550123", "Half Line", "1777000002.1", time.Date(2026, 4, 28, 11, 0, 0, 0, time.UTC))
	s.appendCall(t, "cdr-csv/Master.csv", line[:len(line)/2])
	s.wantNothingNew(t)
	s.appendCall(t, "cdr-csv/Master.csv", line[len(line)/2:])
	_, res := s.sync(t, 0)
	wantCounts(t, res, "calls.cdr", done{inserted: 1})
	s.sameCalls(t)
}

// whoIsWho checks the planted people and those who only look alike, and how well everybody
// else was told apart.
func (s *stage) whoIsWho(t *testing.T) map[string]string {
	t.Helper()
	ids := s.identities(t, s.project, s.env)
	for _, p := range s.people {
		for _, record := range p.records() {
			if ids[record] == "" || ids[record] != ids["erp.customers:"+p.erp] {
				t.Errorf("%s is %q, and the customer %s %q", record, ids[record], p.erp, ids["erp.customers:"+p.erp])
			}
		}
	}
	for _, pair := range [][2]string{
		{"erp.customers:" + father, "erp.customers:" + son}, {"erp.customers:" + father, "shop.customers:" + sonsAccount},
		{"shop.customers:" + firstDesk, "shop.customers:" + secDesk},
		{"marts.web_visitors:" + sharedCookie, "erp.customers:" + s.people[0].erp}, {"marts.web_visitors:" + sharedCookie, "erp.customers:" + s.people[1].erp},
		{"marts.callers:1777000001.1", "marts.callers:1777000001.2"},
	} {
		if a, b := ids[pair[0]], ids[pair[1]]; a == "" || a == b {
			t.Errorf("%s and %s are %q and %q", pair[0], pair[1], a, b)
		}
	}
	precision, recall, records := score(ids, s.truth, func(record string) string { return strings.Replace(record, "marts.callers:", "calls.cdr:", 1) })
	t.Logf("precision %.4f, recall %.4f over %d records", precision, recall, records)
	if precision < 0.995 || recall < 0.97 {
		t.Errorf("got precision %.4f and recall %.4f, want 0.995 and 0.97", precision, recall)
	}
	return ids
}

// wantSameIDs demands that a person's id stays when records come and go.
func (s *stage) wantSameIDs(t *testing.T, before, after map[string]string) {
	t.Helper()
	for _, p := range s.people {
		for _, record := range p.records() {
			if before[record] != after[record] {
				t.Errorf("%s was %s and is %s", record, before[record], after[record])
			}
		}
	}
}

// wantNothingClear looks for masked values, and for the secrets, in every byte that the
// project has written.
func (s *stage) wantNothingClear(t *testing.T) {
	t.Helper()
	seen := s.masks.known["person.email\x1f"+strings.ToLower(s.people[0].email)]
	if want := plainToken(privacyKey, s.people[0].email); seen != want {
		t.Errorf("the token of %s is %s, want %s", s.people[0].email, seen, want)
	}
	_, found := s.query(t, s.project, s.env, "SELECT DISTINCT src FROM raw_calls.cdr WHERE uniqueid = '"+s.people[0].call+"'")
	if want := plainToken(privacyKey, s.people[0].phone); len(found) != 1 || found[0][0] != want {
		t.Errorf("the number %s landed as %v, want %s", s.people[0].phone, found, want)
	}
	hidden := []string{familyMail, hisDesk, "555 0199", "5550177", "Kotikatu 1 A", "ring twice", privacyKey, s.company.Credentials().CRMToken, sqltest.Password}
	for _, p := range s.people {
		hidden = append(hidden, p.email, strings.TrimPrefix(p.phone, "+358"), p.born)
	}
	s.wantNotInTables(t, hidden)
	s.wantNotInFiles(t, hidden)
}

// wantNotInTables looks at every value of every table.
func (s *stage) wantNotInTables(t *testing.T, hidden []string) {
	t.Helper()
	pattern := "SKU-late"
	for _, h := range hidden {
		pattern += "|" + regexp.QuoteMeta(h)
	}
	_, tables := s.query(t, s.project, s.env, "SELECT table_schema, table_name FROM information_schema.tables ORDER BY 1, 2")
	var all []string
	for _, n := range tables {
		all = append(all, fmt.Sprintf("SELECT '%[1]s.%[2]s' AS held_by, regexp_extract(CAST(x AS VARCHAR), '(?i)%[3]s') AS found FROM %[1]s.%[2]s AS x", n[0], n[1],
			strings.ReplaceAll(pattern, "'", "''")))
	}
	_, rows := s.query(t, s.project, s.env, "SELECT DISTINCT held_by, found FROM ("+strings.Join(all, " UNION ALL ")+") WHERE found <> '' ORDER BY 1, 2")
	control := false
	for _, r := range rows {
		if r[1] == "SKU-late" && r[0] == "raw_erp.stock_moves" {
			control = true
			continue
		}
		t.Errorf("%s holds %q", r[0], r[1])
	}
	if !control {
		t.Errorf("the search of %d tables does not find what stands in them in clear", len(tables))
	}
}

// wantNotInFiles looks at every byte that the project has written.
func (s *stage) wantNotInFiles(t *testing.T, hidden []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.project, "*"))
	must(t, err)
	more, err := filepath.Glob(filepath.Join(s.project, ".unsilo", "*"))
	must(t, err)
	control := false
	for _, name := range slices.Concat(files, more) {
		if info, err := os.Stat(name); err != nil || info.IsDir() {
			continue
		}
		text, err := os.ReadFile(name)
		must(t, err)
		control = control || bytes.Contains(text, []byte("SKU-late"))
		lower := bytes.ToLower(text)
		for _, h := range hidden {
			if bytes.Contains(lower, bytes.ToLower([]byte(h))) {
				t.Errorf("%s holds %q", filepath.Base(name), h)
			}
		}
	}
	if !control {
		t.Error("the search does not find what is stored in clear either, so it proves nothing")
	}
}
