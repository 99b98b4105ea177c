package core

import (
	"context"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// A Warehouse is where rows land. One process owns it for writing; its methods may be
// called from several goroutines. Readers see the last committed state, also while a
// transaction is open.
type Warehouse interface {
	// Info tells what it is and can do.
	Info() WarehouseInfo
	// Tables describes the tables of one schema, sorted by name; an empty schema name
	// lists all of them.
	Tables(ctx context.Context, schema string) ([]Table, error)
	// Scan reads a table, or some of its rows. The caller releases the reader. A table that
	// does not exist is a *NoTableError.
	Scan(ctx context.Context, req ScanRequest) (array.RecordReader, error)
	// States lists the positions of all streams.
	States(ctx context.Context) ([]StateRow, error)
	// Begin opens a transaction. It waits for its turn if it must, or until ctx ends. Of two
	// that are open at once and write one table by key, the later gets an Error of
	// KindUnavailable from Write: each would insert a key that is new to both.
	Begin(ctx context.Context) (Tx, error)
	// Close releases the warehouse; open transactions are rolled back.
	Close() error
}

// WarehouseInfo tells what a warehouse is and can do.
type WarehouseInfo struct {
	// Kind is the label in the configuration, such as "duckdb".
	Kind string
	// Location is where it is, without secrets.
	Location string
	// SQL is nil when the warehouse runs no SQL (the memory one).
	SQL SQL
}

// SQL is what a warehouse with a query language adds.
type SQL interface {
	// Dialect writes the SQL that the project generates.
	Dialect() Dialect
	// Check returns the schema of one SELECT against tables as they will be, without
	// running it and without touching the warehouse.
	Check(ctx context.Context, query string, tables []Table) (*arrow.Schema, error)
	// Query runs one SELECT of a user on a locked connection: no files, no settings, no
	// second statement. It sees the last committed state.
	Query(ctx context.Context, query string) (array.RecordReader, error)
	// Materialize replaces table by the result of one SELECT, in one transaction, and
	// returns the number of rows. The old table stays if the query fails.
	Materialize(ctx context.Context, table TableName, query string) (int64, error)
}

// Dialect writes SQL. Its functions are a closed list: an unknown one is an error and
// is never passed through.
type Dialect interface {
	// Name is "duckdb", "spark", "trino".
	Name() string
	// Quote quotes one identifier.
	Quote(identifier string) string
	// Type names the column type for an Arrow type.
	Type(t arrow.DataType) (string, error)
	// Call writes a call of a function of the closed list; args are SQL expressions.
	Call(function string, args ...string) (string, error)
}

// A Tx is one transaction: rows and the position that produced them commit together or
// not at all. It is used by one goroutine, and ends with Commit or Rollback.
type Tx interface {
	// Define creates the table, or brings an existing one to the wanted columns: missing
	// ones are added as nullable, narrower types are widened. Columns that the wanted
	// schema lacks stay. A change that is neither is an Error of KindData and changes
	// nothing.
	Define(ctx context.Context, table Table) error
	// Write stores rows by mode. Columns are matched by name; missing ones become null.
	// The reader stays the caller's.
	Write(ctx context.Context, req WriteRequest) (Counts, error)
	// Swap puts the table from in the place of to, dropping the old to; from is gone then.
	Swap(ctx context.Context, from, to TableName) error
	// Drop removes a table if it exists.
	Drop(ctx context.Context, table TableName) error
	// SetState stores the position of a stream.
	SetState(ctx context.Context, row StateRow) error
	// End commits, or rolls back when commit is false. After it the Tx is spent; a second
	// End does nothing.
	End(ctx context.Context, commit bool) error
}

// TableName is a table's place: raw_crm.contacts.
type TableName struct {
	Schema, Name string
}

// String gives the plain form, schema.name, unquoted; it is for messages.
func (t TableName) String() string { return t.Schema + "." + t.Name }

// RawTable is where a source's stream lands.
func RawTable(source, stream string) TableName {
	return TableName{Schema: "raw_" + source, Name: stream}
}

// ParseTableName reads schema.name. The schema has no dot.
func ParseTableName(s string) (TableName, bool) {
	schema, name, ok := strings.Cut(s, ".")
	return TableName{schema, name}, ok && schema != "" && name != ""
}

// The schemas of a warehouse besides raw_<source>.
const (
	SchemaStaging  = "staging"
	SchemaIdentity = "identity"
	SchemaMarts    = "marts"
	SchemaSystem   = "unsilo"
)

// Table describes a table: its columns with their meanings, and its key. The key is
// metadata; WriteMerge enforces it.
type Table struct {
	Name   TableName
	Schema *arrow.Schema
	Key    []string
	// Rows is the number of rows as the warehouse knows it; 0 in a plan.
	Rows int64
}

// WriteMode says how rows are stored.
type WriteMode string

// The write modes.
const (
	// WriteAppend adds every row.
	WriteAppend WriteMode = "append"
	// WriteMerge inserts rows with a new key, replaces rows whose values differ, and leaves
	// equal ones untouched. Of several rows with one key in a request the last one wins.
	WriteMerge WriteMode = "merge"
	// WriteHistory keeps every version: columns _valid_from and _valid_to (null: current)
	// are the warehouse's. A changed row closes the current version at WriteRequest.At; a
	// deleted one closes it without a successor.
	WriteHistory WriteMode = "history"
	// WriteDelete removes the rows with the keys given; other columns are ignored. In a
	// table with history it closes their versions.
	WriteDelete WriteMode = "delete"
	// WritePrune removes all rows whose key is not among those given, unless that would
	// be more than MaxShare of the table: then it removes nothing and returns an Error
	// of KindData that says how many of how many. A table with history has versions closed.
	WritePrune WriteMode = "prune"
)

// The columns that WriteHistory adds.
const (
	HistoryFrom = "_valid_from"
	HistoryTo   = "_valid_to"
)

// WriteRequest says what to write, where and how.
type WriteRequest struct {
	Table TableName
	Mode  WriteMode
	// Key columns; needed by all modes but WriteAppend. Null in a key is a KindData error.
	Key []string
	// History says that WriteDelete and WritePrune close versions instead of removing rows.
	History bool
	Rows    array.RecordReader
	// At is the time of the change for WriteHistory.
	At time.Time
	// MaxShare of the rows that WritePrune may remove; 0 means all.
	MaxShare float64
}

// Counts says what a write did to the rows of a table.
type Counts struct {
	New, Changed, Unchanged, Deleted int64
}

// Add returns the sum.
func (c Counts) Add(d Counts) Counts {
	return Counts{c.New + d.New, c.Changed + d.Changed, c.Unchanged + d.Unchanged, c.Deleted + d.Deleted}
}

// Landed is the number of rows that differ from before.
func (c Counts) Landed() int64 { return c.New + c.Changed + c.Deleted }

// ScanRequest says what to read of a table.
type ScanRequest struct {
	Table TableName
	// Columns to read; none means all.
	Columns []string
	// Keys, when set, names rows by some columns of the table: a row is read, once, when it
	// equals a row of Keys in all columns that Keys has. Without rows it names none. A null
	// is a KindData error. Keys stays the caller's, and is not read after Scan returns.
	Keys arrow.RecordBatch
}

// StateRow is the position of one stream, a row of unsilo.state.
type StateRow struct {
	Source, Stream string
	// State is nil for a stream that is known and has no position.
	State State
	// Fingerprint of the configuration the position was made with; a position is used
	// only under the same one.
	Fingerprint string
	RunID       string
	At          time.Time
}
