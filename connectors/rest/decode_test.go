package rest_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/unsilo/unsilo/connectors/rest"
	"github.com/unsilo/unsilo/core"
)

// zipped packs text as gzip.
func zipped(text string) string {
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	_, _ = io.WriteString(z, text)
	_ = z.Close()
	return buf.String()
}

// TestDecode reads the formats that an answer can have.
func TestDecode(t *testing.T) {
	tests := map[string]struct {
		stream   string
		body     string
		encoding string
		want     string
	}{
		"json, columns as they come": {"", `[{"id":1,"tags":["a"],"sub":{"x":1},"when":"2026-01-01T00:00:00Z"}]`, "",
			`{"id":"1","sub":"{\"x\":1}","tags":"[\"a\"]","when":"2026-01-01T00:00:00Z"}`},
		"json, packed":       {"", zipped(`[{"id":1}]`), "gzip", `{"id":"1"}`},
		"jsonl":              {"decode = \"jsonl\"", "{\"id\":1}\n{\"id\":1,\"b\":null}\n", "", `{"id":"1"}`},
		"jsonl file, packed": {"decode = \"jsonl\"", zipped("{\"id\":1,\"b\":\"x\"}"), "", `{"b":"x","id":"1"}`},
		"csv":                {"decode = \"csv\"\n separator = \";\"", "id;name;n\n1;\"a;b\";007\n", "", `{"id":"1","n":"007","name":"a;b"}`},
		"lifted":             {"lift = [\"properties\"]", `[{"id":1,"properties":{"email":"x","more":{"y":[1]}}}]`, "", `{"email":"x","id":"1","more":"{\"y\":[1]}"}`},
		"structs":            {"nested = \"struct\"", `[{"id":1,"a":{"b":2}}]`, "", `{"a":"{\"b\":2}","id":"1"}`},
		"paths and types": {"schema {\n field \"id\" { path = \"key.n\" }\n field \"cost\" {\n path = \"money.amount\"\n type = \"decimal(10,2)\"\n }\n field \"day\" {\n type = \"date\"\n format = \"%d.%m.%Y\"\n }\n closed = true\n }",
			`[{"key":{"n":12345678901234567890},"money":{"amount":"12.30","currency":"EUR"},"day":"31.12.2025","other":1}]`, "", `{"cost":"12.3","day":"2025-12-31","id":"12345678901234567890"}`},
		"false for null": {"false_is_null = true\n schema {\n field \"phone\" {\n type = \"string\"\n }\n field \"cost\" {\n type = \"float\"\n }\n field \"day\" {\n type = \"date\"\n }\n field \"active\" {\n type = \"bool\"\n }\n }",
			`[{"id":1,"phone":false,"cost":false,"day":false,"active":false}]`, "", `{"active":"false","id":"1"}`},
		"filter":   {`filter = record.kind == "a" && record.n >= 2`, `[{"id":1,"kind":"a","n":1},{"id":2,"kind":"a","n":2},{"id":3,"kind":"b","n":3},{"id":4,"n":5}]`, "", `{"id":"2","kind":"a","n":"2"}`},
		"optional": {"records = \"a.b\"\n records_optional = true", `{"a":{}}`, "", ``},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			server, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if tt.encoding != "" {
					w.Header().Set("Content-Encoding", tt.encoding)
				}
				fmt.Fprint(w, tt.body)
			})
			src := openAt(t, define(t, api(quickRetry, "stream \"x\" {\n path = \"/x\"\n primary_key = [\"id\"]\n"+tt.stream+"\n}")), server, nil)
			got := newTable()
			if err := src.Read(t.Context(), core.ReadRequest{Stream: core.Stream{Name: "x"}}, got.store([]string{"id"})); err != nil {
				t.Fatal(err)
			}
			var last string
			for _, id := range got.ids() {
				text, _ := json.Marshal(got.rows[id])
				last = string(text)
			}
			if last != tt.want {
				t.Errorf("row: got %s, want %s", last, tt.want)
			}
		})
	}
}

