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
