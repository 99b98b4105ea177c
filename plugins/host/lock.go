package host

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/unsilo/unsilo/core"
)

// LockFile is the name of the lock file in a project's folder.
const LockFile = "unsilo.lock.hcl"

// ErrNotLocked is what a plugin is refused with that the project's lock does not have.
var ErrNotLocked = errors.New("not in " + LockFile)

// sumPrefix names the only kind of checksum.
const sumPrefix = "sha256:"

// maxLock bounds the size of a lock file.
const maxLock = 1 << 20

// Lock is the content of a lock file: which plugins a project runs, to the byte.
type Lock struct {
	Plugins []LockedPlugin
	// Dir is the folder of the file, which relative paths in it start from; ReadLock sets it.
	Dir string
}

// LockedPlugin is one plugin block.
type LockedPlugin struct {
	// Family is the label of the block.
	Family  string
	Version string
	// Path of the executable, when it is not in the usual folders.
	Path string
	// Connectors the plugin serves, for the reader.
	Connectors []string
	// Checksums by platform, "linux_amd64" = "sha256:<64 hex digits>".
	Checksums map[string]string
}

// Platform is the key of this machine in LockedPlugin.Checksums.
func Platform() string { return runtime.GOOS + "_" + runtime.GOARCH }

// ReadLock reads the lock file of a project's folder; nil, and no error, when there is none.
func ReadLock(dir string) (*Lock, error) {
	path := filepath.Join(dir, LockFile)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && info.Size() > maxLock {
		err = fmt.Errorf("%s has %d bytes, more than any lock needs", path, info.Size())
	}
	var src []byte
	if err == nil {
		src, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, &core.Error{Kind: core.KindConfig, Op: "read lock", Err: err}
	}
	l, err := ParseLock(src, LockFile)
	if err != nil {
		return nil, err
	}
	l.Dir = dir
	return l, nil
}

// Plugin finds a plugin; a nil Lock has none.
func (l *Lock) Plugin(family string) (LockedPlugin, bool) {
	if l == nil {
		return LockedPlugin{}, false
	}
	for _, p := range l.Plugins {
		if p.Family == family {
			return p, true
		}
	}
	return LockedPlugin{}, false
}

// Put adds a plugin, or updates it: checksums of other platforms stay when the version does.
func (l *Lock) Put(p LockedPlugin) {
	for i, old := range l.Plugins {
		if old.Family != p.Family {
			continue
		}
		if old.Version == p.Version {
			for platform, sum := range old.Checksums {
				if _, ok := p.Checksums[platform]; !ok {
					p.Checksums[platform] = sum
				}
			}
		}
		l.Plugins[i] = p
		return
	}
	l.Plugins = append(l.Plugins, p)
}

// Write puts the lock file into a project's folder, in one step.
func (l *Lock) Write(dir string) error {
	tmp, err := os.CreateTemp(dir, LockFile+".*")
	if err != nil {
		return fmt.Errorf("write lock: %w", err)
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(l.Bytes())
	err = errors.Join(err, tmp.Chmod(0o644), tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), filepath.Join(dir, LockFile))
	}
	if err != nil {
		return fmt.Errorf("write lock: %w", err)
	}
	return nil
}

// Sum gives the checksum of a file as it stands in a lock.
func Sum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("sum plugin: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("sum plugin: %w", err)
	}
	return sumPrefix + hex.EncodeToString(h.Sum(nil)), nil
}

// Survey gives a lock with the checksums of the plugins as they are now: of those in the
// folders, and of those that old has, where it says they are. What is gone is left out.
func Survey(dirs []string, old *Lock) (*Lock, error) {
	h := New(Options{Dirs: dirs, Lock: old})
	now := &Lock{}
	if old != nil {
		now.Dir = old.Dir
	}
	for _, family := range h.Families() {
		path, err := h.Path(family)
		if err != nil {
			continue
		}
		sum, err := Sum(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		was, _ := old.Plugin(family)
		now.Plugins = append(now.Plugins, LockedPlugin{Family: family, Path: was.Path, Connectors: was.Connectors,
			Checksums: map[string]string{Platform(): sum}})
	}
	return now, nil
}

// Verify checks the executables of the families against the lock without starting them.
func (h *Host) Verify(families ...string) error {
	var errs []error
	for _, f := range families {
		b, err := h.open(f)
		if err == nil {
			err = b.file.Close()
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
