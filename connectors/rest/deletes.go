package rest

import (
	"context"
	"time"

	"github.com/unsilo/unsilo/connectors/rows"
	"github.com/unsilo/unsilo/core"
)

// deletes reads the feed of rows that are gone, if the stream has one. The first call
// only notes the time: what was gone before was never stored.
func (r *reading) deletes(ctx context.Context) error {
	feed := r.st.def.feed
	if feed == nil || !r.resumable() {
		return nil
	}
	to := r.now.UTC()
	if s := r.progress.started; !s.IsZero() && s.Before(to) {
		to = s.UTC()
	}
	if r.pos.Feed.IsZero() {
		r.pos.Feed = to
		return r.checkpoint()
	}
	if r.st.feedEvery > 0 && to.Sub(r.pos.Feed) < r.st.feedEvery {
		return nil
	}
	if err := r.readFeed(ctx, feed, window{from: r.pos.Feed, to: to}); err != nil {
		return err
	}
	r.pos.Feed = to
	return r.checkpoint()
}

// readFeed reads a listing of keys with a reading of its own.
func (r *reading) readFeed(ctx context.Context, feed *feedDef, w window) error {
	builder, err := rows.NewBuilder(rows.Options{Columns: feed.keys, Closed: true})
	if err != nil {
		return &core.Error{Kind: core.KindConfig, Op: "prepare delete feed", Err: err}
	}
	def := *r.st.def
	def.filter, def.optional = feed.filter, true
	if r.st.def.cursor != nil {
		c := *r.st.def.cursor
		c.column, c.order = "", "none"
		def.cursor = &c
	}
	st := *r.st
	st.def = &def
	inner := &reading{src: r.src, st: &st, req: r.req, emit: r.emit, builder: builder, seen: newSeen(), vars: r.vars,
		now: r.now, deleting: true}
	inner.req.Limit = 0
	return inner.chain(ctx, &feed.variant, w, chainOptions{})
}

// feedEvery is how often a feed is worth reading.
func feedEvery(d *streamDef, vars scope) (time.Duration, error) {
	if d.feed == nil {
		return 0, nil
	}
	return durationOf(d.feed.every, vars)
}
