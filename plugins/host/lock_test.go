package host_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclparse"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/plugins/host"
)

func sample() *host.Lock {
	return &host.Lock{Plugins: []host.LockedPlugin{
		{Family: "sql", Checksums: map[string]string{"linux_amd64": "sha256:" + strings.Repeat("ab", 32)}},
		{Family: "rest", Version: "1.2.0", Path: `C:\plug"ins\${x}%{y}`, Connectors: []string{"rest", "hubspot"},
			Checksums: map[string]string{"linux_arm64": "sha256:1", "darwin_arm64": "sha256:2"}},
	}}
}

// hclLock is the same file for the HCL library.
type hclLock struct {
	Plugins []struct {
		Family     string            `hcl:"family,label"`
		Version    string            `hcl:"version,optional"`
		Path       string            `hcl:"path,optional"`
		Connectors []string          `hcl:"connectors,optional"`
		Checksums  map[string]string `hcl:"checksums"`
	} `hcl:"plugin,block"`
}

// asHCL reads a lock with the library.
func asHCL(t testing.TB, src []byte) *host.Lock {
	t.Helper()
	f, diags := hclparse.NewParser().ParseHCL(src, "lock")
	if diags.HasErrors() {
		t.Fatalf("not HCL: %v\n%s", diags, src)
	}
	var h hclLock
	if diags := gohcl.DecodeBody(f.Body, nil, &h); diags.HasErrors() {
		t.Fatalf("not the lock's HCL: %v\n%s", diags, src)
	}
	l := &host.Lock{}
	for _, p := range h.Plugins {
		l.Plugins = append(l.Plugins, host.LockedPlugin(p))
	}
	return l
}

// same compares locks whose empty and missing lists are alike.
func same(a, b *host.Lock) bool { return string(a.Bytes()) == string(b.Bytes()) }

func TestLockRoundTrip(t *testing.T) {
	dir := t.TempDir()
	if l, err := host.ReadLock(dir); l != nil || err != nil {
		t.Fatalf("without a file: %v, %v", l, err)
	}
	if err := sample().Write(dir); err != nil {
		t.Fatal(err)
	}
	got, err := host.ReadLock(dir)
	if err != nil || !same(got, sample()) {
		t.Fatalf("got %+v, %v", got, err)
	}
	rest, ok := got.Plugin("rest")
	if want := sample().Plugins[1]; !ok || !reflect.DeepEqual(rest, want) {
		t.Errorf("got %+v, want %+v", rest, want)
	}
	if fromHCL := asHCL(t, sample().Bytes()); !same(fromHCL, sample()) {
		t.Errorf("the HCL library reads\n%s", fromHCL.Bytes())
	}
	left, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(left) != 1 {
		t.Errorf("files left: %q", left)
	}
}

func TestLockPut(t *testing.T) {
	l := sample()
	l.Put(host.LockedPlugin{Family: "rest", Version: "1.2.0", Checksums: map[string]string{"linux_arm64": "sha256:9"}})
	if p, _ := l.Plugin("rest"); len(p.Checksums) != 2 || p.Checksums["linux_arm64"] != "sha256:9" {
		t.Errorf("same version: %v", p.Checksums)
	}
	l.Put(host.LockedPlugin{Family: "rest", Version: "1.3.0", Checksums: map[string]string{"linux_arm64": "sha256:7"}})
	if p, _ := l.Plugin("rest"); len(p.Checksums) != 1 {
		t.Errorf("new version keeps old checksums: %v", p.Checksums)
	}
	l.Put(host.LockedPlugin{Family: "file", Checksums: map[string]string{}})
	if _, ok := l.Plugin("file"); !ok {
		t.Error("a new plugin was not added")
	}
}

