package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/plan"
)

// streamRun reads one stream in one run, trying again as often as it helps.
type streamRun struct {
	*run
	step plan.StreamStep
	// table is the landing table as it is now.
	table  core.Table
	result StreamResult
	// state is the last committed position; progress counts commits.
	state    core.State
	progress int
	// rowsRead is counted where rows come in, while commits are counted elsewhere.
	rowsRead atomic.Int64
	// landedBy is the run that last changed the table.
	landedBy string
	// counted are hashes of the ids of the records quarantined in this run.
	counted map[uint64]struct{}
}

// sync reads the stream to its end and says how it went.
func (s *streamRun) sync(ctx context.Context) StreamResult {
	began := time.Now()
	s.state, s.landedBy = s.step.State, s.step.LandedBy
	s.event(core.Event{Kind: core.EventStreamStarted, Estimated: s.step.Stream.EstimatedRows})
	err := s.persist(ctx)
	s.result.Read = s.rowsRead.Load()
	s.result.Seconds = time.Since(began).Seconds()
	s.result.After = PositionText(s.state)
	s.result.Status = StatusDone
	if err != nil {
		s.result.Status, s.result.Err = StatusFailed, err
		if core.KindOf(err) == core.KindQuota {
			s.result.Status = StatusPartial
		}
		if ctx.Err() == nil && core.KindOf(err) != core.KindInternal {
			_ = s.dropLeftovers(ctx) // else the next run does
		}
	}
	s.event(core.Event{Kind: core.EventStreamEnded, Read: s.result.Read, Counts: s.result.Counts,
		Quarantined: s.result.Quarantined, Err: err, Message: string(s.result.Status)})
	return s.result
}

func (s *streamRun) event(ev core.Event) {
	ev.Source, ev.Stream = s.step.Source, s.step.Name
	s.emit(ev)
}

// persist tries until the stream is read, the error is one that trying cannot mend, or
// the attempts without progress are used up. A silo that asks us to wait is not failing:
// waits do not count as attempts. A warehouse that fails again and again is given up also
// when a little lands in between: a full disk takes a few rows at every attempt.
func (s *streamRun) persist(ctx context.Context) error {
	retry := s.Retry.withDefaults()
	wait := backoff.NewExponentialBackOff(backoff.WithInitialInterval(retry.Initial),
		backoff.WithMaxInterval(retry.Max), backoff.WithMaxElapsedTime(0))
	var waited time.Duration
	for attempt, seen := 1, 0; ; attempt++ {
		err := s.attempt(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		var ours storeError
		if s.progress > seen && !errors.As(err, &ours) {
			seen, attempt, waited = s.progress, 1, 0
			wait.Reset()
		}
		kind, after := core.KindOf(err), retryAfter(err)
		if !kind.Retryable() {
			return err
		}
		pause := max(wait.NextBackOff(), after)
		if kind == core.KindLimited {
			attempt--
			pause = max(after, retry.Initial)
			if waited += pause; waited > retry.MaxWait {
				return &core.Error{Kind: core.KindQuota, Op: "wait for the silo's limit", Stream: s.step.Name, RetryAfter: after, Err: err}
			}
		}
		if attempt >= retry.Attempts {
			return fmt.Errorf("gave up after %d attempts: %w", attempt, err)
		}
		s.event(core.Event{Kind: core.EventRetry, Attempt: attempt, Wait: pause, Message: s.redact(err.Error())})
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

func retryAfter(err error) time.Duration {
	var e *core.Error
	if errors.As(err, &e) {
		return e.RetryAfter
	}
	return 0
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// attempt reads from the last committed position to the end, once.
func (s *streamRun) attempt(ctx context.Context) error {
	src, err := s.source(ctx, s.sourceConfig(s.step.Source))
	if err != nil {
		return err
	}
	err = s.read(ctx, src)
	kind := core.KindOf(err)
	s.giveBack(src, kind == core.KindUnavailable || kind == core.KindInternal)
	return err
}

func (s *streamRun) read(ctx context.Context, src core.Source) error {
	if err := s.fail("stream_begin"); err != nil {
		return err
	}
	if err := s.unprepared[s.step.ID()]; err != nil {
		return err
	}
	if err := s.dropLeftovers(ctx); err != nil {
		return err
	}
	if !s.opts.From.IsZero() && (s.step.Mode == plan.ModeFull || s.step.Write == core.WriteAppend) {
		return &core.Error{Kind: core.KindConfig, Op: "backfill", Stream: s.step.Name,
			Err: errors.New("rows that are read again can only be told apart by a key and a cursor"),
			Try: "name the streams to backfill, and give this one primary_key and cursor if it is to be among them"}
	}
	if s.step.Mode == plan.ModeFull {
		return s.readFull(ctx, src)
	}
	req := core.ReadRequest{Stream: s.step.Stream, Columns: s.step.Columns, After: s.state}
	if s.step.Lag > 0 {
		req.Until = s.started.Add(-s.step.Lag)
	}
	if !s.opts.From.IsZero() {
		req.After, req.From, req.Until = nil, s.opts.From, s.opts.Until
	}
	l := &landing{streamRun: s, target: s.table.Name, mode: s.step.Write, keepState: req.From.IsZero()}
	if err := s.pump(ctx, src, req, l); err != nil {
		return err
	}
	if s.step.Stream.Deletes == core.DeleteReconcile && req.From.IsZero() {
		return s.sweep(ctx, src)
	}
	return nil
}

// leftovers are tables of an attempt that did not end.
func (s *streamRun) leftovers() []core.TableName {
	schema := s.table.Name.Schema
	return []core.TableName{{Schema: schema, Name: workPrefix + "shadow_" + s.step.Name},
		{Schema: schema, Name: workPrefix + "pending_" + s.step.Name},
		{Schema: schema, Name: workPrefix + "sweep_" + s.step.Name}}
}

// workPrefix starts the names of tables that hold work under way.
const workPrefix = "_unsilo_"

func (s *streamRun) dropLeftovers(ctx context.Context) error {
	there, err := s.Warehouse.Tables(ctx, s.table.Name.Schema)
	if err != nil {
		return fmt.Errorf("list tables: %w", err)
	}
	var drop []core.TableName
	for _, t := range there {
		if slices.Contains(s.leftovers(), t.Name) {
			drop = append(drop, t.Name)
		}
	}
	if len(drop) == 0 {
		return nil
	}
	return s.inTx(ctx, func(tx core.Tx) error {
		for _, t := range drop {
			if err := tx.Drop(ctx, t); err != nil {
				return fmt.Errorf("drop %s: %w", t, err)
			}
		}
		return nil
	})
}

// count adds to the result what a commit did.
func (s *streamRun) count(c core.Counts, quarantined int64) {
	s.result.Counts = s.result.Add(c)
	s.result.Quarantined += quarantined
	if c.Landed() > 0 {
		s.landedBy = s.id
	}
	s.progress++
	s.event(core.Event{Kind: core.EventCommitted, Read: s.rowsRead.Load(), Committed: s.result.Landed() + s.result.Unchanged,
		Counts: s.result.Counts, Quarantined: s.result.Quarantined})
}

// stateRow is the row of unsilo.state for a commit that did c.
func (s *streamRun) stateRow(state core.State, c core.Counts) core.StateRow {
	by := s.landedBy
	if c.Landed() > 0 || by == "" {
		by = s.id
	}
	return core.StateRow{Source: s.step.Source, Stream: s.step.Name, State: state, Fingerprint: s.step.Fingerprint, RunID: by, At: s.now().UTC()}
}
