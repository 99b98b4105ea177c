//go:build duckdb_arrow && !linux

package duckdb

import "os"

// cloneFile makes to share the blocks of from, where the file system can do that.
func cloneFile(_, _ *os.File) bool { return false }

// excludeDuckDB cannot tell here whether a DuckDB is reading: the snapshot is then
// replaced as a whole instead of being brought up to date in place.
func excludeDuckDB(*os.File) error { return ErrLocked }

func admitDuckDB(*os.File) error { return nil }
