//go:build duckdb_arrow

package duckdb

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
)

// Define creates a table or brings it to the wanted columns.
func (t *tx) Define(ctx context.Context, want core.Table) error {
	return t.do(ctx, "define "+want.Name.String(), func() error {
		schema, err := wanted(want)
		if err != nil {
			return refuse("define "+want.Name.String(), err)
		}
		want.Schema = schema
		if err := t.ensureSchema(ctx, want.Name.Schema); err != nil {
			return err
		}
		have, err := t.table(ctx, want.Name)
		if err != nil {
			return err
		}
		if have == nil {
			return t.create(ctx, want)
		}
		return t.alter(ctx, have, want)
	})
}

// wanted checks names and key and gives the columns their canonical types.
func wanted(want core.Table) (*arrow.Schema, error) {
	if isSystem(want.Name) {
		return nil, fmt.Errorf("the table is the warehouse's own")
	}
	for _, name := range []string{want.Name.Schema, want.Name.Name} {
		if err := checkName(name); err != nil {
			return nil, err
		}
	}
	if want.Schema == nil || want.Schema.NumFields() == 0 {
		return nil, fmt.Errorf("the table has no columns")
	}
	fields := make([]arrow.Field, want.Schema.NumFields())
	seen := map[string]string{}
	for i, f := range want.Schema.Fields() {
		if err := checkName(f.Name); err != nil {
			return nil, err
		}
		if other, ok := seen[fold(f.Name)]; ok {
			return nil, fmt.Errorf("columns %q and %q differ only in case", other, f.Name)
		}
		seen[fold(f.Name)] = f.Name
		fields[i] = arrow.Field{Name: f.Name, Type: core.Canonical(f.Type), Nullable: true, Metadata: f.Metadata}
		if _, err := columnType(fields[i].Type); err != nil {
			return nil, fmt.Errorf("column %q: %w", f.Name, err)
		}
	}
	schema := arrow.NewSchema(fields, nil)
	for _, k := range want.Key {
		if column(schema, k) < 0 {
			return nil, fmt.Errorf("the key column %q is not among the columns", k)
		}
	}
	return schema, nil
}

func checkName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("a name is empty")
	case strings.IndexByte(name, 0) >= 0:
		return fmt.Errorf("the name %q has a zero byte", name)
	}
	return nil
}

func (t *tx) create(ctx context.Context, want core.Table) error {
	columns := make([]string, want.Schema.NumFields())
	for i, f := range want.Schema.Fields() {
		name, err := columnType(f.Type)
		if err != nil {
			return err
		}
		columns[i] = quote(f.Name) + " " + name
	}
	t.ddl = true
	t.forget(want.Name)
	if _, err := t.run(ctx, "CREATE TABLE "+place(want.Name)+" ("+strings.Join(columns, ", ")+")"); err != nil {
		return err
	}
	return t.describeAs(ctx, nil, want)
}

// ensureSchema creates a schema apart from the transaction, while that is still possible:
// several transactions that created it would be in each other's way. An empty schema
// shows nowhere.
func (t *tx) ensureSchema(ctx context.Context, schema string) error {
	if t.began {
		return t.createSchema(ctx, t.c, schema)
	}
	t.w.schemas.Lock()
	defer t.w.schemas.Unlock()
	return t.createSchema(ctx, t.helper, schema)
}

func (t *tx) createSchema(ctx context.Context, c *conn, schema string) error {
	n, err := c.number(ctx, "SELECT count(*) FROM duckdb_schemas() WHERE database_name = "+literal(catalog)+
		" AND lower(schema_name) = lower("+literal(schema)+")")
	if err != nil || n > 0 {
		return err
	}
	t.ddl = true
	_, err = c.exec(ctx, "CREATE SCHEMA "+catalog+"."+quote(schema))
	return err
}

// alter adds and widens columns. Everything is checked before anything is changed.
func (t *tx) alter(ctx context.Context, have *core.Table, want core.Table) error {
	var sql []string
	fields := have.Schema.Fields()
	at := map[string]int{}
	for i, f := range fields {
		at[fold(f.Name)] = i
	}
	for _, f := range want.Schema.Fields() {
		name, err := columnType(f.Type)
		if err != nil {
			return err
		}
		i, known := at[fold(f.Name)]
		switch {
		case !known:
			sql = append(sql, "ADD COLUMN "+quote(f.Name)+" "+name)
			fields = append(fields, f)
		case arrow.TypeEqual(fields[i].Type, f.Type):
			fields[i].Metadata = f.Metadata
		case core.Holds(f.Type, fields[i].Type):
			sql = append(sql, "ALTER COLUMN "+quote(fields[i].Name)+" SET DATA TYPE "+name)
			fields[i].Type, fields[i].Metadata = f.Type, f.Metadata
		default:
			return refuse("define "+have.Name.String(),
				fmt.Errorf("column %q is %s and cannot become %s without loss", f.Name, fields[i].Type, f.Type))
		}
	}
	if len(sql) > 0 {
		t.ddl = true
		t.touch(have.Name)
	}
	for _, change := range sql {
		if _, err := t.run(ctx, "ALTER TABLE "+place(have.Name)+" "+change); err != nil {
			return err
		}
	}
	want.Name, want.Schema = have.Name, arrow.NewSchema(fields, nil)
	return t.describeAs(ctx, have, want)
}

