//go:build duckdb_arrow && linux

package duckdb

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// cloneFile makes to share the blocks of from, where the file system can do that.
func cloneFile(to, from *os.File) bool {
	return unix.IoctlFileClone(int(to.Fd()), int(from.Fd())) == nil
}

// excludeDuckDB takes the lock that any DuckDB respects, on an open file; ErrLocked says
// that one is reading.
func excludeDuckDB(f *os.File) error { return recordLock(f, unix.F_WRLCK) }

// admitDuckDB gives the lock back.
func admitDuckDB(f *os.File) error { return recordLock(f, unix.F_UNLCK) }

func recordLock(f *os.File, kind int16) error {
	err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: kind})
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		return ErrLocked
	}
	return err
}