// TestSchemaIsSampled learns columns from a first page, and keeps their types.
func TestSchemaIsSampled(t *testing.T) {
	page := `[{"id":1,"email":"x@example.org","n":1}]`
	server, log := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, page) })
	src := openAt(t, define(t, api("stream \"x\" {\n path = \"/x\"\n primary_key = [\"id\"]\n means = { email = \"person.email\" }\n}")), server, nil)
	st := streamOf(t, src, "x")
	f, _ := st.Field("email")
	if got := st.Schema.String(); !strings.Contains(got, "id: type=int64") || core.MeansOf(f) != core.PersonEmail {
		t.Errorf("schema: got %s", got)
	}
	_ = streamOf(t, src, "x")
	if log.count() != 1 {
		t.Errorf("requests: got %d, want one", log.count())
	}
	page = `[{"id":2,"email":null,"n":1.5,"new":true}]`
	var schema string
	err := src.Read(t.Context(), core.ReadRequest{Stream: st}, func(b core.Batch) error {
		if b.Rows != nil {
			schema = b.Rows.Schema().String()
		}
		return nil
	})
	if err != nil || !strings.Contains(schema, "email: type=utf8") || !strings.Contains(schema, "n: type=float64") || !strings.Contains(schema, "new: type=bool") {
		t.Errorf("batch: got %s, %v", schema, err)
	}
}

// TestBounds refuses answers that would cost too much.
func TestBounds(t *testing.T) {
	bomb := zipped("[" + strings.Repeat(" ", 6<<20) + "]")
	row := `{"id":1,"text":"` + strings.Repeat("a", 1000) + `"},`
	tests := map[string]struct {
		answer func(w http.ResponseWriter, r *http.Request)
		kind   core.Kind
		says   string
	}{
		"too large": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, "[", strings.Repeat(row, 6000), `{"id":2}]`)
		}, core.KindData, "larger than 5 MiB"},
		"bomb": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			fmt.Fprint(w, bomb)
		}, core.KindData, "unpacks to more than 100 times"},
		"silent": {func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "[")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, core.KindUnavailable, "too long"},
		"no answer": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, core.KindUnavailable, "too long"},
		"unknown packing": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "br")
			fmt.Fprint(w, "x")
		}, core.KindData, "unknown way"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, _ := serve(t, tt.answer)
			text := strings.Replace(api("retry {\n max_attempts = 2\n initial = \"1ms\"\n}\nstream \"x\" {\n path = \"/x\"\n primary_key = [\"id\"]\n}"),
				`timeout  = "2s"`, "timeout = \"400ms\"\n max_body_mb = 5", 1)
			src := openAt(t, define(t, text), server, nil)
			start := time.Now()
			err := src.Read(t.Context(), core.ReadRequest{Stream: core.Stream{Name: "x"}}, func(core.Batch) error { return nil })
			if core.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error: got %v, want kind %q saying %q", err, tt.kind, tt.says)
			}
			if time.Since(start) > 5*time.Second {
				t.Errorf("it took %v", time.Since(start))
			}
		})
	}
}

func TestRefusePrivate(t *testing.T) {
	tests := map[string]bool{
		"127.0.0.1:80": true, "10.1.2.3:443": true, "192.168.0.1:80": true, "172.16.0.9:80": true, "169.254.169.254:80": true,
		"[::1]:80": true, "[fe80::1]:80": true, "[fd00::1]:80": true, "0.0.0.0:80": true, "100.64.1.1:80": true,
		"[::ffff:127.0.0.1]:80": true, "nonsense": true, "93.184.216.34:443": false, "[2606:2800:220:1::1]:443": false,
	}
	for address, refused := range tests {
		if err := rest.RefusePrivate(address); (err != nil) != refused {
			t.Errorf("%s: got %v, want refused %v", address, err, refused)
		}
	}
}

func TestLinkTo(t *testing.T) {
	tests := map[string]string{
		`<http://a/1>; rel="next"`: "http://a/1", `<http://a/0>; rel="prev", <http://a/2>; rel="next"`: "http://a/2",
		`<http://a/3>; title="x, <y>; rel=next"; rel="last next"`: "http://a/3", `</4?b=1,2>; rel=next`: "/4?b=1,2",
		`<http://a/5>; REL=Next`: "http://a/5", `<http://a/6>; rel="nexts"`: "", `garbage`: "", `<unclosed; rel=next`: "", ``: "",
	}
	for value, want := range tests {
		if got := rest.LinkTo(value, "next"); got != want {
			t.Errorf("%s: got %q, want %q", value, got, want)
		}
	}
}
