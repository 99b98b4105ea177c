package file

import (
	"context"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
)

// A format knows one kind of file. Its methods may be called concurrently.
type format interface {
	// schema gives the columns of the rows, without those that the package adds. sample
	// opens some of the stream's files, newest first; a format that has fixed columns
	// does not call it.
	schema(ctx context.Context, sample sampler) (*arrow.Schema, error)
	// decoder starts decoding one file. Decoders of one Read share the session, which may
	// keep what is worth keeping between files.
	decoder(ctx context.Context, in input, s *session) (decoder, error)
	// headerLines is how many lines there are before the first record.
	headerLines() int
}

// A sampler gives the contents of up to a few files, one after the other, until use returns
// false.
type sampler func(ctx context.Context, use func(in input) (more bool, err error)) error

// An input is a file's content from some position on.
type input struct {
	reader io.Reader
	// header is what stands before the first record, when reader begins after it.
	header []byte
	// line counts the lines before reader begins.
	line int64
	// offset is where reader begins.
	offset int64
	// final says that a last line without an end is complete.
	final bool
	// entry is the file; name is how messages call it.
	entry Entry
	name  string
}

// A session is what the decoders of one Read share.
type session struct {
	// known columns, from the stream's schema.
	columns *arrow.Schema
	// batchRows is how many rows a chunk should have at most.
	batchRows int
	// shared is the format's own.
	shared any
}

// A decoder turns one file's content into chunks.
type decoder interface {
	// next gives the next chunk; with io.EOF, or another error, the last one, which may
	// still hold something.
	next() (chunk, error)
	close()
}

// A chunk is a piece of a file, decoded. The receiver releases its batches.
type chunk struct {
	// rows and the line on which each begins; nil when there are none.
	rows  arrow.RecordBatch
	lines []int64
	// rejects are of core.RejectSchema; nil when there are none.
	rejects arrow.RecordBatch
	// offset is the position behind the chunk, before the one in front of its last record.
	// A format without lines counts rows.
	offset, before int64
}

func (c chunk) release() {
	if c.rows != nil {
		c.rows.Release()
	}
	if c.rejects != nil {
		c.rejects.Release()
	}
}

// defaultBatchRows is how many rows a chunk has at most if nobody asks for less.
const defaultBatchRows = 64 << 10

// batchBytes is how much text a chunk is made of at most.
const batchBytes = 8 << 20
