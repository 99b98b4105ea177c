package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const maskedProject = `
unsilo {
  isolation = "none"
}
warehouse "duckdb" {
  path = "w.duckdb"
}
privacy {
  key            = secret("file:key")
  key_id         = "p1"
  default_region = "FI"
}
source "sqlite" "erp" {
  path = "SILOS/erp.db"
  stream "people" {
    primary_key = ["id"]
    cursor      = "at"
    means       = { email = "person.email", name = "person.name.full", phone = "person.phone", street = "person.address.street", born = "person.birth_date", nick = "none" }
    mask        = { email = "hmac", name = "redact", phone = "drop", street = "partial", born = "year" }
    exclude     = ["salary"]
  }
  stream "copies" {
    table       = "people"
    mode        = "full"
    primary_key = ["email"]
    write       = "history"
    means       = { email = "person.email", name = "person.name.full", phone = "person.phone", street = "person.address.street", born = "person.birth_date", nick = "none" }
    mask        = { email = "hmac", name = "hmac", phone = "hmac", street = "drop", born = "drop" }
    exclude     = ["salary"]
  }
}
source "file" "lists" {
  stream "visits" {
    path    = "SILOS/visits.jsonl"
    types   = { n = "int64" }
    settle  = "0s"
    means   = { email = "person.email", who = "person.name.full" }
    mask    = { email = "hmac", who = "drop" }
    exclude = ["diary"]
  }
  stream "calls" {
    path   = "SILOS/calls.csv"
    types  = { n = "int64" }
    settle = "0s"
    means  = { email = "person.email" }
    mask   = { email = "redact" }
  }
  stream "strict" {
    path             = "SILOS/strict.jsonl"
    types            = { n = "int64" }
    settle           = "0s"
    on_schema_change = "quarantine"
    means            = { email = "person.email" }
    mask             = { email = "hmac" }
  }
}
identity "person" {
  record "erp" {
    from = source.erp.people
  }
  record "visits" {
    from = source.lists.visits
  }
}
`

// clear is a value that must never be stored as it is.
func clear(kind string, i int) string { return fmt.Sprintf("Zq%sx%dvw", kind, i) }

func writeMaskedSilos(c *crashCompany) {
	c.t.Helper()
	c.exec("CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT, name TEXT, phone TEXT, street TEXT, born TEXT, nick TEXT, salary TEXT, at INTEGER)")
	var visits, calls, strict strings.Builder
	calls.WriteString("n,email\n")
	for i := range 60 {
		mail := clear("mail", i) + "@example.com"
		c.exec("INSERT INTO people VALUES (?, ?, ?, ?, ?, '1980-07-29', ?, ?, ?)", i, mail, clear("name", i), "+35840"+fmt.Sprint(7_770_000+i),
			"12 "+clear("street", i)+" 7", "n"+fmt.Sprint(i), clear("salary", i), i)
		n := fmt.Sprint(i)
		if i%3 == 0 {
			n = `"bad"` // goes into the quarantine
		}
		fmt.Fprintf(&visits, `{"n": %s, "email": %q, "who": %q, "diary": %q, "more": {"deep": "x"}}`+"\n", n, mail, clear("who", i), clear("diary", i))
		fmt.Fprintf(&calls, "%s,%s\n", n, mail)
		fmt.Fprintf(&strict, `{"n": %d, "email": %q}`+"\n", i, mail)
	}
	visits.WriteString(`{"n": 7, "email": "` + clear("cut", 1) + "\n")
	c.write("visits.jsonl", visits.String())
	c.write("calls.csv", calls.String())
	c.write("strict.jsonl", strict.String())
}

func (c *crashCompany) write(name, text string) {
	c.t.Helper()
	if err := os.WriteFile(filepath.Join(c.dir, name), []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// TestMaskedBeforeStored looks for clear values in every byte under the project: after a
// run, after a backup, and after runs that were killed with their log and temporary files
// lying around.
func TestMaskedBeforeStored(t *testing.T) {
	c := newCrashCompany(t, 3)
	b := newCrashBench(t, c)
	b.write("project.hcl", strings.ReplaceAll(strings.TrimSpace(maskedProject)+"\n", "SILOS", c.dir))
	writeMaskedSilos(c)
	for _, point := range []string{"quarantine_after", "write_after", "shadow_stored", "commit_after"} {
		if !b.killAt(point, 2) {
			t.Errorf("no run passed %s", point)
		}
		b.scan("killed at "+point, b.dir)
	}
	b.must("run")
	b.must("db", "backup", filepath.Join(b.dir, "copy.duckdb"))
	b.scan("done", b.dir)

	// Rows that do not fit any more, and a personal column that nobody has labelled.
	c.exec("ALTER TABLE people ADD COLUMN second_email TEXT")
	c.exec("UPDATE people SET at = 100, second_email = 'Zqmailx999vw@example.com' WHERE id < 9")
	f, err := os.OpenFile(filepath.Join(c.dir, "strict.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(f, `{"n": 100, "email": %q, "extra": 1}`+"\n", clear("mail", 100))
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd := b.command("run", "-o", "json")
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err == nil {
		t.Errorf("a run with an unlabelled personal column succeeded\n%s", said.String())
	}
	b.must("run", "lists")
	b.scan("drifted", b.dir)
	for _, word := range clearWords() {
		if strings.Contains(said.String(), word) {
			t.Errorf("the output holds %q\n%s", word, said.String())
		}
	}
	if n := b.rows("SELECT count(*) AS n FROM unsilo.quarantine"); n[0] == "n=0" {
		t.Error("nothing is in the quarantine")
	}
	b.same("masked people", []string{"n=60"}, b.rows("SELECT count(*) AS n FROM raw_erp.people WHERE starts_with(email, 'p1_') AND born = 1980 AND starts_with(nick, 'n')"))
}

func clearWords() []string {
	return []string{"Zqmail", "Zqname", "Zqstreet", "Zqwho", "Zqdiary", "Zqsalary", "Zqcut", "777000", "07-29", "zqmail", "zqname"}
}

// scan fails for every file that holds a clear value.
func (b *crashBench) scan(when, dir string) {
	b.t.Helper()
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for _, word := range clearWords() {
			if at := bytes.Index(text, []byte(word)); at >= 0 {
				b.t.Errorf("%s: %s holds %q", when, filepath.Base(name), text[max(0, at-20):min(len(text), at+40)])
			}
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
}
