package sql

import (
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
)

// A column of a table, view or query, as the server describes it.
type column struct {
	name string
	// declared is the server's own name of the type, such as "numeric(12,2)".
	declared string
	// form says how values arrive and are decoded; each dialect has its own.
	form string
	// elem is the form of an array's elements.
	elem string
	// arrow is the type of the values that leave.
	arrow arrow.DataType
	clock clock
	// unordered columns cannot be compared in the order they sort in.
	unordered bool
	// precision of a clock's values in fractional digits of a second; -1 is unknown.
	precision int
}

// clock says whether values of a column are times, and which.
type clock uint8

const (
	clockNone  clock = iota
	clockDate        // a day
	clockLocal       // date and time without a zone
	clockUTC         // an instant
)

// A tableID names a table by schema and name, as the server spells them.
// An empty schema is the one that the server looks in by default.
type tableID struct{ schema, name string }

// A table, view or query result.
type table struct {
	tableID
	columns []column
	// key is the primary key, or else a unique key without nulls.
	key []string
	// home says that the table is in the default schema.
	home bool
	rows int64
	help string
}

// column finds a column by its exact name.
func (t table) column(name string) (column, bool) {
	i := slices.IndexFunc(t.columns, func(c column) bool { return c.name == name })
	if i < 0 {
		return column{}, false
	}
	return t.columns[i], true
}

// pick finds columns by name, in the order of names. A missing one is a KindConfig error
// for the attribute at path.
func (t table) pick(names []string, path string) ([]column, error) {
	cols := make([]column, 0, len(names))
	for _, name := range names {
		c, ok := t.column(name)
		if !ok {
			var have []string
			for _, c := range t.columns {
				have = append(have, c.name)
			}
			return nil, missing("column", name, have, path)
		}
		cols = append(cols, c)
	}
	return cols, nil
}

// missing says that a named thing does not exist, and which one may have been meant.
func missing(what, name string, have []string, path string) error {
	e := &core.Error{Kind: core.KindConfig, Op: "find " + what, Path: path, Err: fmt.Errorf("there is no %s %q", what, name)}
	if near := core.Nearest(name, have); near != "" {
		e.Try = fmt.Sprintf("did you mean %q?", near)
	} else {
		e.Try = fmt.Sprintf("run `unsilo check` to see what there is; a %s that these credentials may not see counts as missing", what)
	}
	return e
}

// schema gives the Arrow schema of the columns. Only key columns are not nullable: what a
// server forbids to be null may still hold a value that has no counterpart here.
func schema(columns []column, key []string, means map[string]core.Means) *arrow.Schema {
	fields := make([]arrow.Field, len(columns))
	for i, c := range columns {
		f := arrow.Field{Name: c.name, Type: c.arrow, Nullable: !slices.Contains(key, c.name)}
		fields[i] = core.WithMeans(f, means[c.name])
	}
	return arrow.NewSchema(fields, nil)
}
