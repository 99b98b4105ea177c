package core

import (
	"context"
	"time"
)

// A Connector is one kind of silo. It is a value without state: Spec and Open may
// be called any number of times, from several goroutines, and nothing is read or
// dialled before Open.
type Connector interface {
	// Spec describes the connector as data, so that it survives a process border.
	Spec() Spec
	// Open makes a Source for one set of credentials. It checks cfg and may make
	// clients; it should leave the network alone until the first call on the Source.
	Open(ctx context.Context, cfg Config) (Source, error)
}

// A Source is an opened connector. Check, Streams and Read may be called
// concurrently, Read also for several streams at once. The opener calls Close once,
// after all other calls have returned.
type Source interface {
	// Check proves that the silo can be reached and the credentials are accepted,
	// within a few seconds and without reading data.
	Check(ctx context.Context) error
	// Streams lists what can be read with these credentials, in a stable order.
	// User-declared streams (Config.Streams) of a connector with Spec.Dynamic are
	// among them.
	Streams(ctx context.Context) ([]Stream, error)
	// Read sends the rows of one stream to emit, in batches of any size, and returns
	// nil once all of them are sent. emit blocks while the warehouse is busy; that is
	// the back-pressure. An error from emit must be returned as it is. When ctx ends,
	// Read returns within two seconds.
	Read(ctx context.Context, req ReadRequest, emit func(Batch) error) error
	// Close releases everything Open took.
	Close() error
}

// ReadRequest says what to read of one stream. New fields may appear; their zero
// value keeps today's meaning.
type ReadRequest struct {
	// Stream is one of Source.Streams, with the user's cursor, key and lookback
	// already applied.
	Stream Stream
	// Columns narrows the answer; empty means all. A source may send more.
	Columns []string
	// After is the position to go on from; nil reads from the beginning. It is a
	// State that this connector emitted before, for the same Fingerprint.
	After State
	// From, when set, asks for a backfill: rows whose cursor is at or after it,
	// whatever After says. No State may be emitted then.
	From time.Time
	// Until is the upper bound of a time cursor, exclusive; zero means none. Rows at
	// or past it are left for a later run.
	Until time.Time
	// Limit ends the read after about this many rows; zero means no limit.
	Limit int64
	// KeysOnly asks for the primary key columns of every row that exists now. After
	// and Until are ignored. An error, or a short answer, must be an error: the
	// caller deletes what is missing.
	KeysOnly bool
	// Shard asks for one part of the stream; the zero value asks for all of it.
	Shard Shard
}

// Shard is part Index (from 0) of Count. Parts do not overlap and together make the
// whole. A Count of 0 or 1 is the whole.
type Shard struct {
	Index, Count int
}
