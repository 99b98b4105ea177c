package coretest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/unsilo/unsilo/core"
)

// connectorSuite is one connector under test. Streams and full reads are made once and
// kept, so that a rule costs what it adds.
type connectorSuite struct {
	ConnectorCase
	ctx     context.Context
	spec    core.Spec
	specErr error

	listed    bool
	streams   []core.Stream
	listErr   error
	baselines map[string]*baseline
}

// baseline is the first full read of a stream.
type baseline struct {
	read *readout
	err  error
}

// errLong ends a read that is longer than the suite compares.
var errLong = errors.New("the stream is longer than the suite reads")

func newConnectorSuite(ctx context.Context, c ConnectorCase) *connectorSuite {
	if c.MaxRows <= 0 {
		c.MaxRows = 50_000
	}
	s := &connectorSuite{ConnectorCase: c, ctx: ctx, baselines: map[string]*baseline{}}
	defer func() {
		if p := recover(); p != nil {
			s.specErr = fmt.Errorf("Spec panicked: %v", p)
		}
	}()
	s.spec = c.Connector.Spec()
	return s
}

// with opens the source, runs f and closes the source.
func (s *connectorSuite) with(f func(core.Source) error) (err error) {
	src, err := s.Connector.Open(s.ctx, s.Config)
	if err != nil {
		return fmt.Errorf("Open: %w", err)
	}
	defer func() {
		if closeErr := src.Close(); closeErr != nil && err == nil {
			err = fmt.Errorf("Close: %w", closeErr)
		}
	}()
	return f(src)
}

// list gives the streams under test.
func (s *connectorSuite) list() ([]core.Stream, error) {
	if s.listed {
		return s.streams, s.listErr
	}
	s.listed = true
	s.listErr = s.with(func(src core.Source) error {
		all, err := src.Streams(s.ctx)
		for _, stream := range all {
			if len(s.Streams) == 0 || slices.Contains(s.Streams, stream.Name) {
				s.streams = append(s.streams, stream)
			}
		}
		if err == nil && len(s.streams) == 0 {
			err = errors.New("there is no stream to test: Config.Streams declares none that the connector needs, or Streams names others")
		}
		return err
	})
	return s.streams, s.listErr
}

// each runs f on every stream and joins what it says. The rule is skipped when it was on
// every stream.
func (s *connectorSuite) each(f func(core.Stream) error) error {
	streams, err := s.list()
	if err != nil {
		return fmt.Errorf("Streams: %w", err)
	}
	var errs []error
	var skip skipped
	ran := false
	for _, stream := range streams {
		err := f(stream)
		if errors.As(err, &skip) {
			continue
		}
		ran = true
		if err != nil {
			errs = append(errs, fmt.Errorf("stream %q: %w", stream.Name, err))
		}
	}
	if !ran {
		return skip
	}
	return errors.Join(errs...)
}

// eachRead runs f on every stream with its first full read.
func (s *connectorSuite) eachRead(f func(core.Stream, *readout) error) error {
	return s.each(func(stream core.Stream) error {
		base, err := s.full(stream)
		if err != nil {
			return err
		}
		return f(stream, base)
	})
}

// full gives the first full read of a stream.
func (s *connectorSuite) full(stream core.Stream) (*readout, error) {
	b, ok := s.baselines[stream.Name]
	if !ok {
		b = &baseline{}
		b.read, b.err = s.read(core.ReadRequest{Stream: stream})
		s.baselines[stream.Name] = b
	}
	if errors.Is(b.err, errLong) {
		return nil, skipped(fmt.Sprintf("the stream has more than %d rows", s.MaxRows))
	}
	if b.err != nil {
		return nil, fmt.Errorf("full read: %w", b.err)
	}
	return b.read, nil
}

// read opens a source for one read.
func (s *connectorSuite) read(req core.ReadRequest) (out *readout, err error) {
	err = s.with(func(src core.Source) error {
		out, err = s.readFrom(s.ctx, src, req)
		return err
	})
	return out, err
}

// readFrom collects one read of an opened source.
func (s *connectorSuite) readFrom(ctx context.Context, src core.Source, req core.ReadRequest) (*readout, error) {
	out := newReadout(req.Stream)
	err := src.Read(ctx, req, func(b core.Batch) error {
		if int64(len(out.rows)) > s.MaxRows {
			return errLong
		}
		return out.add(b)
	})
	return out, err
}

// within runs f and fails when it takes longer than the limit; f goes on then.
func within(limit time.Duration, what string, f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-time.After(limit):
		return fmt.Errorf("%s took longer than %s", what, limit)
	}
}

// secrets are the values of secret fields that are long enough to be looked for.
func (s *connectorSuite) secrets() []string {
	var out []string
	for _, f := range s.spec.Fields {
		if v := s.Config.String(f.Name); f.Secret && len(v) >= 4 {
			out = append(out, v)
		}
	}
	for _, stream := range s.Config.Streams {
		for _, f := range s.spec.StreamFields {
			if v := stream.String(f.Name); f.Secret && len(v) >= 4 {
				out = append(out, v)
			}
		}
	}
	return out
}
