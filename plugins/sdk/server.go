package sdk

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/plugins/wire"
	wirev1 "github.com/unsilo/unsilo/plugins/wire/v1"
)

// closeGrace is how long Close waits for reads that were cancelled.
const closeGrace = 2 * time.Second

// server answers the host. Errors of a connector travel in the answers; a gRPC status
// is left for what went wrong with the call itself.
type server struct {
	wirev1.UnimplementedPluginServer
	connectors []core.Connector
	logs       *logHandler // nil in tests without a process
	// restore undoes, on the first call, what go-plugin did to os.Stdout and os.Stderr:
	// it sends both through the connection, where the last words of a crash are lost.
	restore func()

	mu      sync.Mutex
	last    uint64
	sources map[uint64]*source
}

// source is an opened source and its calls under way, which the server's lock guards.
type source struct {
	core.Source
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	calls  int
	idle   chan struct{} // closed when calls is 0 after Close
	closed bool
}

func newServer(connectors []core.Connector) *server {
	return &server{connectors: connectors, restore: func() {}, sources: map[uint64]*source{}}
}

// Spec describes all connectors.
func (s *server) Spec(context.Context, *wirev1.SpecRequest) (*wirev1.SpecResponse, error) {
	s.restore()
	out := &wirev1.SpecResponse{}
	err := guard("describe connectors", func() error {
		for _, c := range s.connectors {
			spec, err := wire.SpecToWire(c.Spec())
			if err != nil {
				return &core.Error{Kind: core.KindInternal, Op: "describe connectors", Err: err}
			}
			out.Specs = append(out.Specs, spec)
		}
		return nil
	})
	out.Error = wire.ErrorToWire(err)
	return out, nil
}

// Open makes a source. The context it passes on outlives the call: a source may keep it.
func (s *server) Open(ctx context.Context, req *wirev1.OpenRequest) (*wirev1.OpenResponse, error) {
	s.restore()
	id, err := s.open(ctx, req)
	return &wirev1.OpenResponse{Source: id, Error: wire.ErrorToWire(err)}, nil
}

func (s *server) open(ctx context.Context, req *wirev1.OpenRequest) (uint64, error) {
	cfg, err := wire.ConfigFromWire(req.GetConfig())
	if err != nil {
		return 0, &core.Error{Kind: core.KindInternal, Op: "open source", Err: err}
	}
	c, err := s.connector(req.GetConnector())
	if err != nil {
		return 0, err
	}
	life, cancel := context.WithCancel(context.Background())
	stop := context.AfterFunc(ctx, cancel)
	defer stop()
	var src core.Source
	err = guard("open source", func() error {
		src, err = c.Open(life, cfg)
		return err
	})
	if err != nil {
		cancel()
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	s.sources[s.last] = &source{Source: src, ctx: life, cancel: cancel, idle: make(chan struct{})}
	return s.last, nil
}

func (s *server) connector(name string) (core.Connector, error) {
	for _, c := range s.connectors {
		if c.Spec().Name == name {
			return c, nil
		}
	}
	return nil, &core.Error{Kind: core.KindConfig, Op: "open source", Err: fmt.Errorf("this plugin has no connector %q", name)}
}

// use finds a source and counts a call on it; done ends the call.
func (s *server) use(ctx context.Context, id uint64) (src *source, call context.Context, done func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	src, ok := s.sources[id]
	if !ok {
		return nil, nil, nil, &core.Error{Kind: core.KindInternal, Op: "use source", Err: fmt.Errorf("source %d is not open", id)}
	}
	src.calls++
	call, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(src.ctx, cancel)
	return src, call, func() { stop(); cancel(); s.leave(src) }, nil
}

func (s *server) leave(src *source) {
	s.mu.Lock()
	defer s.mu.Unlock()
	src.calls--
	if src.closed && src.calls == 0 {
		close(src.idle)
	}
}

// Check passes the call on.
func (s *server) Check(ctx context.Context, req *wirev1.CheckRequest) (*wirev1.CheckResponse, error) {
	src, ctx, done, err := s.use(ctx, req.GetSource())
	if err != nil {
		return &wirev1.CheckResponse{Error: wire.ErrorToWire(err)}, nil
	}
	defer done()
	err = guard("check source", func() error { return src.Check(ctx) })
	return &wirev1.CheckResponse{Error: wire.ErrorToWire(err)}, nil
}

// Streams passes the call on.
func (s *server) Streams(ctx context.Context, req *wirev1.StreamsRequest) (*wirev1.StreamsResponse, error) {
	out := &wirev1.StreamsResponse{}
	src, ctx, done, err := s.use(ctx, req.GetSource())
	if err != nil {
		out.Error = wire.ErrorToWire(err)
		return out, nil
	}
	defer done()
	err = guard("list streams", func() error {
		streams, err := src.Streams(ctx)
		for _, stream := range streams {
			w, convErr := wire.StreamToWire(stream)
			if convErr != nil {
				return &core.Error{Kind: core.KindInternal, Op: "list streams", Err: convErr}
			}
			out.Streams = append(out.Streams, w)
		}
		return err
	})
	out.Error = wire.ErrorToWire(err)
	return out, nil
}

// Close cancels the calls that still run, gives them a moment, and closes the source.
func (s *server) Close(_ context.Context, req *wirev1.CloseRequest) (*wirev1.CloseResponse, error) {
	src, ok := s.remove(req.GetSource())
	if !ok {
		return &wirev1.CloseResponse{}, nil
	}
	src.cancel()
	select {
	case <-src.idle:
	case <-time.After(closeGrace):
		err := &core.Error{Kind: core.KindInternal, Op: "close source",
			Err: fmt.Errorf("a call goes on %s after it was cancelled", closeGrace)}
		return &wirev1.CloseResponse{Error: wire.ErrorToWire(err)}, nil
	}
	err := guard("close source", src.Source.Close)
	return &wirev1.CloseResponse{Error: wire.ErrorToWire(err)}, nil
}

// remove takes a source out of use.
func (s *server) remove(id uint64) (*source, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	src, ok := s.sources[id]
	if !ok {
		return nil, false
	}
	delete(s.sources, id)
	src.closed = true
	if src.calls == 0 {
		close(src.idle)
	}
	return src, true
}

// guard makes a panic of the connector an error of this one call. The stack goes to
// standard error.
func guard(op string, call func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(os.Stderr, "connector panicked in %s: %v\n%s\n", op, p, debug.Stack())
			err = &core.Error{Kind: core.KindInternal, Op: op, Err: fmt.Errorf("the connector panicked: %v", p),
				Try: "report this to the author of the plugin, with the stack from its log"}
		}
	}()
	return call()
}
