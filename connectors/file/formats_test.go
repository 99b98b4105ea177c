package file_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/unsilo/unsilo/core"
)

// readOne writes one file and reads it.
func readOne(t *testing.T, name, text string, values map[string]any, key ...string) *landing {
	t.Helper()
	dir := t.TempDir()
	path := write(t, dir, name, text)
	all := map[string]any{"path": path}
	maps.Copy(all, values)
	l := land(t, open(t, all, key...))
	l.next(t)
	return l
}

func equal(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func TestCSV(t *testing.T) {
	l := readOne(t, "a.csv", "\ufeffid;name;amount;note\n9007199254740993;\"Ä;\"\"x\"\"\";1,5;NULL\n2;b;2,5;\"two\nlines\"\nbroken\n3;c;;x\n",
		map[string]any{"delimiter": ";", "null_values": []any{"NULL"}})
	equal(t, "id", l.column("id"), "9007199254740993", "2", "3")
	equal(t, "name", l.column("name"), `Ä;"x"`, "b", "c")
	equal(t, "amount", l.column("amount"), "1,5", "2,5", "<nil>")
	equal(t, "note", l.column("note"), "<nil>", "two\nlines", "x")
	equal(t, "_line", l.column("_line"), "2", "3", "6")
	equal(t, "rejects", l.rejects, "1 fields where the header has 4 at a.csv line 5")
	if f, _ := l.stream.Field("id"); f.Type.ID() != arrow.INT64 {
		t.Errorf("type of id: got %s", f.Type)
	}
}

func TestCSVWithoutHeaderInLatin1(t *testing.T) {
	l := readOne(t, "a.csv", "1,J\xe4rvi,31.12.2026\n2,\xc5,01.01.2027\n", map[string]any{
		"header": false, "column_names": []any{"id", "name"}, "charset": "latin1",
		"types": map[string]any{"column_3": "date %d.%m.%Y", "id": "string"},
	}, "id")
	equal(t, "id", l.column("id"), "1", "2")
	equal(t, "name", l.column("name"), "Järvi", "Å")
	equal(t, "date", l.column("column_3"), "2026-12-31", "2027-01-01")
	if _, ok := l.stream.Field("_file"); ok {
		t.Error("a stream with a key has _file")
	}
}

func TestGrownCSVKeepsItsHeader(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "a.csv", "id,name\n")
	l := land(t, open(t, map[string]any{"path": path}))
	if got := l.next(t); got != 0 {
		t.Errorf("only a header: got %d rows", got)
	}
	grow(t, path, "1,a\n")
	l.next(t)
	grow(t, path, "2,b\nx\n3,\"c\nd\"\n")
	if got := l.next(t); got != 2 {
		t.Errorf("grown: got %d rows, want 2", got)
	}
	grow(t, path, "4,e\n")
	l.next(t)
	equal(t, "id", l.column("id"), "1", "2", "3", "4")
	equal(t, "name", l.column("name"), "a", "b", "c\nd", "e")
	equal(t, "_line", l.column("_line"), "2", "3", "5", "7")
	equal(t, "rejects", l.rejects, "1 fields where the header has 2 at a.csv line 4")
}

func TestJSONLines(t *testing.T) {
	l := readOne(t, "a.jsonl", `{"id": 1, "tags": ["x"]}`+"\n\n[]\n"+`{"id": 2, "more": true}`+"\n", nil)
	equal(t, "id", l.column("id"), "1", "2")
	equal(t, "more", l.column("more"), "<nil>", "true")
	equal(t, "_line", l.column("_line"), "1", "4")
	equal(t, "rejects", l.rejects, "not a JSON object at a.jsonl line 3")
}

const combinedLines = `192.0.2.1 - - [25/Oct/2026:03:30:00 +0300] "GET /a?b=%20 HTTP/1.1" 200 512 "https://example.com/" "Mozilla/5.0 (X11)"
2001:db8::1 - anna [25/Oct/2026:03:30:00 +0200] "POST /b HTTP/2.0" 302 - "-" "say \x22hi\x22 \\o/"
192.0.2.2 - - [01/Jan/2026:00:00:00 +0000] "\x16\x03\x01" 400 0 "-" "-"
garbage
192.0.2.3 - - [99/Jan/2026:00:00:00 +0000] "GET / HTTP/1.0" 200 1 "-" "x"
192.0.2.4 - - [01/Jan/2026:00:00:00 +0000] "GET / HTTP/1.0" 2xx 1 "-" "x"
192.0.2.5 - - [01/Jan/2026:00:00:00 +0000] "GET / HTTP/1.0" 200 1 "-" "ends with a quote \"" extra
`

