package rest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/connectors/rows"
	"github.com/unsilo/unsilo/core"
)

// stream is a stream of an opened source: its definition with settings evaluated.
type stream struct {
	def   *streamDef // with the columns that the configuration chose
	vars  scope
	start time.Time // of the first read; zero: none
	step  time.Duration
	lag   time.Duration
	// feedEvery is the least time between two readings of the delete feed.
	feedEvery time.Duration
}

func (s *source) openStream(d *streamDef) (*stream, error) {
	st := &stream{def: d}
	options := withDefaults(nil, s.def.spec.StreamFields)
	if own, ok := s.cfg.Stream(d.name); ok {
		options = withDefaults(own.Values, s.def.spec.StreamFields)
	}
	st.vars = s.vars.with("option", options)
	var err error
	if st.def, err = d.chosen(st.vars); err != nil {
		return nil, err
	}
	st.vars = st.vars.with("fields", st.def.fieldNames())
	if st.feedEvery, err = feedEvery(d, st.vars); err != nil || d.cursor == nil {
		return st, err
	}
	if st.step, err = durationOf(d.cursor.step, st.vars); err != nil {
		return nil, err
	}
	if st.lag, err = durationOf(d.cursor.lag, st.vars); err != nil {
		return nil, err
	}
	start, ok, err := d.cursor.start.str(st.vars)
	if err != nil || !ok || start == "" {
		return st, err
	}
	format, err := rows.NewTimeFormat("", nil)
	if err == nil {
		st.start, err = format.Parse(start)
	}
	if err != nil {
		return nil, &core.Error{Kind: core.KindConfig, Op: "read start", Stream: d.name, Path: d.cursor.start.field("start"), Err: errors.New("the start is not a time"),
			Try: "write it like 2026-01-31 or 2026-01-31T00:00:00Z"}
	}
	return st, nil
}

// chosen is the definition with those columns below the choice's path that the
// configuration lists. What it lists and the definition does not declare is text.
func (d *streamDef) chosen(vars scope) (*streamDef, error) {
	v, err := d.choice.names.eval(vars)
	if err != nil {
		return nil, err
	}
	names, err := toTexts(v)
	if err != nil {
		return nil, err
	}
	if names == nil {
		names = d.choice.usual
	}
	if names == nil {
		return d, nil
	}
	out := *d
	out.columns = nil
	known := map[string]bool{}
	for _, col := range d.columns {
		name, below := d.choice.member(col)
		known[name] = below
		if !below || slices.Contains(names, name) || d.needs(col.Field.Name) {
			out.columns = append(out.columns, col)
		}
	}
	for _, name := range names {
		if !known[name] {
			known[name] = true
			col := textColumn(name)
			col.Path = append(slices.Clone(d.choice.path), name)
			col.Field = core.WithMeans(col.Field, d.means[name])
			out.columns = append(out.columns, col)
		}
	}
	return &out, nil
}

// member is the column's name below the choice's path.
func (c choice) member(col rows.Column) (name string, below bool) {
	n := len(c.path)
	if n == 0 || len(col.Path) != n+1 || !slices.Equal(col.Path[:n], c.path) {
		return "", false
	}
	return col.Path[n], true
}

// needs reports whether reading itself needs the column.
func (d *streamDef) needs(column string) bool {
	return slices.Contains(d.primaryKey, column) || (d.cursor != nil && d.cursor.column == column)
}

// fieldNames are the members below the choice's path that become columns.
func (d *streamDef) fieldNames() []any {
	out := []any{}
	for _, col := range d.columns {
		if name, below := d.choice.member(col); below {
			out = append(out, name)
		}
	}
	return out
}

func durationOf(x *expr, vars scope) (time.Duration, error) {
	text, ok, err := x.str(vars)
	if err != nil || !ok || text == "" {
		return 0, err
	}
	d, err := core.ParseDuration(text)
	if err != nil {
		return 0, &core.Error{Kind: core.KindConfig, Op: "read duration", Path: x.field(""), Err: err}
	}
	return d, nil
}

// Streams lists the definition's streams. One without a declared schema is looked at
// once, by asking for its first page.
func (s *source) Streams(ctx context.Context) ([]core.Stream, error) {
	var out []core.Stream
	for _, st := range s.streams {
		d := st.def
		schema, err := s.schemaOf(ctx, st)
		if err != nil {
			return nil, err
		}
		out = append(out, core.Stream{Name: d.name, Schema: schema, PrimaryKey: d.primaryKey, Cursor: d.coreCursor(),
			Deletes: d.deletes, DeleteField: d.flag, Help: d.help, Maps: d.maps})
	}
	return out, nil
}

