package file_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unsilo/unsilo/core"
)

func link(tb testing.TB, target, name string) {
	tb.Helper()
	if err := os.Symlink(target, name); err != nil {
		tb.Skip("no symbolic links here:", err)
	}
}

// A file that can be reached by several names is read once: current.log often is a link to
// the newest of the others.
func TestOneFileOfSeveralNames(t *testing.T) {
	for name, alias := range map[string]func(path, other string) error{"link": os.Symlink, "second name": os.Link} {
		dir := t.TempDir()
		path := write(t, dir, "app-1.log", "one\ntwo\n")
		if err := alias(path, filepath.Join(dir, "a-current.log")); err != nil {
			t.Skip(err)
		}
		l := land(t, open(t, map[string]any{"paths": []any{filepath.Join(dir, "*.log"), filepath.Join(dir, "app*")}, "format": "lines"}))
		if n := l.next(t); n != 2 {
			t.Errorf("%s: got %d rows, want 2: %v", name, n, l.order)
		}
		grow(t, path, "three\n")
		if n := l.next(t); n != 1 {
			t.Errorf("%s: grown: got %d rows, want 1", name, n)
		}
		if err := os.Remove(filepath.Join(dir, "a-current.log")); err != nil {
			t.Fatal(err)
		}
		if n := l.next(t); n != 0 {
			t.Errorf("%s: without its second name: got %d rows", name, n)
		}
	}
}

// File systems give the identity of a deleted file to the next one. Parquet files, and files
// of a single line without an end, prove nothing by their content: another name is another
// file.
func TestIdentityOfADeletedFile(t *testing.T) {
	dir := t.TempDir()
	for _, kind := range []string{"parquet", "line"} {
		first, second := filepath.Join(dir, "a."+kind), filepath.Join(dir, "b."+kind)
		make := func(path string, n int) {
			if kind == "parquet" {
				ids := []int64{int64(n), int64(n + 1)}
				writeParquet(t, path, ids...)
				return
			}
			write(t, dir, filepath.Base(path), fmt.Sprintf("line %d", n))
		}
		make(first, 1)
		values := map[string]any{"path": filepath.Join(dir, "*."+kind)}
		if kind == "line" {
			values["format"] = "lines"
		}
		l := land(t, open(t, values))
		landed := l.next(t)
		// The next file takes the place of the first, under another name and changed.
		rename(t, first, second)
		make(second, 5)
		l.next(t)
		if len(l.rows) != 2*landed {
			t.Errorf("%s: %d rows, want those of both files, %d: %v", kind, len(l.rows), 2*landed, l.order)
		}
	}
}

// A quoted field that is still open when a growing file ends waits, also when the file ends
// with a line feed; left alone, it is rejected and not forgotten.
func TestQuotedFieldAtTheEnd(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "a.csv", "")
	grow(t, path, "id,text\n1,x\n2,\"first line\n")
	l := land(t, open(t, map[string]any{"path": path}))
	if n := l.next(t); n != 1 || len(l.rejects) != 0 {
		t.Fatalf("got %d rows and %v, want one row", n, l.rejects)
	}
	grow(t, path, "second line\"\r")
	l.next(t)
	grow(t, path, "\n3,y\r\n4,\"open\n")
	if n := l.next(t); n != 2 {
		t.Errorf("got %d rows, want 2", n)
	}
	equal(t, "text", l.column("text"), "x", "first line\nsecond line", "y")
	equal(t, "_line", l.column("_line"), "2", "3", "5")
	l.next(t)
	old(t, path)
	l.next(t)
	if len(l.rejects) != 1 || !strings.Contains(l.rejects[0], "line 6") {
		t.Errorf("what was left open was rejected as %v", l.rejects)
	}
	if n := l.next(t); n != 0 || len(l.rejects) != 1 {
		t.Errorf("nothing new: %d rows, %v", n, l.rejects)
	}
}

