package sdk_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/unsilo/unsilo/core"
	wirev1 "github.com/unsilo/unsilo/plugins/wire/v1"
)

func TestPanicsCostOneCall(t *testing.T) {
	client, source := serve(t, &script{read: func(context.Context, func(core.Batch) error) error { panic("in Read") }})
	g := drain(t.Context(), t, client, source, nil)
	if core.KindOf(g.err) != core.KindInternal || g.err.Error() != "read: the connector panicked: in Read" {
		t.Errorf("Read: %v", g.err)
	}
	check, err := client.Check(t.Context(), &wirev1.CheckRequest{Source: source})
	if err != nil || check.GetError().GetKind() != "internal" {
		t.Errorf("Check: %v, %v", check.GetError(), err)
	}
	open, err := client.Open(t.Context(), &wirev1.OpenRequest{Connector: "script", Config: []byte(`{"values":{"act":"panic"}}`)})
	if err != nil || open.GetError().GetKind() != "internal" {
		t.Errorf("Open: %v, %v", open.GetError(), err)
	}
}

func TestRowsBeforeAnErrorArrive(t *testing.T) {
	client, source := serve(t, &script{read: func(_ context.Context, emit func(core.Batch) error) error {
		rows := ids(schemaID, 0, 5)
		defer rows.Release()
		if err := emit(core.Batch{Rows: rows, After: core.State("5")}); err != nil {
			return err
		}
		return &core.Error{Kind: core.KindQuota, Err: errors.New("used up")}
	}})
	g := drain(t.Context(), t, client, source, nil)
	if g.rows() != 5 || core.KindOf(g.err) != core.KindQuota {
		t.Errorf("%d rows, %v", g.rows(), g.err)
	}
}

func TestStateThatIsNoJSONIsRefused(t *testing.T) {
	client, source := serve(t, &script{read: func(_ context.Context, emit func(core.Batch) error) error {
		if err := emit(core.Batch{After: core.State("{")}); err == nil {
			t.Error("emit took it")
		}
		return nil // the sdk remembers
	}})
	if g := drain(t.Context(), t, client, source, nil); core.KindOf(g.err) != core.KindInternal {
		t.Errorf("got %v", g.err)
	}
}

func TestCancelReachesTheConnector(t *testing.T) {
	ended := make(chan error, 1)
	client, source := serve(t, &script{read: func(ctx context.Context, _ func(core.Batch) error) error {
		<-ctx.Done()
		ended <- ctx.Err()
		return ctx.Err()
	}})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	drain(ctx, t, client, source, nil)
	select {
	case err := <-ended:
		if err == nil {
			t.Error("the context did not end")
		}
	case <-time.After(2 * time.Second):
		t.Error("the connector was not told")
	}
}

func TestCloseEndsReadsFirst(t *testing.T) {
	started := make(chan struct{})
	s := &script{}
	s.read = func(ctx context.Context, _ func(core.Batch) error) error {
		close(started)
		<-ctx.Done()
		time.Sleep(50 * time.Millisecond)
		if s.closed.Load() != 0 {
			t.Error("Close came while a read ran")
		}
		return ctx.Err()
	}
	client, source := serve(t, s)
	var wait sync.WaitGroup
	wait.Go(func() { drain(t.Context(), t, client, source, nil) })
	<-started
	if err := s.openCtx.Load().(context.Context).Err(); err != nil {
		t.Errorf("the context of Open ended with Open: %v", err)
	}
	for range 2 {
		if reply, err := client.Close(t.Context(), &wirev1.CloseRequest{Source: source}); err != nil || reply.GetError() != nil {
			t.Errorf("Close: %v, %v", reply.GetError(), err)
		}
	}
	wait.Wait()
	if s.closed.Load() != 1 {
		t.Errorf("the source was closed %d times", s.closed.Load())
	}
	if s.openCtx.Load().(context.Context).Err() == nil {
		t.Error("the context of Open outlives Close")
	}
	if g := drain(t.Context(), t, client, source, nil); core.KindOf(g.err) != core.KindInternal {
		t.Errorf("a read of a closed source: %v", g.err)
	}
}

func TestQuietReadShowsLife(t *testing.T) {
	client, source := serve(t, &script{read: func(context.Context, func(core.Batch) error) error {
		time.Sleep(400 * time.Millisecond)
		return nil
	}})
	if g := drain(t.Context(), t, client, source, nil); g.err != nil || g.heartbeats < 3 {
		t.Errorf("%d heartbeats, %v", g.heartbeats, g.err)
	}
}
