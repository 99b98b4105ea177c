package main

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// crashProject reads everything in every way: incremental with deletes by key sweep and by
// flag, full with and without a key, history, append with and without a key, files with
// lines that cannot land, masks, an identity and models.
const crashProject = `
unsilo {
  isolation = "none"
}
warehouse "duckdb" {
  path         = "w.duckdb"
  memory_limit = "512MB"
  threads      = 2
}
privacy {
  key    = secret("file:key")
  key_id = "p1"
}
source "sqlite" "erp" {
  path = "SILOS/erp.db"
  stream "customers" {
    primary_key      = ["id"]
    cursor           = "at"
    deletes          = "reconcile"
    max_delete_share = 1
    means            = { email = "person.email", city = "none" }
    mask             = { email = "hmac" }
  }
  stream "tickets" {
    primary_key  = ["id"]
    cursor       = "at"
    deletes      = "flag"
    delete_field = "gone"
  }
  stream "drifting" {
    primary_key      = ["id"]
    cursor           = "at"
    deletes          = "reconcile"
    max_delete_share = 1
  }
  stream "products" {
    mode             = "full"
    primary_key      = ["sku"]
    max_delete_share = 1
  }
  stream "prices" {
    mode             = "full"
    write            = "history"
    primary_key      = ["sku"]
    max_delete_share = 1
  }
  stream "notes" {
    mode             = "full"
    max_delete_share = 1
  }
  stream "steps" {
    cursor = "at"
  }
}
source "file" "lists" {
  stream "events" {
    path   = "SILOS/events/*.jsonl"
    types  = { n = "int64", v = "int64" }
    write  = "append"
    settle = "0s"
  }
  stream "contacts" {
    path        = "SILOS/contacts/*.csv"
    primary_key = ["code"]
    means       = { email = "person.email" }
    mask        = { email = "hmac" }
    settle      = "0s"
  }
}
identity "person" {
  record "erp" {
    from = source.erp.customers
  }
  record "lists" {
    from = source.lists.contacts
  }
}
model "cities" {
  sql = "SELECT city, count(*) AS customers FROM ${source.erp.customers} GROUP BY city"
  test "unique" {
    columns = ["city"]
  }
}
model "people" {
  sql = "SELECT m.person_id, count(*) AS records FROM ${identity.person.map} m GROUP BY 1"
}
`

// crashCompany is the silos of the crash tests and what is expected of them.
type crashCompany struct {
	t    *testing.T
	dir  string
	db   *sql.DB
	rng  *rand.Rand
	tick int64
	// next numbers for rows that come; the columns of table drifting that are still whole
	// numbers; columns added so far.
	id, event, drifted, added int
	bad                       []string
}

// driftColumns of table drifting are whole numbers at first; each can become text once.
const driftColumns = 60