// coreCursor tells the engine how the stream is read.
func (d *streamDef) coreCursor() core.Cursor {
	switch {
	case d.partition != nil && d.partition.incremental:
		return core.Cursor{Opaque: true}
	case d.cursor == nil:
		return core.Cursor{}
	case d.cursor.token != nil:
		return core.Cursor{Field: d.cursor.column, Opaque: true}
	}
	return core.Cursor{Field: d.cursor.column, TieBreak: d.primaryKey, Precision: d.cursor.precision, Lookback: d.cursor.lookback}
}

// schemaOf gives the declared schema, or what a first page shows.
func (s *source) schemaOf(ctx context.Context, st *stream) (*arrow.Schema, error) {
	declared := schemaOf(st.def.columns)
	if st.def.declared {
		return declared, nil
	}
	s.mu.Lock()
	known := s.sampled[st.def.name]
	s.mu.Unlock()
	if known != nil {
		return known, nil
	}
	sample := declared
	req := core.ReadRequest{Stream: core.Stream{Name: st.def.name}, Limit: 1}
	err := s.Read(ctx, req, func(b core.Batch) error {
		if b.Op == core.OpUpsert && b.Rows != nil {
			sample = b.Rows.Schema()
		}
		return nil
	})
	if kind := core.KindOf(err); err != nil && kind != core.KindPermission {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sampled[st.def.name] = sample
	return sample, nil
}

func schemaOf(columns []rows.Column) *arrow.Schema {
	var fields []arrow.Field
	for _, c := range columns {
		fields = append(fields, c.Field)
	}
	return arrow.NewSchema(fields, nil)
}

// builder makes a builder for the stream. seen is the schema known from before: its
// columns come first, in their types, and may widen.
func (d *streamDef) builder(seen *arrow.Schema) (*rows.Builder, error) {
	o := rows.Options{Columns: d.columns, Closed: d.closed, Nested: d.nested, Lift: d.lift, Untyped: d.decode == "csv",
		Means: d.means, FalseIsNull: d.falseIsNull}
	if seen != nil && !d.closed {
		o.Columns = append([]rows.Column(nil), d.columns...)
		for _, f := range seen.Fields() {
			col := rows.Column{Field: f, Widen: true}
			if _, err := rows.NewBuilder(rows.Options{Columns: []rows.Column{col}}); err == nil && d.adopts(f.Name) {
				o.Columns = append(o.Columns, col)
			}
		}
	}
	b, err := rows.NewBuilder(o)
	if err != nil {
		return nil, &core.Error{Kind: core.KindConfig, Op: "prepare columns", Stream: d.name, Err: err}
	}
	return b, nil
}

// adopts reports whether a column known from before is a member of the records of that
// name: not one that the definition declares, and not one inside a lifted object.
func (d *streamDef) adopts(name string) bool {
	return !d.has(name) && len(d.lift) == 0 && !d.into(name)
}

// into reports whether declared paths lead into the member.
func (d *streamDef) into(name string) bool {
	for _, c := range d.columns {
		if len(c.Path) > 1 && (c.Path[0] == name || len(name) > len(c.Path[0]) && name[:len(c.Path[0])+1] == c.Path[0]+".") {
			return true
		}
	}
	return false
}

// windowVars are what requests see of a window.
func (d *streamDef) windowVars(w window) map[string]any {
	out := map[string]any{}
	if d.cursor == nil {
		return out
	}
	from := w.from
	if !from.IsZero() {
		out["start_time"] = from.UTC().Format(time.RFC3339Nano)
		if d.cursor.exclusive {
			from = from.Add(-d.cursor.format.Unit())
		}
		out["start"] = d.cursor.format.Format(from)
	}
	if !w.to.IsZero() {
		out["end_time"] = w.to.UTC().Format(time.RFC3339Nano)
		out["end"] = d.cursor.format.Format(w.to)
	}
	return out
}

// params adds the query parameters that the incremental and paginate blocks name.
func (d *streamDef) params(w window, p *pager) map[string][]string {
	out := map[string][]string{}
	if c := d.cursor; c != nil {
		vars := d.windowVars(w)
		if v, ok := vars["start"].(string); ok && c.lowerParam != "" {
			out[c.lowerParam] = []string{v}
		}
		if v, ok := vars["end"].(string); ok && c.upperParam != "" {
			out[c.upperParam] = []string{v}
		}
	}
	maps.Copy(out, p.params())
	return out
}
