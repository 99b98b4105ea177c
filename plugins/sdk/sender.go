package sdk

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/plugins/wire"
)

// When a group of small batches is sent.
const (
	groupRows = 32 << 10
	groupSize = 4 << 20 // bytes, estimated
	groupAge  = 500 * time.Millisecond
	// A batch that is this large goes by itself, without a copy.
	aloneRows = 8 << 10
	aloneSize = 1 << 20
)

// sender joins the small batches of one read and sends the groups. Its lock is held
// while the host is busy, which is what blocks emit.
type sender struct {
	ctx  context.Context
	enc  *wire.Encoder
	beat func() error

	mu    sync.Mutex
	err   error // the first failure; everything after it fails the same way
	sent  time.Time
	group group
}

// group is what waits to be sent: batches of one schema and operation.
type group struct {
	batches []arrow.RecordBatch // retained
	op      core.Op
	rows    int64
	size    int64
	since   time.Time
	// mark is the last position in the group; earlier ones need not be told.
	mark *wire.Mark
}

func newSender(ctx context.Context, enc *wire.Encoder, beat func() error) *sender {
	return &sender{ctx: ctx, enc: enc, beat: beat, sent: time.Now()}
}

// emit is what the connector calls.
func (s *sender) emit(b core.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ctx.Err(); err != nil {
		return err
	}
	if s.err != nil {
		return s.err
	}
	if b.After != nil && !json.Valid(b.After) {
		return s.fail(&core.Error{Kind: core.KindInternal, Op: "emit", Err: errors.New("the state is not JSON")})
	}
	return s.fail(s.add(b))
}

func (s *sender) fail(err error) error {
	if s.err == nil {
		s.err = err
	}
	return err
}

func (s *sender) add(b core.Batch) error {
	g := &s.group
	if b.Rows != nil && b.Rows.NumRows() > 0 {
		rows, size := b.Rows.NumRows(), recordSize(b.Rows)
		alone := rows >= aloneRows || size >= aloneSize
		if len(g.batches) > 0 && (alone || g.op != b.Op || !sameSchema(g.batches[0].Schema(), b.Rows.Schema())) {
			if err := s.send(); err != nil {
				return err
			}
		}
		if len(g.batches) == 0 {
			g.op, g.since = b.Op, time.Now()
		}
		b.Rows.Retain()
		g.batches = append(g.batches, b.Rows)
		g.rows += rows
		g.size += size
	} else if len(g.batches) == 0 && g.mark == nil {
		g.op, g.since = b.Op, time.Now()
	}
	if b.After != nil {
		g.mark = &wire.Mark{Rows: g.rows, After: slices.Clone(b.After)}
	}
	if g.rows >= aloneRows && len(g.batches) == 1 || g.rows >= groupRows || g.size >= groupSize ||
		g.size >= aloneSize && len(g.batches) == 1 {
		return s.send()
	}
	return nil
}

// send sends the group and empties it.
func (s *sender) send() error {
	g := s.group
	s.group = group{}
	defer g.release()
	if len(g.batches) == 0 && g.mark == nil {
		return nil
	}
	rows, err := g.join()
	if err != nil {
		return &core.Error{Kind: core.KindInternal, Op: "join batches", Err: err}
	}
	if rows != nil {
		defer rows.Release()
	}
	var marks []wire.Mark
	if g.mark != nil {
		marks = append(marks, *g.mark)
	}
	err = s.enc.Write(rows, g.op, marks)
	s.sent = time.Now()
	return err
}

// flush sends what waits.
func (s *sender) flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	return s.fail(s.send())
}

// release lets go of what was never sent.
func (s *sender) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.group.release()
	s.group = group{}
}

// keepAlive sends groups that grew old, and heartbeats, until ctx ends. While a send is
// blocked it does nothing: then the host is the slow one.
func (s *sender) keepAlive(ctx context.Context, every time.Duration) error {
	tick := time.NewTicker(min(every, groupAge) / 2)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if !s.mu.TryLock() {
			continue
		}
		err := s.err
		switch {
		case err != nil:
		case !s.group.since.IsZero() && time.Since(s.group.since) >= groupAge:
			err = s.fail(s.send())
		case time.Since(s.sent) >= every:
			err = s.fail(s.beat())
			s.sent = time.Now()
		}
		s.mu.Unlock()
		if err != nil {
			return err
		}
	}
}

// join makes one batch of the group; nil when it has none. The caller releases it.
func (g *group) join() (arrow.RecordBatch, error) {
	switch len(g.batches) {
	case 0:
		return nil, nil
	case 1:
		g.batches[0].Retain()
		return g.batches[0], nil
	}
	schema := g.batches[0].Schema()
	cols := make([]arrow.Array, 0, schema.NumFields())
	defer func() {
		for _, c := range cols {
			c.Release()
		}
	}()
	parts := make([]arrow.Array, len(g.batches))
	for i := range schema.NumFields() {
		for j, b := range g.batches {
			parts[j] = b.Column(i)
		}
		col, err := array.Concatenate(parts, memory.DefaultAllocator)
		if err != nil {
			return nil, err
		}
		cols = append(cols, col)
	}
	return array.NewRecordBatch(schema, cols, g.rows), nil
}

func (g *group) release() {
	for _, b := range g.batches {
		b.Release()
	}
}

// sameSchema also compares metadata: it carries meaning.
func sameSchema(a, b *arrow.Schema) bool {
	return a == b || a.Equal(b) && a.Metadata().Equal(b.Metadata())
}

// recordSize estimates the bytes of a batch. For nested columns it may count too much,
// which only sends them earlier.
func recordSize(rec arrow.RecordBatch) int64 {
	var size int64
	for _, c := range rec.Columns() {
		switch c := c.(type) {
		case interface{ ValueBytes() []byte }:
			size += int64(len(c.ValueBytes())) + 4*int64(c.(arrow.Array).Len())
		default:
			if t, ok := c.DataType().(arrow.FixedWidthDataType); ok {
				size += int64(t.BitWidth()) * int64(c.Len()) / 8
			} else {
				size += int64(c.Data().SizeInBytes())
			}
		}
	}
	return size
}
