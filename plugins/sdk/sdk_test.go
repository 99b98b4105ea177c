package sdk_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/plugins/sdk"
	"github.com/unsilo/unsilo/plugins/wire"
	wirev1 "github.com/unsilo/unsilo/plugins/wire/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script is a connector whose Read is given by the test.
type script struct {
	read    func(ctx context.Context, emit func(core.Batch) error) error
	openCtx atomic.Value
	closed  atomic.Int32
}

func (s *script) Spec() core.Spec { return core.Spec{Name: "script"} }

func (s *script) Open(ctx context.Context, cfg core.Config) (core.Source, error) {
	if cfg.String("act") == "panic" {
		panic("in Open")
	}
	s.openCtx.Store(ctx)
	return s, nil
}

func (s *script) Check(context.Context) error { panic("in Check") }
func (s *script) Streams(context.Context) ([]core.Stream, error) {
	return nil, errors.New("no streams")
}
func (s *script) Close() error { s.closed.Add(1); return nil }

func (s *script) Read(ctx context.Context, _ core.ReadRequest, emit func(core.Batch) error) error {
	return s.read(ctx, emit)
}

// serve joins the sdk to a client in memory and opens a source.
func serve(t *testing.T, c core.Connector) (wirev1.PluginClient, uint64) {
	t.Helper()
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer(grpc.ForceServerCodecV2(wire.Codec()))
	if err := sdk.NewPlugin(c).GRPCServer(nil, server); err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	wait.Go(func() { _ = server.Serve(listener) })
	conn, err := grpc.NewClient("passthrough:memory", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(wire.Codec())))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(); server.Stop(); wait.Wait() })
	client := wirev1.NewPluginClient(conn)
	open, err := client.Open(t.Context(), &wirev1.OpenRequest{Connector: "script", Config: []byte(`{}`)})
	if err != nil || open.GetError() != nil {
		t.Fatal(err, open.GetError())
	}
	return client, open.GetSource()
}

// got is what a read gave.
type got struct {
	batches    []core.Batch // retained
	frames     int
	heartbeats int
	err        error
}

// rows counts the rows of all batches.
func (g got) rows() (n int64) {
	for _, b := range g.batches {
		if b.Rows != nil {
			n += b.Rows.NumRows()
		}
	}
	return n
}

// drain reads to the end; pace is called for every event.
func drain(ctx context.Context, t *testing.T, client wirev1.PluginClient, source uint64, pace func()) got {
	t.Helper()
	req, err := wire.RequestToWire(source, core.ReadRequest{})
	if err != nil {
		t.Fatal(err)
	}
	req.Heartbeat = durationpb.New(40 * time.Millisecond)
	stream, err := client.Read(ctx, req)
	if err != nil {
		return got{err: err}
	}
	dec := wire.NewDecoder(0)
	var g got
	for {
		ev := &wire.Event{}
		if err := stream.RecvMsg(ev); err != nil {
			g.err = err
			return g
		}
		if pace != nil {
			pace()
		}
		switch ev.Message().GetEvent().(type) {
		case *wirev1.ReadEvent_Frame:
			g.frames++
		case *wirev1.ReadEvent_Heartbeat:
			g.heartbeats++
		}
		d, err := dec.Next(ev)
		ev.Free()
		if err != nil {
			t.Fatal(err)
		}
		g.batches = append(g.batches, d.Batches...)
		if d.Failed != nil || d.Done {
			g.err = d.Failed
			return g
		}
	}
}

var schemaID = arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64}}, nil)

// ids makes a batch of ids from..to-1.
func ids(schema *arrow.Schema, from, to int64) arrow.RecordBatch {
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for id := from; id < to; id++ {
		b.Field(0).(*array.Int64Builder).Append(id)
	}
	return b.NewRecordBatch()
}

func TestSmallBatchesAreJoined(t *testing.T) {
	client, source := serve(t, &script{read: func(_ context.Context, emit func(core.Batch) error) error {
		for i := range int64(20_000) {
			rows := ids(schemaID, i, i+1)
			err := emit(core.Batch{Rows: rows, After: core.State(fmt.Sprint(i + 1))})
			rows.Release()
			if err != nil {
				return err
			}
		}
		return nil
	}})
	began := time.Now()
	g := drain(t.Context(), t, client, source, nil)
	// What has waited for long goes out as it is: on a machine that is slow for the moment
	// there are more frames.
	if most := 20 + int(time.Since(began)/(500*time.Millisecond)); g.err != nil || g.rows() != 20_000 || g.frames > most {
		t.Fatalf("%d rows in %d frames, %v; want 20000 in a few", g.rows(), g.frames, g.err)
	}
	next := int64(0)
	for _, b := range g.batches {
		col := b.Rows.Column(0).(*array.Int64)
		for i := range col.Len() {
			if col.Value(i) != next {
				t.Fatalf("row %d holds %d", next, col.Value(i))
			}
			next++
		}
		if string(b.After) != fmt.Sprint(next) {
			t.Fatalf("state %s after row %d", b.After, next)
		}
	}
}

