package engine

import (
	"context"
	"errors"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"golang.org/x/sync/errgroup"

	"github.com/unsilo/unsilo/core"
)

// piece is one batch on its way, retained.
type piece struct {
	op    core.Op
	rows  arrow.RecordBatch // nil when the piece only carries a position
	after core.State
}

// chunk is what one commit takes: pieces in the order they came.
type chunk struct {
	pieces []piece
	rows   int64
	bytes  int64
	began  time.Time
}

func (c *chunk) add(p piece) {
	if len(c.pieces) == 0 {
		c.began = time.Now()
	}
	c.pieces = append(c.pieces, p)
	if p.rows != nil {
		c.rows += p.rows.NumRows()
		c.bytes += core.RowBytes(p.rows)
	}
}

// cut leaves the first n rows in the chunk and gives the others, all of which must be of
// the last piece. The position of that piece goes with its last part.
func (c *chunk) cut(n int64) *chunk {
	last := c.pieces[len(c.pieces)-1]
	all, rest := last.rows, &chunk{}
	at := all.NumRows() - (c.rows - n)
	rest.add(piece{op: last.op, rows: all.NewSlice(at, all.NumRows()), after: last.after})
	c.pieces[len(c.pieces)-1] = piece{op: last.op, rows: all.NewSlice(0, at)}
	c.rows, c.bytes = n, c.bytes-rest.bytes
	all.Release()
	return rest
}

// release gives the rows back. It is safe to call once whatever happened to the chunk.
func (c *chunk) release() {
	for _, p := range c.pieces {
		if p.rows != nil {
			p.rows.Release()
		}
	}
	c.pieces = nil
}

// split cuts a chunk after the last piece that carries a position. rest is empty when
// the chunk ends there, and so is head when there is no position at all.
func (c *chunk) split() (head, rest *chunk) {
	last := -1
	for i, p := range c.pieces {
		if p.after != nil {
			last = i
		}
	}
	head, rest = &chunk{}, &chunk{}
	for i, p := range c.pieces {
		if i <= last {
			head.add(p)
		} else {
			rest.add(p)
		}
	}
	return head, rest
}

// state is the last position in the chunk.
func (c *chunk) state() core.State {
	for i := len(c.pieces) - 1; i >= 0; i-- {
		if c.pieces[i].after != nil {
			return c.pieces[i].after
		}
	}
	return nil
}

// sink takes chunks and makes them durable.
type sink interface {
	// store commits a chunk as far as it can be.
	store(ctx context.Context, c *chunk) error
	// finish is called after the last chunk, when the source said that it gave everything.
	finish(ctx context.Context) error
	// divides reports whether one batch may be stored by two commits.
	divides() bool
}

// pump moves the rows of one Read to a sink. Three goroutines work hand in hand: the
// source fills batches, the gatherer makes chunks of them, and the sink stores the chunk
// before. Each hand-over blocks, so a slow warehouse slows the source down.
func (s *streamRun) pump(ctx context.Context, src core.Source, req core.ReadRequest, to sink) error {
	shape, err := newShaper(s.step, s.Mask)
	if err != nil {
		return err
	}
	pieces, chunks := make(chan piece), make(chan *chunk)
	var readErr error
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(pieces)
		readErr = src.Read(ctx, req, func(b core.Batch) error { return s.take(ctx, shape, b, pieces) })
		return nil // what was read before the error is stored first
	})
	g.Go(func() error {
		defer close(chunks)
		return s.gather(ctx, pieces, chunks, to.divides())
	})
	g.Go(func() error {
		for c := range chunks {
			if err := s.storeOne(ctx, to, c); err != nil {
				return storeError{err}
			}
		}
		if readErr != nil || ctx.Err() != nil { // the reader ended before chunks was closed
			return ctx.Err()
		}
		if err := to.finish(ctx); err != nil {
			return storeError{err}
		}
		return nil
	})
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	} else if readErr == nil {
		return err
	}
	return readErr
}

// take shapes and masks a batch and hands it over.
func (s *streamRun) take(ctx context.Context, shape *shaper, b core.Batch, pieces chan<- piece) error {
	p := piece{op: b.Op, after: b.After}
	if b.Rows != nil && b.Rows.NumRows() > 0 {
		if b.Op == core.OpReject {
			b.Rows.Retain()
			p.rows = b.Rows
		} else {
			shaped, err := shape.apply(ctx, b.Rows)
			if err != nil {
				return err
			}
			p.rows = shaped
		}
		s.event(core.Event{Kind: core.EventProgress, Read: s.rowsRead.Add(b.Rows.NumRows())})
	}
	if p.rows == nil && p.after == nil {
		return nil
	}
	select {
	case pieces <- p:
		return nil
	case <-ctx.Done():
		if p.rows != nil {
			p.rows.Release()
		}
		return ctx.Err()
	}
}

// gather makes chunks of the size and age that the limits say; where it may divide a
// batch, of just as many rows.
func (s *streamRun) gather(ctx context.Context, pieces <-chan piece, chunks chan<- *chunk, divide bool) error {
	limits := s.Limits.withDefaults(s.Project)
	cur := &chunk{}
	send := func() error {
		select {
		case chunks <- cur:
			cur = &chunk{}
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	stop := func(err error) error {
		cur.release()
		for p := range pieces {
			if p.rows != nil {
				p.rows.Release()
			}
		}
		return err
	}
	age := time.NewTimer(limits.Age)
	defer age.Stop()
	for {
		select {
		case p, open := <-pieces:
			if !open && len(cur.pieces) == 0 {
				return nil
			}
			if !open {
				if err := send(); err != nil {
					return stop(err)
				}
				return nil
			}
			cur.add(p)
			for divide && cur.rows > limits.Rows {
				rest := cur.cut(limits.Rows)
				if err := send(); err != nil {
					rest.release()
					return stop(err)
				}
				age.Reset(limits.Age)
				cur = rest
			}
			if cur.rows < limits.Rows && cur.bytes < limits.Bytes {
				continue
			}
		case <-age.C:
		case <-ctx.Done():
			return stop(ctx.Err())
		}
		age.Reset(limits.Age)
		if len(cur.pieces) == 0 {
			continue
		}
		if err := send(); err != nil {
			return stop(err)
		}
	}
}

// storeError is a failure to store what the silo sent.
type storeError struct{ error }

func (e storeError) Unwrap() error { return e.error }

func (s *streamRun) storeOne(ctx context.Context, to sink, c *chunk) error {
	defer c.release()
	if err := s.fail("chunk_ready"); err != nil {
		return err
	}
	return to.store(ctx, c)
}
