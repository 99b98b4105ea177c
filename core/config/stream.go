package config

import (
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/unsilo/unsilo/core"
)

// The values of a stream's attributes.
const (
	modeFull        = "full"
	modeIncremental = "incremental"
	modeAppend      = "append"

	writeMerge   = "merge"
	writeAppend  = "append"
	writeReplace = "replace"
	writeHistory = "history"

	maskHMAC    = "hmac"
	maskRedact  = "redact"
	maskPartial = "partial"
	maskYear    = "year"
	maskDrop    = "drop"
	maskKeep    = "keep"
)

func masks() []string {
	return []string{maskHMAC, maskRedact, maskPartial, maskYear, maskDrop, maskKeep}
}

// StreamFields are the attributes that every stream block has, whatever its connector.
func StreamFields() []core.Field {
	return []core.Field{
		{Name: "mode", Type: core.TypeString, Enum: []string{modeFull, modeIncremental, modeAppend},
			Help: "what is read: everything, changes, or new rows"},
		{Name: "write", Type: core.TypeString, Enum: []string{writeMerge, writeAppend, writeReplace, writeHistory},
			Help: "how rows are stored: merged by key, added, replacing the table, or with every version kept"},
		{Name: "primary_key", Type: core.TypeStrings, Help: "the columns that identify a row"},
		{Name: "cursor", Type: core.TypeString, Help: "the column that grows when a row changes"},
		{Name: "lookback", Type: core.TypeDuration, Help: "how far before the last position each run reads again"},
		{Name: "lag", Type: core.TypeDuration, Help: "how far the reading keeps away from the present"},
		{Name: "deletes", Type: core.TypeString, Help: "how rows that vanish at the source are found", Enum: []string{
			string(core.DeleteNone), string(core.DeleteFlag), string(core.DeleteFeed), string(core.DeleteReconcile)}},
		{Name: "delete_field", Type: core.TypeString, Help: "the column that says that a row is gone"},
		{Name: "max_delete_share", Type: core.TypeFloat, Help: "the share of rows that one sweep may delete"},
		{Name: "on_schema_change", Type: core.TypeString, Enum: []string{"evolve", "freeze", "quarantine", "drop_value"},
			Help: "what happens to columns and types that are new"},
		{Name: "columns", Type: core.TypeStrings, Help: "the columns to take"},
		{Name: "exclude", Type: core.TypeStrings, Help: "the columns to leave out"},
		{Name: "means", Type: core.TypeMap, Help: "what columns are, by name"},
		{Name: "mask", Type: core.TypeMap, Help: "how columns are masked before they land, by name"},
	}
}

func (l *loader) stream(b *hclsyntax.Block, spec core.Spec, owner string) Stream {
	owner += " stream " + b.Labels[0]
	common := StreamFields()
	// A connector's own field wins: it may have a default, or a narrower meaning.
	common = slices.DeleteFunc(common, func(f core.Field) bool { return isOneOf(spec.StreamFields, f.Name) })
	values := l.attributes(b, fieldsOf{owner: owner, shown: common, fields: spec.StreamFields})
	s := Stream{
		Name: b.Labels[0], Range: rangeOf(b.DefRange()), Values: map[string]any{},
		Mode: text(values, "mode"), Write: text(values, "write"), PrimaryKey: list(values, "primary_key"),
		Cursor: text(values, "cursor"), Lookback: duration(values, "lookback"), Lag: duration(values, "lag"),
		Deletes: core.DeleteMode(text(values, "deletes")), DeleteField: text(values, "delete_field"),
		OnSchemaChange: text(values, "on_schema_change"),
		Columns:        list(values, "columns"), Exclude: list(values, "exclude"),
	}
	for _, f := range spec.StreamFields {
		if v, ok := values[f.Name]; ok {
			s.Values[f.Name] = v
		}
	}
	if share, ok := values["max_delete_share"].(float64); ok {
		s.MaxDeleteShare = &share
	}
	s.Means = l.means(b, values)
	s.Mask = l.masks(b, values)
	l.checkStream(b, s)
	return s
}

func duration(values map[string]any, name string) time.Duration {
	d, err := core.ParseDuration(text(values, name))
	if err != nil {
		return 0 // absent; a wrong one has been reported
	}
	return d
}

// means reads the meanings of columns.
func (l *loader) means(b *hclsyntax.Block, values map[string]any) map[string]core.Means {
	written, _ := values["means"].(map[string]any)
	if written == nil {
		return nil
	}
	out := map[string]core.Means{}
	for _, column := range sortedKeys(written) {
		m := core.Means(text(written, column))
		if !m.Valid() {
			l.fail(entryRange(b, "means", column), fmt.Sprintf("Unknown meaning %q", visible(string(m))),
				fmt.Sprintf("Column %q can mean one of the words of the vocabulary.", visible(column)), tryMeaning(string(m)))
			continue
		}
		out[column] = m
	}
	return out
}

func tryMeaning(got string) string {
	var words []string
	for _, m := range core.Vocabulary() {
		words = append(words, string(m))
	}
	return didYouMean(got, words, "See unsilo connector docs for the vocabulary; \"none\" says that the column holds nothing personal.")
}

// masks reads the masks of columns.
func (l *loader) masks(b *hclsyntax.Block, values map[string]any) map[string]string {
	written, _ := values["mask"].(map[string]any)
	if written == nil {
		return nil
	}
	out := map[string]string{}
	for _, column := range sortedKeys(written) {
		name := text(written, column)
		if !slices.Contains(masks(), name) {
			l.fail(entryRange(b, "mask", column), fmt.Sprintf("Unknown mask %q", visible(name)),
				fmt.Sprintf("Column %q can be masked in one of a few ways.", visible(column)), didYouMean(name, masks(), ""))
			continue
		}
		out[column] = name
	}
	return out
}
