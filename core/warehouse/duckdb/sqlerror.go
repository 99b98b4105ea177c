//go:build duckdb_arrow

package duckdb

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/unsilo/unsilo/core"
)

// sqlError makes a KindConfig error of what DuckDB said about somebody's statement, which
// begins at byte before of what DuckDB was given.
func sqlError(op string, err error, query string, before int) error {
	var native *nativeError
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || fatal(err) || !errors.As(err, &native) {
		return translate(op, err)
	}
	out := classify(native)
	if out.Kind == core.KindData || out.Kind == core.KindInternal && out.Try == "" {
		out.Kind = core.KindConfig
	}
	located := &core.SQLError{Err: native}
	at := native.position - before
	if native.is("Parser") {
		at = byteOf(query, at)
	}
	located.Line, located.Column = lineColumn(query, at)
	out.Op, out.Err = op, located
	return out
}

// lineColumn finds a byte of a text; 0, 0 if it has none there.
func lineColumn(text string, at int) (line, column int) {
	if at < 0 || at > len(text) {
		return 0, 0
	}
	above := text[:at]
	return strings.Count(above, "\n") + 1, utf8.RuneCountInString(above[strings.LastIndexByte(above, '\n')+1:]) + 1
}

// byteOf finds a character of a text, which is how DuckDB's parser counts.
func byteOf(text string, character int) int {
	for i := range text {
		if character == 0 {
			return i
		}
		character--
	}
	if character == 0 {
		return len(text)
	}
	return -1
}

// statement cuts what may follow a statement: semicolons, blanks and comments. What it
// leaves can be put in parentheses.
func statement(query string) string {
	end := 0
	for i := 0; i < len(query); {
		next := token(query, i)
		if c := query[i]; c != ';' && c > ' ' && !strings.HasPrefix(query[i:], "--") && !strings.HasPrefix(query[i:], "/*") {
			end = next
		}
		i = next
	}
	return query[:end]
}

// token gives the end of the quoted text, comment or byte that begins at i.
func token(query string, i int) int {
	until := func(from int, end string) int {
		if n := strings.Index(query[min(from, len(query)):], end); n >= 0 {
			return from + n + len(end)
		}
		return len(query)
	}
	switch c := query[i]; {
	case c == '\'' && i > 0 && (query[i-1] == 'e' || query[i-1] == 'E'):
		return escaped(query, i+1)
	case c == '\'' || c == '"':
		// A doubled quote ends one part and begins the next, which comes to the same.
		return until(i+1, string(c))
	case strings.HasPrefix(query[i:], "--"):
		return until(i+2, "\n")
	case strings.HasPrefix(query[i:], "/*"):
		return comment(query, i)
	case c == '$':
		if n := strings.IndexByte(query[i+1:], '$'); n >= 0 && isTag(query[i+1:i+1+n]) {
			return until(i+n+2, query[i:i+n+2])
		}
	}
	return i + 1
}

// escaped gives the end of a text in which a backslash takes the next byte.
func escaped(query string, i int) int {
	for ; i < len(query); i++ {
		switch query[i] {
		case '\\':
			i++
		case '\'':
			return i + 1
		}
	}
	return len(query)
}

// comment gives the end of a comment; comments nest.
func comment(query string, i int) int {
	depth := 0
	for i < len(query) {
		switch {
		case strings.HasPrefix(query[i:], "/*"):
			depth++
			i += 2
		case strings.HasPrefix(query[i:], "*/"):
			depth--
			i += 2
			if depth == 0 {
				return i
			}
		default:
			i++
		}
	}
	return i
}

func isTag(s string) bool {
	return strings.Trim(fold(s), "abcdefghijklmnopqrstuvwxyz0123456789_") == "" && (s == "" || s[0] > '9')
}
