package config

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/unsilo/unsilo/core"
)

// checkStream reports what contradicts itself in a stream block.
func (l *loader) checkStream(b *hclsyntax.Block, s Stream) {
	l.checkModes(b, s)
	l.checkDeletes(b, s)
	l.checkColumns(b, s)
	l.checkMasks(b, s)
}

func (l *loader) checkModes(b *hclsyntax.Block, s Stream) {
	switch {
	case s.Mode == modeAppend && s.Write != "" && s.Write != writeAppend:
		l.fail(valueRange(b, "write"), fmt.Sprintf("write %q contradicts mode \"append\"", s.Write),
			"A stream in append mode only ever adds rows.", `Remove write, or write mode = "incremental".`)
	case s.Mode == modeIncremental && s.Write == writeReplace:
		l.fail(valueRange(b, "write"), `write "replace" contradicts mode "incremental"`,
			"Each run reads only changes; they would replace the whole table.", `Write write = "merge", or mode = "full".`)
	}
	if s.Mode == modeFull {
		for _, name := range []string{"lookback", "lag"} {
			if _, ok := b.Body.Attributes[name]; ok {
				l.warn(valueRange(b, name), fmt.Sprintf("%q has no effect", name), `A stream in mode "full" has no position.`,
					"Remove it.")
			}
		}
	}
}

func (l *loader) checkDeletes(b *hclsyntax.Block, s Stream) {
	appends := s.Mode == modeAppend || s.Write == writeAppend
	switch {
	case s.Deletes == core.DeleteFlag && s.DeleteField == "" && b.Body.Attributes["delete_field"] == nil:
		l.fail(valueRange(b, "deletes"), `deletes "flag" needs delete_field`, "It names the column that says that a row is gone.",
			`Write delete_field = "is_deleted"`)
	case s.DeleteField != "" && s.Deletes != core.DeleteFlag && s.Deletes != "":
		l.fail(valueRange(b, "delete_field"), fmt.Sprintf("delete_field contradicts deletes %q", s.Deletes),
			`It is for deletes = "flag" only.`, `Remove delete_field, or write deletes = "flag".`)
	case s.Deletes != "" && s.Deletes != core.DeleteNone && appends:
		l.fail(valueRange(b, "deletes"), fmt.Sprintf("deletes %q contradicts appending", s.Deletes),
			"Rows that are only ever added are never removed.", `Write deletes = "none", or write = "merge".`)
	}
	if _, ok := b.Body.Attributes["max_delete_share"]; !ok || s.MaxDeleteShare == nil {
		return
	}
	if share := *s.MaxDeleteShare; !(share > 0 && share <= 1) {
		l.fail(valueRange(b, "max_delete_share"), `Wrong value for "max_delete_share"`,
			fmt.Sprintf("%v is not a share above 0 and up to 1.", share), "Write max_delete_share = 0.2")
	} else if s.Deletes != "" && s.Deletes != core.DeleteReconcile {
		l.warn(valueRange(b, "max_delete_share"), `"max_delete_share" has no effect`,
			fmt.Sprintf("It brakes a sweep of keys, and deletes is %q.", s.Deletes), "Remove it.")
	}
}

