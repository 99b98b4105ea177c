// Package duckdb is the embedded warehouse: one DuckDB file, owned by one process.
//
// The main database of every instance is in memory, and the file is attached to it: a
// write-ahead log that holds certain schema changes can only be replayed that way. Every
// setting is fixed and locked before the first statement, so that no SQL, whoever wrote
// it, reaches another file. Rows enter as Arrow batches and leave as Arrow batches.
//
// # Concurrency
//
// Each transaction has a connection of its own and works on a snapshot. Transactions on
// different tables do not disturb each other; two that change the same rows, or create or
// alter the same table, end in a core.Error of KindUnavailable for one of them, which may
// be run again. Reading needs no turn. A CHECKPOINT follows every commit that changed a
// schema. DuckDB runs it beside transactions that only add rows; while another one updates
// rows or changes a schema it waits for the next commit, and the log is replayed safely
// until then, as the file is attached. A checkpoint may give rows other ids, even for a
// transaction that is open: one that remembers ids from statement to statement pins them.
//
// # Write-ahead log, crash, corruption
//
// Schema changes come from a short list (add a nullable column, widen a type in place,
// build a new table and swap). A FATAL error makes the package drop the instance and
// reopen the file on next use. A damaged file is refused, never read around; Repair and
// Verify work on it.
//
// The package does not schedule, lock a project, or know sources: it stores tables.
//
// It is the only part of the program that needs cgo, and needs the build tag
// duckdb_arrow.
package duckdb
