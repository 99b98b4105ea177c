//go:build duckdb_arrow

package duckdb

import (
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
)

// quote quotes an identifier.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// literal quotes a text value.
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// place quotes a table's full name.
func place(t core.TableName) string {
	return catalog + "." + quote(t.Schema) + "." + quote(t.Name)
}

// columnType names the column type that keeps a canonical Arrow type.
func columnType(t arrow.DataType) (string, error) {
	if name, ok := plainTypes()[t.ID()]; ok {
		return name, nil
	}
	switch t := t.(type) {
	case *arrow.Decimal128Type:
		if t.Scale < 0 || t.Precision > 38 || t.Scale > t.Precision {
			return "", fmt.Errorf("DuckDB has no type for %s", t)
		}
		return fmt.Sprintf("DECIMAL(%d,%d)", t.Precision, t.Scale), nil
	case *arrow.TimestampType:
		switch {
		case t.TimeZone != "":
			return "TIMESTAMPTZ", nil
		case t.Unit == arrow.Nanosecond:
			return "TIMESTAMP_NS", nil
		}
		return "TIMESTAMP", nil
	case *arrow.ListType:
		elem, err := columnType(t.Elem())
		return elem + "[]", err
	case *arrow.MapType:
		key, err := columnType(t.KeyType())
		if err != nil {
			return "", err
		}
		item, err := columnType(t.ItemType())
		return "MAP(" + key + ", " + item + ")", err
	case *arrow.StructType:
		return structType(t)
	}
	return "", fmt.Errorf("DuckDB has no type for %s", t)
}

func structType(t *arrow.StructType) (string, error) {
	if t.NumFields() == 0 {
		return "", fmt.Errorf("DuckDB has no type for a struct without fields")
	}
	fields := make([]string, t.NumFields())
	for i, f := range t.Fields() {
		name, err := columnType(f.Type)
		if err != nil {
			return "", err
		}
		fields[i] = quote(f.Name) + " " + name
	}
	return "STRUCT(" + strings.Join(fields, ", ") + ")", nil
}

func plainTypes() map[arrow.Type]string {
	return map[arrow.Type]string{
		arrow.BOOL: "BOOLEAN", arrow.INT8: "TINYINT", arrow.INT16: "SMALLINT", arrow.INT32: "INTEGER",
		arrow.INT64: "BIGINT", arrow.UINT8: "UTINYINT", arrow.UINT16: "USMALLINT", arrow.UINT32: "UINTEGER",
		arrow.UINT64: "UBIGINT", arrow.FLOAT32: "FLOAT", arrow.FLOAT64: "DOUBLE", arrow.STRING: "VARCHAR",
		arrow.BINARY: "BLOB", arrow.DATE32: "DATE", arrow.TIME64: "TIME", arrow.INTERVAL_MONTH_DAY_NANO: "INTERVAL",
	}
}
