package config_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/config"
)

func environment(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestResolve(t *testing.T) {
	dir := project(t, "secrets/token", "from-a-file\r\n", "secrets/empty", "\n", "big", strings.Repeat("x", 70<<10),
		"main.hcl", `unsilo { allow_exec = true }`)
	outside := project(t, "token", "from-outside")
	for link, target := range map[string]string{"inside": "secrets/token", "outside": filepath.Join(outside, "token")} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Skipf("links cannot be made here: %v", err)
		}
	}
	env := environment(map[string]string{"TOKEN": "from-the-environment", "HOST": "db.example"})
	tests := []struct{ ref, want, problem string }{
		{"env:TOKEN", "from-the-environment", ""},
		{"env:OTHER", "", "the environment variable OTHER is not set"},
		{"env:", "", "is not the name of an environment variable"},
		{"file:secrets/token", "from-a-file", ""},
		{"file:inside", "from-a-file", ""},
		{"file:outside", "", "leads outside of the project"},
		{"file:../token", "", "outside of the project"},
		{"file:" + filepath.Join(outside, "token"), "", "outside of the project"},
		{"file:secrets/none", "", "there is no file"},
		{"file:secrets/empty", "", "is empty"},
		{"file:secrets", "", "is not a file"},
		{"file:big", "", "more than 65536 bytes"},
		{"exec:echo from a program", "from a program", ""},
		{"exec:no-such-program-here", "", "run no-such-program-here"},
		{"exec:ls no-such-file", "", "it ended with exit status"},
		{"exec:true", "", "it printed 0 bytes"},
		{"text:postgres://u:${env:TOKEN}@${env:HOST}/a$$b", "postgres://u:from-the-environment@db.example/a$b", ""},
		{"text:$$${env:TOKEN}", "$from-the-environment", ""},
		{"text:x${env:OTHER}", "", "the environment variable OTHER is not set"},
		{"literal:unknown", "", "starts with env:, file: or exec:"},
	}
	s := config.NewSecrets(&config.Project{Dir: dir, AllowExec: runtime.GOOS != "windows"}, env)
	for _, tt := range tests {
		t.Run(tt.ref, func(t *testing.T) {
			got, err := s.Resolve(context.Background(), core.SecretRef{Ref: tt.ref})
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if tt.problem == "" {
				if err != nil {
					t.Errorf("unexpected: %v", err)
				}
				return
			}
			var e *core.Error
			if !errors.As(err, &e) || e.Kind != core.KindConfig || e.Try == "" || !strings.Contains(err.Error(), tt.problem) {
				t.Errorf("got %v, want an error of kind config that says %q and what to try", err, tt.problem)
			}
		})
	}
	locked := config.NewSecrets(&config.Project{Dir: dir}, env)
	if _, err := locked.Resolve(context.Background(), core.SecretRef{Ref: "exec:echo x"}); err == nil {
		t.Error("a program was run though the project does not allow it")
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Resolve(ended, core.SecretRef{Ref: "exec:sleep 30"}); err == nil {
		t.Error("a program was run after the context ended")
	}
}

func TestSecretFileModes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files have no modes for groups and others here")
	}
	dir := project(t, "open", "x", "closed", "x", "main.hcl", `
source "crm" "a" {
  token   = secret("file:open")
  headers = { key = "k ${secret("file:closed")}", other = secret("file:none") }
}
`)
	if err := os.Chmod(filepath.Join(dir, "open"), 0o640); err != nil {
		t.Fatal(err)
	}
	_, ds := config.Load(dir, options(nil))
	if len(ds) != 1 || ds[0].Severity != core.SeverityWarning || ds[0].Summary != `Secret file "open" can be read by others` || ds[0].Range.Line != 3 {
		t.Errorf("got %s, want one warning about the file open on line 3", rendered(ds))
	}
	if err := os.Symlink("/etc/hostname", filepath.Join(dir, "linked")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("/etc/hostname"); err != nil {
		t.Skip("there is no /etc/hostname to link to")
	}
	if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte("source \"crm\" \"a\" {\n token = secret(\"file:linked\")\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, ds = config.Load(dir, options(nil)); !ds.HasErrors() || ds[0].Summary != `Secret file "linked" leads outside of the project` {
		t.Errorf("got %s, want an error about the link", rendered(ds))
	}
}

