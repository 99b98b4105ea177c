//go:build duckdb_arrow

package duckdb

import (
	"context"
	"errors"
	"fmt"

	"github.com/unsilo/unsilo/core"
)

// A TableReport is what reading a whole table found.
type TableReport struct {
	Name core.TableName
	Rows int64
	// Checksum of all values, whatever the order of the rows: the same content has the
	// same one, in 16 hexadecimal digits. Empty if the table is damaged.
	Checksum string
	// Err says why the table could not be read; nil if it could.
	Err error
}

// Verify reads every table fully, the warehouse's own among them. Damage is found by
// DuckDB's checksums of blocks; the error names the damaged tables.
func (w *Warehouse) Verify(ctx context.Context) ([]TableReport, error) {
	c, err := w.connect(ctx)
	if err != nil {
		return nil, w.fail("verify", err)
	}
	defer w.release(c)
	reports, err := c.verify(ctx)
	return reports, w.fail("verify", err)
}

// rowAlias names a whole row in SQL; it is to differ from every column's name.
const rowAlias = "unsilo whole row"

func (c *conn) verify(ctx context.Context) ([]TableReport, error) {
	var reports []TableReport
	err := c.each(ctx, "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = "+literal(catalog)+
		" ORDER BY schema_name, table_name", func(r row) {
		reports = append(reports, TableReport{Name: core.TableName{Schema: r.text(0), Name: r.text(1)}})
	})
	if err != nil {
		return nil, err
	}
	var damaged []error
	for i := range reports {
		r := &reports[i]
		// The sum of the rows' hashes does not depend on their order.
		sql := "SELECT count(*), printf('%016x', (coalesce(sum(hash(" + quote(rowAlias) + ")), 0) % 18446744073709551616)::UBIGINT) FROM " + place(r.Name) + " " + quote(rowAlias)
		if r.Err = c.each(ctx, sql, func(row row) { r.Rows, r.Checksum = row.int(0), row.text(1) }); r.Err != nil {
			if ctx.Err() != nil {
				return nil, r.Err
			}
			damaged = append(damaged, fmt.Errorf("table %s: %w", r.Name, r.Err))
		}
	}
	return reports, errors.Join(damaged...)
}