// checkColumns checks the lists of columns against each other.
func (l *loader) checkColumns(b *hclsyntax.Block, s Stream) {
	if s.Columns != nil && s.Exclude != nil {
		l.fail(valueRange(b, "exclude"), "columns and exclude contradict each other",
			"One names all columns to take, the other those to leave out.", "Remove one of the two.")
		return
	}
	for name, columns := range map[string][]string{"primary_key": s.PrimaryKey, "columns": s.Columns, "exclude": s.Exclude} {
		for i, column := range columns {
			if slices.Contains(columns[:i], column) {
				l.fail(itemRange(b, name, i), fmt.Sprintf("Column %q stands twice in %s", visible(column), name), "", "Remove one of the two.")
			} else if column == "" {
				l.fail(itemRange(b, name, i), fmt.Sprintf("Empty column name in %s", name), "", "Write the name of a column.")
			}
		}
	}
	for i, column := range s.PrimaryKey {
		l.checkTaken(itemRange(b, "primary_key", i), s, column, "The primary key")
	}
	l.checkTaken(valueRange(b, "cursor"), s, s.Cursor, "The cursor")
	l.checkTaken(valueRange(b, "delete_field"), s, s.DeleteField, "The delete_field")
	for _, attr := range []string{"means", "mask"} {
		entries := s.Mask
		if attr == "means" {
			entries = map[string]string{}
			for column := range s.Means {
				entries[column] = ""
			}
		}
		for _, column := range sortedKeys(entries) {
			if !s.takes(column) {
				l.warn(entryRange(b, attr, column), fmt.Sprintf("%q has no effect on column %q", attr, visible(column)),
					"The column is left out.", "Remove the entry.")
			}
		}
	}
}

// takes reports whether a column is read.
func (s Stream) takes(column string) bool {
	if len(s.Columns) > 0 {
		return slices.Contains(s.Columns, column)
	}
	return !slices.Contains(s.Exclude, column)
}

func (l *loader) checkTaken(at hcl.Range, s Stream, column, role string) {
	if column != "" && !s.takes(column) {
		l.fail(at, fmt.Sprintf("%s needs column %q, which is left out", role, visible(column)),
			"columns and exclude decide what is read.", "Take the column, and mask it if it must not be seen.")
	}
}

// checkMasks reports masks that would break what a column is needed for.
func (l *loader) checkMasks(b *hclsyntax.Block, s Stream) {
	for _, column := range sortedKeys(s.Mask) {
		mask := s.Mask[column]
		switch {
		case mask == maskKeep || mask == maskHMAC:
		case slices.Contains(s.PrimaryKey, column):
			l.fail(entryRange(b, "mask", column), fmt.Sprintf("Mask %q on column %q of the primary key", mask, visible(column)),
				"Rows could no longer be told apart.", `Write "hmac": it keeps different values different.`)
		case mask == maskDrop && (column == s.Cursor || column == s.DeleteField):
			l.fail(entryRange(b, "mask", column), fmt.Sprintf("Mask \"drop\" on column %q, which the stream needs", visible(column)),
				"It is the cursor or the delete_field.", `Write "redact", or choose another column.`)
		}
	}
}

// itemRange is where an item of a list stands.
func itemRange(b *hclsyntax.Block, name string, i int) hcl.Range {
	attr, ok := b.Body.Attributes[name]
	if !ok {
		return b.DefRange()
	}
	return item(attr.Expr, i).Range()
}

// item finds an item in a list written out, or gives the list.
func item(expr hclsyntax.Expression, i int) hclsyntax.Expression {
	if tuple, ok := expr.(*hclsyntax.TupleConsExpr); ok && i < len(tuple.Exprs) {
		return tuple.Exprs[i]
	}
	return expr
}

// entryRange is where the value of an entry of a map stands.
func entryRange(b *hclsyntax.Block, name, key string) hcl.Range {
	attr, ok := b.Body.Attributes[name]
	if !ok {
		return b.DefRange()
	}
	if at, ok := entry(attr.Expr, key); ok {
		return at.Range()
	}
	return attr.Expr.Range()
}

// entry finds the value of a key in an object written out.
func entry(expr hclsyntax.Expression, key string) (hclsyntax.Expression, bool) {
	object, ok := expr.(*hclsyntax.ObjectConsExpr)
	if !ok {
		return nil, false
	}
	for _, item := range object.Items {
		if word := hcl.ExprAsKeyword(item.KeyExpr); word == key && word != "" {
			return item.ValueExpr, true
		}
		if v, diags := item.KeyExpr.Value(nil); !diags.HasErrors() && v.IsKnown() && !v.IsNull() && v.Type() == cty.String && unmarked(v) == key {
			return item.ValueExpr, true
		}
	}
	return nil, false
}
