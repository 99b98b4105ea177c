package core

import (
	"time"

	"github.com/apache/arrow-go/v18/arrow"
)

// A Stream is a table-to-be: one kind of record of a source.
type Stream struct {
	Name string
	// Schema gives names and types of the columns. Field metadata under MeansKey says
	// what a column is. A Read may send batches with further columns or wider types;
	// the engine treats that as schema drift.
	Schema *arrow.Schema
	// PrimaryKey names the columns that identify a row; empty means rows have no
	// identity and can only be appended or replaced.
	PrimaryKey []string
	Cursor     Cursor
	Deletes    DeleteMode
	// DeleteField is the boolean or timestamp column of DeleteFlag: true, or not null,
	// means the row is gone at the source.
	DeleteField string
	// Help is one line for people.
	Help string
	// Maps say how rows become rows of the canonical tables; see Mapping.
	Maps []Mapping
	// EstimatedRows is a guess for progress bars; 0 means unknown.
	EstimatedRows int64
}

// A Cursor says how a stream can be read incrementally. The zero value: it cannot,
// every read is a full one.
type Cursor struct {
	// Field is the column that grows when a row changes. It may be empty for opaque
	// positions (tokens, file offsets): then Opaque is true.
	Field string
	// TieBreak orders rows of equal Field, usually the primary key.
	TieBreak []string
	// Precision of the stored values: rows closer than this share a cursor value.
	Precision time.Duration
	// Lookback is re-read before the position on every run.
	Lookback time.Duration
	// Opaque marks a position only the connector understands.
	Opaque bool
}

// Incremental reports whether the stream can be read from a position.
func (c Cursor) Incremental() bool { return c.Field != "" || c.Opaque }

// DeleteMode says how rows that vanished at the source are found.
type DeleteMode string

// The delete modes.
const (
	DeleteNone      DeleteMode = "none"      // they are not
	DeleteFlag      DeleteMode = "flag"      // a column says so
	DeleteFeed      DeleteMode = "feed"      // the connector emits OpDelete batches
	DeleteReconcile DeleteMode = "reconcile" // a sweep of keys and an anti-join
)

// A Mapping fills a canonical table (party, touchpoint, money, survey_answer,
// campaign_spend) from a stream: canonical column to stream column, or to a constant
// when the value starts with "=".
type Mapping struct {
	Table   string
	Columns map[string]string
}

// Field returns the schema's field of that name.
func (s Stream) Field(name string) (arrow.Field, bool) {
	if s.Schema == nil {
		return arrow.Field{}, false
	}
	if i := s.Schema.FieldIndices(name); len(i) == 1 {
		return s.Schema.Field(i[0]), true
	}
	return arrow.Field{}, false
}