// describeAs stores key and column metadata where they differ from before.
func (t *tx) describeAs(ctx context.Context, have *core.Table, want core.Table) error {
	t.tables[foldTable(want.Name)] = &want
	if have == nil || !slices.Equal(have.Key, want.Key) {
		if err := t.storeKey(ctx, want); err != nil {
			return err
		}
	}
	var rows []string
	for i, f := range want.Schema.Fields() {
		if have != nil && i < have.Schema.NumFields() && f.Metadata.Equal(have.Schema.Field(i).Metadata) {
			continue
		}
		if f.Metadata.Len() == 0 && have == nil {
			continue
		}
		text, err := json.Marshal(f.Metadata.ToMap())
		if err != nil {
			return err
		}
		if have != nil {
			if _, err := t.run(ctx, "DELETE FROM "+system(tableColumns)+onlyTable(want.Name)+
				" AND lower(column_name) = lower("+literal(f.Name)+")"); err != nil {
				return err
			}
		}
		if f.Metadata.Len() > 0 {
			rows = append(rows, "("+literal(want.Name.Schema)+", "+literal(want.Name.Name)+", "+literal(f.Name)+", "+literal(string(text))+")")
		}
	}
	if len(rows) == 0 {
		return nil
	}
	_, err := t.run(ctx, "INSERT INTO "+system(tableColumns)+" VALUES "+strings.Join(rows, ", "))
	return err
}

func (t *tx) storeKey(ctx context.Context, table core.Table) error {
	if _, err := t.run(ctx, "DELETE FROM "+system(tableKeys)+onlyTable(table.Name)); err != nil {
		return err
	}
	if len(table.Key) == 0 {
		return nil
	}
	quoted := make([]string, len(table.Key))
	for i, k := range table.Key {
		quoted[i] = literal(k)
	}
	_, err := t.run(ctx, "INSERT INTO "+system(tableKeys)+" VALUES ("+literal(table.Name.Schema)+", "+
		literal(table.Name.Name)+", ["+strings.Join(quoted, ", ")+"])")
	return err
}

// Drop removes a table if it exists.
func (t *tx) Drop(ctx context.Context, name core.TableName) error {
	return t.do(ctx, "drop "+name.String(), func() error {
		have, err := t.table(ctx, name)
		if err != nil || have == nil {
			return err
		}
		if isSystem(name) {
			return refuse("drop "+name.String(), fmt.Errorf("the table is the warehouse's own"))
		}
		return t.drop(ctx, have.Name)
	})
}

func (t *tx) drop(ctx context.Context, name core.TableName) error {
	t.ddl = true
	t.forget(name)
	t.tables[foldTable(name)] = nil
	for _, sql := range []string{
		"DROP TABLE " + place(name),
		"DELETE FROM " + system(tableKeys) + onlyTable(name),
		"DELETE FROM " + system(tableColumns) + onlyTable(name),
	} {
		if _, err := t.run(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

// Swap puts one table in the place of another.
func (t *tx) Swap(ctx context.Context, from, to core.TableName) error {
	return t.do(ctx, "swap "+from.String()+" to "+to.String(), func() error {
		source, err := t.table(ctx, from)
		if err != nil {
			return err
		}
		if source == nil {
			return refuse("swap "+from.String(), &core.NoTableError{Table: from})
		}
		if isSystem(from) || isSystem(to) || foldTable(from) == foldTable(to) {
			return refuse("swap "+from.String(), fmt.Errorf("%s cannot take the place of %s", from, to))
		}
		target, err := t.table(ctx, to)
		if err != nil {
			return err
		}
		if target != nil {
			if err := t.drop(ctx, target.Name); err != nil {
				return err
			}
		}
		return t.rename(ctx, source, to)
	})
}

// rename moves a table to a new name. DuckDB cannot move one between schemas: then the
// rows are copied.
func (t *tx) rename(ctx context.Context, source *core.Table, to core.TableName) error {
	t.ddl = true
	if err := checkName(to.Name); err != nil {
		return refuse("swap "+source.Name.String(), err)
	}
	t.forget(source.Name)
	t.forget(to)
	from := place(source.Name)
	sql := []string{"ALTER TABLE " + from + " RENAME TO " + quote(to.Name)}
	if fold(source.Name.Schema) != fold(to.Schema) {
		if err := t.ensureSchema(ctx, to.Schema); err != nil {
			return err
		}
		sql = []string{"CREATE TABLE " + place(to) + " AS SELECT * FROM " + from, "DROP TABLE " + from}
	} else {
		to.Schema = source.Name.Schema
	}
	for _, table := range []string{tableKeys, tableColumns} {
		sql = append(sql, "UPDATE "+system(table)+" SET table_schema = "+literal(to.Schema)+", table_name = "+literal(to.Name)+onlyTable(source.Name))
	}
	for _, s := range sql {
		if _, err := t.run(ctx, s); err != nil {
			return err
		}
	}
	renamed := *source
	renamed.Name = to
	t.tables[foldTable(source.Name)] = nil
	t.tables[foldTable(to)] = &renamed
	return nil
}
