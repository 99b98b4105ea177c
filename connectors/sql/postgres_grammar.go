package sql

import (
	"fmt"
	"strings"
	"time"

	"github.com/unsilo/unsilo/core"
)

// pgGrammar writes PostgreSQL. COPY takes no parameters, so values are literals.
type pgGrammar struct {
	// zone is that of timestamps without one.
	zone *time.Location
}

func (pgGrammar) quote(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// literal quotes a text; sessions have standard_conforming_strings on.
func (pgGrammar) literal(s string) string {
	return "'" + strings.ReplaceAll(strings.ReplaceAll(s, "\x00", ""), "'", "''") + "'"
}

func (g pgGrammar) selected(c column) string {
	switch c.form {
	case formText:
		return g.quote(c.name) + "::text"
	case pgMoney:
		return g.quote(c.name) + "::numeric(23,4)"
	}
	return g.quote(c.name)
}

func (g pgGrammar) value(_ *statement, c column, position string) string {
	return g.literal(position) + "::" + c.declared
}

func (g pgGrammar) since(st *statement, c column, expr, position string, lookback time.Duration) string {
	v := g.value(st, c, position)
	switch {
	case lookback <= 0 || c.clock == clockNone:
	case c.clock == clockDate:
		v += fmt.Sprintf(" - %d", (lookback+24*time.Hour-1)/(24*time.Hour))
	default:
		v += fmt.Sprintf(" - interval '%d microseconds'", lookback.Microseconds())
	}
	return expr + " >= " + v
}

func (g pgGrammar) bound(_ *statement, c column, expr, op string, at time.Time) string {
	const layout = "2006-01-02 15:04:05.999999"
	switch {
	case c.clock == clockUTC:
		return expr + " " + op + " " + g.literal(at.UTC().Format(layout)+"+00") + "::timestamptz"
	case c.clock == clockDate && op == ">=":
		return expr + " >= " + g.literal(at.In(g.zone).Format("2006-01-02")) + "::date" // the whole day
	}
	return expr + " " + op + " " + g.literal(at.In(g.zone).Format(layout)) + "::timestamp"
}

func (g pgGrammar) shard(key []column, part core.Shard) string {
	if len(key) == 0 {
		return fmt.Sprintf("%d = 0", part.Index)
	}
	texts := make([]string, len(key))
	for i, k := range key {
		texts[i] = g.quote(k.name) + "::text"
	}
	hash := "('x' || substr(md5(concat_ws(chr(31), " + strings.Join(texts, ", ") + ")), 1, 7))::bit(28)::int"
	return fmt.Sprintf("%s %% %d = %d", hash, part.Count, part.Index)
}
