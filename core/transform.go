package core

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"
)

// A Transform changes batches before they land. It is used by one goroutine at a time
// per value, keeps no row between calls, and the same input gives the same output.
type Transform interface {
	// Schema gives the schema of Apply's result for batches of the schema in.
	Schema(in *arrow.Schema) (*arrow.Schema, error)
	// Apply returns a new batch, which the caller releases; in stays the caller's.
	// It never changes the number or order of rows.
	Apply(ctx context.Context, in arrow.RecordBatch) (arrow.RecordBatch, error)
}
