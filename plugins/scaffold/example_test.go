package scaffold_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "bring plugins/example in step")

// TestExampleIsInStep: plugins/example is a module of its own that builds against this
// checkout, and so must name the same versions, or it does not build offline.
func TestExampleIsInStep(t *testing.T) {
	example := filepath.Join("..", "example")
	read := func(parts ...string) string {
		b, err := os.ReadFile(filepath.Join(parts...))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	mod, sum := read(example, "go.mod"), read(example, "go.sum")
	head, _, _ := strings.Cut(mod, "require (")
	wantMod, wantSum := head+strings.TrimSpace(requireBlocks(read("..", "..", "go.mod")))+"\n", read("..", "..", "go.sum")
	if mod == wantMod && sum == wantSum {
		return
	}
	if !*update {
		t.Fatal("its versions differ from those of this module: run `go test ./plugins/scaffold -run Step -update`")
	}
	for name, content := range map[string]string{"go.mod": wantMod, "go.sum": wantSum} {
		if err := os.WriteFile(filepath.Join(example, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// requireBlocks gives the require blocks of a go.mod.
func requireBlocks(mod string) string {
	var b strings.Builder
	for i, part := range strings.Split(mod, "\nrequire (") {
		if i > 0 {
			block, _, _ := strings.Cut(part, "\n)")
			b.WriteString("require (" + block + "\n)\n\n")
		}
	}
	return b.String()
}