// TestSurvey: what is found now, also where an old lock points, and nothing that is gone.
func TestSurvey(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	for _, name := range []string{filepath.Join(dir, "unsilo-plugin-a"+exe()), filepath.Join(other, "elsewhere")} {
		if err := os.WriteFile(name, []byte(name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	old := &host.Lock{Dir: other, Plugins: []host.LockedPlugin{
		{Family: "b", Path: "elsewhere", Connectors: []string{"x"}, Checksums: map[string]string{"plan9_mips": "sha256:1"}},
		{Family: "gone", Checksums: map[string]string{}}, {Family: "gone_too", Path: "nowhere", Checksums: map[string]string{}}}}
	got, err := host.Survey([]string{dir}, old)
	if err != nil || len(got.Plugins) != 2 || got.Dir != other {
		t.Fatalf("got %+v, %v", got, err)
	}
	sum, err := host.Sum(filepath.Join(other, "elsewhere"))
	if err != nil {
		t.Fatal(err)
	}
	b, _ := got.Plugin("b")
	if want := (host.LockedPlugin{Family: "b", Path: "elsewhere", Connectors: []string{"x"}, Checksums: map[string]string{host.Platform(): sum}}); !reflect.DeepEqual(b, want) {
		t.Errorf("got %+v, want %+v", b, want)
	}
	if got, err := host.Survey([]string{dir}, nil); err != nil || len(got.Plugins) != 1 {
		t.Errorf("without an old one: %+v, %v", got, err)
	}
}

func TestBadLocks(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"other block":     {"source \"x\" {\n}\n", "unsilo.lock.hcl:1"},
		"unknown":         {"plugin \"x\" {\n  checksum = \"1\"\n}\n", ":2: \"checksum\" is no attribute"},
		"no checksums":    {"plugin \"x\" {\n  version = \"1\"\n}\n", "has no checksums"},
		"twice":           {strings.Repeat("plugin \"x\" {\n  checksums = {}\n}\n", 2), ":6: plugin \"x\" is locked twice"},
		"template":        {"plugin \"x\" {\n  path = \"${env}\"\n  checksums = {}\n}\n", ":2: a lock file has no templates"},
		"open string":     {"plugin \"x", ":1: a string does not end"},
		"end":             {"plugin \"x\" {\n", "the end of the file"},
		"bad character":   {"plugin \"x\" {\n  path = 1\n", ":2: a lock file has no character"},
		"attribute twice": {"plugin \"x\" {\n  path = \"a\"\n  path = \"b\"\n", ":3: path is set twice"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := host.ParseLock([]byte(c.text), host.LockFile)
			if core.KindOf(err) != core.KindConfig || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// FuzzLock: what is accepted is HCL of the same meaning, and is written back the same.
func FuzzLock(f *testing.F) {
	f.Add(sample().Bytes())
	f.Add([]byte("plugin \"a\" {\n  checksums = { \"x\" = \"1\", \"y\" = \"2\" }\n}\n"))
	f.Add([]byte("# c\r\nplugin \"a\" { # d\n  connectors = [\n\"a\",\n]\n  checksums = {\n}\n} // e"))
	f.Fuzz(func(t *testing.T, src []byte) {
		l, err := host.ParseLock(src, "lock")
		if err != nil {
			return
		}
		if !same(asHCL(t, src), l) {
			t.Fatalf("the HCL library reads it otherwise than\n%s", l.Bytes())
		}
		again, err := host.ParseLock(l.Bytes(), "lock")
		if err != nil || !same(again, l) {
			t.Fatalf("written and read again: %v", err)
		}
	})
}

func TestChecksums(t *testing.T) {
	path := filepath.Join(pluginDir, "unsilo-plugin-chaos"+exe())
	sum, err := host.Sum(path)
	if err != nil {
		t.Fatal(err)
	}
	locked := func(sum string) *host.Lock {
		return &host.Lock{Plugins: []host.LockedPlugin{{Family: "chaos", Checksums: map[string]string{host.Platform(): sum}}}}
	}
	other := "sha256:" + strings.Repeat("00", 32)
	for name, c := range map[string]struct {
		lock *host.Lock
		want string
	}{
		"right":          {locked(sum), ""},
		"wrong":          {locked(other), "its checksum differs"},
		"not a checksum": {locked("md5:1"), "is no sha256:"},
		"other platform": {&host.Lock{Plugins: []host.LockedPlugin{{Family: "chaos", Checksums: map[string]string{"plan9_mips": sum}}}}, "has no checksum"},
		"not in lock":    {&host.Lock{}, "is not in unsilo.lock.hcl"},
	} {
		t.Run(name, func(t *testing.T) {
			h, _ := newHost(t, func(o *host.Options) { o.Lock = c.lock })
			_, err := h.Connector(t.Context(), "chaos", "numbers")
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var e *core.Error
			if !asError(err, &e) || e.Kind != core.KindConfig || !strings.Contains(err.Error(), c.want) || !strings.Contains(e.Try, "unsilo plugin lock") {
				t.Fatalf("got %v, want %q and `unsilo plugin lock`", err, c.want)
			}
			if err := h.Verify("chaos"); err == nil {
				t.Error("Verify found nothing")
			}
		})
	}
}

func TestBinaryOthersCanWriteIsRefused(t *testing.T) {
	src, err := os.ReadFile(filepath.Join(pluginDir, "unsilo-plugin-chaos"+exe()))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "unsilo-plugin-chaos"+exe())
	if err := os.WriteFile(path, src, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o775); err != nil {
		t.Fatal(err)
	}
	h, _ := newHost(t, func(o *host.Options) { o.Dirs = []string{dir} })
	_, err = h.Connector(t.Context(), "chaos", "numbers")
	if core.KindOf(err) != core.KindConfig || !strings.Contains(err.Error(), "can be changed by others") {
		t.Errorf("got %v", err)
	}
	if _, err := h.Connector(t.Context(), "../chaos", "numbers"); core.KindOf(err) != core.KindConfig {
		t.Errorf("a path as a family: %v", err)
	}
	if got := h.Families(); !reflect.DeepEqual(got, []string{"chaos"}) {
		t.Errorf("families %q", got)
	}
}

// TestSwappedPluginIsRefused: a plugin that was checked and started before is checked
// again once its file changed, however it changed.
func TestSwappedPluginIsRefused(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "unsilo-plugin-chaos"+exe())
	src, err := os.ReadFile(filepath.Join(pluginDir, "unsilo-plugin-chaos"+exe()))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, src, 0o755); err != nil {
		t.Fatal(err)
	}
	sum, err := host.Sum(path)
	if err != nil {
		t.Fatal(err)
	}
	lock := &host.Lock{Dir: dir, Plugins: []host.LockedPlugin{{Family: "chaos", Path: filepath.Base(path),
		Checksums: map[string]string{host.Platform(): sum}}}}
	h, _ := newHost(t, func(o *host.Options) { o.Lock = lock })
	for range 2 {
		if err := h.Verify("chaos"); err != nil {
			t.Fatal(err)
		}
	}
	openNumbers(t, h, nil)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	src[len(src)-1] ^= 1
	other := filepath.Join(dir, "other")
	if err := os.WriteFile(other, src, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(other, path); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if err := h.Verify("chaos"); core.KindOf(err) != core.KindConfig || !strings.Contains(err.Error(), "checksum differs") {
		t.Errorf("the swapped plugin: %v", err)
	}
}
