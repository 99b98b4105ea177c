package file_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/unsilo/unsilo/core"
)

func TestPatterns(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.log", "b.log", "sub/c.log", "sub/deep/d.log", ".hidden.log", ".git/e.log", "f.txt", "[x].log"} {
		write(t, dir, name, name+"\n")
	}
	if err := os.Symlink(filepath.Join(dir, "f.txt"), filepath.Join(dir, "link.log")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(dir, filepath.Join(dir, "sub", "loop")); err != nil {
		t.Fatal(err)
	}
	for pattern, want := range map[string][]string{
		"*.log":             {"[x].log", "a.log", "b.log", "f.txt"},
		"?.log":             {"a.log", "b.log"},
		"**/*.log":          {"[x].log", "a.log", "b.log", "f.txt", "sub/c.log", "sub/deep/d.log"},
		"sub/**":            {"sub/c.log", "sub/deep/d.log"},
		"{a,sub/c}.log":     {"a.log", "sub/c.log"},
		"{a,b.{log,txt}}":   {"b.log"},
		".*.log":            {".hidden.log"},
		"*/*.log":           {"sub/c.log"},
		"none/*.log":        {},
		"f.txt":             {"f.txt"},
		`\[x\].log`:         {"[x].log"},
		"sub/../a.log":      {"a.log"},
		"sub/deep/../*.log": {"sub/c.log"},
	} {
		l := land(t, open(t, map[string]any{"path": filepath.Join(dir, "x")[:len(dir)+1] + pattern, "format": "lines"}))
		l.next(t)
		got := l.column("line")
		slices.Sort(got)
		if !slices.Equal(got, want) && len(got)+len(want) > 0 {
			t.Errorf("%s: got %q, want %q", pattern, got, want)
		}
	}
	src := open(t, map[string]any{"path": filepath.Join(dir, "a[.log"), "format": "lines"})
	if err := src.Check(t.Context()); core.KindOf(err) != core.KindConfig {
		t.Errorf("a broken pattern: got error %v", err)
	}
}

// TestCopyUnderWay reads while a rotation copies the log, before it cuts the original.
func TestCopyUnderWay(t *testing.T) {
	dir := t.TempDir()
	text := strings.Repeat("a line of the log that is like all others\n", 500)
	path := write(t, dir, "a.log", text)
	l := land(t, open(t, map[string]any{"path": path + "*", "format": "lines"}))
	l.next(t)
	write(t, dir, "a.log.1", text[:len(text)/2])
	if n := l.next(t); n != 0 {
		t.Errorf("half a copy: got %d rows", n)
	}
	write(t, dir, "a.log.1", text)
	if n := l.next(t); n != 0 {
		t.Errorf("a whole copy: got %d rows", n)
	}
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	grow(t, path, "new\n")
	if n := l.next(t); n != 1 {
		t.Errorf("after the cut: got %d rows, want 1", n)
	}
	if len(l.rows) != 501 {
		t.Errorf("got %d rows in all, want 501", len(l.rows))
	}
}

// TestCompressionUnderWay reads while gzip has written a part of the compressed file.
func TestCompressionUnderWay(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "a.log.1", "one\ntwo\n")
	l := land(t, open(t, map[string]any{"path": filepath.Join(dir, "a.log*"), "format": "lines"}))
	l.next(t)
	whole := gz(t, "one\ntwo\n")
	write(t, dir, "a.log.1.gz", string(whole[:5]))
	if n := l.next(t); n != 0 {
		t.Errorf("while it is compressed: got %d rows", n)
	}
	write(t, dir, "a.log.1.gz", string(whole))
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if n := l.next(t); n != 0 || len(l.rows) != 2 {
		t.Errorf("after: got %d rows, %d in all", n, len(l.rows))
	}
}

// TestRewrittenFile replaces a file's content in place.
func TestRewrittenFile(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "customers.csv", "id,name\n1,a\n2,b\n3,c\n")
	l := land(t, open(t, map[string]any{"path": path}, "id"))
	l.next(t)
	grow(t, write(t, dir, "customers.csv", "id,name\n1,a\n2,X\n3,c\n"), "4,d\n")
	if n := l.next(t); n != 4 {
		t.Errorf("a change in the middle: got %d rows, want all 4", n)
	}
	equal(t, "name", l.column("name"), "a", "X", "c", "d")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if n := l.next(t); n != 0 || len(l.rows) != 4 {
		t.Errorf("gone: got %d rows, %d in all", n, len(l.rows))
	}
}

func TestUnreadableFile(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may read everything")
	}
	dir := t.TempDir()
	path := write(t, dir, "a.log", "x\n")
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	if err := open(t, map[string]any{"path": path, "format": "lines"}).Check(t.Context()); core.KindOf(err) != core.KindPermission {
		t.Errorf("got error %v", err)
	}
}
