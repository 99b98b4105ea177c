package config_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/config"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// crm is a connector with a field of every type.
func crm(name string) core.Spec {
	return core.Spec{Name: name, Fields: []core.Field{
		{Name: "base_url", Type: core.TypeString, Default: "https://api.crm.example", Help: "where the API is"},
		{Name: "token", Type: core.TypeString, Secret: true, Required: true, Help: "the API token"},
		{Name: "page_size", Type: core.TypeInt, Default: 100},
		{Name: "timeout", Type: core.TypeDuration, Default: "30s"},
		{Name: "region", Type: core.TypeString, Enum: []string{"eu", "us"}},
		{Name: "headers", Type: core.TypeMap, Secret: true},
		{Name: "scopes", Type: core.TypeStrings, Default: []string{"read"}},
		{Name: "archived", Type: core.TypeBool},
		{Name: "ratio", Type: core.TypeFloat},
		{Name: "options", Type: core.TypeAny},
	}, StreamFields: []core.Field{{Name: "filter", Type: core.TypeString}}}
}

// connectors are the kinds that the tests' projects can use.
func connectors() map[string]core.Spec {
	return map[string]core.Spec{
		"crm": crm("crm"), "hubspot": crm("hubspot"),
		"postgres": {Name: "postgres", Dynamic: true, Fields: []core.Field{
			{Name: "url", Type: core.TypeString, Secret: true, Required: true, Help: "the connection string"},
		}, StreamFields: []core.Field{{Name: "table", Type: core.TypeString}, {Name: "fetch", Type: core.TypeInt, Default: 1000}}},
		"basic": {Name: "basic", Fields: []core.Field{
			{Name: "username", Type: core.TypeString}, {Name: "password", Type: core.TypeString, Secret: true},
		}},
		"file": {Name: "file", Dynamic: true, Fields: []core.Field{
			{Name: "path", Type: core.TypeString, Path: true, Required: true},
			{Name: "more", Type: core.TypeStrings, Path: true},
		}},
	}
}

// options are what the tests load with.
func options(env map[string]string) config.Options {
	all := connectors()
	return config.Options{
		Spec:           func(kind string) (core.Spec, bool) { s, ok := all[kind]; return s, ok },
		Kinds:          []string{"postgres", "crm", "hubspot", "file"},
		WarehouseKinds: []string{"duckdb", "memory"},
		Version:        "0.4.2",
		Getenv:         func(name string) string { return env[name] },
		DeclareConnector: func(b config.Block) (core.Spec, core.Diagnostics) {
			if i := strings.Index(string(b.Source), "fault"); i >= 0 {
				line := b.Range.Line + strings.Count(string(b.Source[:i]), "\n")
				return core.Spec{}, core.Diagnostics{{
					Severity: core.SeverityError, Summary: "Broken on purpose", Try: "Leave it.",
					Range: &core.Range{File: b.Range.File, Line: line, Column: 3, EndLine: line, EndColumn: 8},
				}}
			}
			return core.Spec{Fields: []core.Field{{Name: "tenant", Type: core.TypeString}}}, nil
		},
	}
}

// project writes files into a new folder; names and texts alternate.
func project(t testing.TB, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i+1 < len(files); i += 2 {
		path := filepath.Join(dir, files[i])
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(files[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// load reads a project of one file.
func load(t testing.TB, src string, env map[string]string) (*config.Project, core.Diagnostics) {
	t.Helper()
	return config.Load(project(t, "main.hcl", src), options(env))
}

// good is load for files without any diagnostic.
func good(t testing.TB, src string, env map[string]string) *config.Project {
	t.Helper()
	p, ds := load(t, src, env)
	if len(ds) > 0 {
		t.Fatalf("unexpected: %s", rendered(ds))
	}
	return p
}

func rendered(ds core.Diagnostics) string {
	var b strings.Builder
	config.RenderText(&b, ds, false)
	return b.String()
}
