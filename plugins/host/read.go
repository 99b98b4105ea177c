package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/plugins/wire"
)

// Read passes on rows as they come. emit blocks the plugin through the flow control of
// the call, with one frame decoded and a window of a few MiB behind it.
func (s *source) Read(ctx context.Context, req core.ReadRequest, emit func(core.Batch) error) error {
	p, id, err := s.attach(ctx)
	if err != nil {
		return err
	}
	const op = "read"
	name := req.Stream.Name
	w, err := wire.RequestToWire(id, req)
	if err != nil {
		return &core.Error{Kind: core.KindInternal, Op: op, Stream: name, Err: err}
	}
	limit := s.host.opt.HangTimeout
	w.MaxBody, w.Heartbeat = s.host.opt.MaxBody, durationpb.New(limit/6)

	call, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stream, err := p.rpc.Read(call, w)
	if err != nil {
		return p.failure(ctx, op, name, err)
	}
	silent := time.AfterFunc(limit, func() { cancel(errSilent) })
	defer silent.Stop()
	dec := wire.NewDecoder(s.host.opt.MaxBody)
	for {
		silent.Reset(limit)
		ev := &wire.Event{}
		err := stream.RecvMsg(ev)
		silent.Stop()
		switch {
		case err == nil:
		case errors.Is(context.Cause(call), errSilent) && ctx.Err() == nil:
			return &core.Error{Kind: core.KindUnavailable, Op: op, Stream: name,
				Err: fmt.Errorf("plugin %s sent neither rows nor a heartbeat for %s", p.family, limit)}
		case err == io.EOF:
			return &core.Error{Kind: core.KindInternal, Op: op, Stream: name,
				Err: fmt.Errorf("plugin %s ended the read without saying that it was complete", p.family)}
		default:
			return p.failure(ctx, op, name, err)
		}
		got, err := dec.Next(ev)
		failed := ev.Error()
		ev.Free()
		if err != nil {
			return &core.Error{Kind: core.KindInternal, Op: op, Stream: name, Err: fmt.Errorf("plugin %s broke the protocol: %w", p.family, err),
				Try: "report this to the author of the plugin"}
		}
		if got.Failed != nil {
			return p.remote(failed)
		}
		if err := emitAll(got.Batches, emit); err != nil || got.Done {
			return err
		}
	}
}

// emitAll emits batches and releases them, also those after a failure.
func emitAll(batches []core.Batch, emit func(core.Batch) error) (err error) {
	for _, b := range batches {
		if err == nil {
			err = emit(b)
		}
		if b.Rows != nil {
			b.Rows.Release()
		}
	}
	return err
}

var errSilent = errors.New("no event came in time")
