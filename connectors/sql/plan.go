package sql

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/unsilo/unsilo/core"
)

// A target is a stream together with what it is read from.
type target struct {
	table
	// query replaces the table; where narrows either. Both are the user's own SQL.
	query, where string
	// keys order rows of one cursor value, and all rows when there is no cursor.
	keys []column
	// cursor is nil when the stream has none; fallback stands in where cursor is null.
	cursor, fallback *column
	lookback         time.Duration
}

// A selection is one statement to be: which columns of a target, and which of its rows.
type selection struct {
	target
	columns []column
	// byCursor orders by cursor and keys; otherwise rows come by keys.
	byCursor bool
	// from is where to begin; zero is the beginning.
	from start
	// until leaves out rows whose time cursor is at or past it; zero leaves none out.
	until time.Time
	limit int64
	shard core.Shard
}

// start is where a selection begins.
type start struct {
	// at and key: right behind the row with this cursor value and key. at alone: at the
	// cursor value, less the lookback. key alone: behind this key.
	at  *string
	key []string
	// since: at this moment of a time cursor.
	since time.Time
}

// build writes the statement.
func (s selection) build(g grammar) *statement {
	st := &statement{}
	exprs := make([]string, len(s.columns))
	for i, c := range s.columns {
		exprs[i] = g.selected(c) + " AS " + g.quote(c.name)
	}
	st.text.WriteString("SELECT " + strings.Join(exprs, ", "))
	s.writeRows(st, g)
	if order := s.order(g); len(order) > 0 {
		st.text.WriteString(" ORDER BY " + strings.Join(order, ", "))
	}
	if s.limit > 0 {
		st.text.WriteString(" LIMIT " + strconv.FormatInt(s.limit, 10))
	}
	return st
}

// highest writes the statement that finds the highest cursor value of the selected rows.
func (s selection) highest(g grammar) *statement {
	st := &statement{}
	c := *s.cursor
	c.name = s.cursorExpr(g)
	st.text.WriteString("SELECT max(" + c.name + ") AS " + g.quote("highest"))
	s.writeRows(st, g)
	return st
}

// writeRows writes FROM and WHERE.
func (s selection) writeRows(st *statement, g grammar) {
	if s.query != "" {
		st.text.WriteString(" FROM (" + s.query + "\n) AS " + g.quote("q"))
	} else {
		st.text.WriteString(" FROM " + quoteTable(g, s.tableID))
	}
	if where := s.conditions(st, g); len(where) > 0 {
		st.text.WriteString(" WHERE " + strings.Join(where, " AND "))
	}
}

func quoteTable(g grammar, id tableID) string {
	if id.schema == "" {
		return g.quote(id.name)
	}
	return g.quote(id.schema) + "." + g.quote(id.name)
}

// cursorExpr is the cursor, or what stands in for it.
func (s selection) cursorExpr(g grammar) string {
	if s.fallback == nil {
		return g.quote(s.cursor.name)
	}
	return "coalesce(" + g.quote(s.cursor.name) + ", " + g.quote(s.fallback.name) + ")"
}

func (s selection) order(g grammar) []string {
	var order []string
	if s.byCursor {
		order = append(order, s.cursorExpr(g))
	}
	for _, k := range s.keys {
		order = append(order, g.quote(k.name))
	}
	return order
}

func (s selection) conditions(st *statement, g grammar) []string {
	var where []string
	if s.where != "" {
		where = append(where, "("+s.where+"\n)")
	}
	if s.shard.Count > 1 {
		where = append(where, g.shard(s.keys, s.shard))
	}
	if s.cursor != nil {
		where = append(where, s.cursorConditions(st, g)...)
	}
	if len(s.from.key) > 0 && !(s.byCursor && s.from.at != nil) {
		where = append(where, behind(st, g, names(g, s.keys), s.keys, s.from.key))
	}
	return where
}

func (s selection) cursorConditions(st *statement, g grammar) []string {
	var where []string
	expr := s.cursorExpr(g)
	if !s.until.IsZero() && s.cursor.clock != clockNone {
		before := g.bound(st, *s.cursor, expr, "<", s.until)
		if !s.byCursor {
			before = "(" + before + " OR " + expr + " IS NULL)"
		}
		where = append(where, before)
	}
	if !s.from.since.IsZero() && s.cursor.clock != clockNone {
		where = append(where, g.bound(st, *s.cursor, expr, ">=", s.from.since))
	}
	if !s.byCursor {
		return where
	}
	switch {
	case s.from.at == nil:
		where = append(where, expr+" IS NOT NULL")
	case len(s.from.key) > 0:
		cols := append([]column{*s.cursor}, s.keys...)
		exprs := append([]string{expr}, names(g, s.keys)...)
		where = append(where, behind(st, g, exprs, cols, append([]string{*s.from.at}, s.from.key...)))
	default:
		where = append(where, g.since(st, *s.cursor, expr, *s.from.at, s.lookback))
	}
	return where
}

// behind writes the condition for rows that come after the given values in the order of
// exprs: a > x, or a = x and so on. The leading >= lets an index narrow the rows.
func behind(st *statement, g grammar, exprs []string, cols []column, values []string) string {
	if len(exprs) == 1 {
		return exprs[0] + " > " + g.value(st, cols[0], values[0])
	}
	lowest := exprs[0] + " >= " + g.value(st, cols[0], values[0])
	above := exprs[0] + " > " + g.value(st, cols[0], values[0])
	return "(" + lowest + " AND (" + above + " OR " + behind(st, g, exprs[1:], cols[1:], values[1:]) + "))"
}

func names(g grammar, cols []column) []string {
	out := make([]string, len(cols))
	for i, c := range cols {
		out[i] = g.quote(c.name)
	}
	return out
}

// indices gives the places of the columns in a selection.
func indices(selected, wanted []column) []int {
	out := make([]int, len(wanted))
	for i, w := range wanted {
		out[i] = slices.IndexFunc(selected, func(c column) bool { return c.name == w.name })
	}
	return out
}
