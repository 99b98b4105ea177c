package core

import (
	"encoding/json"

	"github.com/apache/arrow-go/v18/arrow"
)

// A Batch is a piece of a stream on its way to the warehouse.
type Batch struct {
	// Rows are lent: they are valid until emit returns. Whoever keeps them longer must
	// Retain them. They never change after emit. nil, or no rows, is allowed for a Batch
	// that only carries After.
	Rows arrow.RecordBatch
	Op   Op
	// After is the position once every row of this batch and of all batches before it in
	// this Read is stored. nil: this is not a place to go on from. It must be such that
	// reading on from it loses nothing; what it repeats must be removable by key.
	After State
}

// Op says what to do with the rows of a Batch.
type Op uint8

// The operations.
const (
	OpUpsert Op = iota // insert, or replace the row of the same key
	OpDelete           // the rows hold at least the primary key columns; remove those rows
	OpReject           // the rows have RejectSchema: records that could not be made into rows
)

// String gives the name used on the wire and in events.
func (o Op) String() string { return [...]string{"upsert", "delete", "reject"}[o] }

// State is a position in a stream. It is opaque to all but the connector that made it,
// is valid JSON, holds no secret, and is readable in `unsilo status`.
type State = json.RawMessage

// The columns of RejectSchema.
const (
	RejectRecord = "record" // the record as it came, JSON or text; it may hold personal data
	RejectReason = "reason" // why, for people; it never repeats values
	RejectPath   = "path"   // where in the record: "$.amount", "line 17"; may be null
)

// RejectSchema is the schema of OpReject batches.
func RejectSchema() *arrow.Schema {
	return arrow.NewSchema([]arrow.Field{
		{Name: RejectRecord, Type: arrow.BinaryTypes.String},
		{Name: RejectReason, Type: arrow.BinaryTypes.String},
		{Name: RejectPath, Type: arrow.BinaryTypes.String, Nullable: true},
	}, nil)
}
