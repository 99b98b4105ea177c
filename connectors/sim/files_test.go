package sim_test

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/unsilo/unsilo/connectors/sim"
	"github.com/unsilo/unsilo/connectors/sim/files"
)

// accessLine is the log format as its package comment has it.
func accessLine() *regexp.Regexp {
	return regexp.MustCompile(`^(\S+) - - \[([^\]]+)\] "(\S+) (\S+) HTTP/1\.1" (\d+) (\d+) "-" "([^"]*)" "(v[0-9a-f]{16})" "([0-9a-f]{32})"$`)
}

// readLogs gives all lines of a folder of access logs, in order of their names.
func readLogs(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "access-*"))
	if err != nil {
		t.Fatal(err)
	}
	sort.Strings(names)
	var lines []string
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		var r io.Reader = f
		if strings.HasSuffix(name, ".gz") {
			if r, err = gzip.NewReader(f); err != nil {
				t.Fatal(err)
			}
		}
		for scan := bufio.NewScanner(r); scan.Scan(); {
			lines = append(lines, scan.Text())
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return lines
}

func TestAccessLogIsTheOracle(t *testing.T) {
	c, dir := sim.New(sim.Options{Customers: 200, Seed: 8}), t.TempDir()
	if err := c.WriteFiles(dir, time.Time{}); err != nil {
		t.Fatal(err)
	}
	want, err := c.Expected("web", "access")
	if err != nil {
		t.Fatal(err)
	}
	lines := readLogs(t, filepath.Join(dir, "web"))
	if len(lines) != len(want.Rows) || len(lines) == 0 {
		t.Fatalf("%d lines, want %d", len(lines), len(want.Rows))
	}
	re := accessLine()
	for i, line := range lines {
		m := re.FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("line %d is not of the format: %s", i, line)
		}
		at, err := time.Parse("02/Jan/2006:15:04:05 -0700", m[2])
		if err != nil {
			t.Fatal(err)
		}
		got := []any{m[1], at.UTC(), m[3], m[4], m[5], m[6], m[7], m[8], m[9]}
		if fmt.Sprint(got) != fmt.Sprint(want.Rows[i]) {
			t.Fatalf("line %d: got %v, want %v", i, got, want.Rows[i])
		}
	}
}

func TestCallFilesAreTheOracle(t *testing.T) {
	c, dir := sim.New(sim.Options{Customers: 200, Seed: 8}), t.TempDir()
	if err := c.WriteFiles(dir, time.Time{}); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(dir, "calls", "cdr-csv", "Master.csv"))
	if err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	same(t, c, "cdr", records)
	text, err := os.ReadFile(filepath.Join(dir, "calls", "queue_log"))
	if err != nil {
		t.Fatal(err)
	}
	var events [][]string
	for _, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		events = append(events, strings.Split(line, "|"))
	}
	same(t, c, "queue_log", events)
	legs := map[string]int{}
	for _, r := range records {
		legs[r[16]]++
	}
	if len(legs) == len(records) {
		t.Error("no call has two records")
	}
}

func same(t *testing.T, c *sim.Company, stream string, got [][]string) {
	t.Helper()
	want, err := c.Expected("calls", stream)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want.Rows) || len(got) == 0 {
		t.Fatalf("%s: %d records, want %d", stream, len(got), len(want.Rows))
	}
	for i, fields := range got {
		for j, field := range fields {
			if field != want.Rows[i][j] {
				t.Fatalf("%s %d column %s: got %q, want %q", stream, i, want.Columns[j], field, want.Rows[i][j])
			}
		}
	}
}

// A rotated folder holds the same lines under other names.
func TestRotation(t *testing.T) {
	c := sim.New(sim.Options{Customers: 80, Seed: 8, Now: time.Date(2026, 1, 20, 0, 0, 0, 0, time.UTC)})
	plain, turned := t.TempDir(), t.TempDir()
	from := time.Time{}
	for range 3 {
		now := c.Now()
		if err := sim.WriteWebLog(c, files.WebLog{Dir: turned, Rotate: true}, from); err != nil {
			t.Fatal(err)
		}
		from = now
		c.Advance(26 * time.Hour)
	}
	if err := sim.WriteWebLog(c, files.WebLog{Dir: turned, Rotate: true}, from); err != nil {
		t.Fatal(err)
	}
	if err := sim.WriteWebLog(c, files.WebLog{Dir: plain}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	got, want := readLogs(t, turned), readLogs(t, plain)
	if len(got) == 0 || strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("rotated logs have %d lines, plain ones %d, or they differ", len(got), len(want))
	}
	packed, err := filepath.Glob(filepath.Join(turned, "*.gz"))
	if err != nil || len(packed) == 0 {
		t.Errorf("nothing was packed: %v", err)
	}
	for _, name := range packed {
		if _, err := os.Stat(strings.TrimSuffix(name, ".gz")); err == nil {
			t.Errorf("%s stands beside its packed form", name)
		}
	}
}