func TestCombinedAccessLog(t *testing.T) {
	l := readOne(t, "access.log", combinedLines, map[string]any{"format": "access_log"})
	equal(t, "remote_addr", l.column("remote_addr"), "192.0.2.1", "2001:db8::1", "192.0.2.2")
	equal(t, "remote_user", l.column("remote_user"), "<nil>", "anna", "<nil>")
	equal(t, "time", l.column("time"), "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-01-01T00:00:00Z")
	equal(t, "method", l.column("method"), "GET", "POST", "<nil>")
	equal(t, "path", l.column("path"), "/a?b=%20", "/b", "\x16\x03\x01")
	equal(t, "protocol", l.column("protocol"), "HTTP/1.1", "HTTP/2.0", "<nil>")
	equal(t, "body_bytes_sent", l.column("body_bytes_sent"), "512", "<nil>", "0")
	equal(t, "http_referer", l.column("http_referer"), "https://example.com/", "<nil>", "<nil>")
	equal(t, "http_user_agent", l.column("http_user_agent"), "Mozilla/5.0 (X11)", `say "hi" \o/`, "<nil>")
	equal(t, "rejects", l.rejects,
		"the line does not have the layout of the log at access.log line 4", "$time_local: not a time at access.log line 5",
		"$status: not a whole number at access.log line 6", "the line does not have the layout of the log at access.log line 7")
	for name, want := range map[string]core.Means{"remote_addr": core.PersonIP, "time": core.EventTime, "http_user_agent": core.DeviceUserAgent} {
		if f, _ := l.stream.Field(name); core.MeansOf(f) != want {
			t.Errorf("%s means %q, want %q", name, core.MeansOf(f), want)
		}
	}
}

func TestAccessLogPattern(t *testing.T) {
	l := readOne(t, "access.log", `10.0.0.1 [1793000000.250] "GET / HTTP/1.1" rt=0.125 uid="abc=\x22x\x22" 2026-10-25T03:30:00+03:00x`+"\n",
		map[string]any{"format": "access_log", "pattern": `$remote_addr [$connection_time] "$request" rt=$request_time uid="$cookie_uid" ${time_iso8601}x`})
	equal(t, "rejects", l.rejects)
	equal(t, "cookie", l.column("cookie_uid"), `abc="x"`)
	equal(t, "request_time", l.column("request_time"), "0.125")
	equal(t, "time", l.column("time"), "2026-10-25T00:30:00Z")
	if f, _ := l.stream.Field("cookie_uid"); core.MeansOf(f) != core.DeviceCookie {
		t.Errorf("the cookie means %q", core.MeansOf(f))
	}
}

func TestAsteriskCallRecords(t *testing.T) {
	l := readOne(t, "Master.csv", `"","0401234567","700","from-trunk","""Matti ""M"" Meikäläinen"" <+358401234567>","SIP/t-1","SIP/7-2","Queue","support,t","2026-10-25 02:59:59","","2026-10-25 03:10:00",601,590,"ANSWERED","DOCUMENTATION","179.1",""
"","anonymous","700","from-trunk","<anonymous>","SIP/t-3","","Queue","support","2026-07-01 12:00:00","2026-07-01 12:00:05","2026-07-01 12:01:00",60,55,"NO ANSWER","DOCUMENTATION","179.2",""
"bad"
`, map[string]any{"format": "asterisk_cdr", "timezone": "Europe/Helsinki"})
	equal(t, "src", l.column("src"), "0401234567", "anonymous")
	equal(t, "caller_name", l.column("caller_name"), `Matti "M" Meikäläinen`, "<nil>")
	equal(t, "caller_number", l.column("caller_number"), "+358401234567", "anonymous")
	equal(t, "start", l.column("start"), "2026-10-24T23:59:59Z", "2026-07-01T09:00:00Z")
	equal(t, "answer", l.column("answer"), "<nil>", "2026-07-01T09:00:05Z")
	equal(t, "billsec", l.column("billsec"), "590", "55")
	equal(t, "uniqueid", l.column("uniqueid"), "179.1", "179.2")
	if len(l.rejects) != 1 {
		t.Errorf("rejects: got %q", l.rejects)
	}
	for _, name := range []string{"src", "caller_number"} {
		if f, _ := l.stream.Field(name); core.MeansOf(f) != core.PersonPhone {
			t.Errorf("%s means %q", name, core.MeansOf(f))
		}
	}
}

