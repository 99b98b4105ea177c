//go:build duckdb_arrow && unix

package duckdb

import (
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
