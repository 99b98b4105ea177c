package sql

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/unsilo/unsilo/core"
)

// sqliteGrammar writes SQLite. Positions carry the storage class of the value, as SQLite
// orders numbers before texts before blobs whatever a column's type: i:, r:, t: or b:.
type sqliteGrammar struct {
	zone *time.Location
}

func (sqliteGrammar) quote(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// selected hides the declared type behind an operator, for the driver would make times of
// texts in columns that it takes for dates.
func (g sqliteGrammar) selected(c column) string {
	if c.form == formText {
		return "CAST(" + g.quote(c.name) + " AS TEXT)"
	}
	return "+" + g.quote(c.name)
}

func (sqliteGrammar) value(st *statement, _ column, position string) string {
	return st.arg(sqliteValue(position))
}

// sqlitePosition writes a value as a position.
func sqlitePosition(v any) (string, bool) {
	switch v := v.(type) {
	case int64:
		return "i:" + strconv.FormatInt(v, 10), true
	case float64:
		return "r:" + strconv.FormatFloat(v, 'g', -1, 64), true
	case string:
		return "t:" + v, true
	case []byte:
		return "b:" + hex.EncodeToString(v), true
	}
	return "", false
}

// sqliteValue reads a position; what it cannot read is a text.
func sqliteValue(position string) any {
	class, text, _ := strings.Cut(position, ":")
	switch class {
	case "i":
		if v, err := strconv.ParseInt(text, 10, 64); err == nil {
			return v
		}
	case "r":
		if v, err := strconv.ParseFloat(text, 64); err == nil {
			return v
		}
	case "b":
		if v, err := hex.DecodeString(text); err == nil {
			return v
		}
	}
	return text
}

// sqliteTime normalises a time of any of the accepted kinds to text that sorts.
func sqliteTime(expr string, modifiers ...string) string {
	const layout = "'%Y-%m-%d %H:%M:%f'"
	more := ""
	for _, m := range modifiers {
		more += ", '" + m + "'"
	}
	return "CASE WHEN typeof(" + expr + ") = 'integer' AND abs(" + expr + ") > " + strconv.FormatInt(sqliteMillisFrom, 10) +
		" THEN strftime(" + layout + ", " + expr + " / 1000, 'unixepoch'" + more + ")" +
		" ELSE strftime(" + layout + ", " + expr + ", 'auto'" + more + ") END"
}

// sqliteMillisFrom is the integer from which on a time is in milliseconds, not seconds.
const sqliteMillisFrom = 100_000_000_000

func (g sqliteGrammar) since(st *statement, c column, expr, position string, lookback time.Duration) string {
	if lookback <= 0 || c.clock == clockNone {
		return expr + " >= " + g.value(st, c, position)
	}
	back := fmt.Sprintf("-%.3f seconds", lookback.Seconds())
	// strftime rounds down to milliseconds, and a value it cannot read is not left out.
	from := "CAST(" + g.value(st, c, position) + " AS " + sqliteClass(position) + ")"
	return "(" + sqliteTime(expr) + " >= (SELECT " + sqliteTime("p.v", back) + " FROM (SELECT " + from + " AS v) AS p)) IS NOT FALSE"
}

// sqliteClass is the storage class of a position.
func sqliteClass(position string) string {
	switch strings.SplitN(position, ":", 2)[0] {
	case "i":
		return "INTEGER"
	case "r":
		return "REAL"
	case "b":
		return "BLOB"
	}
	return "TEXT"
}

func (g sqliteGrammar) bound(st *statement, c column, expr, op string, at time.Time) string {
	zone := g.zone
	if c.clock == clockUTC {
		zone = time.UTC
	}
	layout := "2006-01-02 15:04:05.000"
	if c.clock == clockDate && op == ">=" {
		layout = "2006-01-02" // the whole day
	}
	return "(" + sqliteTime(expr) + " " + op + " " + st.arg(at.In(zone).Format(layout)) + ") IS NOT FALSE"
}

func (g sqliteGrammar) shard(key []column, part core.Shard) string {
	if len(key) != 1 || key[0].form != sqliteInteger {
		return fmt.Sprintf("%d = 0", part.Index)
	}
	return fmt.Sprintf("abs(%s %% %d) = %d", g.quote(key[0].name), part.Count, part.Index)
}
