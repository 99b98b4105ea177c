package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/unsilo/unsilo/connectors"
)

// canaryProject has a secret in every field that is one, of every connector, as a
// reference to the environment, to a file, inside a text, as a variable, and written out;
// every silo refuses it and repeats what it was sent.
const canaryProject = `
unsilo {
  isolation = "none"
}
warehouse "duckdb" {
  path = "w.duckdb"
}
privacy {
  key    = secret("file:secrets/privacy_key")
  key_id = "p1"
}
variable "api" {}
variable "pg" {}
variable "sensitive" {
  sensitive = true
}
connector "rest" "custom" {
  field "url" {
    required = true
  }
  field "user" {
    default = "anna"
  }
  field "secret" {
    required = true
    secret   = true
  }
  client {
    base_url = config.url
    headers  = { "X-Extra" = config.secret }
  }
  auth "basic" {
    username = config.user
    password = config.secret
  }
  stream "items" {
    path        = "/items"
    query       = { key = config.secret }
    primary_key = ["id"]
  }
}
connector "rest" "ads" {
  field "url" {
    required = true
  }
  field "client_secret" {
    required = true
    secret   = true
  }
  client {
    base_url = config.url
  }
  auth "oauth2" {
    grant         = "client_credentials"
    token_url     = "${config.url}/token"
    client_id     = "anna"
    client_secret = config.client_secret
  }
  stream "items" {
    path        = "/items"
    primary_key = ["id"]
  }
}
source "hubspot" "crm" {
  base_url = "${var.api}/401"
  token    = secret("env:HUBSPOT_TOKEN")
}
source "zendesk" "support" {
  base_url = "${var.api}/403"
  email    = "agent@example.com"
  token    = secret("file:secrets/zendesk_token")
}
source "mastodon" "social" {
  base_url = "${var.api}/400"
  token    = var.sensitive
}
source "custom" "basic" {
  url    = "${var.api}/404"
  secret = "prefix-${secret("env:CUSTOM_SECRET")}"
}
source "custom" "written" {
  url    = "${var.api}/401"
  secret = "WRITTEN"
}
source "ads" "ads" {
  url           = "${var.api}/ads"
  client_secret = secret("env:ADS_SECRET")
}
source "rest" "generic" {
  definition = <<-HCL
    connector "rest" "inner" {
      field "token" {
        required = true
        secret   = true
      }
      client {
        base_url = "APIURL/401"
      }
      auth "bearer" {
        token = config.token
      }
      stream "items" {
        path        = "/items"
        primary_key = ["id"]
      }
    }
  HCL
  config     = { token = secret("env:REST_CONFIG") }
}
source "postgres" "pg" {
  url = "postgres://anna:${secret("env:PG_PASSWORD")}@${var.pg}/acme?sslmode=disable"
}
source "postgres" "pg2" {
  url      = secret("env:PG_URL")
  password = secret("file:secrets/pg_password")
}
source "mysql" "my" {
  url      = secret("env:MYSQL_URL")
  password = secret("env:MYSQL_PASSWORD")
}
source "file" "web" {
  token = secret("env:FILE_TOKEN")
  stream "rows" {
    path = "${var.api}/403/rows.csv"
  }
}
source "sqlite" "erp" {
  path = "erp.db"
  stream "a" {
    primary_key = ["id"]
  }
}
model "n" {
  sql = "SELECT count(*) AS n FROM ${source.erp.a}"
}
`

// canaries are secrets by where they stand. Each has a core that no way of escaping
// changes, so that finding the core finds the raw, the URL-escaped and the JSON-escaped
// form; base64 is looked for at each alignment.
type canaries map[string]string

func newCanaries() canaries {
	c := canaries{}
	for i, name := range []string{"HUBSPOT_TOKEN", "zendesk_token", "sensitive", "CUSTOM_SECRET", "written", "ADS_SECRET", "REST_CONFIG",
		"PG_PASSWORD", "PG_URL", "pg_password", "MYSQL_URL", "MYSQL_PASSWORD", "FILE_TOKEN", "privacy_key", "access"} {
		c[name] = fmt.Sprintf("Cnry%02dxQvZ7pLk", i)
	}
	return c
}

// value is a secret with characters that are written in other ways in URLs and JSON.
func (c canaries) value(name string) string { return c[name] + `+/&"\%äz` }

