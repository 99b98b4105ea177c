package file_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/unsilo/unsilo/core"
)

func TestGrownFileIsReadOn(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "a.log", "one\ntwo\n")
	l := land(t, open(t, map[string]any{"path": filepath.Join(dir, "*.log"), "format": "lines"}))
	for i, step := range []struct {
		add  string
		want int
	}{{"", 2}, {"", 0}, {"three\nfo", 1}, {"", 0}, {"ur\nfive\n", 2}} {
		grow(t, path, step.add)
		if got := l.next(t); got != step.want {
			t.Errorf("read %d: got %d rows, want %d", i, got, step.want)
		}
	}
	if got, want := l.column("line"), []string{"one", "two", "three", "four", "five"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := l.column("_line"), []string{"1", "2", "3", "4", "5"}; !slices.Equal(got, want) {
		t.Errorf("lines: got %q, want %q", got, want)
	}
}

func TestLastLineWithoutEnd(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "a.log", "one\ntwo")
	l := land(t, open(t, map[string]any{"path": path, "format": "lines"}))
	if got := l.next(t); got != 2 {
		t.Fatalf("a file that was left alone: got %d rows, want 2", got)
	}
	if got := l.next(t); got != 0 {
		t.Errorf("nothing new: got %d rows", got)
	}
	grow(t, path, "-and-a-half\n")
	l.next(t)
	if got, want := l.column("line"), []string{"one", "two-and-a-half"}; !slices.Equal(got, want) {
		t.Errorf("after the line grew: got %q, want %q", got, want)
	}
}

func TestFreshLastLineWaits(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "a.log", "")
	grow(t, path, "one\ntwo")
	l := land(t, open(t, map[string]any{"path": path, "format": "lines"}))
	if got := l.next(t); got != 1 {
		t.Errorf("first read: got %d rows, want 1", got)
	}
	old(t, path)
	if got := l.next(t); got != 1 {
		t.Errorf("once it was left alone: got %d rows, want 1", got)
	}
}

func gz(tb testing.TB, text string) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(text))
	if err != nil || w.Close() != nil {
		tb.Fatal("compress", err)
	}
	return b.Bytes()
}

func zst(tb testing.TB, text string) []byte {
	tb.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		tb.Fatal(err)
	}
	defer w.Close()
	return w.EncodeAll([]byte(text), nil)
}

func rename(tb testing.TB, from, to string) {
	tb.Helper()
	if err := os.Rename(from, to); err != nil {
		tb.Fatal(err)
	}
}

