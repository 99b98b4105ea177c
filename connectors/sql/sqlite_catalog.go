package sql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

// The forms of SQLite columns, after the types they are declared with.
const (
	sqliteInteger, sqliteReal, sqliteText, sqliteBlob = "integer", "real", "text", "blob"
	sqliteBool, sqliteNumeric, sqliteDecimal          = "bool", "numeric", "decimal"
	sqliteDate, sqliteDatetime, sqliteInstant         = "date", "datetime", "instant"
)

func (s *sqliteSession) tables(ctx context.Context, ids ...tableID) ([]table, error) {
	const query = `SELECT m.name, p.name, p.type, p.pk
FROM sqlite_schema AS m JOIN pragma_table_xinfo(m.name) AS p
WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite\_%' ESCAPE '\' AND p.hidden <> 1
ORDER BY m.name, p.cid`
	var tables []table
	places := map[string][]keyPart{}
	err := s.each(ctx, query, nil, func(row []driver.Value) error {
		name, colName, declared := textOf(row[0]), textOf(row[1]), textOf(row[2])
		if len(ids) > 0 && !slices.ContainsFunc(ids, func(id tableID) bool { return id.name == name }) {
			return nil
		}
		if len(tables) == 0 || tables[len(tables)-1].name != name {
			tables = append(tables, table{tableID: tableID{"main", name}, home: true})
		}
		t := &tables[len(tables)-1]
		t.columns = append(t.columns, sqliteColumn(colName, declared))
		if pk, ok := row[3].(int64); ok && pk > 0 {
			places[name] = append(places[name], keyPart{pk, colName})
		}
		return nil
	})
	if err != nil {
		return nil, s.fail(ctx, "list tables", err)
	}
	for i := range tables {
		t := &tables[i]
		t.key = inOrder(places[t.name])
		if err := s.guess(ctx, t.columns, quoteTable(s.db, t.tableID)); err != nil {
			return nil, err
		}
	}
	return tables, nil
}

func (s *sqliteSession) describe(ctx context.Context, query string) (table, error) {
	from := "(" + query + "\n)"
	rows, closeRows, err := s.query(ctx, "SELECT * FROM "+from+" LIMIT 0", nil)
	if err != nil {
		return table{}, s.fail(ctx, "check the query", err)
	}
	defer closeRows()
	types, ok := rows.(driver.RowsColumnTypeDatabaseTypeName)
	if !ok {
		return table{}, s.fail(ctx, "check the query", errors.New("the driver tells no types"))
	}
	var t table
	for i, name := range rows.Columns() {
		t.columns = append(t.columns, sqliteColumn(name, types.ColumnTypeDatabaseTypeName(i)))
	}
	return t, s.guess(ctx, t.columns, from)
}

// guessRows is how many rows tell the type of a column that declares none.
const guessRows = 1000

// guess looks at the first rows for the types of columns without a declared one, as views
// and queries have.
func (s *sqliteSession) guess(ctx context.Context, columns []column, from string) error {
	for i := range columns {
		c := &columns[i]
		if c.form != "" {
			continue
		}
		query := fmt.Sprintf("SELECT DISTINCT typeof(v) FROM (SELECT %s AS v FROM %s LIMIT %d)", s.db.quote(c.name), from, guessRows)
		seen := map[string]bool{}
		err := s.each(ctx, query, nil, func(row []driver.Value) error {
			seen[textOf(row[0])] = true
			return nil
		})
		if err != nil {
			return s.fail(ctx, "look at column types", err)
		}
		delete(seen, "null")
		declared := "TEXT"
		switch {
		case len(seen) == 1 && seen["integer"]:
			declared = "INTEGER"
		case len(seen) == 1 && seen["blob"]:
			declared = "BLOB"
		case seen["real"] && (len(seen) == 1 || len(seen) == 2 && seen["integer"]):
			declared = "REAL"
		}
		*c = sqliteColumn(c.name, declared)
	}
	return nil
}

// sqliteColumn reads a declared type; an empty one leaves the form open.
func sqliteColumn(name, declared string) column {
	c := column{name: name, declared: declared, precision: -1}
	upper := strings.ToUpper(declared)
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(upper, p) })
	}
	switch {
	case upper == "" || upper == "ANY":
		return c
	case has("BOOL"):
		c.form, c.arrow = sqliteBool, arrow.FixedWidthTypes.Boolean
	case has("TIMESTAMPTZ", "WITH TIME ZONE"):
		c.form, c.arrow, c.clock = sqliteInstant, arrow.FixedWidthTypes.Timestamp_us, clockUTC
	case has("DATETIME", "TIMESTAMP"):
		c.form, c.arrow, c.clock = sqliteDatetime, &arrow.TimestampType{Unit: arrow.Microsecond}, clockLocal
	case upper == "DATE":
		c.form, c.arrow, c.clock = sqliteDate, arrow.FixedWidthTypes.Date32, clockDate
	case has("INT"):
		c.form, c.arrow = sqliteInteger, arrow.PrimitiveTypes.Int64
	case has("CHAR", "CLOB", "TEXT", "JSON", "UUID", "TIME"):
		c.form, c.arrow = sqliteText, arrow.BinaryTypes.String
	case has("BLOB", "BINARY"):
		c.form, c.arrow = sqliteBlob, arrow.BinaryTypes.Binary
	case has("REAL", "FLOA", "DOUB"):
		c.form, c.arrow = sqliteReal, arrow.PrimitiveTypes.Float64
	default:
		c.form, c.arrow = sqliteNumeric, arrow.PrimitiveTypes.Float64
		if d, ok := declaredDecimal(upper); ok {
			c.form, c.arrow = sqliteDecimal, d
		}
	}
	return c
}

// declaredDecimal reads DECIMAL(p,s), DECIMAL(p) and NUMERIC of both kinds.
func declaredDecimal(declared string) (*arrow.Decimal128Type, bool) {
	m := regexp.MustCompile(`^(?:DECIMAL|NUMERIC|DEC)\s*\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)`).FindStringSubmatch(declared)
	if m == nil {
		return nil, false
	}
	precision, err := strconv.Atoi(m[1])
	scale := 0
	if err == nil && m[2] != "" {
		scale, err = strconv.Atoi(m[2])
	}
	if err != nil || precision < 1 || precision > 38 || scale > precision {
		return nil, false
	}
	return &arrow.Decimal128Type{Precision: int32(precision), Scale: int32(scale)}, true
}

// A keyPart is a key column with its place in the key.
type keyPart struct {
	place int64
	name  string
}

func inOrder(parts []keyPart) []string {
	slices.SortFunc(parts, func(a, b keyPart) int { return int(a.place - b.place) })
	var names []string
	for _, p := range parts {
		names = append(names, p.name)
	}
	return names
}

func textOf(v driver.Value) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	}
	return ""
}
