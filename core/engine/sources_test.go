package engine_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/config"
	"github.com/unsilo/unsilo/core/engine"
)

// twoStreams is a source of which one stream breaks once while the other is being read.
type twoStreams struct {
	*silo
	// broke is closed by the second read of "shaky", which a new source has to answer.
	broke       chan struct{}
	shaky, calm *atomic.Int64
	closed      atomic.Bool
}

func (s *twoStreams) Streams(ctx context.Context) ([]core.Stream, error) {
	list, err := s.silo.Streams(ctx)
	if err != nil {
		return nil, err
	}
	shaky, calm := list[0], list[0]
	shaky.Name, calm.Name = "shaky", "calm"
	return []core.Stream{shaky, calm}, nil
}

func (s *twoStreams) Close() error {
	s.closed.Store(true)
	return nil
}

func (s *twoStreams) Read(ctx context.Context, req core.ReadRequest, emit func(core.Batch) error) error {
	if req.Limit > 0 { // a sample
		return s.silo.Read(ctx, req, emit)
	}
	if req.Stream.Name == "shaky" {
		if s.shaky.Add(1) == 1 {
			return &core.Error{Kind: core.KindUnavailable, Err: errors.New("cut")}
		}
		close(s.broke)
		return s.silo.Read(ctx, req, emit)
	}
	s.calm.Add(1)
	<-s.broke
	if s.closed.Load() {
		return context.Canceled // what a source says whose process was ended
	}
	return s.silo.Read(ctx, req, emit)
}

// TestABrokenStreamLeavesItsSourceToTheOthers: a source is opened anew for the stream that
// broke, and the old one is closed when the other stream has read it to its end.
func TestABrokenStreamLeavesItsSourceToTheOthers(t *testing.T) {
	b := newBench(t, config.Stream{}, map[string]*silo{"crm": newSilo(30)})
	block := b.e.Project.Sources[0].Streams[0]
	b.e.Project.Sources[0].Streams = nil
	for _, name := range []string{"shaky", "calm"} {
		block.Name = name
		b.e.Project.Sources[0].Streams = append(b.e.Project.Sources[0].Streams, block)
	}
	var opened []*twoStreams
	broke, shaky, calm := make(chan struct{}), &atomic.Int64{}, &atomic.Int64{}
	b.e.Connect = func(context.Context, config.Source) (core.Source, error) {
		s := &twoStreams{silo: newSilo(30), broke: broke, shaky: shaky, calm: calm}
		opened = append(opened, s)
		return s, nil
	}
	res := b.run()
	for _, s := range res.Streams {
		if s.Status != engine.StatusDone || s.New != 30 {
			t.Errorf("%s: %s with %d new rows: %v", s.Stream, s.Status, s.New, s.Err)
		}
	}
	if shaky.Load() != 2 || calm.Load() != 1 {
		t.Errorf("the broken stream was read %d times and the other %d, want 2 and 1", shaky.Load(), calm.Load())
	}
	if len(opened) != 2 || !opened[0].closed.Load() || opened[1].closed.Load() {
		t.Errorf("%d sources were opened; the first must be closed and the second not yet", len(opened))
	}
}
