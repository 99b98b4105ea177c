package rest

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/unsilo/unsilo/core"
)

// partitions reads a stream that is asked for piece by piece.
func (r *reading) partitions(ctx context.Context) error {
	p := r.st.def.partition
	if p.incremental {
		return r.changedParents(ctx)
	}
	if r.st.def.cursor == nil {
		return r.eachPartition(ctx, nil, func(ctx context.Context, _ string) error {
			r.seen.clear()
			return r.chain(ctx, r.st.def.firstVariant(), window{}, chainOptions{})
		})
	}
	return r.round(ctx)
}

// changedParents reads the pieces of those parent rows that are new or changed since the
// last call. The position is the parent's.
func (r *reading) changedParents(ctx context.Context) error {
	after := func(state core.State) error {
		r.pos.Parent = state
		return r.checkpoint()
	}
	return r.eachPartition(ctx, after, func(ctx context.Context, _ string) error {
		r.seen.clear()
		return r.chain(ctx, r.st.def.firstVariant(), window{}, chainOptions{})
	})
}

// How often the position moves in the middle of a round.
const (
	roundSteps = 250
	roundPause = 30 * time.Second
)

// round reads every partition up to one time: new partitions from their beginning, the
// others from where the last round ended.
func (r *reading) round(ctx context.Context) error {
	to := r.upper()
	r.progress = progress{started: r.pos.Until, newest: later(r.pos.Low, r.pos.Newest)}
	var now digests
	told, since := 0, time.Now()
	err := r.eachPartition(ctx, nil, func(ctx context.Context, key string) error {
		d := partitionDigest(key)
		now = now.with(d)
		if r.pos.Done.has(d) {
			return nil
		}
		if err := r.partition(ctx, r.pos.Known.has(d), to); err != nil {
			return err
		}
		r.pos.Done = r.pos.Done.with(d)
		if told++; (told%roundSteps != 0 && time.Since(since) < roundPause) || len(r.pos.Done) > maxPartitions {
			return nil
		}
		since = time.Now()
		r.pos.Until, r.pos.Newest = r.progress.started, r.progress.newest
		return r.checkpoint()
	})
	if err != nil {
		return err
	}
	r.pos = position{Version: stateVersion, Low: r.progress.low(to), Known: now, Feed: r.pos.Feed, FeedAt: r.pos.FeedAt}
	if len(now) > maxPartitions {
		r.pos.Known = nil
	}
	return r.checkpoint()
}

// partition reads one partition up to a time.
func (r *reading) partition(ctx context.Context, known bool, to time.Time) error {
	whole := window{from: r.st.start, to: to}
	switch {
	case !r.req.From.IsZero():
		whole.from = r.req.From.UTC()
	case known:
		whole.from = r.pos.Low.Add(-r.lookback())
	}
	for w := range whole.steps(r.st.step, r.now) {
		r.seen.clear()
		if err := r.read(ctx, r.variantFor(!known && r.req.From.IsZero()), w, nil); err != nil {
			return err
		}
	}
	return nil
}

// eachPartition calls do for every partition, with the reading's scope and constant
// columns set to it. after is told the positions of the parent stream.
func (r *reading) eachPartition(ctx context.Context, after func(core.State) error, do func(context.Context, string) error) error {
	p := r.st.def.partition
	base := r.vars
	defer func() { r.vars = base }()
	if p.stream == "" {
		v, err := p.values.eval(base)
		if err != nil {
			return err
		}
		values, err := toTexts(v)
		if err != nil {
			return err
		}
		for _, value := range values {
			r.vars = base.with("partition", map[string]any{"value": value})
			if err := r.enterPartition(); err != nil {
				return err
			}
			if err := do(ctx, value); err != nil {
				return err
			}
		}
		return nil
	}
	return r.eachParent(ctx, base, after, do)
}

// eachParent goes through the rows of the parent stream while they are read.
func (r *reading) eachParent(ctx context.Context, base scope, after func(core.State) error, do func(context.Context, string) error) error {
	parent, err := r.src.stream(r.st.def.partition.stream)
	if err != nil {
		return err
	}
	req := core.ReadRequest{Stream: core.Stream{Name: parent.def.name, Cursor: parent.def.coreCursor()}}
	if r.st.def.partition.incremental && r.req.From.IsZero() && !r.req.KeysOnly {
		req.After = r.pos.Parent
	}
	return r.src.Read(ctx, req, func(b core.Batch) error {
		if b.Op == core.OpUpsert && b.Rows != nil {
			for i := range int(b.Rows.NumRows()) {
				row := rowValues(b.Rows, i)
				r.vars = base.with("parent", row)
				if err := r.enterPartition(); err != nil {
					return err
				}
				if err := do(ctx, rowKey(row, parent.def.primaryKey)); err != nil {
					return err
				}
			}
		}
		if b.After != nil && after != nil {
			return after(b.After)
		}
		return nil
	})
}

// enterPartition sets the constant columns.
func (r *reading) enterPartition() error {
	for _, a := range r.st.def.add {
		text, ok, err := a.value.str(r.vars)
		if err != nil {
			return err
		}
		if !ok {
			r.builder.Constant(a.name, nil)
			continue
		}
		r.builder.Constant(a.name, []byte(text))
	}
	return nil
}

// rowValues turns a row into values for expressions.
func rowValues(b arrow.RecordBatch, row int) map[string]any {
	out := make(map[string]any, b.NumCols())
	for i, c := range b.Columns() {
		if c.IsNull(row) {
			continue
		}
		switch c := c.(type) {
		case *array.Boolean:
			out[b.ColumnName(i)] = c.Value(row)
		case *array.Int64, *array.Float64, *array.Decimal128:
			out[b.ColumnName(i)] = json.Number(c.ValueStr(row))
		case *array.Timestamp:
			out[b.ColumnName(i)] = time.UnixMicro(int64(c.Value(row))).UTC()
		default:
			out[b.ColumnName(i)] = c.ValueStr(row)
		}
	}
	return out
}

// rowKey names a parent row; without a primary key all its values do.
func rowKey(row map[string]any, key []string) string {
	if len(key) == 0 {
		text, _ := json.Marshal(row) // members of maps are written in order
		return string(text)
	}
	parts := make([]string, 0, len(key))
	for _, k := range key {
		text, _ := json.Marshal(row[k])
		parts = append(parts, string(text))
	}
	return strings.Join(parts, ",")
}
