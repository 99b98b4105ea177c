package config_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/unsilo/unsilo/core/config"
)

func TestFormat(t *testing.T) {
	for src, want := range map[string]string{
		"":                                     "",
		"\n\n":                                 "",
		"a   =1\nlonger=  2":                   "a      = 1\nlonger = 2\n",
		"source \"a\" \"b\"{\nx=1\n}":          "source \"a\" \"b\" {\n  x = 1\n}\n",
		"a = 1 # note\nbb = 2   # two\n\n\n\n": "a  = 1 # note\nbb = 2 # two\n",
		"a = <<-X\n   keep\n     this\n  X\n":  "a = <<-X\n   keep\n     this\n  X\n",
	} {
		got, err := config.Format([]byte(src))
		if err != nil || string(got) != want {
			t.Errorf("%q: got %q, %v, want %q", src, got, err, want)
		}
	}
	for src, problem := range map[string]string{
		"a = [1":                               "line 1",
		"x {\n  a = 1 b = 2\n}":                "line 2",
		"a = " + strings.Repeat("(", 1000):     "Nested more than 256",
		strings.Repeat("# comment\n", 200_000): "File too large",
		"token = \"hidden-0451\" x = 1":        "line 1",
	} {
		got, err := config.Format([]byte(src))
		if err == nil || got != nil || !strings.Contains(err.Error(), problem) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%.40q: got %q, %v, want an error that says %q", src, got, err, problem)
		}
	}
}

// FuzzFormat checks that formatting stands still, and changes no token but line ends and
// comments' spaces.
func FuzzFormat(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, src []byte) {
		once, err := config.Format(src)
		if err != nil {
			return
		}
		twice, err := config.Format(once)
		if err != nil {
			t.Fatalf("%q became %q, which does not parse: %v", src, once, err)
		}
		if !bytes.Equal(once, twice) {
			t.Fatalf("%q became %q and then %q", src, once, twice)
		}
		if before, after := tokens(src), tokens(once); before != after {
			t.Fatalf("%q became %q: tokens %s became %s", src, once, before, after)
		}
	})
}

// FuzzLoad checks that no file stops the program, and that every diagnostic has its form.
func FuzzLoad(f *testing.F) {
	seed(f)
	f.Add([]byte("locals {\n  a = \"${jsondecode(\"1e999\")}\"\n}\n"))
	f.Add([]byte("variable \"a\" {\n  sensitive = true\n  default = [secret(\"env:X\")]\n}\n"))
	f.Add([]byte("source \"crm\" \"a\" {\n  headers = { for k in [1, 2] : k => secret(\"env:X\")... }\n}\n"))
	f.Add([]byte("s\xd9\xd9e \"po"))
	f.Fuzz(func(t *testing.T, src []byte) {
		p, ds := load(t, string(src), map[string]string{"UNSILO_VAR_region": "eu"})
		for _, d := range ds {
			checkShape(t, d)
		}
		if p == nil && !ds.HasErrors() {
			t.Error("no project and no error")
		}
	})
}

func seed(f *testing.F) {
	files, _ := filepath.Glob("testdata/*/*.hcl")
	if len(files) == 0 {
		f.Fatal("no seeds")
	}
	for _, path := range files {
		src, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
}

// tokens lists the tokens of a file, without line ends and spaces around comments.
func tokens(src []byte) string {
	list, _ := hclsyntax.LexConfig(src, "x", hcl.InitialPos)
	var b strings.Builder
	for _, tok := range list {
		text := tok.Bytes
		if tok.Type == hclsyntax.TokenNewline || tok.Type == hclsyntax.TokenEOF {
			continue
		}
		if tok.Type == hclsyntax.TokenComment || tok.Type == hclsyntax.TokenCHeredoc {
			text = bytes.TrimSpace(text)
		}
		b.WriteString(tok.Type.String())
		b.Write(text)
		b.WriteByte(' ')
	}
	return b.String()
}