// The same when nothing but time passes between two reads.
func TestOpenRecordIsNotForgotten(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "a.csv", "id,text\n1,x\n2,\"open\n")
	at := time.Now().Add(-2 * time.Second)
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
	waiting := land(t, open(t, map[string]any{"path": path, "settle": "1h"}))
	waiting.next(t)
	l := land(t, open(t, map[string]any{"path": path, "settle": "1s"}))
	l.state = waiting.state
	l.next(t)
	if len(waiting.rejects) != 0 || len(l.rejects) != 1 {
		t.Errorf("rejected %v while it was fresh and %v later", waiting.rejects, l.rejects)
	}
}

// Packed files stand for the original in their own folder only, and files of one name in
// several folders are told apart.
func TestFoldersOfOneFileName(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "north/a.log", "north\n")
	write(t, dir, "south/a.log.gz", string(gz(t, "south\n")))
	for _, paths := range [][]any{{filepath.Join(dir, "north/*"), filepath.Join(dir, "south/*")}, {filepath.Join(dir, "{north,south}/*")}} {
		l := land(t, open(t, map[string]any{"paths": paths, "format": "lines"}))
		if n := l.next(t); n != 2 {
			t.Errorf("%v: got %d rows, want 2: %v", paths, n, l.order)
		}
	}
}

// What leads nowhere, or may not be read, costs itself only.
func TestOddEntriesCostThemselvesOnly(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "good/a.log", "one\n")
	write(t, dir, "shut/b.log", "two\n")
	link(t, "loop.log", filepath.Join(dir, "good/loop.log"))
	link(t, "nowhere.log", filepath.Join(dir, "good/dangling.log"))
	link(t, "..", filepath.Join(dir, "good/up"))
	if err := os.Mkdir(filepath.Join(dir, "good/folder.log"), 0o755); err != nil {
		t.Fatal(err)
	}
	l := land(t, open(t, map[string]any{"path": filepath.Join(dir, "**", "*.log"), "format": "lines"}))
	if n := l.next(t); n != 2 {
		t.Errorf("got %d rows, want 2", n)
	}
	if os.Geteuid() == 0 {
		t.Log("root may read everything: folders that are shut are not tested")
		return
	}
	shut := filepath.Join(dir, "shut")
	if err := os.Chmod(shut, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(shut, 0o755) })
	grow(t, filepath.Join(dir, "good/a.log"), "three\n")
	n, err := l.tryNext(t, core.ReadRequest{})
	if n != 1 || core.KindOf(err) != core.KindPermission {
		t.Errorf("with a folder that is shut: got %d rows and %v", n, err)
	}
}

// A byte order mark is no part of the first line, and a carriage return none of the last.
func TestMarksAndReturns(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a.csv": "\ufeffline\r\none\r\ntwo\r", "a.txt": "\ufeffone\r\ntwo\r", "a.jsonl": "\ufeff{\"line\":\"one\"}\r\n{\"line\":\"two\"}\r"} {
		values := map[string]any{"path": write(t, dir, name, text)}
		if name == "a.txt" {
			values["format"] = "lines"
		}
		l := land(t, open(t, values))
		l.next(t)
		if got := l.column("line"); !slices.Equal(got, []string{"one", "two"}) || len(l.rejects) > 0 {
			t.Errorf("%s: got %q and %v", name, got, l.rejects)
		}
	}
}

// Columns are found by the header of each file.
func TestHeadersThatChange(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "a.csv", "id,name\n1,x\n")
	write(t, dir, "b.csv", "name,size,id\ny,7,2\n")
	l := land(t, open(t, map[string]any{"path": filepath.Join(dir, "*.csv")}, "id"))
	l.next(t)
	write(t, dir, "c.csv", "id,more\n3,z\n")
	grow(t, path, "4,w\n")
	l.next(t)
	if got, want := fmt.Sprintln(l.rows["1"]["name"], l.rows["2"]["name"], l.rows["2"]["size"], l.rows["3"]["more"], l.rows["3"]["name"], l.rows["4"]["name"]), "x y 7 z <nil> w\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A Parquet file has its end last: one that is being written waits.