// TestJoiningKeepsOrderAndStates: whatever is joined, every state that comes stands
// where it was emitted, the last one comes, and operations stay in order.
func TestJoiningKeepsOrderAndStates(t *testing.T) {
	other := arrow.NewSchema([]arrow.Field{core.WithMeans(schemaID.Field(0), core.CompanyID)}, nil)
	emits := []struct {
		schema *arrow.Schema
		n      int64
		op     core.Op
		after  string
	}{
		{schemaID, 3, core.OpUpsert, ""}, {schemaID, 2, core.OpUpsert, "5"}, {schemaID, 4, core.OpUpsert, ""},
		{schemaID, 1, core.OpDelete, "10"}, {nil, 0, core.OpUpsert, "10.5"}, {other, 2, core.OpUpsert, ""},
		{schemaID, 1, core.OpUpsert, "13"}, {schemaID, 2, core.OpUpsert, ""},
	}
	client, source := serve(t, &script{read: func(_ context.Context, emit func(core.Batch) error) error {
		at := int64(0)
		for _, e := range emits {
			b := core.Batch{Op: e.op}
			if e.schema != nil {
				b.Rows = ids(e.schema, at, at+e.n)
				defer b.Rows.Release()
			}
			at += e.n
			if e.after != "" {
				b.After = core.State(e.after)
			}
			if err := emit(b); err != nil {
				return err
			}
		}
		return nil
	}})
	g := drain(t.Context(), t, client, source, nil)
	if g.err != nil {
		t.Fatal(g.err)
	}
	var log []string
	at := int64(0)
	for _, b := range g.batches {
		if b.Rows != nil {
			for i := range b.Rows.NumRows() {
				if id := b.Rows.Column(0).(*array.Int64).Value(int(i)); id != at {
					t.Fatalf("row %d holds %d", at, id)
				}
				at++
			}
			log = append(log, fmt.Sprint(b.Op, " to ", at, " ", core.MeansOf(b.Rows.Schema().Field(0))))
		}
		if b.After != nil {
			log = append(log, "state "+string(b.After))
		}
	}
	want := "[upsert to 5  state 5 upsert to 9  delete to 10  state 10.5 upsert to 12 company.id upsert to 13  state 13 upsert to 15 ]"
	if fmt.Sprint(log) != want {
		t.Errorf("got  %v\nwant %s", log, want)
	}
}

func TestSlowSourceIsNotHeldBack(t *testing.T) {
	release := make(chan struct{})
	client, source := serve(t, &script{read: func(ctx context.Context, emit func(core.Batch) error) error {
		rows := ids(schemaID, 0, 5)
		defer rows.Release()
		if err := emit(core.Batch{Rows: rows}); err != nil {
			return err
		}
		select {
		case <-release:
			return nil
		case <-time.After(10 * time.Second):
			return errors.New("the rows did not come before the read ended")
		}
	}})
	var once sync.Once
	events := 0
	g := drain(t.Context(), t, client, source, func() {
		if events++; events == 3 { // schema, frame, chunk
			once.Do(func() { close(release) })
		}
	})
	if g.err != nil || g.rows() != 5 {
		t.Errorf("%d rows, %v", g.rows(), g.err)
	}
}

// TestEmitBlocks: while the host takes nothing, a connector gets no further than the
// windows of the connection.
func TestEmitBlocks(t *testing.T) {
	var emitted atomic.Int64
	client, source := serve(t, &script{read: func(_ context.Context, emit func(core.Batch) error) error {
		rows := ids(schemaID, 0, 100_000) // 800 kB
		defer rows.Release()
		for range 200 {
			if err := emit(core.Batch{Rows: rows}); err != nil {
				return err
			}
			emitted.Add(1)
		}
		return nil
	}})
	first := true
	g := drain(t.Context(), t, client, source, func() {
		if first {
			first = false
			time.Sleep(300 * time.Millisecond)
			if n := emitted.Load(); n > 20 {
				t.Errorf("%d batches were emitted while nobody took them", n)
			}
		}
	})
	if g.err != nil || g.rows() != 20_000_000 {
		t.Errorf("%d rows, %v", g.rows(), g.err)
	}
}
