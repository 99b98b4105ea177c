package unsilo_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/unsilo/unsilo"

// layer is one line of the import policy: packages under room may import packages under
// the rooms of may, and each other within one folder of the room. What is not written is
// forbidden. This is a statement of policy; it is not to be changed to mend a build.
type layer struct {
	room string
	may  []string
}

var policy = []layer{
	{"core/config", []string{"core"}},
	{"core/plan", []string{"core", "core/config"}},
	{"core/engine", []string{"core", "core/config", "core/plan"}},
	{"core/schedule", []string{"core", "core/config", "core/plan", "core/engine"}},
	{"core/web", []string{"core", "core/config", "core/plan", "core/engine", "core/schedule"}},
	{"core/coretest", []string{"core"}},
	{"core/warehouse/duckdb", []string{"core"}},
	{"core/warehouse/memory", []string{"core"}},
	{"core", nil},
	{"connectors/rows", []string{"core"}},
	{"connectors/rest", []string{"core", "connectors/rows"}},
	{"connectors/*", []string{"core", "connectors/rows", "connectors/rest"}},
	{"connectors", []string{"core", "connectors/*"}},
	{"transforms/normalize", []string{"core"}},
	{"transforms/*", []string{"core", "transforms/normalize"}},
	{"transforms", []string{"core", "transforms/*"}},
	{"plugins/wire", []string{"core"}},
	{"plugins/sdk", []string{"core", "plugins/wire"}},
	{"plugins/host", []string{"core", "plugins/wire"}},
	{"plugins/scaffold", nil},
	{"plugins/*", []string{"core", "plugins/sdk", "connectors", "connectors/*"}}, // mains
	{"cmd/unsilo", []string{"core", "core/*", "connectors", "connectors/*", "transforms", "transforms/*", "plugins/host", "plugins/wire", "plugins/scaffold", "configs"}},
	{"cmd/unsilo-sim", []string{"core", "connectors/*"}},
	{"configs", nil},
	{"", nil},
}

// Only these may use what each line names.
var only = []struct{ path, rooms, why string }{
	{"github.com/duckdb/duckdb-go", "core/warehouse/duckdb", "core/warehouse/duckdb is the only cgo in the tree"},
	{"github.com/hashicorp/hcl", "core/config core/plan connectors transforms cmd/unsilo", "core and the border know no HCL"},
	{"github.com/hashicorp/go-plugin", "plugins", "the engine never knows whether a source is a plugin"},
	{"google.golang.org/grpc", "plugins", "the engine never knows whether a source is a plugin"},
	{"github.com/spf13/cobra", "cmd", "only a command parses a command line"},
}

// The noun package imports the standard library and Arrow.
const arrow = "github.com/apache/arrow-go/v18"

func TestImports(t *testing.T) {
	seen := 0
	walkGo(t, func(file string, test bool, imports []string) {
		dir := filepath.ToSlash(filepath.Dir(file))
		l := layerOf(dir)
		for _, path := range imports {
			if inner, ok := strings.CutPrefix(path, module+"/"); ok {
				seen++
				if !test && !allowed(l, dir, inner) {
					t.Errorf("%s imports %s: the policy gives %q only %v", file, inner, l.room, l.may)
				}
				continue
			}
			outside(t, file, dir, test, path)
		}
	})
	if seen < 20 {
		t.Fatalf("the walk saw %d imports of our own packages: it does not see the tree", seen)
	}
}

func outside(t *testing.T, file, dir string, test bool, path string) {
	t.Helper()
	if dir == "core" && strings.Contains(strings.Split(path, "/")[0], ".") && !strings.HasPrefix(path, arrow) {
		t.Errorf("%s imports %s: core imports the standard library and Arrow only", file, path)
	}
	if test {
		return
	}
	for _, o := range only {
		if !strings.HasPrefix(path, o.path) {
			continue
		}
		ok := false
		for _, room := range strings.Fields(o.rooms) {
			ok = ok || within(dir, room)
		}
		if !ok {
			t.Errorf("%s imports %s: %s", file, path, o.why)
		}
	}
	if path == "C" && !within(dir, "core/warehouse/duckdb") {
		t.Errorf("%s uses cgo: core/warehouse/duckdb alone may", file)
	}
}

func TestNoInit(t *testing.T) {
	walkFiles(t, func(file string) {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		if f.Scope != nil && f.Scope.Lookup("init") != nil {
			t.Errorf("%s has an init function: registries are values that All returns", file)
		}
	})
}

func walkGo(t *testing.T, visit func(file string, test bool, imports []string)) {
	t.Helper()
	walkFiles(t, func(file string) {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		var imports []string
		for _, i := range f.Imports {
			path, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			imports = append(imports, path)
		}
		visit(file, strings.HasSuffix(file, "_test.go"), imports)
	})
}

func walkFiles(t *testing.T, visit func(file string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || d.Name() == ".git" || path == "plugins/example" || path == "bin"):
			return filepath.SkipDir // a module of its own, or no code of ours
		case !d.IsDir() && strings.HasSuffix(path, ".go"):
			visit(filepath.ToSlash(path))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// layerOf finds the first line of the policy that a folder falls under.
func layerOf(dir string) layer {
	if dir == "." {
		dir = ""
	}
	for _, l := range policy {
		if matches(dir, l.room) {
			return l
		}
	}
	return layer{room: "no room: " + dir}
}

// matches: "a/b" takes a/b and what is below it, "a/*" any folder below a, and a plain
// "core", "connectors", "transforms" only the folder itself.
func matches(dir, room string) bool {
	if parent, ok := strings.CutSuffix(room, "/*"); ok {
		return strings.HasPrefix(dir, parent+"/")
	}
	if !strings.Contains(room, "/") && room != "configs" {
		return dir == room
	}
	return within(dir, room)
}

func within(dir, room string) bool { return dir == room || strings.HasPrefix(dir, room+"/") }

func allowed(l layer, dir, path string) bool {
	if own := ownRoom(dir, l.room); own != "" && within(path, own) {
		return true
	}
	for _, room := range l.may {
		if matches(path, room) {
			return true
		}
	}
	return false
}

// ownRoom is the folder whose packages may know each other: connectors/sim for
// connectors/sim/world. The bare rooms have none.
func ownRoom(dir, room string) string {
	if parent, ok := strings.CutSuffix(room, "/*"); ok {
		rest := strings.TrimPrefix(dir, parent+"/")
		return parent + "/" + strings.Split(rest, "/")[0]
	}
	if strings.Contains(room, "/") {
		return room
	}
	return ""
}
