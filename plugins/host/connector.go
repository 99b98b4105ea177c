package host

import (
	"context"
	"fmt"
	"sync"

	plugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/plugins/wire"
	wirev1 "github.com/unsilo/unsilo/plugins/wire/v1"
)

// maxReply bounds an answer other than the events of a read.
const maxReply = 64 << 20

// clientPlugin is the asking half of the border for go-plugin.
type clientPlugin struct {
	plugin.NetRPCUnsupportedPlugin
}

// GRPCServer is not this side's business.
func (clientPlugin) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error {
	return fmt.Errorf("the host serves nothing")
}

// GRPCClient gives the connection itself.
func (clientPlugin) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return grpc.ClientConnInterface(conn), nil
}

// specs asks what the plugin serves.
func (p *process) specs(ctx context.Context) ([]core.Spec, error) {
	const op = "describe connectors"
	reply, err := p.rpc.Spec(ctx, &wirev1.SpecRequest{}, grpc.MaxCallRecvMsgSize(maxReply))
	if err != nil {
		return nil, p.failure(ctx, op, "", err)
	}
	if err := p.remote(reply.GetError()); err != nil {
		return nil, err
	}
	var out []core.Spec
	for _, w := range reply.GetSpecs() {
		s, err := wire.SpecFromWire(w)
		if err != nil {
			return nil, &core.Error{Kind: core.KindInternal, Op: op, Err: fmt.Errorf("plugin %s: %w", p.family, err)}
		}
		out = append(out, s)
	}
	return out, nil
}

// remote is the error of a connector, redacted.
func (p *process) remote(w *wirev1.Error) error {
	if w == nil {
		return nil
	}
	for _, s := range []*string{&w.Op, &w.Stream, &w.Path, &w.Try, &w.Cause, &w.Text} {
		*s = p.host.opt.Redact(*s)
	}
	return wire.ErrorFromWire(w)
}

// connector is a core.Connector in another process.
type connector struct {
	host   *Host
	family string
	spec   core.Spec
}

// Spec comes from memory.
func (c *connector) Spec() core.Spec { return c.spec }

// Open starts a process for the source, or takes the one that told the specs.
func (c *connector) Open(ctx context.Context, cfg core.Config) (core.Source, error) {
	encoded, err := wire.ConfigToWire(cfg)
	if err != nil {
		return nil, &core.Error{Kind: core.KindInternal, Op: "open source", Err: err}
	}
	s := &source{host: c.host, family: c.family, connector: c.spec.Name, config: encoded}
	if _, _, err := s.attach(ctx); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// source is a core.Source in another process.
type source struct {
	host              *Host
	family, connector string
	config            []byte

	mu      sync.Mutex
	process *process
	id      uint64
	starts  int
	closed  bool
}

// attach gives the process that holds the source, started anew when the last one ended.
func (s *source) attach(ctx context.Context) (*process, uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return nil, 0, &core.Error{Kind: core.KindInternal, Op: "use source", Err: fmt.Errorf("the source is closed")}
	case s.process != nil && s.process.alive():
		return s.process, s.id, nil
	case s.starts > s.host.opt.MaxRestarts:
		kind, why := s.process.obituary(nil)
		if kind == core.KindUnavailable {
			kind = core.KindInternal // no further retry
		}
		return nil, 0, &core.Error{Kind: kind, Op: "use source", Err: fmt.Errorf("started %d times: %w", s.starts, why)}
	}
	if s.process != nil {
		s.process.stop()
	}
	s.starts++
	p, err := s.host.take(ctx, s.family)
	if err != nil {
		return nil, 0, err
	}
	s.process, s.id = p, 0
	reply, err := p.rpc.Open(ctx, &wirev1.OpenRequest{Connector: s.connector, Config: s.config})
	if err != nil {
		err = p.failure(ctx, "open source", "", err)
	} else {
		err = p.remote(reply.GetError())
	}
	if err != nil {
		p.stop() // it holds no source, and the next use starts another
		return nil, 0, err
	}
	s.id = reply.GetSource()
	return p, s.id, nil
}

// Check passes the call on.
func (s *source) Check(ctx context.Context) error {
	p, id, err := s.attach(ctx)
	if err != nil {
		return err
	}
	reply, err := p.rpc.Check(ctx, &wirev1.CheckRequest{Source: id})
	if err != nil {
		return p.failure(ctx, "check source", "", err)
	}
	return p.remote(reply.GetError())
}

// Streams passes the call on.
func (s *source) Streams(ctx context.Context) ([]core.Stream, error) {
	p, id, err := s.attach(ctx)
	if err != nil {
		return nil, err
	}
	reply, err := p.rpc.Streams(ctx, &wirev1.StreamsRequest{Source: id}, grpc.MaxCallRecvMsgSize(maxReply))
	if err != nil {
		return nil, p.failure(ctx, "list streams", "", err)
	}
	if err := p.remote(reply.GetError()); err != nil {
		return nil, err
	}
	var out []core.Stream
	for _, w := range reply.GetStreams() {
		stream, err := wire.StreamFromWire(w)
		if err != nil {
			return nil, &core.Error{Kind: core.KindInternal, Op: "list streams", Err: fmt.Errorf("plugin %s: %w", p.family, err)}
		}
		out = append(out, stream)
	}
	return out, nil
}

// Close closes the source and ends its process, whatever state it is in.
func (s *source) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	p := s.process
	if p == nil {
		return nil
	}
	defer p.stop()
	if s.id == 0 || !p.alive() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.host.opt.CloseGrace)
	defer cancel()
	reply, err := p.rpc.Close(ctx, &wirev1.CloseRequest{Source: s.id})
	if err != nil {
		return p.failure(context.Background(), "close source", "", err)
	}
	return p.remote(reply.GetError())
}
