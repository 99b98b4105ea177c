package connectors_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/unsilo/unsilo/connectors/hubspot"
	"github.com/unsilo/unsilo/connectors/mastodon"
	"github.com/unsilo/unsilo/core"
)

// specification is as much of a vendor's OpenAPI document as the tests need.
type specification struct {
	Paths map[string]struct {
		Get        *operation  `json:"get"`
		Post       *operation  `json:"post"`
		Parameters []parameter `json:"parameters"`
	} `json:"paths"`
	Components struct {
		Schemas map[string]schema `json:"schemas"`
	} `json:"components"`
}

type operation struct {
	Parameters  []parameter        `json:"parameters"`
	RequestBody content            `json:"requestBody"`
	Responses   map[string]content `json:"responses"`
}

type content struct {
	Content map[string]struct {
		Schema schema `json:"schema"`
	} `json:"content"`
}

type parameter struct {
	Name string `json:"name"`
	In   string `json:"in"`
}

type schema struct {
	Ref        string            `json:"$ref"`
	Type       string            `json:"type"`
	Format     string            `json:"format"`
	Enum       []any             `json:"enum"`
	Properties map[string]schema `json:"properties"`
	Items      *schema           `json:"items"`
	AllOf      []schema          `json:"allOf"`
	Additional json.RawMessage   `json:"additionalProperties"`
}

// readSpec reads a vendor's document, which is not part of the project.
func readSpec(t *testing.T, name string) specification {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "shared", "data", "specs", name))
	if errors.Is(err, fs.ErrNotExist) && os.Getenv("UNSILO_REQUIRE_SERVERS") != "1" {
		t.Skipf("the vendor's specification %s is not here", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	var s specification
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s specification) resolve(sc schema) schema {
	for sc.Ref != "" {
		sc = s.Components.Schemas[sc.Ref[strings.LastIndex(sc.Ref, "/")+1:]]
	}
	for _, part := range sc.AllOf {
		part = s.resolve(part)
		if sc.Properties == nil {
			sc.Properties = map[string]schema{}
		}
		for k, v := range part.Properties {
			sc.Properties[k] = v
		}
		sc.Type = part.Type
	}
	return sc
}

// example makes a value of a schema.
func (s specification) example(sc schema, depth int) any {
	sc = s.resolve(sc)
	switch {
	case depth > 5:
		return nil
	case len(sc.Enum) > 0:
		return sc.Enum[0]
	case sc.Type == "array" && sc.Items != nil:
		return []any{s.example(*sc.Items, depth+1)}
	case sc.Type == "object" || sc.Properties != nil:
		out := map[string]any{}
		for name, p := range sc.Properties {
			out[name] = s.example(p, depth+1)
		}
		return out
	case sc.Type == "integer" || sc.Type == "number":
		return 1
	case sc.Type == "boolean":
		return false
	case sc.Format == "date-time":
		return "2026-01-01T00:00:00Z"
	case sc.Format == "date":
		return "2026-01-01"
	}
	return "7"
}

// vendorServer answers as a specification says and notes what it does not allow.
type vendorServer struct {
	spec   specification
	mu     sync.Mutex
	faults []string
	served []string
}

func (v *vendorServer) fault(text string) {
	if !slices.Contains(v.faults, text) {
		v.faults = append(v.faults, text)
	}
}

func (v *vendorServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for template, item := range v.spec.Paths {
		op := item.Get
		if r.Method == http.MethodPost {
			op = item.Post
		}
		if op == nil || !matches(template, r.URL.Path) {
			continue
		}
		v.served = append(v.served, r.Method+" "+template)
		for name := range r.URL.Query() {
			known := slices.ContainsFunc(op.Parameters, func(p parameter) bool { return p.Name == name && p.In == "query" })
			if !known && len(op.Parameters) > 0 {
				v.fault(template + ": no query parameter " + name)
			}
		}
		if body, ok := op.RequestBody.Content["application/json"]; ok {
			var sent any
			if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
				v.fault(template + ": the body is not JSON")
			}
			v.check(template, body.Schema, sent)
		}
		doc := v.spec.example(op.Responses["200"].Content["application/json"].Schema, 0)
		if m, ok := doc.(map[string]any); ok {
			delete(m, "paging") // one page is enough
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(doc)
		return
	}
	v.fault("no path " + r.Method + " " + r.URL.Path)
	w.WriteHeader(http.StatusNotFound)
}

// check compares a value with a schema.
func (v *vendorServer) check(at string, sc schema, value any) {
	sc = v.spec.resolve(sc)
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			p, ok := sc.Properties[name]
			if !ok {
				v.fault(at + ": no member " + name)
				continue
			}
			v.check(at+"."+name, p, member)
		}
	case []any:
		if sc.Items == nil {
			v.fault(at + ": no list")
			return
		}
		for _, item := range value {
			v.check(at+"[]", *sc.Items, item)
		}
	case string:
		if sc.Type != "string" || (len(sc.Enum) > 0 && !slices.Contains(sc.Enum, any(value))) {
			v.fault(at + ": no text, or not this one: " + value)
		}
	case float64:
		if sc.Type != "integer" && sc.Type != "number" {
			v.fault(at + ": no number")
		}
	}
}