func TestParquetBeingWritten(t *testing.T) {
	dir := t.TempDir()
	whole := filepath.Join(dir, "whole")
	writeParquet(t, whole, 1, 2, 3)
	text, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	path := write(t, dir, "a.parquet", "")
	l := land(t, open(t, map[string]any{"path": path}))
	for _, part := range []string{string(text[:20]), string(text[20 : len(text)-4])} {
		grow(t, path, part)
		if n := l.next(t); n != 0 {
			t.Errorf("got %d rows of a part", n)
		}
	}
	grow(t, path, string(text[len(text)-4:]))
	if n := l.next(t); n != 3 {
		t.Errorf("got %d rows, want 3", n)
	}
}

// A server that knows neither HEAD nor versions is asked again every time, and its last line
// need not have an end.
func TestServersThatTellNothing(t *testing.T) {
	for _, head := range []int{http.StatusMethodNotAllowed, http.StatusOK} {
		text := "id\n1\n2"
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodHead {
				w.WriteHeader(head)
				return
			}
			_, _ = w.Write([]byte(text))
		}))
		l := land(t, open(t, map[string]any{"path": server.URL + "/a.csv"}))
		if n := l.next(t); n != 2 {
			t.Errorf("HEAD %d: got %d rows, want 2", head, n)
		}
		text += "\n3\n"
		l.next(t)
		if got := l.column("id"); !slices.Equal(got, []string{"1", "2", "3"}) {
			t.Errorf("HEAD %d: got %v", head, got)
		}
		server.Close()
	}
}

// Two addresses that differ in their query only are two files.
func TestQueriesAreFiles(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"`+r.URL.RawQuery+`"`)
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader("id\n1\n"))
	}))
	defer server.Close()
	l := land(t, open(t, map[string]any{"paths": []any{server.URL + "/a.csv?t=1", server.URL + "/a.csv?t=2"}}))
	if n := l.next(t); n != 2 || len(l.rows) != 2 {
		t.Errorf("got %d rows, %v", n, l.order)
	}
	if n := l.next(t); n != 0 {
		t.Errorf("nothing new: got %d rows", n)
	}
}

// A server that asks to wait says so in seconds or by a date, also when it is down.
func TestRetryAfter(t *testing.T) {
	for _, c := range []struct {
		status      int
		header      string
		least, most time.Duration
	}{
		{429, "30", 30 * time.Second, 30 * time.Second},
		{429, time.Now().Add(time.Minute).UTC().Format(http.TimeFormat), 50 * time.Second, time.Minute},
		{503, "5", 5 * time.Second, 5 * time.Second}, {503, "soon", 0, 0},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", c.header)
			w.WriteHeader(c.status)
		}))
		err := open(t, map[string]any{"path": server.URL + "/a.csv"}).Check(t.Context())
		server.Close()
		var e *core.Error
		if !errors.As(err, &e) || e.RetryAfter < c.least || e.RetryAfter > c.most {
			t.Errorf("%d %q: %+v", c.status, c.header, err)
		}
	}
}

// A file that another one replaces between the look at it and the read is left to the next.
func TestReplacedBetween(t *testing.T) {
	gets := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tag, text := "one", "id\n1\n"
		if r.Method == http.MethodGet {
			if gets++; gets > 1 { // behind the sample for the columns
				tag, text = "two", "id\n7\n8\n"
			}
		} else if gets > 2 {
			tag = "two"
		}
		w.Header().Set("ETag", `"`+tag+`"`)
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(text))
	}))
	defer server.Close()
	l := land(t, open(t, map[string]any{"path": server.URL + "/a.csv"}))
	for range 3 {
		l.next(t)
	}
	if got := l.column("id"); !slices.Equal(got, []string{"7", "8"}) {
		t.Errorf("got %v, want the rows of the second file", got)
	}
}
