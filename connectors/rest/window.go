package rest

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/unsilo/unsilo/core"
)

// window is a span of cursor times, closed at from and open at to; zero means no bound.
type window struct{ from, to time.Time }

// errCap says that an answer ended at the API's row cap and may lack rows.
var errCap = errors.New("row cap reached")

// progress is how far a reading has seen into the stream. The position never moves
// beyond the newest row, because the silo's clock may be behind ours, and never beyond
// the time of the first answer, because rows that change while pages are read may be
// missed by them.
type progress struct {
	started time.Time // by the silo's clock where that is behind ours
	newest  time.Time
}

// answered learns the silo's time from its first answer.
func (p *progress) answered(h http.Header, now time.Time) {
	if !p.started.IsZero() {
		return
	}
	p.started = now
	if at, err := http.ParseTime(h.Get("Date")); err == nil && at.Before(now) {
		p.started = at
	}
}

// low is up to where everything has been seen, once all rows before to were read.
func (p *progress) low(to time.Time) time.Time {
	low := p.newest
	if low.After(p.started) {
		low = p.started
	}
	if !to.IsZero() && low.After(to) {
		low = to
	}
	return low.UTC()
}

// join takes in how far another reading of the same stream has seen.
func (p *progress) join(other progress) {
	if p.started.IsZero() || (!other.started.IsZero() && other.started.Before(p.started)) {
		p.started = other.started
	}
	p.newest = later(p.newest, other.newest)
}

// windows reads a stream that has no partitions.
func (r *reading) windows(ctx context.Context) error {
	c := r.st.def.cursor
	switch {
	case c == nil:
		return r.chain(ctx, r.st.def.firstVariant(), window{}, chainOptions{})
	case c.token != nil:
		return r.tokens(ctx)
	}
	r.progress.newest = r.pos.Low
	if open := r.pos.Window; open != nil && r.req.From.IsZero() {
		r.progress.newest = open.Newest
		r.progress.started = open.Started
		if err := r.resume(ctx, *open); err != nil {
			return err
		}
		r.progress.started = time.Time{}
	}
	first := r.pos.Low.IsZero()
	whole := r.wanted(first)
	if !whole.to.IsZero() && !whole.to.After(whole.from) {
		return nil
	}
	for w := range whole.steps(r.st.step, r.now) {
		if err := r.window(ctx, r.variantFor(first), w, nil); err != nil {
			return err
		}
	}
	return nil
}

// variantFor is how a window is read.
func (r *reading) variantFor(first bool) *variant {
	if first && r.st.def.first != nil && r.st.start.IsZero() && r.req.From.IsZero() {
		return r.st.def.first
	}
	return r.st.def.main
}

// upper is the time up to which this call reads; zero means that there is none.
func (r *reading) upper() time.Time {
	to := r.req.Until
	if lagged := r.now.Add(-r.st.lag); r.st.lag > 0 && (to.IsZero() || lagged.Before(to)) {
		to = lagged
	}
	return to.UTC()
}

// wanted is what this call reads.
func (r *reading) wanted(first bool) window {
	w := window{to: r.upper()}
	switch {
	case !r.req.From.IsZero():
		w.from = r.req.From.UTC()
	case first:
		w.from = r.st.start
	default:
		w.from = r.pos.Low.Add(-r.lookback())
	}
	return w
}

// lookback is the user's, or the definition's.
func (r *reading) lookback() time.Duration {
	if r.req.Stream.Cursor.Field != "" {
		return r.req.Stream.Cursor.Lookback
	}
	return r.st.def.cursor.lookback
}

// steps cuts a window into windows of at most the given width, the last of which keeps
// its bound or stays open. One without a lower bound stays whole.
func (w window) steps(width time.Duration, now time.Time) func(yield func(window) bool) {
	return func(yield func(window) bool) {
		end := w.to
		if end.IsZero() {
			end = now
		}
		from := w.from
		for width > 0 && !from.IsZero() && from.Add(width).Before(end) {
			if !yield(window{from, from.Add(width)}) {
				return
			}
			from = from.Add(width)
		}
		yield(window{from, w.to})
	}
}

// resume goes on inside the window that the last call left open. If the API no longer
// knows the place, the window is read anew.
func (r *reading) resume(ctx context.Context, open openWindow) error {
	w := window{open.From, open.To}
	v := r.st.def.main
	if open.First && r.st.def.first != nil {
		v = r.st.def.first
	}
	err := r.window(ctx, v, w, &open)
	if errors.Is(err, errRestart) || core.KindOf(err) == core.KindConfig {
		r.progress = progress{newest: r.pos.Low}
		err = r.window(ctx, v, w, nil)
	}
	return err
}

// window reads one window and moves the position behind it.
func (r *reading) window(ctx context.Context, v *variant, w window, resume *openWindow) error {
	r.seen.clear()
	if err := r.read(ctx, v, w, resume); err != nil {
		return err
	}
	if !r.resumable() || r.st.def.partition != nil {
		return nil
	}
	r.pos.Window = nil
	if low := r.progress.low(w.to); low.After(r.pos.Low) {
		r.pos.Low = low
	}
	return r.checkpoint()
}

