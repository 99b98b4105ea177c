//go:build duckdb_arrow

package duckdb

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/unsilo/unsilo/core"
)

// storageVersion is the layout of the system tables. A file with a higher one belongs to
// a newer unsilo and is refused.
const storageVersion = 1

// The system tables, all in core.SchemaSystem. They are the warehouse's own and Tables
// does not list them; SQL may read them.
const (
	tableState   = "state"
	tableKeys    = "table_keys"
	tableColumns = "column_metadata"
	tableVersion = "storage_version"
)

func systemTables() map[string]string {
	return map[string]string{
		tableState: "(source VARCHAR, stream VARCHAR, state VARCHAR, fingerprint VARCHAR, run_id VARCHAR, " +
			"updated_at TIMESTAMPTZ)",
		tableKeys:    "(table_schema VARCHAR, table_name VARCHAR, key VARCHAR[])",
		tableColumns: "(table_schema VARCHAR, table_name VARCHAR, column_name VARCHAR, metadata VARCHAR)",
		tableVersion: "(version BIGINT)",
	}
}

func system(table string) string {
	return place(core.TableName{Schema: core.SchemaSystem, Name: table})
}

// isSystem reports whether a table is the warehouse's own.
func isSystem(t core.TableName) bool {
	_, ok := systemTables()[fold(t.Name)]
	return ok && fold(t.Schema) == core.SchemaSystem
}

// prepareSystem creates the system tables of a new file and checks the version of an
// existing one.
func (w *Warehouse) prepareSystem(ctx context.Context) error {
	c, err := w.connect(ctx)
	if err != nil {
		return err
	}
	defer w.release(c)
	version, known, err := readVersion(ctx, c)
	switch {
	case err != nil:
		return w.fail("read storage version", err)
	case known && version > storageVersion:
		return &core.Error{Kind: core.KindConfig, Op: "open warehouse", Path: "path",
			Err: fmt.Errorf("%s was written by a newer unsilo (storage version %d; this one knows %d)",
				w.config.Path, version, storageVersion),
			Try: "install the newer unsilo, or name another file"}
	case known || w.config.ReadOnly:
		return nil
	}
	return w.fail("create system tables", createSystem(ctx, c))
}

func createSystem(ctx context.Context, c *conn) error {
	sql := []string{"BEGIN", "CREATE SCHEMA IF NOT EXISTS " + catalog + "." + quote(core.SchemaSystem)}
	for name, columns := range systemTables() {
		sql = append(sql, "CREATE TABLE "+system(name)+columns)
	}
	sql = append(sql, "INSERT INTO "+system(tableVersion)+" VALUES ("+strconv.Itoa(storageVersion)+")",
		"COMMIT", "CHECKPOINT "+catalog)
	_, err := c.exec(ctx, strings.Join(sql, ";\n"))
	return err
}

// readVersion gives the storage version of the file; a new file has none.
func readVersion(ctx context.Context, c *conn) (version int64, known bool, err error) {
	n, err := c.number(ctx, "SELECT count(*) FROM duckdb_tables() WHERE database_name = "+literal(catalog)+
		" AND schema_name = "+literal(core.SchemaSystem)+" AND table_name = "+literal(tableVersion))
	if err != nil || n == 0 {
		return 0, false, err
	}
	version, err = c.number(ctx, "SELECT max(version) FROM "+system(tableVersion))
	return version, err == nil, err
}

// States lists the positions of all streams, sorted by source and stream.
func (w *Warehouse) States(ctx context.Context) ([]core.StateRow, error) {
	c, err := w.connect(ctx)
	if err != nil {
		return nil, w.fail("read states", err)
	}
	defer w.release(c)
	var rows []core.StateRow
	err = c.each(ctx, "SELECT source, stream, state, fingerprint, run_id, updated_at FROM "+system(tableState)+
		" ORDER BY source, stream", func(r row) {
		s := core.StateRow{Source: r.text(0), Stream: r.text(1), Fingerprint: r.text(3), RunID: r.text(4), At: r.time(5)}
		if !r.null(2) {
			s.State = core.State(r.text(2))
		}
		rows = append(rows, s)
	})
	return rows, w.fail("read states", err)
}

// number runs a query whose result is one integer.
func (c *conn) number(ctx context.Context, sql string) (n int64, err error) {
	err = c.each(ctx, sql, func(r row) {
		if ints, ok := r.columns[0].(*array.Int64); ok && !r.null(0) {
			n = ints.Value(r.at)
		}
	})
	return n, err
}
