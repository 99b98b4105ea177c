package sql

import (
	"context"
	"database/sql/driver"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

// The forms in which MySQL sends values.
const (
	mysqlInt, mysqlUint, mysqlBool, mysqlBit    = "int", "uint", "bool", "bit"
	mysqlFloat, mysqlDouble, mysqlDecimal       = "float", "double", "decimal"
	mysqlDate, mysqlDatetime, mysqlTimestamp    = "date", "datetime", "timestamp"
	mysqlText, mysqlBytes, mysqlTime, mysqlYear = "text", "bytes", "time", "year"
)

const mysqlTablesQuery = `SELECT c.TABLE_SCHEMA, c.TABLE_NAME, c.COLUMN_NAME, c.COLUMN_TYPE,
  c.TABLE_SCHEMA = DATABASE(), coalesce(t.TABLE_ROWS, 0), t.TABLE_COMMENT
FROM information_schema.COLUMNS AS c
JOIN information_schema.TABLES AS t ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME
WHERE c.TABLE_SCHEMA NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys')`

const mysqlKeysQuery = `SELECT s.TABLE_SCHEMA, s.TABLE_NAME, s.INDEX_NAME, s.COLUMN_NAME, s.NULLABLE, s.SUB_PART
FROM information_schema.STATISTICS AS s
WHERE s.NON_UNIQUE = 0 AND s.TABLE_SCHEMA NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys')`

func (s *mysqlSession) tables(ctx context.Context, ids ...tableID) ([]table, error) {
	filter, args := mysqlFilter(ids)
	keys, err := s.keys(ctx, filter, args)
	if err != nil {
		return nil, err
	}
	var tables []table
	query := mysqlTablesQuery + strings.ReplaceAll(filter, "#", "c") + " ORDER BY c.TABLE_SCHEMA, c.TABLE_NAME, c.ORDINAL_POSITION"
	err = s.each(ctx, query, args, func(row []driver.Value) error {
		id := tableID{textOf(row[0]), textOf(row[1])}
		if len(tables) == 0 || tables[len(tables)-1].tableID != id {
			t := table{tableID: id, home: number(row[4]) == 1, rows: number(row[5]), key: keys[id]}
			if help := textOf(row[6]); help != "VIEW" {
				t.help = help
			}
			tables = append(tables, t)
		}
		t := &tables[len(tables)-1]
		t.columns = append(t.columns, mysqlColumn(textOf(row[2]), textOf(row[3])))
		return nil
	})
	if err != nil {
		return nil, s.fail(ctx, "list tables", err)
	}
	return tables, nil
}

// mysqlFilter narrows a query on information_schema; # stands for its alias.
func mysqlFilter(ids []tableID) (string, []any) {
	if len(ids) == 0 {
		return "", nil
	}
	var alternatives []string
	var args []any
	for _, id := range ids {
		one := "#.TABLE_NAME = ? AND #.TABLE_SCHEMA = DATABASE()"
		args = append(args, id.name)
		if id.schema != "" {
			one = "#.TABLE_NAME = ? AND #.TABLE_SCHEMA = ?"
			args = append(args, id.schema)
		}
		alternatives = append(alternatives, "("+one+")")
	}
	return " AND (" + strings.Join(alternatives, " OR ") + ")", args
}

// keys finds the primary key of every table, or else a unique key of whole columns without
// nulls.
func (s *mysqlSession) keys(ctx context.Context, filter string, args []any) (map[tableID][]string, error) {
	type index struct {
		name    string
		columns []string
		usable  bool
	}
	found := map[tableID][]index{}
	query := mysqlKeysQuery + strings.ReplaceAll(filter, "#", "s") +
		" ORDER BY s.TABLE_SCHEMA, s.TABLE_NAME, s.INDEX_NAME <> 'PRIMARY', s.INDEX_NAME, s.SEQ_IN_INDEX"
	err := s.each(ctx, query, args, func(row []driver.Value) error {
		id, name := tableID{textOf(row[0]), textOf(row[1])}, textOf(row[2])
		all := found[id]
		if len(all) == 0 || all[len(all)-1].name != name {
			all = append(all, index{name: name, usable: true})
		}
		last := &all[len(all)-1]
		last.columns = append(last.columns, textOf(row[3]))
		last.usable = last.usable && textOf(row[4]) != "YES" && row[5] == nil && row[3] != nil
		found[id] = all
		return nil
	})
	if err != nil {
		return nil, s.fail(ctx, "list keys", err)
	}
	keys := map[tableID][]string{}
	for id, all := range found {
		if i := slices.IndexFunc(all, func(x index) bool { return x.usable }); i >= 0 {
			keys[id] = all[i].columns
		}
	}
	return keys, nil
}

func number(v driver.Value) int64 {
	switch v := v.(type) {
	case int64:
		return v
	case []byte:
		if n, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			return n
		}
	}
	return 0
}

