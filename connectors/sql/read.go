package sql

import (
	"context"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
)

// Read sends the rows of one stream; see the package comment for the order and positions.
func (s *source) Read(ctx context.Context, req core.ReadRequest, emit func(core.Batch) error) error {
	err := s.read(ctx, req, emit)
	if e, ok := err.(*core.Error); ok && e.Stream == "" {
		inStream := *e
		inStream.Stream = req.Stream.Name
		return &inStream
	}
	return err
}

func (s *source) read(ctx context.Context, req core.ReadRequest, emit func(core.Batch) error) error {
	sess, err := s.db.connect(ctx)
	if err != nil {
		return err
	}
	defer sess.close()
	if err := sess.begin(ctx); err != nil {
		return err
	}
	t, err := s.resolve(ctx, sess, req)
	if err != nil {
		return err
	}
	r := reading{db: s.db, sess: sess, target: t, req: req, emit: emit}
	return r.run(ctx)
}

// reading is one Read under way.
type reading struct {
	db     database
	sess   session
	target target
	req    core.ReadRequest
	emit   func(core.Batch) error
}

func (r *reading) run(ctx context.Context) error {
	switch {
	case r.req.KeysOnly:
		return r.keysOnly(ctx)
	case !r.req.From.IsZero():
		return r.backfill(ctx)
	}
	p, err := parsePosition(r.req.After, len(r.target.keys))
	if err != nil {
		return err
	}
	switch {
	case r.target.cursor == nil:
		return r.byKey(ctx, p)
	case p.Phase != phaseTail || p.At == nil:
		return r.firstPass(ctx, p)
	}
	return r.tail(ctx, p)
}

// keysOnly sends the key of every row that exists.
func (r *reading) keysOnly(ctx context.Context) error {
	key, err := r.target.pick(r.req.Stream.PrimaryKey, "primary_key")
	if err != nil {
		return err
	}
	if len(key) == 0 {
		return fault(core.KindConfig, "read keys", "primary_key", "set primary_key in the stream block",
			fmt.Errorf("the stream has no primary key, so rows that vanished cannot be told"))
	}
	t := r.target
	t.cursor, t.keys = nil, nil
	_, err = r.scan(ctx, selection{target: t, columns: key, shard: r.req.Shard}, nil, nil)
	return err
}

// backfill sends the rows from a moment on, without positions.
func (r *reading) backfill(ctx context.Context) error {
	c := r.target.cursor
	if c == nil || c.clock == clockNone {
		return fault(core.KindConfig, "read from a date", "cursor", "give the stream a cursor column that holds a time",
			fmt.Errorf("the stream has no time cursor"))
	}
	sel := r.selection()
	sel.byCursor = true
	sel.from = start{since: r.req.From}
	_, err := r.scan(ctx, sel, nil, nil)
	return err
}

// selection is everything of the target, in the wanted columns.
func (r *reading) selection() selection {
	return selection{
		target: r.target, columns: r.columns(),
		until: r.req.Until, limit: r.req.Limit, shard: r.req.Shard,
	}
}

// columns are the requested ones and those that positions are made of.
func (r *reading) columns() []column {
	if len(r.req.Columns) == 0 {
		return r.target.columns
	}
	keep := slices.Concat(r.req.Columns, r.req.Stream.PrimaryKey)
	for _, k := range r.target.keys {
		keep = append(keep, k.name)
	}
	for _, c := range []*column{r.target.cursor, r.target.fallback} {
		if c != nil {
			keep = append(keep, c.name)
		}
	}
	return slices.DeleteFunc(slices.Clone(r.target.columns), func(c column) bool { return !slices.Contains(keep, c.name) })
}

// byKey reads a stream without a cursor.
func (r *reading) byKey(ctx context.Context, p position) error {
	sel := r.selection()
	if p.Phase == phaseFirst {
		sel.from.key = p.Key
	}
	if len(r.target.keys) == 0 {
		_, err := r.scan(ctx, sel, nil, nil)
		return err
	}
	end, err := r.scan(ctx, sel, func(l last) position { return position{Phase: phaseFirst, Key: l.key} }, nil)
	if err != nil || r.cutShort(end) {
		return err
	}
	return r.finish(position{Phase: phaseDone})
}

// firstPass reads everything by key, and ends at the highest cursor value that the first
// snapshot of this pass saw.
func (r *reading) firstPass(ctx context.Context, p position) error {
	sel := r.selection()
	if p.Phase != phaseFirst || p.Key == nil {
		mark, err := r.sess.highest(ctx, sel.highest(r.db), *r.target.cursor)
		if err != nil {
			return err
		}
		p = position{Phase: phaseFirst, At: mark}
	}
	sel.from.key = p.Key
	final := position{Phase: phaseTail, At: p.At}
	if len(r.target.keys) == 0 {
		same := newTies(nil, nil, p.At)
		end, err := r.scan(ctx, sel, nil, same)
		if err != nil || r.cutShort(end) {
			return err
		}
		final.Tied = same.hashes()
		return r.finish(final)
	}
	after := func(l last) position { return position{Phase: phaseFirst, At: p.At, Key: l.key} }
	end, err := r.scan(ctx, sel, after, nil)
	if err != nil || r.cutShort(end) {
		return err
	}
	return r.finish(final)
}

