package rest

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/unsilo/unsilo/connectors/rows"
	"github.com/unsilo/unsilo/core"
)

// deletes reads the feed of rows that are gone, if the stream has one.
func (r *reading) deletes(ctx context.Context) error {
	feed := r.st.def.feed
	if feed == nil || !r.resumable() {
		return nil
	}
	switch {
	case r.pos.FeedAt.IsZero() && feed.time == nil:
		// What was gone before the first read was never stored, but a feed that tells times
		// is read all the same, to know its newest.
		r.pos.FeedAt = r.now.UTC()
		return r.checkpoint()
	case !r.pos.FeedAt.IsZero() && r.now.Sub(r.pos.FeedAt) < r.st.feedEvery:
		return nil
	}
	newest, err := r.readFeed(ctx, feed)
	if err != nil {
		return err
	}
	r.pos.Feed, r.pos.FeedAt = later(r.pos.Feed, newest), r.now.UTC()
	return r.checkpoint()
}

// readFeed reads a listing of keys with a reading of its own and returns the newest time
// in it.
func (r *reading) readFeed(ctx context.Context, feed *feedDef) (time.Time, error) {
	def := *r.st.def
	def.filter, def.optional = feed.filter, true
	def.cursor = &cursorDef{order: "none", onMissing: "include", clientSide: true}
	columns, w := feed.keys, window{from: r.pos.FeedAt}
	if c := r.st.def.cursor; c != nil {
		def.cursor.format, def.cursor.exclusive = c.format, c.exclusive
	}
	if feed.time != nil {
		columns = append(columns[:len(columns):len(columns)], *feed.time)
		def.cursor.column = feed.time.Field.Name
		w.from = r.pos.Feed
		if c := r.st.def.cursor; c != nil && !w.from.IsZero() {
			w.from = w.from.Add(-r.lookback())
		}
	}
	builder, err := rows.NewBuilder(rows.Options{Columns: columns, Closed: true})
	if err != nil {
		return time.Time{}, &core.Error{Kind: core.KindConfig, Op: "prepare delete feed", Err: err}
	}
	st := *r.st
	st.def = &def
	inner := &reading{src: r.src, st: &st, req: r.req, emit: r.emit, builder: builder, seen: newSeen(), vars: r.vars,
		now: r.now, sent: &atomic.Int64{}, deleting: true, reshape: onlyColumns(def.primaryKey)}
	inner.req.Limit = 0
	o := chainOptions{after: func(pg *page, _ *pager, _ bool) (core.State, error) {
		inner.progress.answered(http.Header(pg.response["headers"].(header)), r.now)
		inner.progress.newest = later(inner.progress.newest, pg.newest)
		return nil, nil
	}}
	err = inner.chain(ctx, &feed.variant, w, o)
	return inner.progress.low(time.Time{}), err
}

// feedEvery is how often a feed is worth reading.
func feedEvery(d *streamDef, vars scope) (time.Duration, error) {
	if d.feed == nil {
		return 0, nil
	}
	return durationOf(d.feed.every, vars)
}
