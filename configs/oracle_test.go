package configs_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unsilo/unsilo/connectors/sim"
)

// An oracle is how a stream of the simulated company lands: the columns that are compared,
// each with the name that the company gives it if that differs ("id=hs_object_id int"), and
// a kind: text, blank (text of which an empty one, or NONE, is none), int, bool, money, date, instant,
// second (an instant of which the silo tells whole seconds), epoch (seconds since 1970).
type oracle struct{ source, stream, columns string }

// expected gives the rows as comparisons write them, and their keys.
func (o oracle) expected(t *testing.T, c *sim.Company, m *masks) (cols []column, keys []string, rows [][]string) {
	t.Helper()
	table, err := c.Expected(o.source, o.stream)
	if err != nil {
		t.Fatal(err)
	}
	cols = parseColumns(o.columns)
	theirs := make([]int, len(cols))
	for i := range cols {
		name, other, found := strings.Cut(cols[i].name, "=")
		if cols[i].name = name; !found {
			other = name
		}
		if theirs[i] = slices.Index(table.Columns, other); theirs[i] < 0 {
			t.Fatalf("%s.%s has no column %s, only %v", o.source, o.stream, other, table.Columns)
		}
	}
	for _, r := range table.Rows {
		row := make([]string, len(cols))
		for i, c := range cols {
			text, ok := oracleText(t, c, r[theirs[i]])
			if row[i] = null; ok {
				row[i] = value(m.landed(t, c, text))
			}
		}
		rows = append(rows, row)
		keys = append(keys, keyOf(table, r))
	}
	return cols, keys, rows
}

func keyOf(table *sim.Table, row []any) string {
	if len(table.Key) == 0 {
		return fmt.Sprint(row)
	}
	var parts []string
	for _, k := range table.Key {
		parts = append(parts, fmt.Sprint(row[slices.Index(table.Columns, k)]))
	}
	return strings.Join(parts, "|")
}

// oracleText writes a value of the company; an empty text is a value only as a text.
func oracleText(t *testing.T, c column, v any) (string, bool) {
	t.Helper()
	text := fmt.Sprint(v)
	if v == nil || text == "" && c.kind != "text" || text == "NONE" && c.kind == "blank" {
		return "", false
	}
	if c.kind != "instant" && c.kind != "second" {
		return text, true
	}
	at, ok := v.(time.Time)
	if !ok {
		var err error
		if at, err = time.Parse(time.DateTime, text); err != nil {
			if at, err = time.Parse(time.DateOnly, text); err != nil {
				t.Fatal(err)
			}
		}
	}
	if c.kind == "second" {
		at = at.Truncate(time.Second)
	}
	return fmt.Sprint(at.UnixMicro()), true
}

// sameAs compares a landed stream with the company.
func (p program) sameAs(t *testing.T, project string, env []string, m *masks, c *sim.Company, o oracle) {
	t.Helper()
	cols, _, want := o.expected(t, c, m)
	_, got := p.query(t, project, env, selectText(cols)+" FROM raw_"+o.source+"."+o.stream)
	wantRows(t, o.source+"."+o.stream, names(cols), got, want)
}

func names(cols []column) []string {
	var out []string
	for _, c := range cols {
		out = append(out, c.name)
	}
	return out
}

func selectText(cols []column) string {
	var exprs []string
	for _, c := range cols {
		exprs = append(exprs, "coalesce('~' || "+c.lake()+", '"+null+"')")
	}
	return "SELECT " + strings.Join(exprs, ", ")
}

// done is what a run should do to a stream, in rows.
type done struct{ inserted, changed, deleted int64 }

// difference counts the rows that came, changed and went between two states.
func difference(beforeKeys, afterKeys []string, before, after [][]string) done {
	was := map[string]string{}
	for i, k := range beforeKeys {
		was[k] = strings.Join(before[i], "\x1f")
	}
	var d done
	for i, k := range afterKeys {
		old, ok := was[k]
		switch {
		case !ok:
			d.inserted++
		case old != strings.Join(after[i], "\x1f"):
			d.changed++
		}
		delete(was, k)
	}
	d.deleted = int64(len(was))
	return d
}

func wantCounts(t *testing.T, res result, stream string, want done) {
	t.Helper()
	s := res.stream(t, stream)
	if got := (done{s.New, s.Changed, s.Deleted}); got != want {
		t.Errorf("%s: got %+v, want %+v", stream, got, want)
	}
}