// tail reads by cursor and key from the position on.
func (r *reading) tail(ctx context.Context, p position) error {
	sel := r.selection()
	sel.byCursor = true
	sel.from = start{at: p.At, key: p.Key}
	again := p.Again
	if p.Key != nil && again == nil {
		again = p.At
	}
	if len(r.target.keys) == 0 {
		return r.keylessTail(ctx, sel, p)
	}
	after := func(l last) position { return position{Phase: phaseTail, At: l.at, Key: l.key, Again: again} }
	end, err := r.scan(ctx, sel, after, nil)
	if err != nil || r.cutShort(end) {
		return err
	}
	final := position{Phase: phaseTail, At: p.At}
	if end.at != nil {
		final.At = end.at
	}
	if again != nil {
		final.At = again
	}
	return r.finish(final)
}

// keylessTail reads a stream without a key by cursor. It has no place to stop at inside a
// run of equal cursor values, and so ignores the limit.
func (r *reading) keylessTail(ctx context.Context, sel selection, p position) error {
	sel.limit = 0
	same := newTies(p.At, p.Tied, nil)
	if _, err := r.scan(ctx, sel, nil, same); err != nil {
		return err
	}
	if same.tied == nil {
		return r.finish(p) // nothing is at or past the position any more
	}
	return r.finish(position{Phase: phaseTail, At: &same.value, Tied: same.hashes()})
}

// finish sends the position behind a complete pass.
func (r *reading) finish(p position) error {
	state, err := p.state()
	if err != nil {
		return err
	}
	return r.emit(core.Batch{After: state})
}

// cutShort reports whether a pass ended because of the limit, so that its last position
// stands.
func (r *reading) cutShort(end last) bool {
	return r.req.Limit > 0 && end.rows >= r.req.Limit
}

// last describes the last row of a scan.
type last struct {
	rows int64
	at   *string
	key  []string
}

// scan runs a selection and emits its rows, with the positions that after makes; nil makes
// none. same, unless nil, leaves out rows without a key that were sent before.
func (r *reading) scan(ctx context.Context, sel selection, after func(last) position, same *ties) (last, error) {
	var end last
	b := newBatcher(sel.columns, r.schema(sel.columns), memory.DefaultAllocator, r.emit)
	defer b.release()
	b.after = func(at func(int) (string, bool)) (core.State, error) {
		l, ok := r.lastRow(sel, at)
		end.at, end.key = l.at, l.key
		if after == nil || !ok {
			return nil, nil
		}
		return after(l).state()
	}
	if same != nil {
		b.keep = func(at func(int) (string, bool), sum func() uint64) bool {
			value, ok := sel.cursorAt(at)
			return same.keep(value, ok, sum)
		}
	}
	err := r.sess.scan(ctx, sel.build(r.db), b)
	if b.err != nil {
		return end, b.err
	}
	if err == nil {
		err = b.flush()
	}
	end.rows = b.sent
	return end, err
}

// lastRow reads cursor and key of the row just appended; false when one is null, so that
// it is no place to go on from.
func (r *reading) lastRow(sel selection, at func(int) (string, bool)) (last, bool) {
	l := last{key: make([]string, len(sel.keys))}
	for i, col := range indices(sel.columns, sel.keys) {
		v, ok := at(col)
		if !ok {
			return l, false
		}
		l.key[i] = v
	}
	if sel.cursor == nil || !sel.byCursor {
		return l, true
	}
	v, ok := sel.cursorAt(at)
	l.at = &v
	return l, ok
}

// cursorAt gives a row's cursor value, or what stands in for it; false when both are null.
func (s selection) cursorAt(at func(int) (string, bool)) (string, bool) {
	candidates := []column{*s.cursor}
	if s.fallback != nil {
		candidates = append(candidates, *s.fallback)
	}
	for _, col := range indices(s.columns, candidates) {
		if v, ok := at(col); ok {
			return v, true
		}
	}
	return "", false
}

// schema gives the columns the meanings of the requested stream.
func (r *reading) schema(columns []column) *arrow.Schema {
	means := map[string]core.Means{}
	if r.req.Stream.Schema != nil {
		for _, f := range r.req.Stream.Schema.Fields() {
			means[f.Name] = core.MeansOf(f)
		}
	}
	return schema(columns, r.req.Stream.PrimaryKey, means)
}
