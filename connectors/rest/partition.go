package rest

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/unsilo/unsilo/core"
)

// partitions reads a stream that is asked for piece by piece.
func (r *reading) partitions(ctx context.Context) error {
	p := r.st.def.partition
	if !p.incremental && r.st.def.cursor != nil {
		return r.round(ctx)
	}
	var after func(core.State) error
	if p.incremental {
		// Pieces of parents that are new or changed: the position is the parent stream's.
		after = func(state core.State) error {
			r.pos.Parent = state
			return r.checkpoint()
		}
	}
	return r.eachPartition(ctx, after, func(ctx context.Context, w *reading, _ string) error {
		w.seen.clear()
		return w.chain(ctx, w.st.def.firstVariant(), window{}, chainOptions{})
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
	known, earlier := r.pos.Known, r.pos.Done
	met, done := map[uint64]bool{}, map[uint64]bool{}
	for _, d := range earlier {
		done[d] = true
	}
	var mu sync.Mutex // met, done, progress and position
	told := time.Now()
	err := r.eachPartition(ctx, nil, func(ctx context.Context, w *reading, key string) error {
		d := partitionDigest(key)
		mu.Lock()
		again := met[d] || earlier.has(d)
		met[d] = true
		mu.Unlock()
		if again {
			return nil
		}
		if err := w.partition(ctx, known.has(d), to); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		r.progress.join(w.progress)
		done[d] = true
		if (len(done)%roundSteps != 0 && time.Since(told) < roundPause) || len(done) > maxPartitions {
			return nil
		}
		told = time.Now()
		r.pos.Done, r.pos.Until, r.pos.Newest = digestsOf(done), r.progress.started, r.progress.newest
		return r.checkpoint()
	})
	if err != nil {
		return err
	}
	r.pos = position{Version: stateVersion, Low: r.progress.low(to), Known: digestsOf(met), Feed: r.pos.Feed, FeedAt: r.pos.FeedAt}
	if len(met) > maxPartitions {
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

// eachPartition calls do for every partition, with a reading whose scope and constant
// columns are set to it; several at a time if the stream's budget allows that. after is
// told the positions of the parent stream once the partitions before them are done.
func (r *reading) eachPartition(ctx context.Context, after func(core.State) error, do func(context.Context, *reading, string) error) error {
	c := r.newCrew(ctx, do)
	var err error
	if r.st.def.partition.stream == "" {
		err = r.eachValue(c)
	} else {
		err = r.eachParent(c, after)
	}
	return c.wait(err)
}

// eachValue goes through the values of a list.
func (r *reading) eachValue(c *crew) error {
	v, err := r.st.def.partition.values.eval(r.vars)
	if err != nil {
		return err
	}
	values, err := toTexts(v)
	if err != nil {
		return err
	}
	for _, value := range values {
		if err := c.start(value, r.vars.with("partition", map[string]any{"value": value})); err != nil {
			return err
		}
	}
	return nil
}

// eachParent goes through the rows of the parent stream while they are read.
func (r *reading) eachParent(c *crew, after func(core.State) error) error {
	parent, err := r.src.stream(r.st.def.partition.stream)
	if err != nil {
		return err
	}
	req := core.ReadRequest{Stream: core.Stream{Name: parent.def.name, Cursor: parent.def.coreCursor()}}
	if r.st.def.partition.incremental && r.req.From.IsZero() && !r.req.KeysOnly {
		req.After = r.pos.Parent
	}
	return r.src.read(c.ctx, req, func(b core.Batch) error {
		if b.Op == core.OpUpsert && b.Rows != nil {
			for i := range int(b.Rows.NumRows()) {
				row := rowValues(b.Rows, i)
				if err := c.start(rowKey(row, parent.def.primaryKey), r.vars.with("parent", row)); err != nil {
					return err
				}
			}
		}
		if b.After == nil || after == nil {
			return nil
		}
		if err := c.pause(); err != nil {
			return err
		}
		return after(b.After)
	}, true)
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
