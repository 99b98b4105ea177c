package sql

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unsilo/unsilo/core"
)

// connector joins a dialect to the core contract.
type connector struct{ dialect dialect }

func (c connector) Spec() core.Spec { return c.dialect.spec() }

func (c connector) Open(_ context.Context, cfg core.Config) (core.Source, error) {
	for _, sc := range cfg.Streams {
		if sc.String("table") != "" && sc.String("query") != "" {
			return nil, fault(core.KindConfig, "open", streamPath(sc.Name, "query"), "keep one of the two",
				fmt.Errorf("the stream has both a table and a query"))
		}
	}
	db, err := c.dialect.open(cfg)
	if err != nil {
		return nil, err
	}
	return &source{db: db, cfg: cfg}, nil
}

type source struct {
	db  database
	cfg core.Config
}

func (s *source) Close() error { return s.db.close() }

// Check connects and starts a transaction.
func (s *source) Check(ctx context.Context) error {
	sess, err := s.db.connect(ctx)
	if err != nil {
		return err
	}
	defer sess.close()
	return sess.begin(ctx)
}

// Streams lists the declared streams, then every other table and view.
func (s *source) Streams(ctx context.Context) ([]core.Stream, error) {
	sess, err := s.db.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer sess.close()
	if err := sess.begin(ctx); err != nil {
		return nil, err
	}
	tables, err := sess.tables(ctx)
	if err != nil {
		return nil, err
	}
	var streams []core.Stream
	declared := map[string]bool{}
	for _, sc := range s.cfg.Streams {
		t, err := s.declared(ctx, sess, sc, tables)
		if err != nil {
			return nil, err
		}
		stream, err := describeStream(t, sc)
		if err != nil {
			return nil, err
		}
		streams = append(streams, stream)
		declared[sc.Name] = true
	}
	for name, t := range s.discovered(tables) {
		if declared[name] {
			continue
		}
		stream, err := describeStream(t, core.StreamConfig{Name: name})
		if err != nil {
			return nil, err
		}
		streams = append(streams, stream)
	}
	slices.SortStableFunc(streams[len(s.cfg.Streams):], func(a, b core.Stream) int { return strings.Compare(a.Name, b.Name) })
	return streams, nil
}

// discovered names the tables that need no stream block: by their own name in the default
// schema, elsewhere as schema_table, or schema.table where that is taken.
func (s *source) discovered(tables []table) map[string]table {
	schemas := s.cfg.Strings("schemas")
	named := map[string]table{}
	for _, home := range []bool{true, false} {
		for _, t := range tables {
			if t.home != home || len(schemas) > 0 && !slices.Contains(schemas, t.schema) {
				continue
			}
			name := t.name
			if !home {
				name = t.schema + "_" + t.name
			}
			if _, taken := named[name]; taken {
				name = t.schema + "." + t.name
			}
			named[name] = t
		}
	}
	return named
}

// declared finds what a stream block reads. tables are all that exist.
func (s *source) declared(ctx context.Context, sess session, sc core.StreamConfig, tables []table) (table, error) {
	if query := cleanQuery(sc.String("query")); query != "" {
		t, err := sess.describe(ctx, query)
		return t, atPath(err, streamPath(sc.Name, "query"))
	}
	spelt := sc.String("table")
	path := streamPath(sc.Name, "table")
	if spelt == "" {
		if t, ok := s.discovered(tables)[sc.Name]; ok {
			return t, nil
		}
		spelt = sc.Name
	}
	id := parseTable(spelt)
	var have []string
	for _, t := range tables {
		if t.name == id.name && (t.schema == id.schema || id.schema == "" && t.home) {
			return t, nil
		}
		have = append(have, t.tableID.String())
		if t.home {
			have = append(have, t.name)
		}
	}
	return table{}, missing("table", spelt, have, path)
}

// describeStream makes the stream of a table with what its block says.
func describeStream(t table, sc core.StreamConfig) (core.Stream, error) {
	t.columns = asText(t.columns, sc.Strings("as_text"))
	key := t.key
	if len(sc.PrimaryKey) > 0 {
		key = sc.PrimaryKey
	}
	if _, err := t.pick(key, streamPath(sc.Name, "primary_key")); err != nil {
		return core.Stream{}, err
	}
	st := core.Stream{
		Name: sc.Name, Schema: schema(t.columns, key, sc.Means), PrimaryKey: key,
		Deletes: core.DeleteNone, Help: t.help, EstimatedRows: t.rows,
	}
	if sc.CursorField != "" {
		cols, err := t.pick([]string{sc.CursorField}, streamPath(sc.Name, "cursor"))
		if err != nil {
			return core.Stream{}, err
		}
		st.Cursor = core.Cursor{Field: sc.CursorField, TieBreak: key, Precision: precision(cols[0])}
	}
	return st, nil
}

