//go:build duckdb_arrow

package duckdb

// unique reports whether all keys of a chunk are certainly different.
func (s *source) unique(c *chunk) bool { return c.rows <= 1 }