// checkpoint sends the position.
func (r *reading) checkpoint() error {
	if !r.resumable() {
		return nil
	}
	after, err := r.pos.state()
	if err != nil {
		return err
	}
	return r.send(core.Batch{After: after})
}

// resumable reports whether this call may move the position at all.
func (r *reading) resumable() bool {
	return r.req.From.IsZero() && !r.req.KeysOnly
}

// read reads a window, in halves when the API does not give it whole.
func (r *reading) read(ctx context.Context, v *variant, w window, resume *openWindow) error {
	var got span
	got.inOrder = resume == nil
	o := chainOptions{resume: resume, after: func(pg *page, p *pager, more bool) (core.State, error) {
		r.progress.answered(http.Header(pg.response["headers"].(header)), r.now)
		got.add(pg)
		r.progress.newest = later(r.progress.newest, pg.newest)
		if !more || !r.resumable() || r.st.def.partition != nil {
			return nil, nil
		}
		return r.behind(v, w, p, got.inOrder && !pg.newest.IsZero())
	}}
	err := r.chain(ctx, v, w, o)
	if !errors.Is(err, errCap) {
		return err
	}
	if r.st.def.cursor.order == "asc" && got.inOrder && got.newest.After(w.from) {
		return r.read(ctx, v, window{got.newest, w.to}, nil) // rows before it have been read
	}
	middle, err := r.middle(w, got, float64(v.paginate.cap))
	if err != nil {
		return err
	}
	if err := r.window(ctx, v, window{w.from, middle}, nil); err != nil {
		return err
	}
	r.seen.clear()
	return r.read(ctx, v, window{middle, w.to}, nil)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// span is what is known of the times of the rows that a chain of pages gave.
type span struct {
	oldest, newest time.Time
	inOrder        bool // ascending
	times          []int64
}

func (s *span) add(pg *page) {
	if !pg.oldest.IsZero() && (s.oldest.IsZero() || pg.oldest.Before(s.oldest)) {
		s.oldest = pg.oldest
	}
	s.inOrder = s.inOrder && pg.sorted && !pg.oldest.Before(s.newest)
	s.newest = later(s.newest, pg.newest)
	s.times = append(s.times, pg.times...)
}

// middle is where to cut a window whose rows the API does not give whole, so that the
// part before it holds somewhat fewer rows than the cap.
func (r *reading) middle(w window, got span, rowCap float64) (time.Time, error) {
	unit := max(r.st.def.cursor.precision, r.st.def.cursor.format.Unit())
	low, high := w.from, w.to
	if low.IsZero() {
		low = got.oldest
	}
	if high.IsZero() {
		high = later(got.newest, r.now).Add(unit)
	}
	var tries []time.Time
	if n := len(got.times); n > 0 {
		slices.Sort(got.times)
		if got.inOrder { // the rows begin the window: they tell how dense it is
			tries = append(tries, got.oldest.Add(time.Duration(float64(got.newest.Sub(got.oldest))*0.8*rowCap/float64(n))))
		}
		tries = append(tries, time.UnixMicro(got.times[n/2]), time.UnixMicro(got.times[n-1]))
	}
	tries = append(tries, low.Add(high.Sub(low)/2), low.Add(unit))
	for _, at := range tries {
		if at = at.UTC().Truncate(unit); at.After(low) && at.Before(high) {
			return at, nil
		}
	}
	return low, &core.Error{Kind: core.KindData, Op: "read window", Err: errors.New("more rows share one time than the API gives in one query"),
		Try: "set key in the paginate block, if the API can sort by a key"}
}

// behind is the position after a page in the middle of a window; nil when there is none.
func (r *reading) behind(v *variant, w window, p *pager, inOrder bool) (core.State, error) {
	c := r.st.def.cursor
	at := r.pos
	low := r.progress.low(w.to)
	switch {
	case c.order == "asc" && inOrder && low.After(at.Low):
		at.Low, at.Window = low, nil // rows of that very time come again
	case p.def.kind == "keyset" && p.key != "", p.def.resumable && (p.token != "" || p.key != ""):
		at.Window = &openWindow{From: w.from, To: w.to, First: v == r.st.def.first, Token: p.token, Key: p.key,
			Started: r.progress.started, Newest: r.progress.newest}
	default:
		return nil, nil
	}
	r.pos = at
	return at.state()
}

// tokens reads a stream whose position is the API's own.
func (r *reading) tokens(ctx context.Context) error {
	start := window{from: r.st.start}
	if !r.req.From.IsZero() {
		start.from = r.req.From
	}
	open := &openWindow{Token: r.pos.Token}
	if r.pos.Token != "" {
		start = window{}
	}
	o := chainOptions{resume: open, after: func(pg *page, p *pager, _ bool) (core.State, error) {
		vars := r.vars.with("response", pg.response).with("page", p.scope())
		token, ok, err := r.st.def.cursor.token.str(vars)
		if err != nil || !ok || token == "" || !r.resumable() {
			return nil, err
		}
		r.pos.Token = token
		return r.pos.state()
	}}
	err := r.chain(ctx, r.st.def.main, start, o)
	if !errors.Is(err, errRestart) || r.pos.Token == "" {
		return err
	}
	r.pos.Token, o.resume = "", nil
	return r.chain(ctx, r.st.def.main, window{from: r.st.start}, o)
}
