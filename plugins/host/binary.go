package host

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	plugin "github.com/hashicorp/go-plugin"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/plugins/wire"
)

// binary is a plugin's executable, opened, so that what was checked is what runs.
type binary struct {
	file *os.File
	path string
}

// Families lists the plugins in the folders that are searched and in the lock, sorted.
func (h *Host) Families() []string {
	found := map[string]bool{}
	for _, dir := range h.dirs() {
		matches, _ := filepath.Glob(filepath.Join(dir, wire.BinaryPrefix+"*"))
		for _, m := range matches {
			name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(m), wire.BinaryPrefix), exeSuffix())
			if isFamily(name) { // and no log or backup beside it
				found[name] = true
			}
		}
	}
	if h.opt.Lock != nil {
		for _, p := range h.opt.Lock.Plugins {
			found[p.Family] = true
		}
	}
	var out []string
	for f := range found {
		out = append(out, f)
	}
	slices.Sort(out)
	return out
}

func isFamily(name string) bool { return name != "" && !strings.ContainsAny(name, `/\.`) }

func (h *Host) dirs() []string { return slices.Concat(h.opt.Dirs, h.opt.ProjectDirs) }

// Path finds a plugin's executable: where the lock says, or in the first folder that has
// it, Dirs before ProjectDirs.
func (h *Host) Path(family string) (string, error) {
	if locked, ok := h.opt.Lock.Plugin(family); ok && locked.Path != "" {
		if filepath.IsAbs(locked.Path) {
			return filepath.Clean(locked.Path), nil
		}
		return filepath.Join(h.opt.Lock.Dir, locked.Path), nil
	}
	if !isFamily(family) {
		return "", notFound(family, "the name has a character that no plugin's name has")
	}
	for _, dir := range h.dirs() {
		path := filepath.Join(dir, binaryName(family))
		if _, err := os.Stat(path); err == nil {
			return filepath.Abs(path)
		}
	}
	return "", notFound(family, "looked in "+strings.Join(h.dirs(), ", "))
}

func binaryName(family string) string { return wire.BinaryPrefix + family + exeSuffix() }

func notFound(family, why string) error {
	return &core.Error{Kind: core.KindConfig, Op: "find plugin",
		Err: fmt.Errorf("there is no plugin %s%s: %s", wire.BinaryPrefix, family, why),
		Try: "install the plugin beside unsilo, or check the name of the connector"}
}

// open opens a plugin's executable and checks it: an ordinary file that only its owner
// can change, with the checksum of the lock, and trusted. The caller closes the file.
func (h *Host) open(family string) (*binary, error) {
	path, err := h.Path(family)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, &core.Error{Kind: core.KindConfig, Op: "open plugin", Err: err}
	}
	b := &binary{file: f, path: path}
	if err = errors.Join(b.checkMode(), h.checkSum(family, b)); err == nil {
		err = h.checkTrust(family, b)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return b, nil
}

func (b *binary) checkMode() error {
	info, err := b.file.Stat()
	if err != nil {
		return &core.Error{Kind: core.KindConfig, Op: "open plugin", Err: err}
	}
	if !info.Mode().IsRegular() {
		return &core.Error{Kind: core.KindConfig, Op: "open plugin", Err: fmt.Errorf("%s is no file", b.path)}
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&(fs.ModePerm&0o022) != 0 {
		return &core.Error{Kind: core.KindConfig, Op: "open plugin",
			Err: fmt.Errorf("%s can be changed by others than its owner (mode %o)", b.path, info.Mode().Perm()),
			Try: "chmod go-w " + b.path}
	}
	return nil
}

// checkSum compares the opened file with the lock, by go-plugin's own check.
func (h *Host) checkSum(family string, b *binary) error {
	if h.opt.Lock == nil {
		return nil
	}
	locked, ok := h.opt.Lock.Plugin(family)
	if !ok {
		return lockError(family, fmt.Errorf("plugin %s is %w", family, ErrNotLocked))
	}
	want, ok := locked.Checksums[Platform()]
	if !ok {
		return lockError(family, fmt.Errorf("%s has no checksum of plugin %s for %s", LockFile, family, Platform()))
	}
	sum, err := hex.DecodeString(strings.TrimPrefix(want, sumPrefix))
	if err != nil || len(sum) != sha256.Size || !strings.HasPrefix(want, sumPrefix) {
		return lockError(family, fmt.Errorf("the checksum of plugin %s for %s is no %s<64 hex digits>", family, Platform(), sumPrefix))
	}
	if h.wasChecked(b, want) {
		return nil
	}
	secure := plugin.SecureConfig{Checksum: sum, Hash: sha256.New()}
	same, err := secure.Check(b.execPath())
	if err != nil {
		return &core.Error{Kind: core.KindConfig, Op: "check plugin", Err: err}
	}
	if !same {
		return lockError(family, fmt.Errorf("%s is not the file that %s names: its checksum differs", b.path, LockFile))
	}
	h.checked(b, want)
	return nil
}

// fileID tells one state of one file from any other: whatever changes a file also
// changes the time the system notes for it, which nobody can set.
type fileID struct {
	device, inode uint64
	size, changed int64
}

// wasChecked reports whether this very file, unchanged since, had this checksum before;
// reading a large plugin costs more than starting it.
func (h *Host) wasChecked(b *binary, sum string) bool {
	id, ok := b.id()
	h.mu.Lock()
	defer h.mu.Unlock()
	return ok && h.sums[id] == sum
}

func (h *Host) checked(b *binary, sum string) {
	id, ok := b.id()
	h.mu.Lock()
	defer h.mu.Unlock()
	if ok {
		h.sums[id] = sum
	}
}

func lockError(family string, err error) error {
	return &core.Error{Kind: core.KindConfig, Op: "check plugin", Path: "plugin." + family, Err: err,
		Try: "if the change is meant, run `unsilo plugin lock`"}
}

func exeSuffix() string {
	if runtime.GOOS == "windows" {
		return ".exe"
	}
	return ""
}
