package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/unsilo/unsilo/connectors/rows"
	"github.com/unsilo/unsilo/core"
)

// reading is one call of Read. It is used by one goroutine.
type reading struct {
	src      *source
	st       *stream
	req      core.ReadRequest
	emit     func(core.Batch) error
	whole    bool // hold pages of any size
	builder  *rows.Builder
	seen     *seen
	vars     scope // config, option, and the partition's
	pos      position
	now      time.Time
	sent     *atomic.Int64
	progress progress

	reshape  func(arrow.RecordBatch) (arrow.RecordBatch, error) // nil: rows go out as they are
	deleting bool                                               // rows are keys of deleted rows
}

// errLimit says that enough rows were read.
var errLimit = errors.New("limit reached")

// Read sends the rows of a stream.
func (s *source) Read(ctx context.Context, req core.ReadRequest, emit func(core.Batch) error) error {
	return s.read(ctx, req, emit, false)
}

// read is Read; whole keeps even large pages until they are complete, for a caller whose
// emit sends requests itself.
func (s *source) read(ctx context.Context, req core.ReadRequest, emit func(core.Batch) error, whole bool) error {
	st, err := s.stream(req.Stream.Name)
	if err != nil {
		return err
	}
	if req.Shard.Index > 0 {
		return nil // a definition's streams have one part, the first
	}
	var mu sync.Mutex // partitions emit from several goroutines
	oneAtATime := func(b core.Batch) error {
		mu.Lock()
		defer mu.Unlock()
		return emit(b)
	}
	r := &reading{src: s, st: st, req: req, emit: oneAtATime, whole: whole, seen: newSeen(), vars: st.vars, now: time.Now(), sent: &atomic.Int64{}}
	if err := r.run(ctx); err != nil && !errors.Is(err, errLimit) {
		var pass *passError
		if errors.As(err, &pass) {
			return pass.err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return inStream(err, req.Stream.Name)
	}
	return nil
}

func (r *reading) run(ctx context.Context) error {
	if cursor := r.st.def.cursor; cursor != nil && cursor.token == nil && r.req.Stream.Cursor.Field != "" &&
		r.req.Stream.Cursor.Field != cursor.column {
		return &core.Error{Kind: core.KindConfig, Op: "read", Path: "cursor", Err: fmt.Errorf("the API can only be read by %s", cursor.column)}
	}
	var err error
	if r.builder, err = r.st.def.builder(r.req.Stream.Schema); err != nil {
		return err
	}
	if r.req.KeysOnly {
		return r.keys(ctx)
	}
	if r.req.From.IsZero() {
		if r.pos, err = readPosition(r.req.After); err != nil {
			return err
		}
	}
	if r.st.def.partition != nil {
		err = r.partitions(ctx)
	} else {
		err = r.windows(ctx)
	}
	if err != nil {
		return err
	}
	return r.deletes(ctx)
}

// keys reads the keys of everything that exists now.
func (r *reading) keys(ctx context.Context) error {
	if len(r.st.def.primaryKey) == 0 {
		return &core.Error{Kind: core.KindConfig, Op: "read keys", Path: "primary_key", Err: errors.New("the stream has no primary key")}
	}
	r.reshape = onlyColumns(r.st.def.primaryKey)
	v := r.st.def.keys
	if v == nil {
		v = r.st.def.firstVariant()
	}
	w := window{}
	if c := r.st.def.cursor; c != nil && c.token != nil {
		w.from = r.st.start // without it, such an API does not know where to begin
	}
	everything := func(ctx context.Context, r *reading, _ string) error {
		if c := r.st.def.cursor; c != nil && c.token == nil {
			return r.read(ctx, v, w, nil) // which copes with row caps
		}
		return r.chain(ctx, v, w, chainOptions{})
	}
	if r.st.def.partition != nil {
		return r.eachPartition(ctx, nil, everything)
	}
	return everything(ctx, r, "")
}

// firstVariant is how everything is read.
func (d *streamDef) firstVariant() *variant {
	if d.first != nil {
		return d.first
	}
	return d.main
}

// chainOptions say where a chain of pages starts and what its pages may be resumed from.
type chainOptions struct {
	resume *openWindow
	// after gives the position behind a page; nil, or a nil result, means that there is none.
	after func(pg *page, p *pager, more bool) (core.State, error)
}

// chain reads pages until the API says that there are no more.
func (r *reading) chain(ctx context.Context, v *variant, w window, o chainOptions) error {
	p, err := newPager(v.paginate, r.vars)
	if err != nil {
		return err
	}
	p.keyed = len(r.st.def.primaryKey) > 0
	if o.resume != nil {
		p.token, p.key = o.resume.Token, o.resume.Key
	}
	for {
		b, err := r.built(v, p, w)
		if err != nil {
			return err
		}
		if err := p.enter(b); err != nil {
			return err
		}
		more, err := r.page(ctx, v, p, w, b, o)
		if err != nil || !more {
			return err
		}
	}
}

// page reads one page and sends it on.
func (r *reading) page(ctx context.Context, v *variant, p *pager, w window, b built, o chainOptions) (more bool, err error) {
	pg := &page{}
	defer pg.release()
	f := r.filter(v, w)
	next := stepRepeat
	for next == stepRepeat {
		if err := r.fetch(ctx, v, b, pg, f); err != nil {
			return false, err
		}
		if next, err = p.advance(pg, b.url); err != nil {
			return false, err
		}
	}
	if next == stepCap && p.def.key != "" {
		if err := p.restart(pg); err != nil {
			return false, err
		}
		next = stepNext
	}
	r.seen.accept()
	var after core.State
	if o.after != nil {
		if after, err = o.after(pg, p, next != stepDone); err != nil {
			return false, err
		}
	}
	batches := pg.batches
	pg.batches = nil
	if err := r.emitAll(batches, after); err != nil {
		return false, err
	}
	if r.req.Limit > 0 && r.sent.Load() >= r.req.Limit {
		return false, errLimit
	}
	if next == stepCap {
		return false, errCap
	}
	return next == stepNext && !r.past(pg, w), nil
}

// past reports whether the pages of a stream that comes newest first have gone behind
// the window.
func (r *reading) past(pg *page, w window) bool {
	c := r.st.def.cursor
	return c != nil && c.order == "desc" && !w.from.IsZero() && !pg.oldest.IsZero() && pg.oldest.Before(w.from)
}

func (r *reading) filter(v *variant, w window) *filter {
	f := &filter{seed: r.seen.seeds[0], cursor: r.st.def.cursor, window: w, condition: r.st.def.filter, strict: r.req.KeysOnly,
		vars: r.vars.with("window", r.st.def.windowVars(w)), key: v.paginate.key, sample: v.paginate.cap > 0 && v.paginate.key == ""}
	if v.paginate.kind == "keyset" {
		f.key = v.paginate.field
	}
	f.keys = r.st.def.primaryKey
	if len(f.keys) > 0 && v.paginate.kind != "none" {
		f.seen = r.seen
	}
	return f
}

// fetch gets one page.
func (r *reading) fetch(ctx context.Context, v *variant, b built, pg *page, f *filter) error {
	limiter := r.src.limiters[v.budget]
	c := &call{built: b, limiter: limiter, rules: r.rules(), mayMiss: r.partOfParent(),
		take: func(resp *http.Response, body *body) ([]byte, error) { return r.take(pg, v, f, resp, body) },
		// Rows that are on their way already may come twice only if the warehouse can tell.
		repeat: func() bool { return !pg.passed || len(r.st.def.primaryKey) > 0 },
	}
	err := r.src.exchange(ctx, c)
	if errors.Is(err, errSkip) {
		pg.release()
		r.seen.forget()
		*pg = page{response: map[string]any{"headers": header{}}, sorted: true}
		return nil
	}
	return err
}

// partOfParent reports whether requests are about rows of another stream, which may be
// gone by now.
func (r *reading) partOfParent() bool {
	return r.st.def.partition != nil && r.st.def.partition.stream != ""
}

// newBatch makes a batch that shares columns with another.
func newBatch(fields []arrow.Field, columns []arrow.Array, n int64) arrow.RecordBatch {
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, n)
}
