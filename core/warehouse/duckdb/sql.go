//go:build duckdb_arrow

package duckdb

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/unsilo/unsilo/core"
)

var _ core.SQL = engine{}

// An engine is the query language of a warehouse.
type engine struct{ w *Warehouse }

// Check plans a SELECT against empty tables in a database of its own.
func (e engine) Check(ctx context.Context, query string, tables []core.Table) (*arrow.Schema, error) {
	scratch := Config{MemoryLimit: "256MiB", Threads: 1}
	in, err := attach(ctx, scratch)
	if err != nil {
		return nil, translate("check query", err)
	}
	defer in.close()
	c, err := in.connect()
	if err != nil {
		return nil, translate("check query", err)
	}
	defer c.close()
	if err := c.createEmpty(ctx, tables); err != nil {
		return nil, err
	}
	if err := c.guard(ctx, statement(query)); err != nil {
		return nil, err
	}
	const before = "SELECT * FROM (\n"
	r, err := c.query(ctx, before+statement(query)+"\n) LIMIT 0")
	if err != nil {
		return nil, sqlError("check query", err, query, len(before))
	}
	defer r.Release()
	return r.Schema(), nil
}

// createEmpty makes the tables of a plan, without rows.
func (c *conn) createEmpty(ctx context.Context, tables []core.Table) error {
	var sql []string
	schemas := map[string]bool{}
	for _, t := range tables {
		schema, err := wanted(t)
		if err != nil {
			return refuse("plan "+t.Name.String(), err)
		}
		if !schemas[fold(t.Name.Schema)] {
			schemas[fold(t.Name.Schema)] = true
			sql = append(sql, "CREATE SCHEMA IF NOT EXISTS "+catalog+"."+quote(t.Name.Schema))
		}
		columns := make([]string, schema.NumFields())
		for i, f := range schema.Fields() {
			name, err := columnType(f.Type)
			if err != nil {
				return refuse("plan "+t.Name.String(), err)
			}
			columns[i] = quote(f.Name) + " " + name
		}
		sql = append(sql, "CREATE TABLE "+place(t.Name)+" ("+strings.Join(columns, ", ")+")")
	}
	_, err := c.exec(ctx, strings.Join(append(sql, "USE "+catalog), ";\n"))
	return translate("plan tables", err)
}

// Query runs one SELECT of a user.
func (e engine) Query(ctx context.Context, query string) (array.RecordReader, error) {
	c, err := e.w.connect(ctx)
	if err != nil {
		return nil, e.w.fail("query", err)
	}
	r, err := c.user(ctx, query)
	if err != nil {
		e.w.release(c)
		if fatal(err) {
			return nil, e.w.fail("query", err)
		}
		return nil, err
	}
	r.done = func() { e.w.release(c) }
	return r, nil
}

// user runs a SELECT that somebody wrote.
func (c *conn) user(ctx context.Context, query string) (*reader, error) {
	if _, err := c.exec(ctx, "USE "+catalog); err != nil {
		return nil, err
	}
	if err := c.guard(ctx, statement(query)); err != nil {
		return nil, err
	}
	r, err := c.query(ctx, statement(query))
	if err != nil {
		return nil, sqlError("query", err, query, 0)
	}
	return r, nil
}

// Materialize replaces a table by the result of a SELECT.
func (e engine) Materialize(ctx context.Context, table core.TableName, query string) (rows int64, err error) {
	op := "build " + table.String()
	begun, err := e.w.Begin(ctx)
	if err != nil {
		return 0, err
	}
	t := begun.(*tx)
	defer func() { err = errors.Join(err, t.End(ctx, false)) }()
	for _, name := range []string{table.Schema, table.Name} {
		if err := checkName(name); err != nil {
			return 0, refuse(op, err)
		}
	}
	if isSystem(table) {
		return 0, refuse(op, fmt.Errorf("the table is the warehouse's own"))
	}
	if err := t.c.guard(ctx, statement(query)); err != nil {
		return 0, err
	}
	err = t.do(ctx, op, func() (err error) {
		rows, err = t.materialize(ctx, table, query)
		return err
	})
	if err != nil {
		return 0, err
	}
	return rows, t.End(ctx, true)
}

func (t *tx) materialize(ctx context.Context, table core.TableName, query string) (int64, error) {
	if err := t.ensureSchema(ctx, table.Schema); err != nil {
		return 0, err
	}
	if _, err := t.run(ctx, "USE "+catalog); err != nil {
		return 0, err
	}
	t.ddl = true
	building := core.TableName{Schema: table.Schema, Name: table.Name + "__building"}
	before := "CREATE TABLE " + place(building) + " AS SELECT * FROM (\n"
	if _, err := t.run(ctx, before+statement(query)+"\n)"); err != nil {
		return 0, sqlError("build "+table.String(), err, query, len(before))
	}
	old, err := t.table(ctx, table)
	if err != nil {
		return 0, err
	}
	if old != nil {
		if err := t.drop(ctx, old.Name); err != nil {
			return 0, err
		}
	}
	t.forget(table)
	if _, err := t.run(ctx, "ALTER TABLE "+place(building)+" RENAME TO "+quote(table.Name)); err != nil {
		return 0, err
	}
	delete(t.tables, foldTable(table))
	return t.c.number(ctx, "SELECT count(*) FROM "+place(table))
}

// Dialect writes DuckDB's SQL.
func (e engine) Dialect() core.Dialect { return dialect{} }
