package scaffold_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unsilo/unsilo/plugins/scaffold"
)

// TestScaffoldPassesItsTests writes a plugin, and runs its own tests, which hold it to
// the contract in process and through the plugin, without a network.
func TestScaffoldPassesItsTests(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "unsilo-plugin-tickets")
	if err := scaffold.Write(dir, "tickets", "example.com/acme/unsilo-plugin-tickets"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"go.mod", "go.sum", "main.go", "connector.go", "sample.go", "connector_test.go", "README.md"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || strings.ContainsAny(string(b), "«»") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if out, err := exec.Command("gofmt", "-l", dir).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("gofmt: %s %v", out, err)
	}
	for _, args := range [][]string{{"vet", "./..."}, {"test", "-count=1", "./..."}} {
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=readonly", "GOPROXY=off", "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %s: %v\n%s", args[0], err, out)
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "precious"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ dir, name, module, want string }{
		"name":        {t.TempDir(), "My-Plugin", "example.com/x", "is not of the form"},
		"traversal":   {t.TempDir(), "../x", "example.com/x", "is not of the form"},
		"module":      {t.TempDir(), "x", "a b\nrequire evil", "is no module path"},
		"full folder": {full, "x", "example.com/x", "is not empty"},
	} {
		t.Run(name, func(t *testing.T) {
			err := scaffold.Write(c.dir, c.name, c.module)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	if left, _ := os.ReadDir(full); len(left) != 1 {
		t.Errorf("the full folder has %d files now", len(left))
	}
}