func TestConnectorConfig(t *testing.T) {
	p, ds := load(t, `
variable "pin" { sensitive = true }
source "crm" "a" {
  token    = "Bearer ${secret("env:TOKEN")}"
  base_url = "https://u:${var.pin}@crm.example"
  headers  = { a = "open-secret", b = secret("env:B") }
  options  = { list = [secret("env:B"), 1] }
  stream "deals" {
    primary_key = ["id"]
    cursor      = "at"
    means       = { email = "person.email" }
    filter      = secret("env:B")
  }
}
source "file" "f" {
  path = "data/*.csv"
  more = ["s3://bucket/x", "/absolute", "relative"]
}
source "crm" "broken" {
  token   = secret("env:MISSING")
  headers = { c = secret("env:GONE") }
}
`, map[string]string{"UNSILO_VAR_pin": "4711-canary"})
	if ds.HasErrors() {
		t.Fatal(rendered(ds))
	}
	secrets := config.NewSecrets(p, environment(map[string]string{"TOKEN": "t0ken-canary", "B": "bbbb-canary"}))
	cfg, err := p.ConnectorConfig(context.Background(), p.Sources[0], secrets)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := json.Marshal(cfg)
	want := `{"Source":"a","Dir":"` + p.Dir + `","Values":{"base_url":"https://u:4711-canary@crm.example",` +
		`"headers":{"a":"open-secret","b":"bbbb-canary"},"options":{"list":["bbbb-canary",1]},"page_size":100,"scopes":["read"],` +
		`"timeout":"30s","token":"Bearer t0ken-canary"},"Streams":[{"Name":"deals","Values":{"filter":"bbbb-canary"},` +
		`"Means":{"email":"person.email"},"PrimaryKey":["id"],"CursorField":"at"}]}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, secret := range []string{"4711-canary", "t0ken-canary", "bbbb-canary", "open-secret"} {
		if text := secrets.Redact("a " + secret + " z"); text != "a (sensitive) z" {
			t.Errorf("%q is left in %q", secret, text)
		}
	}

	cfg, err = p.ConnectorConfig(context.Background(), p.Sources[1], secrets)
	if err != nil {
		t.Fatal(err)
	}
	paths := fmt.Sprint(cfg.String("path"), cfg.Strings("more"))
	if want := fmt.Sprint(filepath.Join(p.Dir, "data/*.csv"), []string{"s3://bucket/x", "/absolute", filepath.Join(p.Dir, "relative")}); paths != want {
		t.Errorf("got paths %s, want %s", paths, want)
	}
	if p.Sources[1].Values["more"].([]any)[2] != "relative" {
		t.Error("opening a source has changed the project")
	}

	_, err = p.ConnectorConfig(context.Background(), p.Sources[2], secrets)
	var e *core.Error
	if !errors.As(err, &e) || e.Kind != core.KindConfig {
		t.Fatalf("got %v, want an error of kind config", err)
	}
	for _, part := range []string{"open source broken", `token asks for secret("env:MISSING")`, `headers.c asks for secret("env:GONE")`} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in %q", part, err)
		}
	}
	if at := p.Locate("broken", e.Path); at == nil || at.Line < 20 {
		t.Errorf("path %q is located at %v", e.Path, at)
	}
}

func TestBasicAuthentication(t *testing.T) {
	p := good(t, "source \"basic\" \"b\" {\n  username = \"me\"\n  password = secret(\"env:P\")\n}\n", nil)
	secrets := config.NewSecrets(p, environment(map[string]string{"P": "1234"}))
	if _, err := p.ConnectorConfig(context.Background(), p.Sources[0], secrets); err != nil {
		t.Fatal(err)
	}
	header := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("me:1234"))
	if got := secrets.Redact(header); got != "Authorization: Basic (sensitive)" {
		t.Errorf("got %q", got)
	}
}

func TestRedactForms(t *testing.T) {
	const secret = `p&ss w"rd/ÄÖ+=?<1>\x`
	s := config.NewSecrets(&config.Project{}, environment(map[string]string{"S": secret}))
	if _, err := s.Resolve(context.Background(), core.SecretRef{Ref: "env:S"}); err != nil {
		t.Fatal(err)
	}
	quoted, _ := json.Marshal(secret)
	std, web := base64.StdEncoding, base64.URLEncoding
	forms := map[string]string{
		"raw": secret, "query": url.QueryEscape(secret), "path": url.PathEscape(secret), "json": string(quoted), "go": fmt.Sprintf("%q", secret),
		"base64": std.EncodeToString([]byte(secret)), "hex": hex.EncodeToString([]byte(secret)),
		"userinfo": url.UserPassword("u", secret).String(),
	}
	for i, before := range []string{"", "a", "ab", "abc", "user:", "someone:"} {
		forms[fmt.Sprintf("std %d", i)] = std.EncodeToString([]byte(before + secret + "after"))
		forms[fmt.Sprintf("web %d", i)] = web.EncodeToString([]byte(before + secret))
	}
	for name, form := range forms {
		text := s.Redact("before " + form + " after")
		if !strings.Contains(text, "(sensitive)") || !strings.HasPrefix(text, "before ") || !strings.HasSuffix(text, " after") {
			t.Errorf("%s: %q became %q", name, form, text)
		}
		if strings.Contains(text, secret[3:len(secret)-3]) {
			t.Errorf("%s: the secret is left in %q", name, text)
		}
		// At most the characters that mix the secret with its neighbours may be left.
		left := strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(text, "before "), " after"), "(sensitive)", "")
		if name != "userinfo" && len(left) > 24 {
			t.Errorf("%s: %q is left of %q", name, left, form)
		}
	}
}

