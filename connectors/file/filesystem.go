package file

import (
	"context"
	"io"
	"time"
)

// A FileSystem is where files are: a disk, an object store, a server. Its methods may be
// called concurrently. Errors are core Errors of the right kind.
type FileSystem interface {
	// List gives the files that match a pattern, in any order. No match is no error. With an
	// Error of KindPermission it gives those that it may see nevertheless.
	List(ctx context.Context, pattern string) ([]Entry, error)
	// Open reads a file from a byte on. It fails if the file system cannot tell that
	// this is the file that was listed.
	Open(ctx context.Context, e Entry, offset int64) (io.ReadCloser, error)
}

// An Entry is a file that was listed.
type Entry struct {
	// Path opens the file; Name is how it is called in rows and messages: relative to the
	// fixed part of the pattern.
	Path, Name string
	// Size in bytes; -1 is unknown.
	Size    int64
	ModTime time.Time
	// Ident stays the same when the file is renamed and grows: device and inode on a
	// disk. Empty when the file system has none.
	Ident string
	// Tag changes when the content does, where size and time do not tell: an HTTP ETag.
	Tag string
	// Unversioned says that nothing tells whether the content has changed.
	Unversioned bool
	// Link says that Path is a link to the file.
	Link bool
}