var mysqlType = regexp.MustCompile(`^(\w+)(?:\((\d+)(?:,(\d+))?\))?(.*)$`)

// mysqlColumn reads a column's type as the server writes it: "decimal(12,2) unsigned".
func mysqlColumn(name, declared string) column {
	c := column{name: name, declared: declared, form: mysqlText, arrow: arrow.BinaryTypes.String, precision: -1}
	m := mysqlType.FindStringSubmatch(strings.ToLower(declared))
	if m == nil {
		return c
	}
	size, _ := strconv.Atoi(m[2])  // 0 when there is none
	scale, _ := strconv.Atoi(m[3]) // the same
	unsigned := strings.Contains(m[4], "unsigned")
	switch m[1] {
	case "tinyint":
		if size == 1 && !unsigned {
			c.form, c.arrow = mysqlBool, arrow.FixedWidthTypes.Boolean
			return c
		}
		return c.integer(8, unsigned)
	case "smallint":
		return c.integer(16, unsigned)
	case "mediumint", "int", "integer":
		return c.integer(32, unsigned)
	case "bigint":
		return c.integer(64, unsigned)
	case "bit":
		c.form = mysqlBit
		if size <= 1 {
			c.arrow = arrow.FixedWidthTypes.Boolean
		}
	case "float":
		c.form, c.arrow = mysqlFloat, arrow.PrimitiveTypes.Float32
	case "double", "real":
		c.form, c.arrow = mysqlDouble, arrow.PrimitiveTypes.Float64
	case "decimal", "numeric":
		if size > 0 && size <= 38 {
			c.form, c.arrow = mysqlDecimal, &arrow.Decimal128Type{Precision: int32(size), Scale: int32(scale)}
		}
	case "date":
		c.form, c.arrow, c.clock = mysqlDate, arrow.FixedWidthTypes.Date32, clockDate
	case "datetime":
		c.form, c.arrow, c.clock, c.precision = mysqlDatetime, &arrow.TimestampType{Unit: arrow.Microsecond}, clockLocal, size
	case "timestamp":
		c.form, c.arrow, c.clock, c.precision = mysqlTimestamp, arrow.FixedWidthTypes.Timestamp_us, clockUTC, size
	case "time":
		c.form = mysqlTime
	case "enum", "set", "json":
		c.unordered = true
	case "year":
		c.form = mysqlYear
	case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "geometry", "point", "linestring",
		"polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection":
		c.form, c.arrow = mysqlBytes, arrow.BinaryTypes.Binary
	}
	return c
}

func (c column) integer(bits int, unsigned bool) column {
	c.form = mysqlInt
	if unsigned {
		c.form = mysqlUint
	}
	signed := map[int]arrow.DataType{8: arrow.PrimitiveTypes.Int8, 16: arrow.PrimitiveTypes.Int16, 32: arrow.PrimitiveTypes.Int32, 64: arrow.PrimitiveTypes.Int64}
	without := map[int]arrow.DataType{8: arrow.PrimitiveTypes.Uint8, 16: arrow.PrimitiveTypes.Uint16, 32: arrow.PrimitiveTypes.Uint32, 64: arrow.PrimitiveTypes.Uint64}
	if c.arrow = signed[bits]; unsigned {
		c.arrow = without[bits]
	}
	return c
}

// describe asks for no rows of the query and looks at the columns of the answer.
func (s *mysqlSession) describe(ctx context.Context, query string) (table, error) {
	rows, closeRows, err := s.query(ctx, "SELECT * FROM ("+query+"\n) AS q LIMIT 0", nil)
	if err != nil {
		return table{}, s.fail(ctx, "check the query", err)
	}
	defer closeRows()
	types, ok := rows.(interface {
		driver.RowsColumnTypeDatabaseTypeName
		driver.RowsColumnTypePrecisionScale
	})
	if !ok {
		return table{}, s.fail(ctx, "check the query", errors.New("the driver tells no types"))
	}
	var t table
	for i, name := range rows.Columns() {
		kind := strings.ToLower(types.ColumnTypeDatabaseTypeName(i))
		declared := strings.TrimPrefix(kind, "unsigned ")
		precision, scale, ok := types.ColumnTypePrecisionScale(i)
		switch {
		case !ok || precision > 65:
		case declared == "decimal":
			declared += "(" + strconv.FormatInt(precision, 10) + "," + strconv.FormatInt(scale, 10) + ")"
		case declared == "datetime" || declared == "timestamp":
			declared += "(" + strconv.FormatInt(scale, 10) + ")"
		}
		if strings.HasPrefix(kind, "unsigned ") {
			declared += " unsigned"
		}
		t.columns = append(t.columns, mysqlColumn(name, declared))
	}
	return t, nil
}
