package sdk

import (
	"context"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/plugins/wire"
	wirev1 "github.com/unsilo/unsilo/plugins/wire/v1"
)

// defaultHeartbeat is how often a read shows life when the host does not say.
const defaultHeartbeat = 5 * time.Second

// Read runs one read and sends what it emits. The call ends with an End or an Error
// event, or with a status when the host cancelled it.
func (s *server) Read(req *wirev1.ReadRequest, stream grpc.ServerStreamingServer[wirev1.ReadEvent]) error {
	enc := wire.NewEncoder(memory.DefaultAllocator, req.GetMaxBody(),
		func(ev *wire.Event) error { return stream.SendMsg(ev) })
	src, ctx, done, err := s.use(stream.Context(), req.GetSource())
	if err != nil {
		return enc.Fail(err)
	}
	defer done()
	request, err := wire.RequestFromWire(req)
	if err != nil {
		return enc.Fail(&core.Error{Kind: core.KindInternal, Op: "read", Stream: req.GetStream().GetName(), Err: err})
	}
	out := newSender(ctx, enc, func() error {
		return stream.Send(&wirev1.ReadEvent{Event: &wirev1.ReadEvent_Heartbeat{Heartbeat: &wirev1.Heartbeat{}}})
	})
	defer out.release()
	beat := req.GetHeartbeat().AsDuration()
	if beat <= 0 {
		beat = defaultHeartbeat
	}
	var g errgroup.Group
	beats, stop := context.WithCancel(ctx)
	g.Go(func() error { return out.keepAlive(beats, beat) })
	err = guard("read", func() error { return src.Read(ctx, request, out.emit) })
	stop()
	_ = g.Wait() // it reports what out keeps anyway
	if ctx.Err() != nil {
		return ctx.Err()
	}
	// Rows that were emitted before an error count.
	if flushErr := out.flush(); err == nil {
		err = flushErr
	}
	if err != nil {
		return enc.Fail(err)
	}
	return enc.End()
}
