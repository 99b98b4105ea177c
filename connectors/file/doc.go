// Package file reads files: CSV, JSON lines, Parquet, web server access logs, Asterisk call
// records and queue logs, and plain lines; compressed with gzip or Zstandard or not; from
// the local file system or by HTTP.
//
// Each stream names its files by patterns. A read takes what is new in them:
//
//	FileSystem.List -> tracker (what is new, grown, renamed) -> content (decompress, decode)
//	-> decoder (one for each format) -> batches with the positions of all files
//
// A file is known by its identity on the file system and by its content, not by its name: a
// log that is renamed, compressed or copied and truncated by a rotation is not read twice. A
// text file that has grown is read on from its last whole line. A line without an end waits
// until the file has been left alone for a while.
//
// The package parses CSV and JSON with connectors/rows and Parquet with Arrow. It deletes
// nothing, and a file that disappears takes no rows away.
package file
