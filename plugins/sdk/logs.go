package sdk

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	wirev1 "github.com/unsilo/unsilo/plugins/wire/v1"
)

// logQueue is how many records wait for a host that is slow to read them; more are
// counted and dropped, so that logging never blocks a connector.
const logQueue = 1024

// logHandler is a slog.Handler that sends records to the host while it listens, and to
// standard error as JSON while it does not.
type logHandler struct {
	sink   *logSink
	stderr slog.Handler
	attrs  []slog.Attr // with the names of open groups in their keys
	prefix string
}

// logSink is shared by all handlers derived from one.
type logSink struct {
	mu      sync.Mutex
	queue   chan *wirev1.LogRecord // nil while the host does not listen
	dropped int
}

func newLogHandler(stderr io.Writer) *logHandler {
	options := &slog.HandlerOptions{Level: slog.LevelDebug}
	return &logHandler{sink: &logSink{}, stderr: slog.NewJSONHandler(stderr, options)}
}

// install makes the handler that of slog.Default, and so of package log.
func (h *logHandler) install() { slog.SetDefault(slog.New(h)) }

// Enabled takes all levels: the host filters.
func (h *logHandler) Enabled(context.Context, slog.Level) bool { return true }

// WithAttrs keeps attributes for later records.
func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := *h
	next.attrs = slices.Clone(h.attrs)
	for _, a := range attrs {
		a.Key = h.prefix + a.Key
		next.attrs = append(next.attrs, a)
	}
	next.stderr = h.stderr.WithAttrs(attrs)
	return &next
}

// WithGroup puts a name before the keys of later attributes.
func (h *logHandler) WithGroup(name string) slog.Handler {
	next := *h
	next.prefix += name + "."
	next.stderr = h.stderr.WithGroup(name)
	return &next
}

// Handle sends one record.
func (h *logHandler) Handle(ctx context.Context, r slog.Record) error {
	h.sink.mu.Lock()
	defer h.sink.mu.Unlock()
	if h.sink.queue == nil {
		return h.stderr.Handle(ctx, r)
	}
	w := &wirev1.LogRecord{Time: timestamppb.New(r.Time), Level: int32(r.Level), Message: valid(r.Message)}
	for _, a := range h.attrs {
		w.Attributes = append(w.Attributes, attribute("", a))
	}
	r.Attrs(func(a slog.Attr) bool {
		w.Attributes = append(w.Attributes, attribute(h.prefix, a))
		return true
	})
	select {
	case h.sink.queue <- w:
	default:
		h.sink.dropped++
	}
	return nil
}

func attribute(prefix string, a slog.Attr) *wirev1.KeyValue {
	return &wirev1.KeyValue{Key: valid(prefix + a.Key), Value: valid(a.Value.Resolve().String())}
}

func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// listen starts queueing; it reports false when another call listens already.
func (s *logSink) listen() (chan *wirev1.LogRecord, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.queue != nil {
		return nil, false
	}
	s.queue = make(chan *wirev1.LogRecord, logQueue)
	return s.queue, true
}

// stop ends queueing.
func (s *logSink) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = nil
}

// takeDropped gives the number of records dropped since it was asked last.
func (s *logSink) takeDropped() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.dropped
	s.dropped = 0
	return n
}

// Logs sends records until the host ends the call.
func (s *server) Logs(_ *wirev1.LogsRequest, stream grpc.ServerStreamingServer[wirev1.LogRecord]) error {
	if s.logs == nil {
		<-stream.Context().Done()
		return nil
	}
	queue, ok := s.logs.sink.listen()
	if !ok {
		return nil
	}
	defer s.logs.sink.stop()
	// The header tells the host that records come this way from now on.
	if err := stream.SendHeader(nil); err != nil {
		return err
	}
	for {
		select {
		case <-stream.Context().Done():
			return nil
		case r := <-queue:
			if err := stream.Send(r); err != nil {
				return err
			}
		}
		if n := s.logs.sink.takeDropped(); n > 0 {
			lost := &wirev1.LogRecord{Time: timestamppb.New(time.Now()), Level: int32(slog.LevelWarn),
				Message:    "log records were dropped because they came too fast",
				Attributes: []*wirev1.KeyValue{{Key: "dropped", Value: slog.IntValue(n).String()}}}
			if err := stream.Send(lost); err != nil {
				return err
			}
		}
	}
}
