//go:build duckdb_arrow

package duckdb

import (
	"context"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/duckdb/duckdb-go/v2/arrowmapping"
	"github.com/duckdb/duckdb-go/v2/mapping"
)

var _ array.RecordReader = (*reader)(nil)

// A reader streams a result from DuckDB, a vector of rows at a time, and brings the
// columns into their canonical types.
type reader struct {
	ctx  context.Context
	conn *conn
	stmt mapping.PreparedStatement
	res  mapping.Result
	opts arrowmapping.ArrowOptions

	native  *arrow.Schema // as DuckDB exports it
	schema  *arrow.Schema // as callers see it
	current arrow.RecordBatch
	err     error
	refs    atomic.Int64
	// done is called once, after the result is gone and the connection is free again.
	done func()
}

// describe finds the schema of the result.
func (r *reader) describe() error {
	r.opts = arrowmapping.ResultGetArrowOptions(&r.res)
	n := mapping.ColumnCount(&r.res)
	names := make([]string, n)
	types := make([]mapping.LogicalType, n)
	for i := range n {
		names[i] = mapping.ColumnName(&r.res, i)
		types[i] = mapping.ColumnLogicalType(&r.res, i)
	}
	defer func() {
		for i := range types {
			mapping.DestroyLogicalType(&types[i])
		}
	}()
	schema, failure := arrowmapping.NewArrowSchema(r.opts, types, names)
	if err := errorData(failure); err != nil {
		return err
	}
	r.native, r.schema = schema, canonicalSchema(schema)
	return nil
}

// present makes the reader speak want, a schema of the same columns in the same order
// whose types differ from the result's only in layout.
func (r *reader) present(want *arrow.Schema) { r.schema = want }

// Schema gives the columns.
func (r *reader) Schema() *arrow.Schema { return r.schema }

// Err gives what ended the rows early.
func (r *reader) Err() error { return r.err }

// RecordBatch gives the rows of the last Next, valid until the following one.
func (r *reader) RecordBatch() arrow.RecordBatch { return r.current }

// Record is the older name of RecordBatch.
func (r *reader) Record() arrow.RecordBatch { return r.current }

// Retain adds a reference.
func (r *reader) Retain() { r.refs.Add(1) }

// Release drops a reference; the last one frees the result and the connection.
func (r *reader) Release() {
	if r.refs.Add(-1) != 0 {
		return
	}
	r.drop()
	if r.native != nil {
		arrowmapping.DestroyArrowOptions(&r.opts)
	}
	mapping.DestroyResult(&r.res)
	mapping.DestroyPrepare(&r.stmt)
	if r.done != nil {
		r.done()
	}
}

func (r *reader) drop() {
	if r.current != nil {
		r.current.Release()
		r.current = nil
	}
}

// Next moves to the next rows.
func (r *reader) Next() bool {
	r.drop()
	if r.err != nil {
		return false
	}
	r.err = r.conn.interruptible(r.ctx, func() error {
		chunk := mapping.FetchChunk(r.res)
		if chunk.Ptr == nil {
			if message := mapping.ResultError(&r.res); message != "" {
				return newNativeError(message)
			}
			return nil
		}
		defer mapping.DestroyDataChunk(&chunk)
		if mapping.DataChunkGetSize(chunk) == 0 {
			return nil
		}
		batch, failure := arrowmapping.DataChunkToArrowArray(r.opts, r.native, chunk)
		if err := errorData(failure); err != nil {
			return err
		}
		defer batch.Release()
		var err error
		r.current, err = canonicalBatch(batch, r.schema)
		return err
	})
	if r.err != nil {
		r.err = translate("read rows", r.err)
	}
	return r.current != nil
}
