//go:build duckdb_arrow

package duckdb

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
)

// fold gives the form in which names are compared: DuckDB ignores the case of ASCII
// letters, and so does the warehouse everywhere.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, name)
}

func foldTable(t core.TableName) core.TableName {
	return core.TableName{Schema: fold(t.Schema), Name: fold(t.Name)}
}

// Tables describes the tables of one schema, or of all, sorted by name.
func (w *Warehouse) Tables(ctx context.Context, schema string) ([]core.Table, error) {
	c, err := w.connect(ctx)
	if err != nil {
		return nil, w.fail("list tables", err)
	}
	defer w.release(c)
	if _, err := c.exec(ctx, "BEGIN"); err != nil {
		return nil, w.fail("list tables", err)
	}
	tables, err := listTables(ctx, c, schema)
	return tables, w.fail("list tables", err)
}

func listTables(ctx context.Context, c *conn, schema string) ([]core.Table, error) {
	where := ""
	if schema != "" {
		where = " AND lower(schema_name) = lower(" + literal(schema) + ")"
	}
	var tables []core.Table
	err := c.each(ctx, "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = "+literal(catalog)+
		where+" ORDER BY schema_name, table_name", func(r row) {
		if t := (core.TableName{Schema: r.text(0), Name: r.text(1)}); !isSystem(t) {
			tables = append(tables, core.Table{Name: t})
		}
	})
	if err != nil || len(tables) == 0 {
		return nil, err
	}
	keys, err := readKeys(ctx, c, "")
	if err != nil {
		return nil, err
	}
	metadata, err := readMetadata(ctx, c, "")
	if err != nil {
		return nil, err
	}
	for i := range tables {
		t := &tables[i]
		if t.Schema, err = tableSchema(ctx, c, t.Name, metadata[foldTable(t.Name)]); err != nil {
			return nil, err
		}
		t.Key = keys[foldTable(t.Name)]
		if t.Rows, err = c.number(ctx, "SELECT count(*) FROM "+place(t.Name)); err != nil {
			return nil, err
		}
	}
	return tables, nil
}

// tableSchema reads a table's columns, and adds the metadata that Define stored.
func tableSchema(ctx context.Context, c *conn, t core.TableName, metadata map[string]arrow.Metadata) (*arrow.Schema, error) {
	r, err := c.query(ctx, "SELECT * FROM "+place(t)+" LIMIT 0")
	if err != nil {
		return nil, err
	}
	defer r.Release()
	fields := r.Schema().Fields()
	for i := range fields {
		fields[i].Metadata = metadata[fold(fields[i].Name)]
	}
	return arrow.NewSchema(fields, nil), nil
}

func onlyTable(t core.TableName) string {
	return " WHERE lower(table_schema) = lower(" + literal(t.Schema) + ") AND lower(table_name) = lower(" + literal(t.Name) + ")"
}

// readKeys gives the keys of tables, by folded name; where limits which.
func readKeys(ctx context.Context, c *conn, where string) (map[core.TableName][]string, error) {
	keys := map[core.TableName][]string{}
	err := c.each(ctx, "SELECT table_schema, table_name, key FROM "+system(tableKeys)+where, func(r row) {
		keys[foldTable(core.TableName{Schema: r.text(0), Name: r.text(1)})] = r.texts(2)
	})
	return keys, err
}

// readMetadata gives the metadata of columns, by folded table and column name.
func readMetadata(ctx context.Context, c *conn, where string) (map[core.TableName]map[string]arrow.Metadata, error) {
	all := map[core.TableName]map[string]arrow.Metadata{}
	var wrong error
	err := c.each(ctx, "SELECT table_schema, table_name, column_name, metadata FROM "+system(tableColumns)+where, func(r row) {
		t := foldTable(core.TableName{Schema: r.text(0), Name: r.text(1)})
		values := map[string]string{}
		if err := json.Unmarshal([]byte(r.text(3)), &values); err != nil {
			wrong = fmt.Errorf("read metadata of %s: %w", t, err)
		}
		if all[t] == nil {
			all[t] = map[string]arrow.Metadata{}
		}
		all[t][fold(r.text(2))] = arrow.MetadataFrom(values)
	})
	if err == nil {
		err = wrong
	}
	return all, err
}

// describe reads one table; nil means it does not exist.
func describe(ctx context.Context, c *conn, name core.TableName) (*core.Table, error) {
	found := core.TableName{}
	err := c.each(ctx, "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = "+literal(catalog)+
		" AND lower(schema_name) = lower("+literal(name.Schema)+") AND lower(table_name) = lower("+literal(name.Name)+")",
		func(r row) { found = core.TableName{Schema: r.text(0), Name: r.text(1)} })
	if err != nil || found == (core.TableName{}) {
		return nil, err
	}
	metadata, err := readMetadata(ctx, c, onlyTable(found))
	if err != nil {
		return nil, err
	}
	keys, err := readKeys(ctx, c, onlyTable(found))
	if err != nil {
		return nil, err
	}
	schema, err := tableSchema(ctx, c, found, metadata[foldTable(found)])
	if err != nil {
		return nil, err
	}
	return &core.Table{Name: found, Schema: schema, Key: keys[foldTable(found)]}, nil
}

// column finds a column by name, without regard to case; -1 if there is none.
func column(schema *arrow.Schema, name string) int {
	for i, f := range schema.Fields() {
		if fold(f.Name) == fold(name) {
			return i
		}
	}
	return -1
}
