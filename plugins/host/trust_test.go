package host_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/plugins/host"
)

// strange puts the test plugin into a folder of its own, as a project has it.
func strange(t *testing.T) (dir, path, sum string) {
	t.Helper()
	dir = t.TempDir()
	path = filepath.Join(dir, "unsilo-plugin-chaos"+exe())
	text, err := os.ReadFile(filepath.Join(pluginDir, "unsilo-plugin-chaos"+exe()))
	if err == nil {
		err = os.WriteFile(path, text, 0o755)
	}
	if err == nil {
		sum, err = host.Sum(path)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir, path, sum
}

func readTrust(t *testing.T, path string) *host.Trust {
	t.Helper()
	trust, err := host.ReadTrust(path)
	if err != nil {
		t.Fatal(err)
	}
	return trust
}

// TestUntrustedPluginsAreNotStarted: neither the folder of a project nor its lock file
// can make a program run that its user has not trusted.
func TestUntrustedPluginsAreNotStarted(t *testing.T) {
	dir, path, sum := strange(t)
	file := filepath.Join(t.TempDir(), "settings", "trust")
	locked := func(path string) *host.Lock {
		return &host.Lock{Dir: dir, Plugins: []host.LockedPlugin{{Family: "chaos", Path: path, Checksums: map[string]string{host.Platform(): sum}}}}
	}
	up, err := filepath.Rel(pluginDir, path)
	if err != nil {
		t.Fatal(err)
	}
	for name, opt := range map[string]host.Options{
		"in the folder":       {Dirs: []string{t.TempDir()}, ProjectDirs: []string{dir}},
		"locked":              {ProjectDirs: []string{dir}, Lock: locked("")},
		"locked with a path":  {Dirs: []string{pluginDir}, Lock: locked(filepath.Base(path))},
		"locked, whole path":  {Dirs: []string{pluginDir}, Lock: locked(path)},
		"under another name":  {Dirs: []string{dir}, Lock: locked(filepath.Join(dir, "other"))},
		"out of a good place": {Dirs: []string{pluginDir}, Lock: locked(pluginDir + string(filepath.Separator) + up)},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "under another name" {
				if err := os.Link(path, filepath.Join(dir, "other")); err != nil {
					t.Fatal(err)
				}
			}
			for _, trusted := range []bool{false, true} {
				opt := opt
				opt.Trust = readTrust(t, file+name)
				if trusted {
					if err := opt.Trust.Add("chaos", sum); err != nil {
						t.Fatal(err)
					}
					opt.Trust = readTrust(t, file+name)
				}
				h, _ := newHost(t, func(o *host.Options) {
					o.Dirs, o.ProjectDirs, o.Lock, o.Trust = opt.Dirs, opt.ProjectDirs, opt.Lock, opt.Trust
				})
				_, err := h.Connectors(t.Context(), "chaos")
				if trusted {
					if err != nil {
						t.Errorf("trusted: %v", err)
					}
					continue
				}
				var e *core.Error
				if !errors.Is(err, host.ErrNotTrusted) || !asError(err, &e) || e.Kind != core.KindConfig || !strings.Contains(e.Try, "unsilo plugin trust chaos") {
					t.Errorf("not trusted: %v", err)
				}
				if left := children(); len(left) > 0 {
					t.Errorf("it was started: %q", left)
				}
			}
		})
	}
}

func TestPluginsOfTheProgramNeedNoTrust(t *testing.T) {
	dir, _, _ := strange(t)
	h, _ := newHost(t, func(o *host.Options) { o.ProjectDirs, o.Trust = []string{dir}, readTrust(t, "") })
	if _, err := h.Connectors(t.Context(), "chaos"); err != nil {
		t.Error(err)
	}
}

func TestNamedPluginsNeedNoTrust(t *testing.T) {
	dir, _, _ := strange(t)
	h, _ := newHost(t, func(o *host.Options) {
		o.Dirs, o.ProjectDirs, o.Trust = nil, []string{dir}, readTrust(t, "").Naming("chaos")
	})
	if _, err := h.Connectors(t.Context(), "chaos"); err != nil {
		t.Error(err)
	}
}

// TestTrustIsOfTheBytes: another file of the same name is another plugin.
func TestTrustIsOfTheBytes(t *testing.T) {
	dir, path, sum := strange(t)
	trust := readTrust(t, filepath.Join(t.TempDir(), "trust"))
	if err := trust.Add("chaos", sum); err != nil {
		t.Fatal(err)
	}
	h, _ := newHost(t, func(o *host.Options) { o.Dirs, o.ProjectDirs, o.Trust = nil, []string{dir}, trust })
	if err := h.Verify("chaos"); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString("x")
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	if err := h.Verify("chaos"); !errors.Is(err, host.ErrNotTrusted) {
		t.Errorf("the changed file: %v", err)
	}
}

func TestTrustFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "trust")
	one, two := "sha256:"+strings.Repeat("11", 32), "sha256:"+strings.Repeat("22", 32)
	trust := readTrust(t, path)
	for _, sum := range []string{one, one, two} {
		if err := trust.Add("name with\nspaces", sum); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil || strings.Count(string(text), "sha256:") != 2 {
		t.Errorf("%v\n%s", err, text)
	}
	again := readTrust(t, path)
	if !again.Has(one) || !again.Has(two) || again.Has("sha256:"+strings.Repeat("33", 32)) || again.Has("") {
		t.Errorf("read again: %s", text)
	}
	if runtime.GOOS != "windows" {
		for name, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
			if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
				t.Errorf("%s: mode %v, want %v, %v", name, info.Mode(), want, err)
			}
		}
	}
	if err := trust.Add("x", "sha256:1"); err == nil {
		t.Error("no checksum was taken for one")
	}
	if err := readTrust(t, "").Add("x", one); err == nil {
		t.Error("nowhere to write, and no error")
	}
	for name, c := range map[string]struct {
		text string
		mode os.FileMode
	}{
		"no checksum":      {"md5:1 x\n", 0o600},
		"others can write": {one + "\n", 0o622},
	} {
		bad := filepath.Join(t.TempDir(), "trust")
		if err := errors.Join(os.WriteFile(bad, []byte(c.text), 0o600), os.Chmod(bad, c.mode)); err != nil {
			t.Fatal(err)
		}
		if _, err := host.ReadTrust(bad); core.KindOf(err) != core.KindConfig {
			t.Errorf("%s: %v", name, err)
		}
	}
}
