//go:build duckdb_arrow

package duckdb

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/unsilo/unsilo/core"
)

// maxQuery bounds the text of a statement.
const maxQuery = 1 << 20

// guard lets through exactly one SELECT that reads nothing but tables of the warehouse.
// The settings of the instance already keep files, extensions and settings out of reach;
// the guard adds what settings cannot forbid: functions that act on the database, other
// databases of the instance, and DuckDB's lists of its own insides.
func (c *conn) guard(ctx context.Context, query string) error {
	refused := func(position int, format string, args ...any) error {
		e := &core.SQLError{Err: fmt.Errorf(format, args...)}
		e.Line, e.Column = lineColumn(query, position)
		return &core.Error{Kind: core.KindConfig, Op: "read query", Err: e}
	}
	switch {
	case strings.IndexByte(query, 0) >= 0:
		return refused(-1, "the query has a zero byte")
	case len(query) > maxQuery:
		return refused(-1, "the query is longer than %d bytes", maxQuery)
	}
	var text string
	err := c.each(ctx, "SELECT json_serialize_sql("+literal(query)+")::VARCHAR", func(r row) { text = r.text(0) })
	if err != nil {
		return sqlError("read query", err, query, 0)
	}
	var parsed struct {
		Error      bool              `json:"error"`
		Message    string            `json:"error_message"`
		Position   string            `json:"position"`
		Statements []json.RawMessage `json:"statements"`
	}
	if err := json.Unmarshal([]byte(text), &parsed); err != nil {
		return &core.Error{Kind: core.KindInternal, Op: "read query", Err: err}
	}
	if parsed.Error {
		position, err := strconv.Atoi(parsed.Position)
		if err != nil {
			position = -1
		}
		position = byteOf(query, position)
		if strings.HasPrefix(parsed.Message, "Only SELECT") {
			parsed.Message = "only SELECT is allowed here"
		}
		return refused(position, "%s", parsed.Message)
	}
	if n := len(parsed.Statements); n != 1 {
		return refused(-1, "one SELECT is wanted, and there are %d statements", n)
	}
	var tree any
	if err := json.Unmarshal(parsed.Statements[0], &tree); err != nil {
		return &core.Error{Kind: core.KindInternal, Op: "read query", Err: err}
	}
	if reason, position := inspect(tree); reason != "" {
		return refused(position, "%s", reason)
	}
	return nil
}

// inspect looks for a node of the parsed statement that is not allowed.
func inspect(node any) (reason string, position int) {
	switch node := node.(type) {
	case []any:
		for _, child := range node {
			if reason, position = inspect(child); reason != "" {
				return reason, position
			}
		}
	case map[string]any:
		if reason = inspectNode(node); reason != "" {
			position = -1
			if at, ok := node["query_location"].(float64); ok && at < maxQuery {
				position = int(at)
			}
			return reason, position
		}
		for _, child := range node {
			if reason, position = inspect(child); reason != "" {
				return reason, position
			}
		}
	}
	return "", -1
}

func inspectNode(node map[string]any) string {
	text := func(key string) string { s, _ := node[key].(string); return fold(s) }
	switch text("type") {
	case "table_function":
		function, _ := node["function"].(map[string]any)
		name, _ := function["function_name"].(string)
		if !slices.Contains(tableFunctions(), fold(name)) {
			return fmt.Sprintf("the table function %s is not allowed here", name)
		}
	case "base_table":
		return inspectTable(text("catalog_name"), text("schema_name"), text("table_name"))
	case "show_ref":
		if kind := text("show_type"); kind != "describe" && kind != "summary" && text("table_name") != `"tables"` {
			return "SHOW is allowed for tables only"
		}
	case "value_parameter":
		return "a query has no parameters"
	}
	if text("class") == "function" && slices.Contains(forbiddenFunctions(), text("function_name")) {
		return fmt.Sprintf("the function %s is not allowed here", text("function_name"))
	}
	return ""
}

// inspectTable keeps a query to the tables of the warehouse: the instance has other
// databases, and views that tell where files are and what other queries say.
func inspectTable(database, schema, name string) string {
	full := strings.TrimLeft(database+"."+schema+"."+name, ".")
	if database != "" && database != catalog || database == "" && isOtherDatabase(schema) {
		return full + " is not in the warehouse"
	}
	if schema == "pg_catalog" {
		return "pg_catalog is not allowed here"
	}
	inside := strings.HasPrefix(name, "duckdb_") || strings.HasPrefix(name, "pragma_") || strings.HasPrefix(name, "sqlite_") ||
		strings.HasPrefix(name, "pg_")
	if inside && (schema == "" || schema == "main" || schema == catalog) && !slices.Contains(tableFunctions(), name) {
		return full + " is not allowed here"
	}
	return ""
}

func isOtherDatabase(schema string) bool {
	return slices.Contains([]string{"memory", "system", "temp"}, schema) || strings.HasPrefix(schema, viewDatabase)
}

// tableFunctions are the functions that may stand in FROM: those that make rows from
// their arguments, and those that describe tables.
func tableFunctions() []string {
	return []string{
		"unnest", "range", "generate_series", "repeat", "repeat_row", "json_each", "json_tree", "summary", "histogram",
		"histogram_values", "duckdb_tables", "duckdb_columns", "duckdb_functions", "duckdb_types", "duckdb_keywords",
		"pragma_table_info",
	}
}

// forbiddenFunctions act on the process or tell about it.
func forbiddenFunctions() []string {
	return []string{
		"current_setting", "getvariable", "getenv", "write_log", "sleep_ms", "pg_sleep", "setseed", "nextval", "currval",
		"current_query", "stats", "get_block_size", "parse_duckdb_log_message", "json_execute_serialized_sql",
		"current_connection_id", "current_query_id", "current_transaction_id", "txid_current",
	}
}
