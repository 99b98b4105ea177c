//go:build !duckdb_arrow

package duckdb

// Arrow batches reach DuckDB only through functions that its driver hides behind a build
// tag. Without the tag the compiler stops here, and its message names what to do.
var _ = build_unsilo_with_make_or_with_go_flag__tags_duckdb_arrow
