//go:build duckdb_arrow && unix

package duckdb_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/warehouse/duckdb"
)

// limitFiles makes writing beyond a size fail, as a full disk does. The error is another
// one of the system's, and what DuckDB makes of it the same.
func limitFiles(bytes uint64) error {
	signal.Ignore(unix.SIGXFSZ)
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	limit.Cur = min(bytes, limit.Max)
	return unix.Setrlimit(unix.RLIMIT_FSIZE, &limit)
}

// fillDisk commits batches until the disk is full, and goes on when there is room again.
func fillDisk(ctx context.Context, path string) error {
	w, err := duckdb.Open(ctx, duckdb.Config{Path: path, MemoryLimit: "512MiB", Threads: 2, NoSnapshot: true})
	if err != nil {
		return err
	}
	defer w.Close()
	if err := limitFiles(1_100_000); err != nil {
		return err
	}
	acked := -1
	for n := 0; ; n++ {
		if err = writeBatch(ctx, w, n, true); err != nil {
			break
		}
		acked = n
		if n > 5000 {
			return errors.New("the disk does not get full")
		}
	}
	var e *core.Error
	if !errors.As(err, &e) || e.Kind != core.KindUnavailable || e.Try == "" {
		return fmt.Errorf("batch %d fails with %w, want an error of kind unavailable that says what to do", acked+1, err)
	}
	if err := limitFiles(math.MaxInt64); err != nil {
		return err
	}
	last, err := position(ctx, w)
	if err != nil {
		return fmt.Errorf("use after a full disk: %w", err)
	}
	if last < acked {
		return fmt.Errorf("batch %d was acknowledged and the position is %d", acked, last)
	}
	if err := writeBatch(ctx, w, last+1, true); err != nil {
		return fmt.Errorf("write after a full disk: %w", err)
	}
	fmt.Println("acknowledged", acked, "and then", last+1, "after", e)
	return nil
}

// failCheckpoint lets a commit through and makes the checkpoint after it fail, on which
// DuckDB gives its instance up.
func failCheckpoint(ctx context.Context, path string) error {
	w, err := duckdb.Open(ctx, duckdb.Config{Path: path, MemoryLimit: "512MiB", Threads: 2, NoSnapshot: true})
	if err != nil {
		return err
	}
	defer w.Close()
	for n := range 3 {
		if err := writeBatch(ctx, w, n, true); err != nil {
			return err
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if err := limitFiles(uint64(info.Size())); err != nil {
		return err
	}
	if err := writeBatch(ctx, w, 3, true); err != nil {
		return fmt.Errorf("a commit that stands is reported as failed: %w", err)
	}
	if log, err := os.Stat(path + ".wal"); err != nil || log.Size() == 0 {
		return fmt.Errorf("the checkpoint did not fail: %w", err)
	}
	if err := limitFiles(math.MaxInt64); err != nil {
		return err
	}
	for n := 4; n < 6; n++ {
		if err := writeBatch(ctx, w, n, true); err != nil {
			return fmt.Errorf("batch %d after the failure: %w", n, err)
		}
	}
	fmt.Println("acknowledged 5 and then 5")
	return nil
}

// TestDiskFull: what was acknowledged stays, the error says that it is the disk, and the
// same warehouse goes on without being opened again once there is room.
func TestDiskFull(t *testing.T) {
	for _, how := range []string{"full", "checkpoint"} {
		t.Run(how, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "w.duckdb")
			out, err := other(t, how, path)
			if err != nil {
				t.Fatal(out, err)
			}
			t.Log(strings.TrimSpace(out))
			var acked, last int
			if _, err := fmt.Sscanf(out, "acknowledged %d and then %d", &acked, &last); err != nil {
				t.Fatal(out, err)
			}
			checkBatches(t, path, last)
		})
	}
}
