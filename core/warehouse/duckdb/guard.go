//go:build duckdb_arrow

package duckdb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/unsilo/unsilo/core"
)

// A SQLError is DuckDB's word on a statement that somebody wrote.
type SQLError struct {
	// Message is DuckDB's, without the excerpt of the statement.
	Message string
	// Line and Column in the statement, from 1; 0 when DuckDB named no place.
	Line, Column int
}

// Error gives place and message.
func (e *SQLError) Error() string {
	if e.Line == 0 {
		return e.Message
	}
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
}

// sqlError makes a KindConfig error of what DuckDB said about a user's statement. above is
// the number of lines that were put before it.
func sqlError(op string, err error, above int) error {
	var native *nativeError
	if !errors.As(err, &native) || fatal(err) || errors.Is(err, context.Canceled) {
		return translate(op, err)
	}
	if !native.is("Parser", "Binder", "Catalog", "Syntax") {
		out := classify(native)
		if out.Kind == core.KindInternal && out.Try == "" {
			out.Kind = core.KindConfig
		}
		out.Op, out.Err = op, err
		return out
	}
	return &core.Error{Kind: core.KindConfig, Op: op, Err: locate(native.Error(), above)}
}

// locate reads the place from the excerpt that DuckDB appends: "LINE 3: ..." and a caret
// below.
func locate(message string, above int) *SQLError {
	out := &SQLError{Message: message}
	text, excerpt, found := strings.Cut(message, "\nLINE ")
	if !found {
		return out
	}
	out.Message = strings.TrimSpace(text)
	line, caret, _ := strings.Cut(excerpt, "\n")
	number, _, _ := strings.Cut(line, ":")
	if _, err := fmt.Sscanf(number, "%d", &out.Line); err != nil {
		return out
	}
	out.Line = max(out.Line-above, 1)
	if i := strings.IndexByte(caret, '^'); i >= 0 {
		out.Column = max(i-len("LINE ")-len(number)-len(": ")+1, 1)
	}
	return out
}

// trimStatement removes the semicolon that may end a statement.
func trimStatement(query string) string { return strings.TrimRight(query, " \t\r\n;") }

// guard lets through exactly one SELECT.
func (c *conn) guard(ctx context.Context, query string) error {
	if strings.IndexByte(query, 0) >= 0 {
		return &core.Error{Kind: core.KindConfig, Op: "read query", Err: errNUL}
	}
	var text string
	err := c.each(ctx, "SELECT json_serialize_sql("+literal(query)+")::VARCHAR", func(r row) { text = r.text(0) })
	if err != nil {
		return sqlError("read query", err, 0)
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
		return &core.Error{Kind: core.KindConfig, Op: "read query", Err: &SQLError{Message: parsed.Message}}
	}
	if n := len(parsed.Statements); n != 1 {
		return &core.Error{Kind: core.KindConfig, Op: "read query",
			Err: &SQLError{Message: fmt.Sprintf("one SELECT is wanted, and there are %d statements", n)}}
	}
	return nil
}
