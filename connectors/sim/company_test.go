package sim_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/unsilo/unsilo/connectors/sim"
)

// everything hashes all that a company shows: every expected table, the files and the
// truth.
func everything(t *testing.T, c *sim.Company, dir string) string {
	t.Helper()
	h := sha256.New()
	for _, name := range sim.Streams() {
		table, err := c.Expected(name.Source, name.Stream)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.NewEncoder(h).Encode(table); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.WriteFiles(filepath.Join(dir, "silos"), time.Time{}); err != nil {
		t.Fatal(err)
	}
	if err := c.WriteTruth(filepath.Join(dir, "truth")); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(h, folder(t, dir))
	return hex.EncodeToString(h.Sum(nil))
}

// folder lists the files of a folder with the hashes of their contents.
func folder(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		fmt.Fprintf(&b, "%s %x\n", rel, sha256.Sum256(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestEqualOptionsMakeEqualCompanies(t *testing.T) {
	opt := sim.Options{Customers: 300, Seed: 7}
	one, two := everything(t, sim.New(opt), t.TempDir()), everything(t, sim.New(opt), t.TempDir())
	if one != two {
		t.Errorf("two companies of one seed differ: %s and %s", one, two)
	}
	opt.Seed = 8
	if other := everything(t, sim.New(opt), t.TempDir()); other == one {
		t.Error("another seed made the same company")
	}
}

// The clock may move in any steps: the company at a time is the same.
func TestStepsDoNotMatter(t *testing.T) {
	at := func(d time.Duration) sim.Options {
		opened := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		return sim.Options{Customers: 200, Seed: 3, Opened: opened, Now: opened.Add(d)}
	}
	want := everything(t, sim.New(at(72*time.Hour)), t.TempDir())
	for _, steps := range [][]time.Duration{
		{72 * time.Hour}, {24 * time.Hour, 48 * time.Hour}, {7 * time.Hour, 6*time.Hour + 13*time.Second, 58 * time.Hour},
	} {
		c, sum := sim.New(at(0)), time.Duration(0)
		for _, d := range steps {
			c.Advance(d)
			sum += d
		}
		c.Advance(72*time.Hour - sum)
		if got := everything(t, c, t.TempDir()); got != want {
			t.Errorf("steps %v lead to another company", steps)
		}
	}
}

// What was there, and what happened since, give what is there now.
func TestChangesExplainTheDifference(t *testing.T) {
	c := sim.New(sim.Options{Customers: 400, Seed: 5})
	before := keys(t, c)
	ops := map[string]int{}
	for range 3 {
		for _, change := range c.Advance(31 * time.Hour) {
			name := sim.StreamName{Source: change.Source, Stream: change.Stream}
			if before[name] == nil {
				before[name] = map[string]bool{}
			}
			ops[name.Source+" "+string(change.Op)]++
			switch change.Op {
			case "delete":
				if !before[name][change.Key] {
					t.Errorf("%v: %s was deleted before it was there", name, change.Key)
				}
				delete(before[name], change.Key)
			case "create":
				if before[name][change.Key] && name.Stream != "cdr" {
					t.Errorf("%v: %s was created twice", name, change.Key)
				}
				before[name][change.Key] = true
			case "update":
				if !before[name][change.Key] {
					t.Errorf("%v: %s was updated before it was there", name, change.Key)
				}
			}
		}
	}
	after := keys(t, c)
	for name, set := range after {
		if !reflect.DeepEqual(set, before[name]) {
			t.Errorf("%v: %d keys now, %d by the log of changes", name, len(set), len(before[name]))
		}
	}
	for _, want := range []string{"crm create", "crm update", "crm delete", "erp create", "erp update", "erp delete"} {
		if ops[want] == 0 {
			t.Errorf("four days without a %s", want)
		}
	}
}

// keys lists the keys of all streams that have one, deleted tickets left out as the log
// of changes counts them.
func keys(t *testing.T, c *sim.Company) map[sim.StreamName]map[string]bool {
	t.Helper()
	all := map[sim.StreamName]map[string]bool{}
	for _, name := range sim.Streams() {
		table, err := c.Expected(name.Source, name.Stream)
		if err != nil {
			t.Fatal(err)
		}
		if name.Source == "ads" || name.Stream == "owners" || name.Stream == "queue_log" {
			continue
		}
		key, status := 0, -1
		for i, column := range table.Columns {
			switch {
			case column == "request_id" || column == "uniqueid":
				key = i
			case column == "status" && name.Source == "support":
				status = i
			}
		}
		all[name] = map[string]bool{}
		for _, row := range table.Rows {
			if status < 0 || row[status] != "deleted" {
				all[name][fmt.Sprint(row[key])] = true
			}
		}
	}
	return all
}

func TestEveryDayCreatesUpdatesAndDeletes(t *testing.T) {
	c := sim.New(sim.Options{Customers: 2000, Seed: 42})
	for day := range 10 {
		tally := sim.Tally(c.Advance(24 * time.Hour))
		for _, stream := range []string{"crm.contacts", "erp.customers"} {
			for _, op := range []string{"create", "update", "delete"} {
				if tally[stream][op] == 0 {
					t.Errorf("day %d: no %s in %s", day, op, stream)
				}
			}
		}
	}
}

func TestERPFollowsTheCompany(t *testing.T) {
	ctx := context.Background()
	c := sim.New(sim.Options{Customers: 200, Seed: 2})
	db := openSQLite(t)
	if err := c.WriteERP(ctx, db, "sqlite"); err != nil {
		t.Fatal(err)
	}
	compareERP(t, c, db)
	for range 4 {
		if err := c.ApplyERP(ctx, db, "sqlite", c.Advance(30*time.Hour)); err != nil {
			t.Fatal(err)
		}
		compareERP(t, c, db)
	}
}

func openSQLite(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "erp.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// compareERP reads the tables as a stranger would and compares them with the oracle.
func compareERP(t *testing.T, c *sim.Company, db *sql.DB) {
	t.Helper()
	for _, table := range []string{"customers", "orders", "invoices", "payments"} {
		want, err := c.Expected("erp", table)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := db.Query("SELECT CAST(" + strings.Join(want.Columns, " AS TEXT), CAST(") + " AS TEXT) FROM " + table + " ORDER BY id")
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for rows.Next() {
			got, into := make([]sql.NullString, len(want.Columns)), make([]any, len(want.Columns))
			for i := range got {
				into[i] = &got[i]
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			for i := range got {
				if n < len(want.Rows) && !sameText(got[i], want.Rows[n][i]) {
					t.Fatalf("%s row %d column %s: got %v, want %v", table, n, want.Columns[i], got[i], want.Rows[n][i])
				}
			}
			n++
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		if n != len(want.Rows) {
			t.Errorf("%s: got %d rows, want %d", table, n, len(want.Rows))
		}
	}
}

func sameText(got sql.NullString, want any) bool {
	switch v := want.(type) {
	case nil:
		return !got.Valid
	case time.Time:
		return got.String == v.Format("2006-01-02 15:04:05.000")
	case string:
		a, errA := strconv.ParseFloat(got.String, 64)
		b, errB := strconv.ParseFloat(v, 64)
		return got.String == v || errA == nil && errB == nil && a == b
	}
	return got.String == fmt.Sprint(want)
}

func TestFilesAreOnlyAppendedTo(t *testing.T) {
	opt := sim.Options{Customers: 150, Seed: 4, Now: time.Date(2026, 2, 2, 0, 0, 0, 0, time.UTC)}
	c, dir := sim.New(opt), t.TempDir()
	if err := c.WriteFiles(dir, time.Time{}); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		old := contents(t, dir)
		from := c.Now()
		c.Advance(11 * time.Hour)
		if err := c.WriteFiles(dir, from); err != nil {
			t.Fatal(err)
		}
		now := contents(t, dir)
		for name, text := range old {
			if !bytes.HasPrefix(now[name], text) {
				t.Errorf("%s does not begin with what it held before", name)
			}
		}
	}
	fresh := t.TempDir()
	if err := c.WriteFiles(fresh, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if got, want := folder(t, dir), folder(t, fresh); got != want {
		t.Errorf("files written in steps and at once differ:\n%s\n%s", got, want)
	}
}

// A call that ends at the very moment up to which files were written stands in them once.
func TestFilesAtTheMomentOfAnEnd(t *testing.T) {
	c, dir := sim.New(sim.Options{Customers: 150, Seed: 4}), t.TempDir()
	if err := c.WriteFiles(dir, time.Time{}); err != nil {
		t.Fatal(err)
	}
	ahead := sim.New(sim.Options{Customers: 150, Seed: 4, Now: c.Now().Add(24 * time.Hour)})
	calls, err := ahead.Expected("calls", "cdr")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range calls.Rows[len(calls.Rows)-2:] {
		end, err := time.Parse(time.DateTime, row[11].(string))
		if err != nil {
			t.Fatal(err)
		}
		from := c.Now()
		c.Advance(end.Sub(from))
		if err := c.WriteFiles(dir, from); err != nil {
			t.Fatal(err)
		}
	}
	from := c.Now()
	c.Advance(ahead.Now().Sub(from))
	if err := c.WriteFiles(dir, from); err != nil {
		t.Fatal(err)
	}
	fresh := t.TempDir()
	if err := ahead.WriteFiles(fresh, time.Time{}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"calls/queue_log", "calls/cdr-csv/Master.csv"} {
		got, want := contents(t, dir)[filepath.Join(dir, name)], contents(t, fresh)[filepath.Join(fresh, name)]
		if !bytes.Equal(got, want) || len(got) == 0 {
			t.Errorf("%s: %d bytes, written at once %d", name, len(got), len(want))
		}
	}
}

func contents(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		all[path], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
