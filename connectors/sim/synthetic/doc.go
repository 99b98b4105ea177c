// Package synthetic is the connector "sim": it makes up rows out of nothing, fast and the
// same every time, for benchmarks, kill tests and tests of what the engine does when a
// source fails.
//
// A stream begins with a number of rows. On every day after that some rows change, some
// are new, and some are deleted; which ones follows from arithmetic on the row's id, so
// that any day's table is known without reading it: see Options.Sum. The first columns of a
// row are id, version, updated_at and checksum; the checksum follows from stream, id and
// version, so that a lost, doubled or stale row shows.
//
// The package has nothing to do with the simulated company of package sim but the family of
// the plugin. It opens no file but the one that holds the day, and no connection.
package synthetic