func TestRedactInnerParts(t *testing.T) {
	key := "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQ\nEFAASCBKcwggSjAgEAAoIBAQC7\n-----END PRIVATE KEY-----\n"
	account, _ := json.Marshal(map[string]string{"type": "x", "private_key": key, "client_secret": "GOCSPX-abcdefghij"})
	s := config.NewSecrets(&config.Project{}, nil)
	s.Hide("postgres://reader:s3cr%21t@db.example/erp")
	s.Hide(string(account))
	s.Hide(key)
	s.Hide("abc") // too short to be searched for
	for text, want := range map[string]string{
		`password "s3cr!t" refused`:             `password "(sensitive)" refused`,
		"dial postgres://reader:s3cr%21t@other": "dial postgres://reader:(sensitive)@other",
		"client GOCSPX-abcdefghij refused":      "client (sensitive) refused",
		"line MIIEvQIBADANBgkqhkiG9w0BAQ":       "line (sensitive)",
		"abc abcd":                              "abc abcd",
		"reader on db.example":                  "reader on db.example",
	} {
		if got := s.Redact(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

// TestRedactOverlaps has secrets that begin inside each other.
func TestRedactOverlaps(t *testing.T) {
	s := config.NewSecrets(&config.Project{}, nil)
	s.Hide("abcdef")
	s.Hide("efghij")
	s.Hide("cdef")
	if got := s.Redact("1abcdefghij2cdef3"); got != "1(sensitive)2(sensitive)3" {
		t.Errorf("got %q", got)
	}
}

// TestWriter cuts text with secrets in it into any pieces.
func TestWriter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := config.NewSecrets(&config.Project{}, nil)
		known := rapid.SliceOfN(rapid.StringMatching(`[abx]{4,9}`), 1, 3).Draw(t, "secrets")
		for _, secret := range known {
			s.Hide(secret)
		}
		text := strings.Join(rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(known), rapid.StringMatching(`[abx \n]{0,6}`)), 0, 8).Draw(t, "text"), "")
		var out strings.Builder
		w := s.Writer(&out)
		for rest := text; rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "piece")
			if written, err := w.Write([]byte(rest[:n])); err != nil || written != n {
				t.Fatalf("wrote %d of %d: %v", written, n, err)
			}
			rest = rest[n:]
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		for _, secret := range known {
			if strings.Contains(out.String(), secret) {
				t.Fatalf("%q is left in %q, from %q", secret, out.String(), text)
			}
		}
		plain := strings.ReplaceAll(out.String(), "(sensitive)", "")
		if len(plain) > len(text) || !strings.Contains(text, strings.TrimSpace(strings.Split(out.String(), "(sensitive)")[0])) {
			t.Fatalf("%q became %q", text, out.String())
		}
	})
}

// TestWriterPassesOn checks that text without secrets does not wait.
func TestWriterPassesOn(t *testing.T) {
	s := config.NewSecrets(&config.Project{}, nil)
	s.Hide("token-1234")
	var out strings.Builder
	w := s.Writer(&out)
	for _, step := range []struct{ write, want string }{
		{"progress 10 %\r", "progress 10 %\r"},
		{"to", "progress 10 %\r"},
		{"day\n", "progress 10 %\rtoday\n"},
		{"token-12", "progress 10 %\rtoday\n"},
		{"34!", "progress 10 %\rtoday\n(sensitive)!"},
	} {
		fmt.Fprint(w, step.write)
		if out.String() != step.want {
			t.Errorf("after %q: got %q, want %q", step.write, out.String(), step.want)
		}
	}
	s.Hide("learned-later")
	fmt.Fprint(w, "learned-later")
	if strings.Contains(out.String(), "learned-later") {
		t.Errorf("a secret that became known later is in %q", out.String())
	}
}
