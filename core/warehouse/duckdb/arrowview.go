//go:build duckdb_arrow

package duckdb

// #include <stdlib.h>
// struct unsilo_arrow_stream {
//     void (*get_schema)(void);
//     void (*get_next)(void);
//     void (*get_last_error)(void);
//     void (*release)(void);
//     void *private_data;
// };
import "C"

import (
	"context"
	"crypto/rand"
	"errors"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/cdata"
	"github.com/duckdb/duckdb-go/v2/arrowmapping"
	"github.com/duckdb/duckdb-go/v2/mapping"
)

// view makes rows readable under a name, on this connection and for one statement, as
// DuckDB pulls them straight from the Arrow buffers. drop frees what DuckDB holds of them;
// call it when the statement is done.
func (c *conn) view(name string, rows array.RecordReader) (drop func(), err error) {
	// DuckDB keeps the pointer, so it must not be into Go's memory.
	memory := C.calloc(1, C.sizeof_struct_unsilo_arrow_stream)
	stream := (*cdata.CArrowArrayStream)(memory)
	cdata.ExportRecordReader(rows, stream)
	drop = func() {
		cdata.ReleaseCArrowArrayStream(stream)
		C.free(memory)
	}
	if arrowmapping.ArrowScan(c.c, name, arrowmapping.ArrowStream{Ptr: memory}) == mapping.StateError {
		drop()
		return nil, errors.New("register Arrow rows in DuckDB")
	}
	return drop, nil
}

// with makes rows readable for other connections, under the name it passes to f. DuckDB reads
// every column of such a view, in order, and applies no condition to it: f must SELECT * and
// nothing else from it, once.
func (c *conn) with(ctx context.Context, rows array.RecordReader, f func(view string) error) error {
	db := viewDatabase + rand.Text()
	if _, err := c.exec(ctx, "ATTACH ':memory:' AS "+db+"; USE "+db); err != nil {
		return err
	}
	defer func() {
		// Not interrupted by ctx: what was attached must go.
		_, _ = c.exec(context.WithoutCancel(ctx), "USE memory; DETACH "+db)
	}()
	drop, err := c.view("v", rows)
	if err != nil {
		return err
	}
	defer drop()
	return f(db + ".main.v")
}
