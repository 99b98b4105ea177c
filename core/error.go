package core

import (
	"context"
	"errors"
	"strings"
	"time"
)

// Error is an error that its caller can act on: the Kind decides whether to try again
// and how the program exits. It crosses the process border unchanged.
type Error struct {
	Kind Kind
	// Op says what was being done, in a verb and a noun: "read page 3".
	Op string
	// Stream whose reading failed; empty when it is not about one.
	Stream string
	// Path of the configuration attribute at fault, such as "token" or
	// "stream.contacts.cursor"; core/config turns it into file and line.
	Path string
	// RetryAfter is how long the silo asked to wait; 0 means it did not say.
	RetryAfter time.Duration
	// Try is one thing the reader can do about it.
	Try string
	Err error
}

// Kind classifies an Error.
type Kind string

// The kinds, and what the engine does about each.
const (
	KindConfig      Kind = "config"      // the user must change the configuration; no retry
	KindAuth        Kind = "auth"        // credentials refused; no retry, exit code 12
	KindPermission  Kind = "permission"  // this stream is not allowed; the others go on
	KindLimited     Kind = "limited"     // too fast; wait RetryAfter and go on, not counted as an attempt
	KindQuota       Kind = "quota"       // used up until RetryAfter; stop here, keep what is stored
	KindUnavailable Kind = "unavailable" // broken or unreachable for now; back off and retry
	KindData        Kind = "data"        // the data are not what was declared; no retry
	KindInternal    Kind = "internal"    // a defect of ours or of a plugin; no retry
)

// Retryable reports whether trying again may help.
func (k Kind) Retryable() bool { return k == KindLimited || k == KindUnavailable }

// Error gives one line: operation, stream, cause.
func (e *Error) Error() string {
	var parts []string
	for _, p := range []string{e.Op, e.Stream} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	if e.Err != nil {
		parts = append(parts, e.Err.Error())
	} else {
		parts = append(parts, string(e.Kind)+" error")
	}
	return strings.Join(parts, ": ")
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf finds the kind of an error. One of unknown origin is internal; a cancelled
// context has no kind.
func KindOf(err error) Kind {
	var e *Error
	switch {
	case err == nil || errors.Is(err, context.Canceled):
		return ""
	case errors.As(err, &e):
		return e.Kind
	}
	return KindInternal
}

// SQLError is a fault in a statement that a user wrote, with its place in that
// statement. The block that holds the statement turns it into file and line.
type SQLError struct {
	// Line and Column count from 1; 0 means unknown.
	Line, Column int
	Err          error
}

// Error gives the cause alone: the place means nothing without the text.
func (e *SQLError) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *SQLError) Unwrap() error { return e.Err }

// NoTableError is in the chain of an Error about a table that does not exist.
type NoTableError struct{ Table TableName }

// Error names the table.
func (e *NoTableError) Error() string { return "there is no table " + e.Table.String() }
