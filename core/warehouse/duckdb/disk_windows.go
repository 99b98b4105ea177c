//go:build duckdb_arrow && windows

package duckdb

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// freeBytes is the room left for this user on the volume of dir.
func freeBytes(dir string) int64 {
	path, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0
	}
	var free uint64
	if err := windows.GetDiskFreeSpaceEx(path, &free, nil, nil); err != nil {
		return 0
	}
	return int64(free)
}

// lockFile leaves locking to DuckDB, which opens files exclusively here.
func lockFile(*os.File, bool) error { return nil }

// unlockFile has nothing to give back.
func unlockFile(*os.File) error { return nil }

func isLockConflict(err error) bool { return errors.Is(err, windows.ERROR_SHARING_VIOLATION) }

// syncDir has nothing to do: renaming is durable with the file.
func syncDir(string) error { return nil }
