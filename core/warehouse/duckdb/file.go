//go:build duckdb_arrow

package duckdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/unsilo/unsilo/core"
)

// ErrLocked says that another process, or another part of this one, has the file open in
// a way that excludes what was asked for.
var ErrLocked = errors.New("the warehouse is open elsewhere")

// A databaseFile is a handle on a database file next to DuckDB's own. It carries a lock
// that also holds within one process, which DuckDB's does not, and reads the file for
// copies. It stays open as long as DuckDB has the file open: closing any handle of a file
// would end DuckDB's lock on it.
type databaseFile struct {
	*os.File
}

// openFile opens an existing database file and locks it, for one or for many. It tries
// until wait is over.
func openFile(ctx context.Context, path string, exclusive bool, wait time.Duration) (*databaseFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &core.Error{Kind: core.KindConfig, Op: "open warehouse", Path: "path", Err: err}
	}
	err = retry(ctx, wait, func() error { return lockFile(f, exclusive) })
	if err != nil {
		return nil, errors.Join(lockedError(path, err), f.Close())
	}
	return &databaseFile{f}, nil
}

func lockedError(path string, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &core.Error{Kind: core.KindUnavailable, Op: "open warehouse", Err: fmt.Errorf("%w: %s: %w", ErrLocked, path, err),
		Try: "wait until the run or query that has it open is over"}
}

// retry calls f until it finds no lock in its way or wait is over.
func retry(ctx context.Context, wait time.Duration, f func() error) error {
	deadline := time.Now().Add(wait)
	for {
		err := f()
		if err == nil || !isLocked(err) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// isLocked reports whether an error is a lock of somebody else, ours or DuckDB's.
func isLocked(err error) bool {
	var e *nativeError
	return errors.Is(err, ErrLocked) || isLockConflict(err) || errors.As(err, &e) && e.says("Conflicting lock is held", "Could not set lock on file")
}

// excludeReaders keeps everybody from reading f until admitReaders, or says ErrLocked.
func excludeReaders(f *os.File) error {
	if err := lockFile(f, true); isLockConflict(err) {
		return ErrLocked
	} else if err != nil {
		return err
	}
	if err := excludeDuckDB(f); err != nil {
		return errors.Join(err, unlockFile(f))
	}
	return nil
}

func admitReaders(f *os.File) error { return errors.Join(admitDuckDB(f), unlockFile(f)) }

// moved reports whether another file has taken the place of an open one.
func (f *databaseFile) moved() bool {
	mine, err := f.Stat()
	there, err2 := os.Stat(f.Name())
	return err != nil || err2 != nil || !os.SameFile(mine, there)
}

// create makes an empty database file that nobody else can read, in one step: DuckDB by
// itself would create it readable to all.
func create(ctx context.Context, config Config) (err error) {
	if _, err := os.Stat(config.Path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	dir, err := os.MkdirTemp(filepath.Dir(config.Path), ".new-warehouse-")
	if err != nil {
		return &core.Error{Kind: core.KindConfig, Op: "create warehouse", Path: "path", Err: err}
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	fresh := config
	fresh.Path = filepath.Join(dir, "new.duckdb")
	in, err := attach(ctx, fresh)
	if err != nil {
		return translate("create warehouse", err)
	}
	in.close()
	if err := os.Chmod(fresh.Path, 0o600); err != nil {
		return fmt.Errorf("create warehouse: %w", err)
	}
	// A link, not a renaming: if another process was faster, its file stays.
	err = os.Link(fresh.Path, config.Path)
	switch {
	case errors.Is(err, os.ErrExist):
		return nil
	case err != nil: // a file system without links
		return os.Rename(fresh.Path, config.Path)
	}
	return nil
}
