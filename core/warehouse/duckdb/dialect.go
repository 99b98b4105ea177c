//go:build duckdb_arrow

package duckdb

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
)

// A dialect writes DuckDB's SQL.
type dialect struct{}

var _ core.Dialect = dialect{}

// Name is "duckdb".
func (dialect) Name() string { return "duckdb" }

// Quote quotes one identifier. A zero byte cannot be part of one and is left out.
func (dialect) Quote(identifier string) string {
	return quote(strings.ReplaceAll(identifier, "\x00", ""))
}

// Type names the column type for an Arrow type.
func (dialect) Type(t arrow.DataType) (string, error) { return columnType(core.Canonical(t)) }

// A function of the closed list: how many arguments it takes, and how a call is written.
// In the text $1, $2, ... stand for the arguments, $* for all of them with commas, $|| for
// all of them concatenated.
type function struct {
	least, most int
	text        string
}

const many = 1 << 10

// functions is the closed list. Every one gives the same answer in any engine that the
// project may generate SQL for, on text whose keys are ASCII; none depends on the time,
// on chance or on a setting.
func functions() map[string]function {
	return map[string]function{
		"jaro_winkler":        {2, 2, "jaro_winkler_similarity($1, $2)"},
		"levenshtein":         {2, 2, "levenshtein($1, $2)"},
		"damerau_levenshtein": {2, 2, "damerau_levenshtein($1, $2)"},
		"hamming":             {2, 2, "CASE WHEN length($1) = length($2) THEN hamming($1, $2) END"},
		"length":              {1, 1, "length($1)"},
		"substr":              {2, 3, "substr($*)"},
		"lower":               {1, 1, "lower($1)"},
		"upper":               {1, 1, "upper($1)"},
		"trim":                {1, 1, "trim($1)"},
		"replace":             {3, 3, "replace($1, $2, $3)"},
		"starts_with":         {2, 2, "starts_with($1, $2)"},
		// Null if any part is, unlike DuckDB's own concat.
		"concat":         {1, many, "($||)"},
		"strip_accents":  {1, 1, "strip_accents($1)"},
		"regexp_matches": {2, 2, "regexp_matches($1, $2)"},
		"coalesce":       {1, many, "coalesce($*)"},
		"nullif":         {2, 2, "nullif($1, $2)"},
		"least":          {1, many, "least($*)"},
		"greatest":       {1, many, "greatest($*)"},
		"abs":            {1, 1, "abs($1)"},
		"md5":            {1, 1, "md5($1)"},
		// The first 60 bits of the MD5: positive as a 64-bit integer everywhere.
		"hash64": {1, 1, "CAST('0x' || substr(md5($1), 1, 15) AS BIGINT)"},
		// Days from the first date to the second.
		"date_diff_days": {2, 2, "date_diff('day', CAST($1 AS DATE), CAST($2 AS DATE))"},
		"count":          {0, 1, "count($*)"},
		"count_distinct": {1, 1, "count(DISTINCT $1)"},
		"min":            {1, 1, "min($1)"},
		"max":            {1, 1, "max($1)"},
		"sum":            {1, 1, "sum($1)"},
		"avg":            {1, 1, "avg($1)"},
	}
}

// Call writes a function call. Every argument is put in parentheses, so that an
// expression stays one argument.
func (dialect) Call(name string, args ...string) (string, error) {
	f, ok := functions()[name]
	if !ok {
		return "", fmt.Errorf("%q is not in the list of functions", name)
	}
	if len(args) < f.least || len(args) > f.most {
		return "", fmt.Errorf("%s takes %s arguments and is given %d", name, f.arity(), len(args))
	}
	if name == "count" && len(args) == 0 {
		return "count(*)", nil
	}
	wrapped := make([]string, len(args))
	pairs := make([]string, 0, 2*len(args)+2)
	for i, a := range args {
		wrapped[i] = "(" + a + ")"
		pairs = append(pairs, "$"+strconv.Itoa(i+1), wrapped[i])
	}
	return strings.NewReplacer(append([]string{"$*", strings.Join(wrapped, ", "), "$||", strings.Join(wrapped, " || ")}, pairs...)...).Replace(f.text), nil
}

func (f function) arity() string {
	switch {
	case f.most == many:
		return strconv.Itoa(f.least) + " or more"
	case f.least == f.most:
		return strconv.Itoa(f.least)
	}
	return strconv.Itoa(f.least) + " to " + strconv.Itoa(f.most)
}
