package plan

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/config"
)

// The share of a stream that a sweep may delete unless the stream says otherwise.
const defaultMaxDeleteShare = 0.2

// stream applies the user's block to what the source offers and compares the result
// with the warehouse.
func (m *maker) stream(src config.Source, b config.Stream, offered core.Stream) (StreamStep, bool) {
	before := len(m.diags)
	step := StreamStep{
		Source: src.Name, Name: b.Name, Department: src.Department, Stream: offered, Mask: b.Mask,
		Lag: b.Lag, MaxDeleteShare: defaultMaxDeleteShare, OnSchemaChange: Evolve,
		Fingerprint: src.Fingerprint(b.Name),
	}
	if b.MaxDeleteShare != nil {
		step.MaxDeleteShare = *b.MaxDeleteShare
	}
	if b.OnSchemaChange != "" {
		step.OnSchemaChange = SchemaPolicy(b.OnSchemaChange)
	}
	at := func(attribute string) *core.Range {
		if r := m.Project.Locate(src.Name, "stream."+b.Name+"."+attribute); r != nil {
			return r
		}
		return &b.Range
	}
	m.settings(&step, b, at)
	m.columns(&step, b, at)
	m.modes(&step, b, at)
	m.landing(&step, at)
	return step, len(m.diags) == before
}

// settings applies key, cursor and deletes.
func (m *maker) settings(step *StreamStep, b config.Stream, at func(string) *core.Range) {
	s := &step.Stream
	if len(b.PrimaryKey) > 0 {
		s.PrimaryKey = b.PrimaryKey
		s.Cursor.TieBreak = b.PrimaryKey
	}
	if b.Cursor != "" {
		s.Cursor.Field, s.Cursor.Opaque = b.Cursor, false
		s.Cursor.TieBreak = s.PrimaryKey
	}
	if b.Lookback > 0 {
		s.Cursor.Lookback = b.Lookback
	}
	if b.Deletes != "" {
		s.Deletes = b.Deletes
	}
	if b.DeleteField != "" {
		s.DeleteField = b.DeleteField
	}
	if s.Deletes == "" {
		s.Deletes = core.DeleteNone
	}
	m.known(step, at("primary_key"), "primary_key", s.PrimaryKey...)
	if s.Cursor.Field != "" {
		m.known(step, at("cursor"), "cursor", s.Cursor.Field)
	}
	if s.Deletes == core.DeleteFlag {
		m.known(step, at("delete_field"), "delete_field", s.DeleteField)
	}
	if s.Deletes != core.DeleteNone && len(s.PrimaryKey) == 0 {
		m.fail(at("deletes"), fmt.Sprintf("deletes = %q needs a primary key", s.Deletes),
			"Rows that vanish are found by their key.", "add primary_key = [...]")
	}
}

// known reports columns the stream does not have.
func (m *maker) known(step *StreamStep, r *core.Range, attribute string, columns ...string) {
	names := fieldNames(step.Stream.Schema)
	for _, c := range columns {
		if !slices.Contains(names, c) {
			m.fail(r, fmt.Sprintf("%s has no column %q", step.ID(), c),
				fmt.Sprintf("%s names it; the stream has %d columns: %s.", attribute, len(names), list(names)), didYouMean(c, names))
		}
	}
}

// columns narrows the schema and puts the user's meanings on it.
func (m *maker) columns(step *StreamStep, b config.Stream, at func(string) *core.Range) {
	m.known(step, at("columns"), "columns", b.Columns...)
	m.known(step, at("exclude"), "exclude", b.Exclude...)
	m.known(step, at("means"), "means", sortedKeys(b.Means)...)
	m.known(step, at("mask"), "mask", sortedKeys(b.Mask)...)
	needed := append(slices.Clone(step.Stream.PrimaryKey), step.Stream.Cursor.Field, step.Stream.DeleteField)
	var fields []arrow.Field
	for _, f := range step.Stream.Schema.Fields() {
		take := len(b.Columns) == 0 || slices.Contains(b.Columns, f.Name)
		if slices.Contains(b.Exclude, f.Name) {
			take = false
		}
		if !take && slices.Contains(needed, f.Name) && f.Name != "" {
			if slices.Contains(b.Exclude, f.Name) {
				m.fail(at("exclude"), fmt.Sprintf("column %q cannot be left out", f.Name),
					"It is the stream's key, cursor or delete field.", "take it out of exclude, and mask it if it is personal")
			}
			take = true
		}
		if !take {
			continue
		}
		if means, ok := b.Means[f.Name]; ok {
			f = core.WithMeans(f, means)
		}
		fields = append(fields, f)
	}
	if len(fields) < step.Stream.Schema.NumFields() {
		step.Columns = fieldNames(arrow.NewSchema(fields, nil))
	}
	meta := step.Stream.Schema.Metadata()
	step.Stream.Schema = arrow.NewSchema(fields, &meta)
}