func TestAsteriskQueueLog(t *testing.T) {
	l := readOne(t, "queue_log", `1793000000|179.1|support|NONE|ENTERQUEUE||+358401234567|1
1793000010|179.1|support|SIP/7|CONNECT|10|179.2|3
1793000099.5|179.1|support|SIP/7|COMPLETECALLER|10|89|1
1793000100|NONE|NONE|NONE|CONFIGRELOAD|
nonsense
x|1|2|3|4
`, map[string]any{"format": "asterisk_queue_log"})
	equal(t, "event", l.column("event"), "ENTERQUEUE", "CONNECT", "COMPLETECALLER", "CONFIGRELOAD")
	equal(t, "time", l.column("time"), "2026-10-26T07:33:20Z", "2026-10-26T07:33:30Z", "2026-10-26T07:34:59.5Z", "2026-10-26T07:35:00Z")
	equal(t, "agent", l.column("agent"), "<nil>", "SIP/7", "SIP/7", "<nil>")
	equal(t, "data2", l.column("data2"), "+358401234567", "179.2", "89", "<nil>")
	if len(l.rejects) != 2 {
		t.Errorf("rejects: got %q", l.rejects)
	}
}

func writeParquet(t *testing.T, path string, ids ...int64) {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64}, {Name: "name", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for _, id := range ids {
		b.Field(0).(*array.Int64Builder).Append(id)
		b.Field(1).(*array.StringBuilder).Append(fmt.Sprint("n", id))
	}
	batch := b.NewRecordBatch()
	defer batch.Release()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := pqarrow.NewFileWriter(schema, f, nil, pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(batch); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestParquet(t *testing.T) {
	dir := t.TempDir()
	writeParquet(t, filepath.Join(dir, "a.parquet"), 1, 2, 3)
	l := land(t, open(t, map[string]any{"path": filepath.Join(dir, "*.parquet")}))
	if got := l.next(t); got != 3 {
		t.Errorf("got %d rows, want 3", got)
	}
	equal(t, "name", l.column("name"), "n1", "n2", "n3")
	if got := l.next(t); got != 0 {
		t.Errorf("unchanged: got %d rows", got)
	}
	rename(t, filepath.Join(dir, "a.parquet"), filepath.Join(dir, "c.parquet"))
	writeParquet(t, filepath.Join(dir, "b.parquet"), 4)
	write(t, dir, "broken.parquet", "PAR1 is not enough")
	n, err := l.tryNext(t, core.ReadRequest{})
	if n != 1 || core.KindOf(err) != core.KindData || !strings.Contains(err.Error(), "broken.parquet") {
		t.Errorf("with a broken file: got %d rows and error %v", n, err)
	}
}

func TestLimitGoesOn(t *testing.T) {
	for _, name := range []string{"a.parquet", "a.csv"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, name)
			if name == "a.csv" {
				write(t, dir, name, "id\n1\n2\n3\n4\n5\n6\n7\n")
			} else {
				writeParquet(t, path, 1, 2, 3, 4, 5, 6, 7)
			}
			l := land(t, open(t, map[string]any{"path": path}))
			for i, want := range []int{3, 3, 1, 0} {
				n, err := l.tryNext(t, core.ReadRequest{Limit: 3})
				if err != nil || n != want {
					t.Errorf("read %d: got %d rows and error %v, want %d", i, n, err, want)
				}
			}
			equal(t, "id", l.column("id"), "1", "2", "3", "4", "5", "6", "7")
		})
	}
}

func TestKeysOnly(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "a.csv", "id,name\n1,a\n2,b\n")
	l := land(t, open(t, map[string]any{"path": path}, "id"))
	l.next(t)
	n, err := l.tryNext(t, core.ReadRequest{KeysOnly: true})
	if err != nil || n != 2 || len(l.rows["1"]) != 1 {
		t.Errorf("keys: got %d rows, error %v, row %v", n, err, l.rows["1"])
	}
	keyless := land(t, open(t, map[string]any{"path": path}))
	if _, err := keyless.tryNext(t, core.ReadRequest{KeysOnly: true}); core.KindOf(err) != core.KindConfig {
		t.Errorf("keys of a stream without one: got error %v", err)
	}
}
