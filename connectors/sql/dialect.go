package sql

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/unsilo/unsilo/core"
)

// A dialect is one kind of database server. It is a value without state.
type dialect interface {
	spec() core.Spec
	// open checks the configuration and dials nothing.
	open(cfg core.Config) (database, error)
}

// A database is one server with one set of credentials. Its methods may be called
// concurrently.
type database interface {
	grammar
	// connect opens a session, waiting while all allowed connections are in use.
	connect(ctx context.Context) (session, error)
	close() error
}

// A session is one connection, used by one goroutine. Errors of its methods are core
// Errors of the right kind.
type session interface {
	// begin starts a read-only transaction that sees one snapshot of the data.
	begin(ctx context.Context) error
	// tables describes the tables and views that exist, sorted by name; ids narrow the
	// answer, and those that do not exist are left out.
	tables(ctx context.Context, ids ...tableID) ([]table, error)
	// describe gives the columns of a query's result.
	describe(ctx context.Context, query string) (table, error)
	// highest runs a statement that yields one value, as a position; nil for null.
	highest(ctx context.Context, st *statement, c column) (*string, error)
	// scan runs a statement and appends each row to the batcher.
	scan(ctx context.Context, st *statement, b *batcher) error
	// close ends the transaction and gives the connection back.
	close()
}

// grammar writes the parts of a statement that differ between servers.
type grammar interface {
	// quote quotes one identifier.
	quote(name string) string
	// selected is the expression that reads a column in its form.
	selected(c column) string
	// value writes a position of a column.
	value(st *statement, c column, position string) string
	// since writes expr >= position - lookback. Lookback is ignored for a column that
	// is no time.
	since(st *statement, c column, expr, position string, lookback time.Duration) string
	// bound compares expr, a time column, with a moment; op is < or >=.
	bound(st *statement, c column, expr, op string, at time.Time) string
	// shard is the condition of one part of the rows with these key columns.
	shard(key []column, part core.Shard) string
}

// A statement is SQL text under construction with the arguments of its placeholders.
type statement struct {
	text strings.Builder
	args []any
}

// arg adds an argument and returns its placeholder.
func (st *statement) arg(v any) string {
	st.args = append(st.args, v)
	return "?"
}

// parseTable reads "table" or "schema.table".
func parseTable(s string) tableID {
	if schema, name, ok := strings.Cut(s, "."); ok {
		return tableID{schema, name}
	}
	return tableID{name: s}
}

// String gives the form that parseTable reads.
func (id tableID) String() string {
	if id.schema == "" {
		return id.name
	}
	return id.schema + "." + id.name
}

// fault makes a core.Error.
func fault(kind core.Kind, op, path, try string, err error) *core.Error {
	return &core.Error{Kind: kind, Op: op, Path: path, Try: try, Err: err}
}

// known returns err when it already says what kind it is, or when it is the end of a
// context, which has no kind.
func known(ctx context.Context, err error) (error, bool) {
	var e *core.Error
	switch {
	case err == nil:
		return nil, true
	case ctx.Err() != nil:
		return context.Cause(ctx), true
	case errors.As(err, &e):
		return err, true
	}
	return nil, false
}