// modes settles how the stream is read and written.
func (m *maker) modes(step *StreamStep, b config.Stream, at func(string) *core.Range) {
	keyed := len(step.Stream.PrimaryKey) > 0
	step.Mode = Mode(b.Mode)
	if step.Mode == "" {
		step.Mode = ModeFull
		if step.Stream.Cursor.Incremental() {
			step.Mode = ModeIncremental
		}
	}
	if step.Mode == ModeIncremental && !step.Stream.Cursor.Incremental() {
		m.fail(at("mode"), fmt.Sprintf("%s cannot be read incrementally", step.ID()),
			"It has no cursor: nothing tells which rows changed.", `add cursor = "<column>", or use mode = "full"`)
	}
	switch {
	case b.Write == "replace":
		if step.Mode != ModeFull {
			m.fail(at("write"), `write = "replace" needs mode = "full"`, "Only a full read knows all rows.", `set mode = "full"`)
		}
		step.Write = core.WriteMerge
		if !keyed {
			step.Write = core.WriteAppend
		}
	case b.Write != "":
		step.Write = core.WriteMode(b.Write)
	case step.Mode == ModeAppend || !keyed:
		step.Write = core.WriteAppend
	default:
		step.Write = core.WriteMerge
	}
	if (step.Write == core.WriteMerge || step.Write == core.WriteHistory) && !keyed {
		m.fail(at("write"), fmt.Sprintf("write = %q needs a primary key", step.Write),
			"Rows are matched by their key.", "add primary_key = [...]")
	}
	if d := step.Stream.Deletes; step.Write == core.WriteAppend && (d == core.DeleteFlag || d == core.DeleteFeed) {
		m.fail(at("deletes"), fmt.Sprintf("deletes = %q needs write = \"merge\" or \"history\"", d),
			"Rows that were only ever added are not looked up again.", `set write = "merge", or deletes = "none"`)
	}
	if mask := step.Mask[step.Stream.DeleteField]; step.Stream.Deletes == core.DeleteFlag && mask != "" && mask != "keep" {
		m.fail(at("mask"), fmt.Sprintf("the delete field %q cannot be masked", step.Stream.DeleteField),
			"Masked, it no longer tells which rows are gone.", "take it out of mask")
	}
	for _, column := range step.Stream.PrimaryKey {
		if mask := step.Mask[column]; mask != "" && mask != "keep" && mask != "hmac" {
			m.fail(at("mask"), fmt.Sprintf("the key column %q cannot be masked with %q", column, mask),
				"Rows could no longer be told apart.", `write "hmac": it keeps different values different`)
		}
	}
	if step.Write == core.WriteAppend && step.Mode == ModeIncremental {
		step.Notes = append(step.Notes, "rows at the cursor's boundary are read again on every run and, without a key, land again")
	}
}

// landing works out the table and its differences from what is there.
func (m *maker) landing(step *StreamStep, at func(string) *core.Range) {
	schema := step.Stream.Schema
	if len(step.Mask) > 0 {
		masked, err := m.maskedSchema(step)
		if err != nil {
			m.failError(err, at("mask"))
			return
		}
		schema = masked
	}
	name := core.RawTable(step.Source, step.Name)
	step.Table = core.Table{Name: name, Schema: arrow.NewSchema(canonicalFields(schema), nil), Key: step.Stream.PrimaryKey}
	now, exists := m.tables[name]
	step.Exists, step.Now = exists, now
	step.Action = ActionCreate
	if exists {
		step.Action = ActionSync
		if kept := len(now.Schema.FieldIndices(core.HistoryFrom)) > 0; kept && step.Write != core.WriteHistory {
			m.fail(at("write"), fmt.Sprintf("%s keeps every version, and write = %q would overwrite them", name, step.Write),
				"The table was made with write = \"history\".", `set write = "history" again, or let the stream land under another name`)
		}
		step.Table.Schema, step.Changes = Merge(now.Schema, schema)
		if hasDrift(step.Changes) && (step.OnSchemaChange == Quarantine || step.OnSchemaChange == DropValue) {
			m.keepColumns(step)
		}
		if step.Relabelled = relabelled(now.Schema, step.Table.Schema); len(step.Relabelled) > 0 {
			step.Notes = append(step.Notes, "other labels: "+strings.Join(step.Relabelled, ", "))
		}
		if hasDrift(step.Changes) || len(step.Relabelled) > 0 {
			step.Action = ActionUpdate
		}
		for _, c := range step.Changes {
			if c.Kind == ChangeReplace {
				step.Destructive = append(step.Destructive, fmt.Sprintf("column %s changes from %s to %s: the table is written anew with its values as text", c.Column, c.From, c.To))
			}
		}
		if step.OnSchemaChange == Freeze && hasDrift(step.Changes) {
			m.fail(at("on_schema_change"), fmt.Sprintf("the columns of %s changed and are frozen", step.ID()), describe(step.Changes),
				`set on_schema_change = "evolve", or leave the new columns out with exclude`)
		}
	}
	if step.Write == core.WriteHistory {
		step.Table.Schema = withHistory(step.Table.Schema)
	}
	m.position(step, at)
}

