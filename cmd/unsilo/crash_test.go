package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/unsilo/unsilo/core/engine"
)

// crashFull asks for the number of kills that a change must pass.
func crashFull() bool { return os.Getenv("UNSILO_CRASH") == "full" }

// crashBench is a project on a company's silos, run by child processes.
type crashBench struct {
	t       *testing.T
	dir     string
	program string
}

func newCrashBench(t *testing.T, c *crashCompany) *crashBench {
	t.Helper()
	program, err := exec.LookPath("unsilo-small")
	if err != nil {
		t.Fatal(err)
	}
	b := &crashBench{t: t, dir: t.TempDir(), program: program}
	b.write("project.hcl", strings.ReplaceAll(strings.TrimSpace(crashProject)+"\n", "SILOS", c.dir))
	b.write("key", "0123456789abcdef0123456789abcdef\n")
	return b
}

func (b *crashBench) write(name, text string) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

func (b *crashBench) command(args ...string) *exec.Cmd {
	cmd := exec.Command(b.program, append([]string{"-C", b.dir}, args...)...)
	cmd.Env = append(os.Environ(), "NO_COLOR=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// must runs a verb that has to succeed and returns what it wrote.
func (b *crashBench) must(args ...string) []byte {
	b.t.Helper()
	cmd := b.command(args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		b.t.Fatalf("unsilo %s: %v\n%s%s", strings.Join(args, " "), err, out.String(), errs.String())
	}
	return out.Bytes()
}

// killAfter runs and kills the whole process group after a while. It reports false when
// the run was done before.
func (b *crashBench) killAfter(d time.Duration) bool {
	b.t.Helper()
	cmd := b.command("run")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	timer := time.AfterFunc(d, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	err := cmd.Wait()
	timer.Stop()
	return b.killed(err, &out)
}

// killAt runs and lets the program kill itself at the count-th pass of a point.
func (b *crashBench) killAt(point string, count int) bool {
	b.t.Helper()
	cmd := b.command("run")
	cmd.Env = append(cmd.Env, fmt.Sprintf("UNSILO_FAILPOINT=%s:%d:kill", point, count))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	return b.killed(cmd.Run(), &out)
}

// killed tells a killed program from one that was done. One that failed, after whatever
// happened to it before, is stuck.
func (b *crashBench) killed(err error, out fmt.Stringer) bool {
	b.t.Helper()
	if err == nil {
		return false
	}
	exit, ok := err.(*exec.ExitError)
	if ok {
		if status := exit.Sys().(syscall.WaitStatus); status.Signaled() && status.Signal() == syscall.SIGKILL {
			return true
		}
	}
	b.t.Fatalf("a run after kills ended with %v\n%s", err, out)
	return false
}

// rows reads a query as lines of column=value, sorted.
func (b *crashBench) rows(query string) []string {
	b.t.Helper()
	out := []string{}
	for line := range bytes.Lines(b.must("query", "-o", "ndjson", query)) {
		d := json.NewDecoder(bytes.NewReader(line))
		d.UseNumber()
		var row map[string]any
		if err := d.Decode(&row); err != nil {
			b.t.Fatalf("%s: %v", line, err)
		}
		out = append(out, lineOf(row))
	}
	slices.Sort(out)
	return out
}

// TestCrash kills runs at random times and at every named point, with changes in the silos
// in between, never repairs anything, and demands in the end what a run without
// interruptions gives.
func TestCrash(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes for a minute")
	}
	random, repeats := 12, 1
	if crashFull() {
		random, repeats = 200, 5
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	company := newCrashCompany(t, seed)
	b := newCrashBench(t, company)
	began := time.Now()
	kills := b.killAtRandom(company, random)
	points := 0
	for _, point := range engine.Failpoints() {
		for i := range repeats {
			b.killAtPoint(company, point, i)
			points++
		}
	}
	b.must("run")
	b.check(company)
	t.Logf("%d kills at random times, %d at %d named points, in %s: nothing lost, doubled or stuck",
		kills, points, len(engine.Failpoints()), time.Since(began).Round(time.Second))
}

// killAtRandom kills n runs at random times of their lives.
func (b *crashBench) killAtRandom(c *crashCompany, n int) (kills int) {
	b.t.Helper()
	start := time.Now()
	b.must("run")
	usual := time.Since(start)
	for tries := 0; kills < n; tries++ {
		if tries > 10*n {
			b.t.Fatalf("only %d of %d runs were killed", kills, tries)
		}
		c.mutate()
		switch rand.IntN(12) {
		case 0:
			c.addColumn()
		case 1:
			c.changeType()
		}
		if b.killAfter(time.Duration(rand.Int64N(int64(usual)))) {
			kills++
		}
		if tries%5 == 0 {
			b.must("status")
		}
	}
	return kills
}

// killAtPoint kills one run at a named point, and demands that it passed there.
func (b *crashBench) killAtPoint(c *crashCompany, point string, repeat int) {
	b.t.Helper()
	for _, count := range []int{1 + repeat, 1} {
		c.prepareFor(point)
		fired := b.killAt(point, count)
		if repeat == 0 {
			b.must("status")
		}
		if fired {
			return
		}
	}
	b.t.Errorf("no run passed the point %s", point)
}

// prepareFor changes the silos so that the next run passes a point.
func (c *crashCompany) prepareFor(point string) {
	c.t.Helper()
	c.mutate()
	switch {
	case strings.HasPrefix(point, "drift_"), strings.HasPrefix(point, "rewrite_"):
		c.changeType()
	case strings.HasPrefix(point, "quarantine_"):
		c.event++
		c.add("events", fmt.Sprintf("e%03d.jsonl", c.event/400), c.badLine()+"\n", "")
	case point == "table_defined":
		c.addColumn()
	case strings.HasPrefix(point, "pending_"):
		for range 8 {
			c.mutate()
		}
	}
}

// check compares every landed table with the silos, and with a warehouse that was built
// from them without interruption.
func (b *crashBench) check(c *crashCompany) {
	b.t.Helper()
	b.same("customers", c.source("(SELECT id, city, at FROM customers)", "true"), b.rows(`SELECT id, city, "at" FROM raw_erp.customers`))
	b.same("tickets", c.source("(SELECT id, state, at FROM tickets WHERE NOT gone)", "true"), b.rows(`SELECT id, state, "at" FROM raw_erp.tickets`))
	b.same("drifting", c.source("drifting", "true"), b.rows("SELECT * FROM raw_erp.drifting"))
	b.same("products", c.source("products", "true"), b.rows("SELECT * FROM raw_erp.products"))
	b.same("prices", c.source("prices", "true"), b.rows("SELECT sku, cents FROM raw_erp.prices WHERE _valid_to IS NULL"))
	b.same("notes", c.source("notes", "true"), b.rows("SELECT * FROM raw_erp.notes"))
	b.same("steps", c.source("steps", "true"), b.rows("SELECT * FROM raw_erp.steps"))
	b.same("events", c.lines(), b.rows("SELECT n, v FROM raw_lists.events"))
	b.same("quarantine", slices.Sorted(slices.Values(c.quarantined())), b.rows("SELECT record FROM unsilo.quarantine"))
	b.checkHistory()
	b.checkTidy()

	scratch := newCrashBench(b.t, c)
	scratch.must("run")
	for _, query := range []string{
		"SELECT * FROM raw_erp.customers", "SELECT * FROM raw_lists.contacts", "SELECT n, v FROM raw_lists.events",
		"SELECT * FROM raw_erp.drifting", "SELECT * FROM marts.cities", "SELECT records, count(*) AS people FROM marts.people GROUP BY 1",
		"SELECT list(source || stream || record_key ORDER BY source, stream, record_key) AS records FROM identity.person_map GROUP BY person_id",
	} {
		b.same(query, scratch.rows(query), b.rows(query))
	}

	var idle struct {
		Landed int    `json:"landed"`
		Status string `json:"status"`
	}
	if err := json.Unmarshal(b.must("run", "-o", "json"), &idle); err != nil {
		b.t.Fatal(err)
	}
	if idle.Landed != 0 || idle.Status != "done" {
		b.t.Errorf("a run without changes landed %d rows and ended %s", idle.Landed, idle.Status)
	}
}

// checkHistory holds versions to what versions are: one open one a key, none that
// overlap, none that repeats the one before it.
func (b *crashBench) checkHistory() {
	b.t.Helper()
	for name, query := range map[string]string{
		"two open versions of one key":         "SELECT sku FROM raw_erp.prices WHERE _valid_to IS NULL GROUP BY sku HAVING count(*) > 1",
		"a version that ends before it begins": "SELECT sku FROM raw_erp.prices WHERE _valid_to <= _valid_from",
		"versions that overlap or repeat": `SELECT sku FROM (SELECT sku, cents, _valid_to, lead(_valid_from) OVER w AS later, lead(cents) OVER w AS after
			FROM raw_erp.prices WINDOW w AS (PARTITION BY sku ORDER BY _valid_from))
			WHERE later < _valid_to OR later = _valid_to AND cents = after OR later IS NOT NULL AND _valid_to IS NULL`,
	} {
		if rows := b.rows(query); len(rows) > 0 {
			b.t.Errorf("history has %s: %v", name, rows)
		}
	}
}

// checkTidy demands that nothing is left of work that was cut short.
func (b *crashBench) checkTidy() {
	b.t.Helper()
	for name, query := range map[string]string{
		"tables of work under way": "SELECT table_name FROM information_schema.tables WHERE table_name LIKE '\\_unsilo\\_%' ESCAPE '\\'",
		"runs under way":           "SELECT run_id FROM unsilo.runs WHERE status = 'running'",
		"two positions":            "SELECT source, stream FROM unsilo.state GROUP BY ALL HAVING count(*) > 1",
	} {
		if rows := b.rows(query); len(rows) > 0 {
			b.t.Errorf("there are %s: %v", name, rows)
		}
	}
}

func (b *crashBench) same(what string, want, got []string) {
	b.t.Helper()
	if slices.Equal(want, got) {
		return
	}
	lost := slices.DeleteFunc(slices.Clone(want), func(s string) bool { return slices.Contains(got, s) })
	more := slices.DeleteFunc(slices.Clone(got), func(s string) bool { return slices.Contains(want, s) })
	b.t.Errorf("%s: %d rows, want %d\nlost: %s\nmore: %s", what, len(got), len(want), firstOf(lost), firstOf(more))
}

func firstOf(rows []string) string {
	if len(rows) > 5 {
		return fmt.Sprintf("%s and %d more", strings.Join(rows[:5], " | "), len(rows)-5)
	}
	return strings.Join(rows, " | ")
}
