package rest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/unsilo/unsilo/connectors/rest"
	"github.com/unsilo/unsilo/core"
)

// TestFaultyDefinitions parses files that say on the line of each fault what is wrong:
// "# want: text" after it.
func TestFaultyDefinitions(t *testing.T) {
	files, err := filepath.Glob("testdata/faulty/*.hcl")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, diags := rest.Parse(text, file, hcl.Pos{})
			found := map[int]string{}
			for _, d := range diags {
				if d.Subject == nil {
					t.Errorf("no place: %v", d)
					continue
				}
				found[d.Subject.Start.Line] += d.Summary + " " + d.Detail + "\n"
			}
			for i, line := range strings.Split(string(text), "\n") {
				_, want, ok := strings.Cut(line, "# want: ")
				got := found[i+1]
				delete(found, i+1)
				if ok && !strings.Contains(got, want) {
					t.Errorf("line %d: got %q, want %q", i+1, got, want)
				}
				if !ok && got != "" {
					t.Errorf("line %d: got %q, want nothing", i+1, got)
				}
			}
			if len(found) > 0 {
				t.Errorf("elsewhere: %v", found)
			}
		})
	}
}

func TestParsePlace(t *testing.T) {
	_, diags := rest.Parse([]byte("connector \"rest\" \"x\" {\n  bogus = 1\n}"), "a.hcl", hcl.Pos{Line: 10, Column: 3, Byte: 200})
	if !diags.HasErrors() || diags[0].Subject.Start.Line != 11 {
		t.Errorf("got %v, want a fault on line 11", diags)
	}
	deep := "connector \"rest\" \"x\" {\n a = " + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "\n}"
	if _, diags := rest.Parse([]byte(deep), "a.hcl", hcl.Pos{}); !diags.HasErrors() || !strings.Contains(diags[0].Summary, "too large") {
		t.Errorf("deep nesting: got %v", diags)
	}
	if _, diags := rest.Parse([]byte(strings.Repeat("#", 2<<20)), "a.hcl", hcl.Pos{}); !diags.HasErrors() {
		t.Error("two megabytes of comment: no fault")
	}
}

func TestSpec(t *testing.T) {
	def := define(t, `connector "rest" "acme" {
  version = "1.2"
  summary = "things"
  field "token" {
    required = true
    secret   = true
  }
  field "size" {
    type    = "int"
    default = 50
  }
  field "tags" {
    type    = "strings"
    default = ["a"]
  }
  stream_field "columns" { type = "strings" }
  client { base_url = "https://acme.example" }
  stream "things" { path = "/things" }
}`)
	spec := rest.New(def).Spec()
	if spec.Name != "acme" || def.Name() != "acme" || spec.PluginFamily() != "rest" || len(spec.Fields) != 3 || len(spec.StreamFields) != 1 {
		t.Errorf("spec: got %+v", spec)
	}
	if spec.Fields[1].Default != int64(50) || !spec.Fields[0].Secret || !spec.Fields[0].Required || spec.Fields[0].Type != core.TypeString {
		t.Errorf("fields: got %+v", spec.Fields)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(api(siloStream)))
	f.Add([]byte(ledgerStream(`order = "asc"`, `cap = 10`)))
	f.Add([]byte(forumDefinition(incrementalPosts)))
	f.Add([]byte(`connector "rest" "x" { client { base_url = "${`))
	f.Fuzz(func(t *testing.T, text []byte) {
		def, diags := rest.Parse(text, "fuzz.hcl", hcl.Pos{})
		if (def == nil) != diags.HasErrors() {
			t.Fatalf("definition %v with %v", def, diags)
		}
		if def == nil {
			return
		}
		src, err := rest.New(def).Open(t.Context(), core.Config{Values: map[string]any{"base_url": "http://127.0.0.1:1", "token": "x-token"}})
		if err == nil {
			_ = src.Close()
		}
	})
}
