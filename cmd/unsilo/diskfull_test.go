//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Rows of 6 KB: a first run, and more than the disk has room for.
const fullDiskFirst, fullDiskRows = 300, 4_000

const fullDiskProject = `
unsilo {
  isolation = "none"
}
warehouse "duckdb" {
  path         = "w.duckdb"
  memory_limit = "256MB"
}
source "sqlite" "erp" {
  path = "SILOS/erp.db"
  stream "steps" {
    primary_key = ["n"]
    cursor      = "at"
    means       = { filler = "none" }
  }
}
`

// TestCrashOnFullDisk fills the disk in the middle of a run: the run fails and says why,
// what was acknowledged stands, and when there is room again the next run goes on.
func TestCrashOnFullDisk(t *testing.T) {
	dir := smallDisk(t, 128<<20) // the warehouse, its log and the snapshot for readers
	c := newCrashCompany(t, 1)
	b := newCrashBench(t, c)
	b.dir = dir
	b.write("project.hcl", strings.ReplaceAll(strings.TrimSpace(fullDiskProject)+"\n", "SILOS", c.dir))
	c.exec("DROP TABLE steps")
	c.exec("CREATE TABLE steps (n INTEGER PRIMARY KEY, at INTEGER, filler TEXT)")
	c.fill(1, fullDiskFirst)
	b.must("run")

	ballast := filepath.Join(dir, "ballast")
	leaveFree(t, dir, ballast, 6<<20)
	c.fill(fullDiskFirst+1, fullDiskRows)
	cmd := b.command("run", "-o", "json")
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err == nil {
		t.Fatalf("a run with more to write than there is room for succeeded\n%s", out.String())
	}
	if said := out.String() + errs.String(); !strings.Contains(said, "free disk space") {
		t.Errorf("the run does not say that the disk is full:\n%s", said)
	}
	if code := cmd.ProcessState.ExitCode(); code != exitFailed {
		t.Errorf("exit code %d, want %d\n%s", code, exitFailed, errs.String())
	}
	acked := acknowledged(t, out.String())

	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	b.must("status")
	b.same("rows after the disk was full", []string{"n=true"}, b.rows(fmt.Sprintf(`SELECT count(*) >= %d AND count(*) = count(DISTINCT n) AS n FROM raw_erp.steps`, acked)))
	b.must("run")
	b.same("steps", c.source("(SELECT n, at, length(filler) AS size FROM steps)", "true"), b.rows(`SELECT n, "at", length(filler) AS size FROM raw_erp.steps`))
	b.checkTidy()
}

// acknowledged is the number of rows that must be there: those of the first run and what
// the failed one says it landed.
func acknowledged(t *testing.T, out string) int64 {
	t.Helper()
	var doc struct {
		Landed int64 `json:"landed"`
	}
	if out == "" {
		return fullDiskFirst
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return fullDiskFirst + doc.Landed
}

// fill adds rows that no compression makes small.
func (c *crashCompany) fill(from, until int) {
	c.t.Helper()
	c.exec(`INSERT INTO steps WITH RECURSIVE k(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM k WHERE i < ?)
		SELECT i, i, hex(randomblob(3000)) FROM k`, from, until)
}

// smallDisk mounts a file system of its own in memory, which only root can.
func smallDisk(t *testing.T, size int64) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("unsilo-test", dir, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		if os.Getenv("UNSILO_REQUIRE_SERVERS") == "1" {
			t.Fatalf("mount a small file system: %v", err)
		}
		t.Skipf("mount a small file system: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}

// leaveFree fills a file until only so much is left.
func leaveFree(t *testing.T, dir, file string, left int64) {
	t.Helper()
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		t.Fatal(err)
	}
	n := int64(s.Bavail)*s.Bsize - left
	if err := os.WriteFile(file, make([]byte, max(n, 0)), 0o600); err != nil {
		t.Fatal(err)
	}
}
