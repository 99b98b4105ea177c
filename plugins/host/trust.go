package host

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/unsilo/unsilo/core"
)

// ErrNotTrusted is what a plugin is refused with that its user has not trusted.
var ErrNotTrusted = errors.New("not trusted")

// maxTrust bounds the size of a trust file.
const maxTrust = 4 << 20

const trustHead = `# Plugins that unsilo may start for this user, one a line: checksum, name, since when.
# Written by "unsilo plugin trust" and "unsilo plugin lock". Remove a line to withdraw it.
`

// Trust is the list of plugins that one user has said may start, by checksum. It is the
// user's, not the project's: a lock file comes along with somebody else's project and
// can vouch for nothing in it.
type Trust struct {
	path  string
	sums  map[string]bool
	named map[string]bool
}

// ReadTrust reads a trust file. One that does not exist, and the empty path, trust
// nothing. A file that others can write is refused.
func ReadTrust(path string) (*Trust, error) {
	t := &Trust{path: path, sums: map[string]bool{}, named: map[string]bool{}}
	if path == "" {
		return t, nil
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return t, nil
	}
	fail := func(err error, try string) (*Trust, error) {
		return nil, &core.Error{Kind: core.KindConfig, Op: "read trusted plugins", Err: err, Try: try}
	}
	switch {
	case err != nil:
		return fail(err, "")
	case info.Size() > maxTrust:
		return fail(fmt.Errorf("%s has %d bytes, more than any list of plugins needs", path, info.Size()), "")
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o022 != 0:
		return fail(fmt.Errorf("%s can be changed by others than its owner (mode %o)", path, info.Mode().Perm()), "chmod go-w "+path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return fail(err, "")
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		fields := strings.Fields(lines.Text())
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		if !isSum(fields[0]) {
			return fail(fmt.Errorf("%s:%d does not begin with %s<64 hex digits>", path, n, sumPrefix), "remove the line")
		}
		t.sums[fields[0]] = true
	}
	if err := lines.Err(); err != nil {
		return fail(fmt.Errorf("%s: %w", path, err), "")
	}
	return t, nil
}

func isSum(s string) bool {
	text, ok := strings.CutPrefix(s, sumPrefix)
	raw, err := hex.DecodeString(text)
	return ok && err == nil && len(raw) == 32
}

// Has reports whether a plugin with this checksum may start.
func (t *Trust) Has(sum string) bool { return t.sums[sum] }

// Naming gives a copy that also trusts the plugins of these families, whatever their
// checksum: for a command line that names the plugin to start.
func (t *Trust) Naming(families ...string) *Trust {
	c := &Trust{path: t.path, sums: t.sums, named: maps.Clone(t.named)}
	for _, f := range families {
		c.named[f] = true
	}
	return c
}

// Add writes a plugin down as trusted, in a file that only its owner can read.
func (t *Trust) Add(family, sum string) error {
	if !isSum(sum) {
		return fmt.Errorf("trust plugin %s: %q is no checksum", family, sum)
	}
	if t.Has(sum) {
		return nil
	}
	if t.path == "" {
		return fmt.Errorf("trust plugin %s: there is no folder for the settings of this user", family)
	}
	if err := os.MkdirAll(filepath.Dir(t.path), 0o700); err != nil {
		return fmt.Errorf("trust plugin %s: %w", family, err)
	}
	f, err := os.OpenFile(t.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("trust plugin %s: %w", family, err)
	}
	text := fmt.Sprintf("%s %s %s\n", sum, strings.Join(strings.Fields(family), "_"), time.Now().UTC().Format(time.RFC3339))
	if info, err := f.Stat(); err == nil && info.Size() == 0 {
		text = trustHead + text
	}
	_, err = f.WriteString(text) // in one piece, so that two programs may add at a time
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("trust plugin %s: %w", family, err)
	}
	t.sums[sum] = true
	return nil
}

// Own reports whether a plugin stands in one of Dirs, where it is trusted as the program
// itself is.
func (h *Host) Own(family, path string) bool {
	for _, dir := range h.opt.Dirs {
		abs, err := filepath.Abs(filepath.Join(dir, binaryName(family)))
		if err == nil && abs == path {
			return true
		}
	}
	return false
}

// checkTrust holds a plugin that is not the program's own to the user's list.
func (h *Host) checkTrust(family string, b *binary) error {
	t := h.opt.Trust
	if t == nil || t.named[family] || h.Own(family, b.path) {
		return nil
	}
	id, known := b.id()
	h.mu.Lock()
	sum := h.sums[id]
	h.mu.Unlock()
	if !known || sum == "" {
		var err error
		if sum, err = Sum(b.execPath()); err != nil {
			return &core.Error{Kind: core.KindConfig, Op: "check plugin", Err: err}
		}
		h.checked(b, sum)
	}
	if t.Has(sum) {
		return nil
	}
	return &core.Error{Kind: core.KindConfig, Op: "check plugin", Path: "plugin." + family,
		Err: fmt.Errorf("%s came with the project and is %w: nobody has allowed this user's unsilo to start it", b.path, ErrNotTrusted),
		Try: "if you know where it comes from, run `unsilo plugin trust " + family + "`"}
}
