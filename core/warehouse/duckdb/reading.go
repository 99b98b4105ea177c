//go:build duckdb_arrow

package duckdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/unsilo/unsilo/core"
)

// readerPatience is how long a reader waits for a snapshot that is just being written.
const readerPatience = 5 * time.Second

// OpenForReading opens the file for reading, or its snapshot while a run holds the file.
// Info().Location tells which.
func OpenForReading(ctx context.Context, config Config) (*Warehouse, error) {
	config.ReadOnly = true
	if config.LockWait == 0 {
		config.LockWait = -1
	}
	w, err := Open(ctx, config)
	if !isLocked(err) {
		return w, err
	}
	return OpenSnapshot(ctx, config)
}

// OpenSnapshot opens the snapshot of config.Path: the state that the process which holds
// the file committed and published last.
func OpenSnapshot(ctx context.Context, config Config) (*Warehouse, error) {
	original := config.Path
	config.Path, config.ReadOnly = SnapshotPath(config.Path), true
	deadline := time.Now().Add(readerPatience)
	for {
		w, err := Open(ctx, config)
		if err == nil {
			return w, nil
		}
		unfinished := isLocked(err) || blank(config.Path)
		if errors.Is(err, os.ErrNotExist) || unfinished && time.Now().After(deadline) {
			return nil, &core.Error{Kind: core.KindUnavailable, Op: "open snapshot", Err: fmt.Errorf("%s is being written and has no snapshot yet: %w", original, err),
				Try: "try again in a moment"}
		}
		if !unfinished {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// blank reports whether a snapshot is not complete.
func blank(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	var page [16]byte
	_, err = f.ReadAt(page[:], 0)
	return err != nil || page == [16]byte{}
}
