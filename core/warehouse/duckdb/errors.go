//go:build duckdb_arrow

package duckdb

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/unsilo/unsilo/core"
)

var (
	errNUL            = errors.New("a zero byte in a name or in SQL")
	errEmptySQL       = errors.New("there is no statement")
	errManyStatements = errors.New("there is more than one statement")
	errClosed         = errors.New("the warehouse is closed")
	errSpent          = errors.New("the transaction has ended")
)

// A nativeError is an error in DuckDB's own words.
type nativeError struct {
	// kind is DuckDB's: "Binder", "IO", "FATAL", ...
	kind    string
	message string
	// position is the byte of the statement that it is about; -1 if DuckDB names none.
	position int
}

// newNativeError reads what DuckDB reports: mostly JSON, as the settings ask for, but
// plain text from deeper parts.
func newNativeError(text string) *nativeError {
	e := &nativeError{message: strings.TrimSpace(text), position: -1}
	if kind, rest, ok := strings.Cut(e.message, " Error: "); ok && !strings.ContainsAny(kind, " {\n") {
		e.kind, e.message = kind, rest
	}
	var report struct {
		Kind     string `json:"exception_type"`
		Message  string `json:"exception_message"`
		Position string `json:"position"`
	}
	if strings.HasPrefix(e.message, "{") && json.Unmarshal([]byte(e.message), &report) == nil && report.Message != "" {
		e.kind, e.message = report.Kind, report.Message
		if n, err := strconv.Atoi(report.Position); err == nil {
			e.position = n
		}
	}
	return e
}

// Error gives kind and message, without the list of everything that might have been meant.
func (e *nativeError) Error() string {
	e.message, _, _ = strings.Cut(e.message, "\n\tCandidate functions:")
	if e.kind == "" {
		return e.message
	}
	return e.kind + " Error: " + e.message
}

// is reports whether the error is of one of the kinds.
func (e *nativeError) is(kinds ...string) bool {
	return slices.ContainsFunc(kinds, func(k string) bool { return strings.EqualFold(k, e.kind) })
}

// says reports whether the message contains one of the phrases.
func (e *nativeError) says(phrases ...string) bool {
	return slices.ContainsFunc(phrases, func(p string) bool { return strings.Contains(e.message, p) })
}

func errorData(d mapping.ErrorData) error {
	defer mapping.DestroyErrorData(&d)
	if !mapping.ErrorDataHasError(d) {
		return nil
	}
	return newNativeError(mapping.ErrorDataMessage(d))
}

// fatal reports whether DuckDB has given up on the instance: every handle on it must be
// dropped before the file can be used again.
func fatal(err error) bool {
	var e *nativeError
	return errors.As(err, &e) && (e.is("FATAL", "Fatal") || e.says("database has been invalidated"))
}

// translate makes a core.Error of what DuckDB or the code around it reported.
func translate(op string, err error) error {
	var known *core.Error
	var native *nativeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return err
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.As(err, &native):
		out := classify(native)
		out.Op, out.Err = op, err
		return out
	}
	return &core.Error{Kind: core.KindInternal, Op: op, Err: err}
}

const tryRepair = "run `unsilo db repair`"

func classify(e *nativeError) *core.Error {
	switch {
	case e.says("Conflicting lock is held", "Could not set lock on file"):
		return &core.Error{Kind: core.KindUnavailable, Try: "wait until the process that holds the file has ended, or query the snapshot"}
	case e.says("No space left", "Could not write", "Failed to create checkpoint", "Could not truncate", "Could not fsync", "not enough disk space", "max_temp_directory_size", "Disk quota exceeded"):
		return &core.Error{Kind: core.KindUnavailable, Try: "free disk space and run again; everything acknowledged before is stored"}
	case e.says("checksum", "orrupt", "replaying WAL", "not a valid DuckDB database file", "Failed to deserialize", "Could not read enough bytes", "Could not read all bytes"), e.is("Serialization"):
		return &core.Error{Kind: core.KindInternal, Try: tryRepair}
	case fatal(e):
		return &core.Error{Kind: core.KindUnavailable, Try: "run again; the warehouse reopens its file"}
	case e.is("TransactionContext", "Transaction") && e.says("onflict"):
		return &core.Error{Kind: core.KindUnavailable, Try: "run again; another transaction changed the same table"}
	case e.is("Out of Memory", "OutOfMemory"):
		return &core.Error{Kind: core.KindUnavailable, Try: "raise memory_limit in the warehouse block"}
	case e.is("Conversion", "Out of Range", "OutOfRange", "Invalid Input", "Decimal"):
		return &core.Error{Kind: core.KindData}
	case e.is("IO"):
		return &core.Error{Kind: core.KindUnavailable}
	}
	return &core.Error{Kind: core.KindInternal}
}

// refuse is an error about the rows or tables a caller passed in.
func refuse(op string, err error) error {
	return &core.Error{Kind: core.KindData, Op: op, Err: err}
}
