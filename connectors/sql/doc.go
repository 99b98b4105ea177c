// Package sql reads tables, views and queries of relational databases: PostgreSQL, MySQL
// and MariaDB, SQLite. One reader plans what to ask for and where to go on from; what
// differs between servers (quoting, catalogs, the binary formats of values, the words of
// their errors) stands behind the database, session and grammar interfaces.
//
// A read is one statement in one read-only transaction, streamed into Arrow builders:
//
//	Source.Read -> resolve (catalog) -> plan (grammar) -> session.scan -> batcher -> emit
//
// The first read of a stream with a cursor goes by primary key through one snapshot, so
// that it can be resumed at any key; the position it ends with is the highest cursor value
// that the first snapshot saw. Later reads go by (cursor, key) from that value on, the
// value itself included.
//
// The package writes nothing to a database, follows no replication log, and knows no
// vendor's tables.
package sql