func newCrashCompany(t *testing.T, seed uint64) *crashCompany {
	t.Helper()
	c := &crashCompany{t: t, dir: filepath.Join(t.TempDir(), "silos"), rng: rand.New(rand.NewPCG(seed, 7))}
	for _, sub := range []string{"events", "contacts"} {
		if err := os.MkdirAll(filepath.Join(c.dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	db, err := sql.Open("sqlite", filepath.Join(c.dir, "erp.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() }) // its file goes with the folder
	c.db = db
	var drift strings.Builder
	for i := range driftColumns {
		fmt.Fprintf(&drift, ", q%d INTEGER", i)
	}
	for _, s := range []string{
		"CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT, city TEXT, at INTEGER)",
		"CREATE TABLE tickets (id INTEGER PRIMARY KEY, state TEXT, gone BOOLEAN, at INTEGER)",
		"CREATE TABLE drifting (id INTEGER PRIMARY KEY, v INTEGER, at INTEGER" + drift.String() + ")",
		"CREATE TABLE products (sku TEXT PRIMARY KEY, stock INTEGER)",
		"CREATE TABLE prices (sku TEXT PRIMARY KEY, cents INTEGER)",
		"CREATE TABLE notes (line TEXT)",
		"CREATE TABLE steps (n INTEGER, at INTEGER)",
	} {
		c.exec(s)
	}
	for range 6 {
		c.mutate()
	}
	return c
}

func (c *crashCompany) exec(query string, args ...any) {
	c.t.Helper()
	if _, err := c.db.Exec(query, args...); err != nil {
		c.t.Fatalf("%s: %v", query, err)
	}
}

func (c *crashCompany) email() string { return fmt.Sprintf("person%d@example.com", c.rng.IntN(150)) }

// mutate is a while in the company: every silo changes a little.
func (c *crashCompany) mutate() {
	c.t.Helper()
	c.tick += int64(c.rng.IntN(3)) // often several changes at one time
	for range 8 {
		c.id++
		c.exec("INSERT INTO customers VALUES (?, ?, ?, ?)", c.id, c.email(), fmt.Sprintf("city %d", c.rng.IntN(5)), c.tick)
		c.exec("INSERT INTO tickets VALUES (?, 'open', ?, ?)", c.id, c.rng.IntN(8) == 0, c.tick)
		c.exec("INSERT INTO drifting (id, v, at) VALUES (?, ?, ?)", c.id, c.rng.IntN(9), c.tick)
		c.exec("INSERT OR REPLACE INTO products (sku, stock) VALUES (?, ?)", fmt.Sprintf("s%d", c.rng.IntN(150)), c.rng.IntN(4))
		c.exec("INSERT OR REPLACE INTO prices (sku, cents) VALUES (?, ?)", fmt.Sprintf("s%d", c.rng.IntN(150)), c.rng.IntN(4))
		c.exec("INSERT INTO steps VALUES (?, ?)", c.id, c.tick)
	}
	for range 4 {
		some := 1 + c.rng.IntN(c.id)
		c.exec("UPDATE customers SET email = ?, at = ? WHERE id = ?", c.email(), c.tick, some)
		c.exec("UPDATE tickets SET state = 'seen', gone = ?, at = ? WHERE id = ?", c.rng.IntN(2), c.tick, some)
		c.exec("UPDATE drifting SET v = v + 1, at = ? WHERE id = ?", c.tick, some)
	}
	for _, table := range []string{"customers", "drifting"} { // which so stay small
		c.exec("DELETE FROM "+table+" WHERE id IN (SELECT id FROM "+table+" ORDER BY (id * ?) % 1009 LIMIT max(2, (SELECT count(*) - 120 FROM "+table+")))", 1+c.rng.IntN(1000))
	}
	for range 3 {
		c.exec("DELETE FROM products WHERE sku = ?", fmt.Sprintf("s%d", c.rng.IntN(150)))
		c.exec("DELETE FROM prices WHERE sku = ?", fmt.Sprintf("s%d", c.rng.IntN(150)))
	}
	c.exec("DELETE FROM notes WHERE rowid % 7 = ?", c.rng.IntN(7))
	c.exec("INSERT INTO notes VALUES (?), (?)", fmt.Sprintf("line %d", c.rng.IntN(50)), "the same")
	c.files()
}

// badLine is one that cannot land.
func (c *crashCompany) badLine() string {
	line := fmt.Sprintf(`{"n": %d, "v": "not a number"}`, c.event)
	c.bad = append(c.bad, line)
	return line
}

// files adds lines to the files, some of which cannot land, and sometimes a new file.
func (c *crashCompany) files() {
	c.t.Helper()
	var lines strings.Builder
	for range 12 {
		c.event++
		if c.rng.IntN(6) == 0 {
			fmt.Fprintln(&lines, c.badLine())
			continue
		}
		fmt.Fprintf(&lines, "{\"n\": %d, \"v\": %d}\n", c.event, c.rng.IntN(100))
	}
	c.add("events", fmt.Sprintf("e%03d.jsonl", c.event/400), lines.String(), "")
	c.add("contacts", fmt.Sprintf("c%03d.csv", c.event/600), fmt.Sprintf("k%d,%s\nk%d,%s\n", c.event, c.email(), c.rng.IntN(c.event), c.email()), "code,email\n")
}

// add appends lines to a file; the last may come in two halves.
func (c *crashCompany) add(folder, name, lines, header string) {
	c.t.Helper()
	path := filepath.Join(c.dir, folder, name)
	if _, err := os.Stat(path); err != nil {
		lines = header + lines
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		c.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(lines); err != nil {
		c.t.Fatal(err)
	}
}

// addColumn gives tables a column, which rows that change from now on have.
func (c *crashCompany) addColumn() {
	c.t.Helper()
	c.added++
	for _, table := range []string{"drifting", "products"} {
		c.exec(fmt.Sprintf("ALTER TABLE %s ADD COLUMN added%d TEXT", table, c.added))
		c.exec(fmt.Sprintf("UPDATE %s SET added%d = 'x%d' WHERE rowid %% 5 = 0", table, c.added, c.added))
	}
	c.tick++
	c.exec("UPDATE drifting SET at = ? WHERE rowid % 5 = 0", c.tick)
}

// changeType makes a column of whole numbers one of texts, which no warehouse can do in
// place.
func (c *crashCompany) changeType() {
	c.t.Helper()
	if c.drifted == driftColumns {
		return
	}
	column := fmt.Sprintf("q%d", c.drifted)
	c.drifted++
	c.tick++
	var text string
	if err := c.db.QueryRow("SELECT sql FROM sqlite_master WHERE name = 'drifting'").Scan(&text); err != nil {
		c.t.Fatal(err)
	}
	anew := strings.Replace(strings.Replace(text, column+" INTEGER", column+" TEXT", 1), "drifting", "anew", 1)
	c.exec(anew)
	c.exec("INSERT INTO anew SELECT * FROM drifting")
	c.exec("DROP TABLE drifting")
	c.exec("ALTER TABLE anew RENAME TO drifting")
	c.exec(fmt.Sprintf("UPDATE drifting SET %s = 'text ' || id, at = ? WHERE id %% 4 = 0", column), c.tick)
}

// source reads a table of the silos as lines of column=value, sorted.
func (c *crashCompany) source(table, where string) []string {
	c.t.Helper()
	rows, err := c.db.Query("SELECT * FROM " + table + " WHERE " + where)
	if err != nil {
		c.t.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		c.t.Fatal(err)
	}
	var out []string
	for rows.Next() {
		values, into := make([]sql.NullString, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			c.t.Fatal(err)
		}
		row := map[string]any{}
		for i, v := range values {
			if v.Valid {
				row[names[i]] = v.String
			}
		}
		out = append(out, lineOf(row))
	}
	if err := rows.Err(); err != nil {
		c.t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

// lineOf writes what is not null in a row, in the order of the names.
func lineOf(row map[string]any) string {
	var parts []string
	for _, k := range sortedKeys(row) {
		if row[k] != nil {
			parts = append(parts, fmt.Sprintf("%s=%v", k, row[k]))
		}
	}
	return strings.Join(parts, " ")
}

// lines are the events that can land, as rows.
func (c *crashCompany) lines() []string {
	c.t.Helper()
	var out []string
	files, err := filepath.Glob(filepath.Join(c.dir, "events", "*.jsonl"))
	if err != nil {
		c.t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			c.t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			var n, v int
			if _, err := fmt.Sscanf(line, `{"n": %d, "v": %d}`, &n, &v); err == nil {
				out = append(out, fmt.Sprintf("n=%d v=%d", n, v))
			}
		}
	}
	slices.Sort(out)
	return out
}

// quarantined are the rows of unsilo.quarantine as they should be.
func (c *crashCompany) quarantined() []string {
	var out []string
	for _, line := range c.bad {
		out = append(out, "record="+line)
	}
	return out
}
