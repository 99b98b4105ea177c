package config_test

import (
	"os"
	"testing"

	"github.com/unsilo/unsilo/core/config"
)

func BenchmarkLoad(b *testing.B) {
	src, err := os.ReadFile("testdata/valid-files/quickstart.hcl")
	if err != nil {
		b.Fatal(err)
	}
	dir := project(b, "main.hcl", string(src))
	for b.Loop() {
		if _, ds := config.Load(dir, options(nil)); ds.HasErrors() {
			b.Fatal(rendered(ds))
		}
	}
}

func BenchmarkRedact(b *testing.B) {
	s := config.NewSecrets(&config.Project{}, nil)
	for _, secret := range []string{"postgres://reader:s3cr3t@db.example/erp", "pat-eu1-3f0c2a", "0123456789abcdef0123456789abcdef", "hunter2-hunter2", "x-api-key-value"} {
		s.Hide(secret)
	}
	const line = `2026-11-22T10:00:00Z INFO page read source=crm stream=contacts page=17 rows=100 bytes=48211 took=181ms url=https://api.crm.example/v3/contacts?limit=100&after=1700`
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		if s.Redact(line) != line {
			b.Fatal("the line has changed")
		}
	}
}