// precision is the smallest step between two values of a time column.
func precision(c column) time.Duration {
	switch {
	case c.clock == clockNone:
		return 0
	case c.clock == clockDate:
		return 24 * time.Hour
	case c.precision < 0 || c.precision >= 6:
		return time.Microsecond
	}
	step := time.Second
	for range c.precision {
		step /= 10
	}
	return step
}

// resolve finds what a Read reads.
func (s *source) resolve(ctx context.Context, sess session, req core.ReadRequest) (target, error) {
	name := req.Stream.Name
	sc, isDeclared := s.cfg.Stream(name)
	var tables []table
	var err error
	spelt := sc.String("table")
	switch {
	case sc.String("query") != "":
	case spelt != "":
		tables, err = sess.tables(ctx, parseTable(spelt))
		if err == nil && len(tables) == 0 {
			tables, err = sess.tables(ctx) // for the suggestion
		}
	default:
		// The catalog of a large database is slow to list; most streams are called as
		// their table is.
		tables, err = sess.tables(ctx, tableID{name: name})
		if err == nil && s.discovered(tables)[name].name == "" {
			tables, err = sess.tables(ctx)
		}
	}
	if err != nil {
		return target{}, err
	}
	if !isDeclared {
		sc = core.StreamConfig{Name: name}
	}
	t := target{query: cleanQuery(sc.String("query")), where: sc.String("where")}
	if t.table, err = s.declared(ctx, sess, sc, tables); err != nil {
		return target{}, err
	}
	t.columns = asText(t.columns, sc.Strings("as_text"))
	return t, t.order(req.Stream, sc)
}

// order finds cursor and tie-break of the target.
func (t *target) order(stream core.Stream, sc core.StreamConfig) error {
	key := stream.PrimaryKey
	if stream.Cursor.Field != "" && len(stream.Cursor.TieBreak) > 0 {
		key = stream.Cursor.TieBreak
	}
	var err error
	if t.keys, err = t.pick(key, streamPath(sc.Name, "primary_key")); err != nil {
		return err
	}
	if slices.ContainsFunc(t.keys, func(c column) bool { return c.unordered }) {
		t.keys = nil
	}
	if stream.Cursor.Field == "" {
		return nil
	}
	cols, err := t.pick([]string{stream.Cursor.Field}, streamPath(sc.Name, "cursor"))
	if err != nil {
		return err
	}
	t.cursor = &cols[0]
	if t.lookback = stream.Cursor.Lookback; len(t.keys) == 0 {
		t.lookback = 0 // rows that came twice could not be merged
	}
	if t.cursor.unordered {
		return fault(core.KindConfig, "read stream", streamPath(sc.Name, "cursor"), "name a column with a time or a number",
			fmt.Errorf("%s is %s, whose values have no order", t.cursor.name, t.cursor.declared))
	}
	if fallback := sc.String("cursor_fallback"); fallback != "" {
		cols, err := t.pick([]string{fallback}, streamPath(sc.Name, "cursor_fallback"))
		if err != nil {
			return err
		}
		t.fallback = &cols[0]
		if t.fallback.clock != t.cursor.clock {
			return fault(core.KindConfig, "read stream", streamPath(sc.Name, "cursor_fallback"),
				"name a column of the cursor's own type",
				fmt.Errorf("%s is %s and %s is %s", t.cursor.name, t.cursor.declared, t.fallback.name, t.fallback.declared))
		}
	}
	return nil
}

func streamPath(stream, attribute string) string { return "stream." + stream + "." + attribute }

// cleanQuery removes what must not stand inside parentheses.
func cleanQuery(q string) string { return strings.TrimRight(q, "; \t\r\n") }

// atPath adds the attribute to an error that names none.
func atPath(err error, path string) error {
	if e, ok := err.(*core.Error); ok && e.Path == "" {
		at := *e
		at.Path = path
		return &at
	}
	return err
}
