package file_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/unsilo/unsilo/core"
)

// TestManyFiles bounds what many files cost: the position, and a read that finds
// nothing new.
func TestManyFiles(t *testing.T) {
	const files = 3_000
	dir := t.TempDir()
	for i := range files {
		write(t, dir, fmt.Sprintf("day%03d/f%05d.csv", i%100, i), fmt.Sprintf("id,v\n%d,x\n", i))
	}
	l := land(t, open(t, map[string]any{"path": filepath.Join(dir, "**", "*.csv")}))
	began := time.Now()
	states := 0
	err := l.src.Read(t.Context(), core.ReadRequest{Stream: l.stream}, func(b core.Batch) error {
		if b.After != nil {
			states++
		}
		return l.store(b)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("first read: %v, %d states, the last of %d bytes", time.Since(began), states, len(l.state))
	if len(l.rows) != files {
		t.Errorf("got %d rows, want %d", len(l.rows), files)
	}
	if states > 10 || len(l.state) > 200*files {
		t.Errorf("%d states, the last of %d bytes", states, len(l.state))
	}
	began = time.Now()
	if n := l.next(t); n != 0 {
		t.Errorf("nothing new: got %d rows", n)
	}
	t.Logf("second read: %v", time.Since(began))
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("a read with nothing new took %v", took)
	}
}
