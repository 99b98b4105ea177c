//go:build duckdb_arrow && unix

package duckdb

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// freeBytes is the room left for this user in the file system of dir, or of its closest
// parent that exists.
func freeBytes(dir string) int64 {
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0
	}
	return int64(s.Bavail) * int64(s.Bsize)
}

// lockFile takes a lock that belongs to the open file, so that it also holds between two
// users within one process.
func lockFile(f *os.File, exclusive bool) error {
	how := unix.LOCK_SH
	if exclusive {
		how = unix.LOCK_EX
	}
	return unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
}

// unlockFile gives the lock back.
func unlockFile(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_UN) }

func isLockConflict(err error) bool { return errors.Is(err, unix.EWOULDBLOCK) }

// syncDir makes a renaming in dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