func matches(template, path string) bool {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		if want[i] != got[i] && !strings.HasPrefix(want[i], "{") {
			return false
		}
	}
	return true
}

// readTwice reads a stream from the beginning and from a position.
func readTwice(t *testing.T, c core.Connector, values map[string]any, stream string, after core.State) *landed {
	t.Helper()
	src, err := c.Open(t.Context(), core.Config{Values: values})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	list, err := src.Streams(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	st := list[slices.IndexFunc(list, func(s core.Stream) bool { return s.Name == stream })]
	table := newLanded(st)
	for range 2 {
		if err := src.Read(t.Context(), core.ReadRequest{Stream: st, After: table.after}, table.store); err != nil {
			t.Fatal(err)
		}
		table.after = after
	}
	return table
}

// TestHubSpotSpecification sends every request to a server that knows HubSpot's own
// description of its API, in the old and in a dated form.
func TestHubSpotSpecification(t *testing.T) {
	after := core.State(`{"v":1,"low":"2026-01-01T00:00:00Z","feed_at":"2026-01-01T00:00:00Z"}`)
	for _, object := range []string{"contacts", "companies", "deals", "tickets"} {
		for file, path := range map[string]string{"-v3": "/crm/v3/objects", "-2026-03": "/crm/objects/2026-03"} {
			t.Run(object+file, func(t *testing.T) {
				v := &vendorServer{spec: readSpec(t, "hubspot/openapi-crm-"+object+file+".json")}
				aliases(v.spec, object)
				server := httptest.NewServer(v)
				defer server.Close()
				values := map[string]any{"base_url": server.URL, "token": "pat-x-1234", "objects_path": path}
				table := readTwice(t, hubspot.Connector(), values, object, after)
				if len(v.faults) > 0 {
					t.Errorf("faults: %s", strings.Join(v.faults, "\n"))
				}
				if want := []string{"GET", "GET", "POST", "GET"}; len(v.served) != len(want) {
					t.Errorf("requests: got %q, want list, archived, search, archived", v.served)
				}
				if len(table.rows) != 0 || table.rejects != 0 { // the example is archived in the second listing
					t.Errorf("rows: got %v, %d rejects", table.rows, table.rejects)
				}
			})
		}
	}
}

// aliases lets objects be called by their name where a document has the number of their
// type only; the API knows both.
func aliases(s specification, object string) {
	for path, methods := range s.Paths {
		if number := map[string]string{"deals": "0-3"}[object]; number != "" && strings.Contains(path, "/"+number) {
			s.Paths[strings.Replace(path, "/"+number, "/"+object, 1)] = methods
		}
	}
}

// TestMastodonSpecification does the same for Mastodon, whose document is not official and
// older than the look-up of accounts by name.
func TestMastodonSpecification(t *testing.T) {
	after := core.State(`{"v":1,"low":"2026-01-01T00:00:00Z"}`)
	for _, stream := range []string{"accounts", "statuses", "timeline", "tagged", "directory"} {
		t.Run(stream, func(t *testing.T) {
			v := &vendorServer{spec: readSpec(t, "mastodon/mastodon-openapi.json")}
			v.spec.Paths["/api/v1/accounts/lookup"] = v.spec.Paths["/api/v1/accounts/{id}"]
			delete(v.spec.Paths, "/api/v1/accounts/{id}")
			server := httptest.NewServer(&lastPage{next: v})
			defer server.Close()
			values := map[string]any{"base_url": server.URL, "token": "x-token-x", "accounts": []any{"a@example.org"}, "tags": []any{"news"}}
			table := readTwice(t, mastodon.Connector(), values, stream, after)
			faults := slices.DeleteFunc(v.faults, func(f string) bool { return strings.HasSuffix(f, "no query parameter acct") })
			if len(faults) > 0 || table.rejects > 0 {
				t.Errorf("faults: %s; %d rejects", strings.Join(faults, "\n"), table.rejects)
			}
			if len(table.rows) != 1 || table.rows["7"]["id"] != "7" {
				t.Errorf("rows: got %v", table.rows)
			}
		})
	}
}

// lastPage answers pages after the first with an empty list.
type lastPage struct{ next http.Handler }

func (l *lastPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if offset := r.URL.Query().Get("offset"); offset != "" && offset != "0" {
		_, _ = w.Write([]byte("[]"))
		return
	}
	l.next.ServeHTTP(w, r)
}
