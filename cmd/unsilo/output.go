package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"
)

// formatVersion of the JSON that every verb writes: minor steps add, major ones change.
const formatVersion = "1.0"

// formats are the values of -o.
var formats = []string{"table", "json", "ndjson", "csv"}

// grid is what most verbs show: named columns and rows, written in every format.
type grid struct {
	columns []string
	rows    [][]any
	// right aligns these columns, by name.
	right []string
	// extra stands beside the rows in JSON.
	extra map[string]any
	// verbatim shows numbers as they are: years and ids are not to be read in thousands.
	verbatim bool
}

func (g *grid) add(values ...any) { g.rows = append(g.rows, values) }

// show writes a grid to stdout in the format that was asked for.
func (a *app) show(g grid) error {
	switch a.output {
	case "table":
		a.showTable(g)
		return nil
	case "csv":
		return g.writeCSV(a.out)
	case "ndjson":
		enc := json.NewEncoder(a.out)
		for _, row := range g.rows {
			if err := enc.Encode(g.object(row)); err != nil {
				return fmt.Errorf("write output: %w", err)
			}
		}
		return nil
	case "json":
		doc := map[string]any{"format_version": formatVersion, "rows": g.objects()}
		for k, v := range g.extra {
			doc[k] = v
		}
		return a.writeJSON(a.out, doc)
	}
	return usageError{fmt.Errorf("unknown output format %q", a.output)}
}

// say writes text for people, and the same as a grid in the other formats.
func (a *app) say(g grid, format string, args ...any) error {
	if a.output != "table" {
		return a.show(g)
	}
	_, err := fmt.Fprint(a.out, plain(fmt.Sprintf(format, args...)))
	return err
}

func (a *app) writeJSON(w io.Writer, doc any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(doc); err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	return nil
}

func (g grid) objects() []map[string]any {
	out := make([]map[string]any, 0, len(g.rows))
	for _, row := range g.rows {
		out = append(out, g.object(row))
	}
	return out
}

func (g grid) object(row []any) map[string]any {
	o := map[string]any{}
	for i, c := range g.columns {
		o[c] = row[i]
	}
	return o
}

// with puts the rows of another grid behind those of this one, under the columns of both.
func (g grid) with(other grid) grid {
	all := grid{columns: slices.Clone(g.columns)}
	for _, c := range other.columns {
		if !slices.Contains(all.columns, c) {
			all.columns = append(all.columns, c)
		}
	}
	for _, o := range slices.Concat(g.objects(), other.objects()) {
		row := make([]any, len(all.columns))
		for i, c := range all.columns {
			row[i] = o[c]
		}
		all.rows = append(all.rows, row)
	}
	return all
}

// writeCSV escapes cells that a spreadsheet would take for a formula.
func (g grid) writeCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write(g.columns); err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	for _, row := range g.rows {
		cells := make([]string, len(row))
		for i, v := range row {
			cells[i] = csvCell(v)
		}
		if err := out.Write(cells); err != nil {
			return fmt.Errorf("write output: %w", err)
		}
	}
	out.Flush()
	return out.Error()
}

func csvCell(v any) string {
	if v == nil {
		return ""
	}
	s, isText := v.(string)
	if !isText {
		return fmt.Sprint(v)
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil && s[0] == '-' {
		return s // decimals are text here, and a negative amount is no formula
	}
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// showTable writes a table; on a terminal that is too narrow for it, in several.
func (a *app) showTable(g grid) {
	width := 0
	if f, ok := a.out.(*os.File); ok && isTerminal(f) {
		width, _, _ = term.GetSize(int(f.Fd())) // 0 when it does not tell
	}
	for i, part := range g.split(width) {
		if i > 0 {
			fmt.Fprintln(a.out)
		}
		a.drawTable(part)
	}
}

// split divides the columns among grids that are at most so wide, if they can be; each
// begins with the first column. Width 0 sets no bound.
func (g grid) split(width int) []grid {
	widths := make([]int, len(g.columns))
	for i, c := range g.columns {
		widths[i] = text.StringWidthWithoutEscSequences(c)
		for _, row := range g.rows {
			widths[i] = max(widths[i], text.StringWidthWithoutEscSequences(fmt.Sprint(g.shown(row[i]))))
		}
		widths[i] += cellGap
	}
	var parts []grid
	for next := 1; next == 1 || next < len(g.columns); {
		picked, wide := []int{0}, 0
		if len(g.columns) > 0 {
			wide = widths[0]
		}
		for next < len(g.columns) && (len(picked) == 1 || width <= 0 || wide+widths[next]-cellGap <= width) {
			picked, wide, next = append(picked, next), wide+widths[next], next+1
		}
		if len(picked) == len(g.columns) || len(g.columns) < 2 {
			return []grid{g}
		}
		part := grid{right: g.right, verbatim: g.verbatim}
		for _, i := range picked {
			part.columns = append(part.columns, g.columns[i])
		}
		for _, row := range g.rows {
			var cells []any
			for _, i := range picked {
				cells = append(cells, row[i])
			}
			part.rows = append(part.rows, cells)
		}
		parts = append(parts, part)
	}
	return parts
}

// cellGap stands between columns.
const cellGap = 2

func (a *app) drawTable(g grid) {
	t := table.NewWriter()
	t.SetOutputMirror(a.out)
	t.SetStyle(a.tableStyle())
	header := table.Row{}
	var configs []table.ColumnConfig
	for i, c := range g.columns {
		header = append(header, plain(c))
		if slices.Contains(g.right, c) {
			configs = append(configs, table.ColumnConfig{Number: i + 1, Align: text.AlignRight, AlignHeader: text.AlignRight})
		}
	}
	t.AppendHeader(header)
	t.SetColumnConfigs(configs)
	for _, row := range g.rows {
		cells := table.Row{}
		for _, v := range row {
			cells = append(cells, g.shown(v))
		}
		t.AppendRow(cells)
	}
	t.Render()
}

func (a *app) tableStyle() table.Style {
	style := table.StyleLight
	style.Options = table.Options{SeparateHeader: true}
	style.Format.Header = text.FormatDefault
	style.Box.PaddingLeft, style.Box.PaddingRight = "", strings.Repeat(" ", cellGap)
	style.Box.MiddleHorizontal = "─"
	if !a.colour(a.out) {
		return style
	}
	style.Color.Header = text.Colors{text.Bold}
	return style
}

// shown is a value as the table has it.
func (g grid) shown(v any) any {
	if n, ok := v.(int64); ok && g.verbatim {
		v = strconv.FormatInt(n, 10)
	}
	return tableCell(v)
}

// tableCell writes a value for people: null as a dash, and text so that none can steer the
// terminal.
func tableCell(v any) any {
	switch v := v.(type) {
	case nil:
		return "-"
	case string:
		return strings.Map(func(r rune) rune {
			if r == '\n' || r == '\t' {
				return '�' // a cell is one line
			}
			return r
		}, plain(v))
	case int64:
		return thousands(v)
	}
	return v
}

// plain takes out of text what a terminal would obey rather than show: control characters
// of both sets, what turns the direction of writing, and line separators.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\u2028', r == '\u2029':
			return '�'
		}
		return r
	}, strings.ToValidUTF8(s, "�"))
}

// thousands groups digits with thin spaces, which read the same in every language.
func thousands(n int64) string {
	s := fmt.Sprint(n)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return sign + s
}

// colour reports whether w is a terminal that wants colour.
func (a *app) colour(w io.Writer) bool {
	return a.getenv("NO_COLOR") == "" && a.getenv("TERM") != "dumb" && isTerminal(w)
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