// relabelled names the columns whose metadata differ.
func relabelled(now, next *arrow.Schema) (names []string) {
	for _, f := range now.Fields() {
		if i := next.FieldIndices(f.Name); len(i) == 1 && !f.Metadata.Equal(next.Field(i[0]).Metadata) {
			names = append(names, f.Name)
		}
	}
	return names
}

// withHistory adds the columns that keep versions apart. The warehouse would add them with
// the first rows; planned, they are there from the start, for models too.
func withHistory(s *arrow.Schema) *arrow.Schema {
	fields := s.Fields()
	for _, name := range []string{core.HistoryFrom, core.HistoryTo} {
		if !s.HasField(name) {
			fields = append(fields, arrow.Field{Name: name, Nullable: true,
				Type: core.Canonical(&arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"})})
		}
	}
	return arrow.NewSchema(fields, nil)
}

// keepColumns plans a table whose columns stay as they are, whatever the source now offers.
func (m *maker) keepColumns(step *StreamStep) {
	becomes := "rows with values that do not fit go to the quarantine"
	if step.OnSchemaChange == DropValue {
		becomes = "values that do not fit are left out"
	}
	drift := slices.DeleteFunc(slices.Clone(step.Changes), func(c ColumnChange) bool { return c.Kind == ChangeRetire })
	step.Notes = append(step.Notes, fmt.Sprintf("the columns stay as they are, %s: %s", becomes, describe(drift)))
	step.Changes = slices.DeleteFunc(step.Changes, func(c ColumnChange) bool { return c.Kind != ChangeRetire })
	fields := step.Now.Schema.Fields()
	for i, f := range fields {
		if next := step.Table.Schema.FieldIndices(f.Name); len(next) == 1 {
			fields[i].Metadata = step.Table.Schema.Field(next[0]).Metadata
		}
	}
	step.Table.Schema = arrow.NewSchema(fields, nil)
}

// position decides where the read goes on.
func (m *maker) position(step *StreamStep, at func(string) *core.Range) {
	row, ok := m.states[step.ID()]
	if !ok {
		return
	}
	step.LandedBy = row.RunID
	switch {
	case row.Fingerprint == step.Fingerprint && (step.Mode == ModeFull || !ofFullRead(row.State)):
		step.State = row.State
	case step.Mode != ModeFull && step.Write == core.WriteAppend && step.Exists:
		m.fail(at("write"), fmt.Sprintf("%s would land twice", step.ID()),
			"Its position was made with another configuration, and without a key rows that are read again cannot be told from new ones.",
			"give it primary_key and write = \"merge\", or let it land under another stream name")
	case step.Mode != ModeFull:
		step.Action = ActionRebuild
		step.Destructive = append(step.Destructive, "the position was made with another configuration: everything is read again")
	}
}

// ofFullRead reports whether a state is the engine's own note about a full read.
func ofFullRead(s core.State) bool {
	var note struct {
		Full json.RawMessage `json:"full"`
	}
	return json.Unmarshal(s, &note) == nil && note.Full != nil
}

func (m *maker) maskedSchema(step *StreamStep) (*arrow.Schema, error) {
	if m.Mask == nil {
		return nil, &core.Error{Kind: core.KindInternal, Op: "mask " + step.ID().String(), Err: fmt.Errorf("no masks are known")}
	}
	t, err := m.Mask(step.Masks())
	if err != nil {
		return nil, err
	}
	return t.Schema(step.Stream.Schema)
}

func (m *maker) failError(err error, r *core.Range) {
	try := ""
	if e := asError(err); e != nil {
		try = e.Try
	}
	m.fail(r, err.Error(), "", try)
}

func describe(changes []ColumnChange) string {
	var parts []string
	for _, c := range changes {
		switch c.Kind {
		case ChangeAdd:
			parts = append(parts, fmt.Sprintf("new column %s %s", c.Column, c.To))
		case ChangeRetire:
			parts = append(parts, fmt.Sprintf("column %s is gone at the source", c.Column))
		default:
			parts = append(parts, fmt.Sprintf("column %s was %s and is %s", c.Column, c.From, c.To))
		}
	}
	return strings.Join(parts, "; ") + "."
}

func hasDrift(changes []ColumnChange) bool {
	return slices.ContainsFunc(changes, func(c ColumnChange) bool { return c.Kind != ChangeRetire })
}
