package file_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unsilo/unsilo/core"
)

// TestLargeFile grows, renames and rewrites a log that is longer than what its sum covers.
func TestLargeFile(t *testing.T) {
	dir := t.TempDir()
	line := strings.Repeat("x", 999) + "\n"
	path := write(t, dir, "big.log", strings.Repeat(line, 68_000))
	src := open(t, map[string]any{"path": filepath.Join(dir, "big.log*"), "format": "lines"})
	stream := onlyStream(t, src)
	var state core.State
	read := func() (rows int64, id string) {
		t.Helper()
		err := src.Read(t.Context(), core.ReadRequest{Stream: stream, After: state}, func(b core.Batch) error {
			if b.Rows != nil {
				rows += b.Rows.NumRows()
				id = b.Rows.Column(1).ValueStr(0)
			}
			if b.After != nil {
				state = append(core.State(nil), b.After...)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return rows, id
	}
	if n, _ := read(); n != 68_000 {
		t.Errorf("first read: got %d rows", n)
	}
	grow(t, path, "more\n")
	if n, _ := read(); n != 1 {
		t.Errorf("grown: got %d rows, want 1", n)
	}
	rename(t, path, path+".1")
	grow(t, path+".1", "and more\n")
	if n, _ := read(); n != 1 {
		t.Errorf("renamed and grown: got %d rows, want 1", n)
	}
	f, err := os.OpenFile(path+".1", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("y"), 68_000_010); err != nil { // in the last bytes before the position
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if n, id := read(); n != 68_002 || !strings.HasPrefix(id, "big.log@") {
		t.Errorf("rewritten: got %d rows of %q, want all", n, id)
	}
}
