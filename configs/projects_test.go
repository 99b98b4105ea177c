package configs_test

import (
	"os"
	"path/filepath"
	"testing"
)

// TestProjectsAreTidy holds every project of the folder to the program's own standard.
func TestProjectsAreTidy(t *testing.T) {
	p := testProgram(t)
	env := []string{"UNSILO_VAR_erp_url=postgres://127.0.0.1/erp", "UNSILO_VAR_shop_url=mysql://127.0.0.1/shop"}
	for _, name := range []string{"quickstart", "real"} {
		dir := copyProject(t, name)
		p.run(t, env, "-C", dir, "fmt", "--check").wantCode(t, 0)
		p.run(t, env, "-C", dir, "validate").wantCode(t, 0)
	}
}

// copyProject copies a folder of configs, so that the run leaves nothing in the tree.
func copyProject(t *testing.T, name string) string {
	t.Helper()
	to := t.TempDir()
	files, err := filepath.Glob(filepath.Join(name, "*.hcl"))
	must(t, err)
	if len(files) == 0 {
		t.Fatalf("configs/%s has no files", name)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		must(t, err)
		must(t, os.WriteFile(filepath.Join(to, filepath.Base(f)), text, 0o644))
	}
	return to
}
