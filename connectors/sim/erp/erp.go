// Package erp shows the simulated company's accounts as tables of a real database:
// customers, orders, invoices and payments in SQLite, PostgreSQL or MySQL/MariaDB.
//
// Every table has a primary key id and a column write_date that moves with each change;
// rows that are deleted are gone. The caller opens the database and brings the driver.
package erp

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/unsilo/unsilo/connectors/sim/world"
)

// Tables are the tables, in an order in which they can be filled.
func Tables() []string { return []string{"customers", "orders", "invoices", "payments"} }

// Dialects are the values that Write and Apply take as dialect.
func Dialects() []string { return []string{"sqlite", "postgres", "mysql"} }

// Write drops the tables, makes them anew and fills them, in one transaction where the
// database allows it.
func Write(ctx context.Context, db *sql.DB, dialect string, state *world.State) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	for _, table := range Tables() {
		sheet, err := state.Sheet(world.ERP, table)
		if err != nil {
			return err
		}
		if err := create(ctx, tx, dialect, sheet); err != nil {
			return fmt.Errorf("create table %s: %w", table, err)
		}
		all := make([]int, 0, sheet.Len)
		for i := range sheet.Len {
			if sheet.Live(i) {
				all = append(all, i)
			}
		}
		if err := insert(ctx, tx, dialect, sheet, all); err != nil {
			return fmt.Errorf("fill table %s: %w", table, err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// Apply brings tables that Write made up to date with what changed since: the changes are
// those that advancing the company returned.
func Apply(ctx context.Context, db *sql.DB, dialect string, state *world.State, changes []world.Change) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	for _, table := range Tables() {
		if err := applyTable(ctx, tx, dialect, state, table, changes); err != nil {
			return fmt.Errorf("change table %s: %w", table, err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

func applyTable(ctx context.Context, tx *sql.Tx, dialect string, state *world.State, table string, changes []world.Change) error {
	touched := map[string]bool{}
	for _, c := range changes {
		if c.Source == world.ERP && c.Stream == table {
			touched[c.Key] = true
		}
	}
	if len(touched) == 0 {
		return nil
	}
	sheet, err := state.Sheet(world.ERP, table)
	if err != nil {
		return err
	}
	remove, err := tx.PrepareContext(ctx, "DELETE FROM "+table+" WHERE id = "+placeholder(dialect, 1))
	if err != nil {
		return fmt.Errorf("prepare delete: %w", err)
	}
	defer func() { _ = remove.Close() }()
	for key := range touched {
		if _, err := remove.ExecContext(ctx, key); err != nil {
			return fmt.Errorf("delete row: %w", err)
		}
	}
	var again []int
	for i := range sheet.Len {
		if sheet.Live(i) && touched[sheet.Key(i)] {
			again = append(again, i)
		}
	}
	return insert(ctx, tx, dialect, sheet, again)
}

func create(ctx context.Context, tx *sql.Tx, dialect string, sheet *world.Sheet) error {
	var columns []string
	for i, c := range sheet.Columns {
		t := columnType(dialect, c.Type)
		if i == 0 {
			t += " PRIMARY KEY"
		}
		columns = append(columns, c.Name+" "+t)
	}
	for _, statement := range []string{
		"DROP TABLE IF EXISTS " + sheet.Stream,
		"CREATE TABLE " + sheet.Stream + " (" + strings.Join(columns, ", ") + ")",
		"CREATE INDEX " + sheet.Stream + "_write_date ON " + sheet.Stream + " (write_date, id)",
	} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// columnType names the column type of a dialect.
func columnType(dialect string, t world.Type) string {
	types := map[string][]string{ // Text, Int, Bool, Stamp, Day, Amount
		"sqlite":   {"TEXT", "INTEGER", "BOOLEAN", "DATETIME", "DATE", "DECIMAL(12,2)"},
		"postgres": {"text", "bigint", "boolean", "timestamptz(3)", "date", "numeric(12,2)"},
		"mysql":    {"varchar(255)", "bigint", "boolean", "datetime(3)", "date", "decimal(12,2)"},
	}
	return types[dialect][t]
}

func placeholder(dialect string, n int) string {
	if dialect == "postgres" {
		return fmt.Sprintf("$%d", n)
	}
	return "?"
}

// batch rows go into one INSERT.
const batch = 50

func insert(ctx context.Context, tx *sql.Tx, dialect string, sheet *world.Sheet, rows []int) error {
	width := len(sheet.Columns)
	for len(rows) > 0 {
		n := min(batch, len(rows))
		stmt, err := tx.PrepareContext(ctx, insertText(dialect, sheet, n))
		if err != nil {
			return fmt.Errorf("prepare insert: %w", err)
		}
		args := make([]any, 0, n*width)
		for len(rows) >= n && err == nil {
			args = args[:0]
			for _, i := range rows[:n] {
				for _, v := range sheet.Row(i) {
					args = append(args, value(dialect, v))
				}
			}
			_, err = stmt.ExecContext(ctx, args...)
			rows = rows[n:]
		}
		if err := closeAfter(stmt, err); err != nil {
			return err
		}
	}
	return nil
}

func closeAfter(stmt *sql.Stmt, err error) error {
	if cerr := stmt.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("insert rows: %w", err)
	}
	return nil
}

func insertText(dialect string, sheet *world.Sheet, rows int) string {
	var names []string
	for _, c := range sheet.Columns {
		names = append(names, c.Name)
	}
	var b strings.Builder
	b.WriteString("INSERT INTO " + sheet.Stream + " (" + strings.Join(names, ", ") + ") VALUES ")
	n := 0
	for r := range rows {
		if r > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('(')
		for c := range names {
			if c > 0 {
				b.WriteByte(',')
			}
			n++
			b.WriteString(placeholder(dialect, n))
		}
		b.WriteByte(')')
	}
	return b.String()
}

// value gives what the driver of a dialect takes. SQLite has no times: they are stored as
// text that sorts, in UTC.
func value(dialect string, v any) any {
	t, ok := v.(time.Time)
	switch {
	case !ok:
		return v
	case dialect == "sqlite":
		return t.Format("2006-01-02 15:04:05.000")
	case dialect == "mysql":
		return t.Format("2006-01-02 15:04:05.000")
	}
	return t
}