func TestRotationIsNotReadTwice(t *testing.T) {
	for name, rotate := range map[string]func(t *testing.T, dir, path, text string){
		"renamed": func(t *testing.T, dir, path, _ string) { rename(t, path, path+".1") },
		"compressed": func(t *testing.T, dir, path, text string) {
			write(t, dir, "a.log.1.gz", string(gz(t, text)))
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		},
		"compressed with zstd": func(t *testing.T, dir, path, text string) {
			write(t, dir, "a.log-20261122.zst", string(zst(t, text)))
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		},
		"copied": func(t *testing.T, dir, path, text string) {
			write(t, dir, "a.log.1", text)
			if err := os.Truncate(path, 0); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := write(t, dir, "a.log", "one\ntwo\n")
			l := land(t, open(t, map[string]any{"path": path + "*", "format": "lines"}))
			l.next(t)
			grow(t, path, "three\n") // not read before the rotation
			rotate(t, dir, path, "one\ntwo\nthree\n")
			if _, err := os.Stat(path); err != nil {
				write(t, dir, "a.log", "")
			}
			grow(t, path, "four\n")
			if got := l.next(t); got != 2 {
				t.Errorf("after rotation: got %d rows, want 2", got)
			}
			if got := l.next(t); got != 0 {
				t.Errorf("nothing new: got %d rows", got)
			}
			got := l.column("line")
			slices.Sort(got)
			if want := []string{"four", "one", "three", "two"}; !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestCutGzip(t *testing.T) {
	dir := t.TempDir()
	var text []byte
	for i := range 20000 {
		text = append(text, "line number "+string(rune('a'+i%26))+" of the file\n"...)
	}
	whole := gz(t, string(text))
	path := write(t, dir, "a.log.gz", string(whole[:len(whole)-200]))
	l := land(t, open(t, map[string]any{"path": path, "format": "lines"}))
	first, err := l.tryNext(t, core.ReadRequest{})
	if core.KindOf(err) != core.KindData {
		t.Fatalf("a cut file: got error %v, want one of kind data", err)
	}
	if first == 0 || first >= 20000 {
		t.Errorf("lines before the cut: got %d", first)
	}
	again, err := l.tryNext(t, core.ReadRequest{})
	if err == nil || again != 0 {
		t.Errorf("read again: got %d rows and error %v", again, err)
	}
	write(t, dir, "a.log.gz", string(whole))
	rest := l.next(t)
	if first+rest != 20000 || len(l.rows) != 20000 {
		t.Errorf("got %d + %d rows, %d different, want 20000", first, rest, len(l.rows))
	}
}

func TestLastRecordWithoutEnd(t *testing.T) {
	for name, text := range map[string][2]string{"a.csv": {"id\n1\n2", "2\n"}, "a.jsonl": {"{\"id\": 1}\n{\"id\": 2", "2}\n"}} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := write(t, dir, name, text[0])
			l := land(t, open(t, map[string]any{"path": path}))
			l.next(t)
			if n := l.next(t); n != 0 {
				t.Errorf("nothing new: got %d rows", n)
			}
			grow(t, path, text[1])
			l.next(t)
			equal(t, "id", l.column("id"), "1", "22")
		})
	}
}

// TestLogsThatBeginAlike rotates logs of which one begins with all of the other.
func TestLogsThatBeginAlike(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.log.1", "banner\n")
	write(t, dir, "a.log", "banner\nx\ny\n")
	l := land(t, open(t, map[string]any{"path": filepath.Join(dir, "a.log*"), "format": "lines"}))
	l.next(t)
	if err := os.Remove(filepath.Join(dir, "a.log.1")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "a.log")); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "a.log.1.gz", string(gz(t, "banner\nx\ny\n")))
	write(t, dir, "a.log.2.gz", string(gz(t, "banner\n")))
	write(t, dir, "a.log", "banner\nz\n")
	if n := l.next(t); n != 2 {
		t.Errorf("after the rotation: got %d rows, want 2", n)
	}
	got := l.column("line")
	slices.Sort(got)
	equal(t, "lines", got, "banner", "banner", "banner", "x", "y", "z")
}

// TestCallRecordsGoOn appends to call records: a record without its end waits, and one that
// is no record is rejected alone.
func TestCallRecordsGoOn(t *testing.T) {
	dir := t.TempDir()
	record := func(id string) string {
		return `"","0401234567","800","in","","c","d","Queue","q","2026-03-02 09:00:00","","2026-03-02 09:01:00",60,0,"ANSWERED","DOC","` + id + `",""` + "\n"
	}
	path := write(t, dir, "Master.csv", "rubbish\n"+record("1"))
	l := land(t, open(t, map[string]any{"path": path, "format": "asterisk_cdr"}))
	l.next(t)
	grow(t, path, record("2")[:20])
	l.next(t)
	grow(t, path, record("2")[20:])
	l.next(t)
	grow(t, path, "no, record\n"+record("3"))
	l.next(t)
	equal(t, "uniqueid", l.column("uniqueid"), "1", "2", "3")
	if len(l.rejects) != 2 || !strings.Contains(l.rejects[0], "line 1") || !strings.Contains(l.rejects[1], "line 4") {
		t.Errorf("got rejects %v, want them at lines 1 and 4", l.rejects)
	}
	other := write(t, dir, "other.csv", "not\ncall records\n")
	if _, err := land(t, open(t, map[string]any{"path": other, "format": "asterisk_cdr"})).tryNext(t, core.ReadRequest{}); core.KindOf(err) != core.KindData {
		t.Errorf("a file of another kind: got error %v", err)
	}
}