// forms are what must be found nowhere.
func (c canaries) forms() []string {
	var out []string
	for _, core := range c {
		out = append(out, core, strings.ToLower(core), hex.EncodeToString([]byte(core)), html.EscapeString(core))
		for shift := range 3 {
			encoded := base64.StdEncoding.EncodeToString(append(make([]byte, shift), core...))
			out = append(out, encoded[(shift*8+5)/6:(shift+len(core))*8/6])
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// find names what of a text is a canary.
func (c canaries) find(text []byte) string {
	for _, form := range c.forms() {
		if at := bytes.Index(text, []byte(form)); at >= 0 {
			return fmt.Sprintf("%q", text[max(0, at-60):min(len(text), at+60)])
		}
	}
	return ""
}

// TestCanary sends secrets through every verb, past silos that repeat them in all their
// answers, and looks for them in every byte that is written.
func TestCanary(t *testing.T) {
	program, err := exec.LookPath("unsilo")
	if err != nil {
		t.Fatal(err)
	}
	known := newCanaries()
	silo := newEchoSilo(t, known.value("access"))
	dir := t.TempDir()
	env := writeCanaryProject(t, dir, known, silo)
	secretFields(t)
	for _, debug := range []string{"", "1"} {
		for _, line := range canaryLines() {
			cmd := exec.Command(program, append([]string{"-C", dir}, line...)...)
			cmd.Env = append(append(slices.Clone(env), os.Environ()...), "UNSILO_DEBUG="+debug, "NO_COLOR=1")
			out, err := cmd.CombinedOutput()
			if found := known.find(out); found != "" {
				t.Errorf("unsilo %s (UNSILO_DEBUG=%s) writes a secret: %s", strings.Join(line, " "), debug, found)
			}
			if strings.Contains(string(out), "goroutine ") {
				t.Errorf("unsilo %s: %v\n%s", strings.Join(line, " "), err, out)
			}
		}
	}
	if silo.echoed() == 0 {
		t.Error("no silo has repeated a secret")
	}
	known.scan(t, dir)
}

// canaryLines are command lines of every verb that reads the project.
func canaryLines() [][]string {
	lines := [][]string{{"validate"}, {"fmt", "--check"}, {"check"}, {"plan"}, {"run"}, {"run"}, {"status"}, {"history"}, {"history", "last"},
		{"query", "SELECT * FROM unsilo.run_streams"}, {"query", "SELECT * FROM unsilo.state"}, {"query", "SELECT getenv('HUBSPOT_TOKEN')"},
		{"connector", "list"}, {"connector", "docs", "custom"}, {"plugin", "list"}, {"plugin", "lock"}, {"db", "verify"}, {"db", "backup"},
		{"db", "repair"}, {"identity", "explain", "x"}, {"__complete", "run", ""}, {"run", "--var", "pg"}, {"query", "SELECT 1 FROM nothing"},
		{"run", "--rebuild", "--from", "2026-01-01"}}
	for _, source := range []string{"crm.contacts", "support.users", "social.statuses", "basic.items", "written.items", "ads.items", "generic.items", "pg.a", "pg2.a", "my.a", "web.rows"} {
		name, _, _ := strings.Cut(source, ".")
		lines = append(lines, []string{"preview", source}, []string{"check", name}, []string{"plan", name}, []string{"run", name})
	}
	for _, format := range formats[1:] {
		lines = append(lines, []string{"validate", "-o", format}, []string{"check", "-o", format}, []string{"plan", "-o", format},
			[]string{"run", "-o", format}, []string{"history", "last", "-o", format}, []string{"preview", "pg.a", "-o", format})
	}
	return lines
}

func writeCanaryProject(t *testing.T, dir string, c canaries, silo *echoSilo) (env []string) {
	t.Helper()
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	text := strings.NewReplacer("WRITTEN", escape.Replace(c.value("written")), "APIURL", silo.url()).Replace(canaryProject)
	if err := os.MkdirAll(filepath.Join(dir, "secrets"), 0o700); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"project.hcl": strings.TrimSpace(text) + "\n"}
	for _, name := range []string{"zendesk_token", "pg_password", "privacy_key"} {
		files["secrets/"+name] = c.value(name) + "\n"
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	execSQL(t, filepath.Join(dir, "erp.db"), "CREATE TABLE a (id INTEGER PRIMARY KEY)", "INSERT INTO a VALUES (1)")
	env = []string{"UNSILO_VAR_api=" + silo.url(), "UNSILO_VAR_pg=" + silo.postgres(), "UNSILO_VAR_sensitive=" + c.value("sensitive"),
		"PG_PASSWORD=" + c["PG_PASSWORD"], // it stands in a URL as it is
		"PG_URL=postgres://anna:" + c["PG_URL"] + "@" + silo.postgres() + "/acme?sslmode=disable",
		"MYSQL_URL=mysql://anna:" + c["MYSQL_URL"] + "@127.0.0.1:1/acme"}
	for _, name := range []string{"HUBSPOT_TOKEN", "CUSTOM_SECRET", "ADS_SECRET", "REST_CONFIG", "MYSQL_PASSWORD", "FILE_TOKEN"} {
		env = append(env, name+"="+c.value(name))
	}
	return env
}

// secretFields demands that every connector with a secret field is in the project, and
// that every such field is set there.
func secretFields(t *testing.T) {
	t.Helper()
	for _, c := range connectors.All() {
		for _, f := range c.Spec().Fields {
			_, block, found := strings.Cut(canaryProject, `source "`+c.Spec().Name+`" "`)
			if f.Secret && !found {
				t.Errorf("no source of connector %s in the project", c.Spec().Name)
			}
			if f.Secret && found && !strings.Contains(canaryProject, f.Name+" ") && !strings.Contains(block, f.Name) {
				t.Errorf("%s: the secret field %s is not set", c.Spec().Name, f.Name)
			}
		}
	}
}

// scan looks through every file of the project but those that hold the secrets.
func (c canaries) scan(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() && e.Name() == "secrets" {
			return fs.SkipDir
		}
		if e.IsDir() || e.Name() == "project.hcl" {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if found := c.find(text); found != "" {
			t.Errorf("%s holds a secret: %s", name, found)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
