package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/plan"
)

// Options narrow a run.
type Options struct {
	// From and Until ask for a backfill of a range of the cursor; positions stay as they are.
	From, Until time.Time
	// AllowDeletes lifts the brake on sweeps for these streams, "source.stream".
	AllowDeletes []string
	// Rebuild builds all models, also those whose inputs did not change.
	Rebuild bool
}

// run is one run under way.
type run struct {
	*Engine
	id      string
	started time.Time
	plan    *plan.Plan
	opts    Options

	// abandoned are the records of earlier runs that never ended.
	abandoned [][]any

	// unprepared are streams whose table could not be defined.
	unprepared map[plan.StreamName]error

	mu    sync.Mutex
	notes []string
}

// Run carries out a plan. The result tells what each stream and model did; the error is
// only about the run as a whole: the warehouse could not be written, or ctx ended. The
// caller holds the lock on the project.
func (e *Engine) Run(ctx context.Context, p *plan.Plan, opts Options) (*Result, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("make run id: %w", err)
	}
	r := &run{Engine: e, id: id.String(), started: e.now().UTC(), plan: p, opts: opts}
	res := &Result{RunID: r.id, Started: r.started, Status: StatusRunning}
	e.emit(core.Event{Kind: core.EventRunStarted, Message: r.id})
	if err := r.prepare(ctx); err != nil {
		res.Status, res.Ended = StatusFailed, e.now().UTC()
		return res, fmt.Errorf("prepare warehouse: %w", err)
	}
	res.Streams, err = r.streams(ctx)
	if err == nil {
		res.Models, err = r.models(ctx, res.Streams)
	}
	res.Notes = r.notes
	res.Ended = e.now().UTC()
	res.settle()
	if err != nil {
		res.Status = StatusInterrupted
	}
	// The record of the run is written also when ctx has ended.
	if rerr := r.record(context.WithoutCancel(ctx), res); rerr != nil {
		err = errors.Join(err, fmt.Errorf("record run: %w", rerr))
	}
	e.emit(core.Event{Kind: core.EventRunEnded, Message: string(res.Status)})
	return res, err
}

// prepare brings every table to its planned columns before rows flow, so that DDL and
// data seldom meet.
func (r *run) prepare(ctx context.Context) error {
	if err := r.fail("run_begin"); err != nil {
		return err
	}
	existing, err := r.tableSet(ctx)
	if err != nil {
		return err
	}
	if existing[runsTable().Name] {
		if err := r.findAbandoned(ctx); err != nil {
			return err
		}
	}
	var define []core.Table
	var landing []plan.StreamStep
	r.unprepared = map[plan.StreamName]error{}
	for _, t := range systemTables() {
		if !existing[t.Name] {
			define = append(define, t)
		}
	}
	for _, s := range r.plan.Streams {
		if s.Mode == plan.ModeFull && !s.Exists && s.Write != core.WriteHistory || s.Replaces() || s.Action == plan.ActionSync {
			continue // a full read swaps its table in; a replacement is made from the rows that need it
		}
		landing = append(landing, s)
	}
	err = r.inTx(ctx, func(tx core.Tx) error {
		for _, t := range define {
			if err := tx.Define(ctx, t); err != nil {
				return fmt.Errorf("define %s: %w", t.Name, err)
			}
		}
		return r.begin(ctx, tx)
	})
	if err != nil || len(landing) == 0 {
		return err
	}
	if err := r.invalidateReaders(ctx, landing); err != nil {
		return err
	}
	return r.prepareLanding(ctx, landing)
}

// invalidateReaders has the models built again that read columns with other labels than
// before: identities go by them. It comes before the labels change, which happens once.
func (r *run) invalidateReaders(ctx context.Context, steps []plan.StreamStep) error {
	for _, s := range steps {
		if len(s.Relabelled) == 0 {
			continue
		}
		for _, m := range r.Models {
			if !slices.Contains(m.Inputs(), s.Table.Name) {
				continue
			}
			if err := Invalidate(ctx, r.Warehouse, m.Ref()); err != nil {
				return fmt.Errorf("invalidate %s: %w", m.Ref(), err)
			}
		}
	}
	return nil
}

// prepareLanding defines the landing tables, all at once. When that fails each is tried
// by itself, so that a table which cannot be changed costs its own stream only.
func (r *run) prepareLanding(ctx context.Context, steps []plan.StreamStep) error {
	err := r.inTx(ctx, func(tx core.Tx) error {
		for _, s := range steps {
			if err := tx.Define(ctx, s.Table); err != nil {
				return fmt.Errorf("define %s: %w", s.Table.Name, err)
			}
			if err := r.fail("table_defined"); err != nil {
				return err
			}
		}
		return nil
	})
	if core.KindOf(err) != core.KindData {
		return err
	}
	for _, s := range steps {
		if err := r.inTx(ctx, func(tx core.Tx) error { return tx.Define(ctx, s.Table) }); err != nil {
			r.unprepared[s.ID()] = fmt.Errorf("define %s: %w", s.Table.Name, err)
		}
	}
	return ctx.Err()
}

func (r *run) tableSet(ctx context.Context) (map[core.TableName]bool, error) {
	tables, err := r.Warehouse.Tables(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	set := make(map[core.TableName]bool, len(tables))
	for _, t := range tables {
		set[t.Name] = true
	}
	return set, nil
}

// inTx runs do in a transaction that commits if do succeeds.
func (e *Engine) inTx(ctx context.Context, do func(core.Tx) error) error {
	tx, err := e.Warehouse.Begin(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.End(context.WithoutCancel(ctx), false))
	}
	if err := e.fail("commit_before"); err != nil {
		return errors.Join(err, tx.End(context.WithoutCancel(ctx), false))
	}
	if err := tx.End(ctx, true); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return e.fail("commit_after")
}

// streams reads all streams, a bounded number at once. It returns an error only when ctx
// ends; what befell a stream is in its result.
func (r *run) streams(ctx context.Context) ([]StreamResult, error) {
	results := make([]StreamResult, len(r.plan.Streams), len(r.plan.Streams)+len(r.plan.Failed))
	var g errgroup.Group
	g.SetLimit(r.Limits.withDefaults(r.Project).Streams)
	for i, step := range r.plan.Streams {
		g.Go(func() error {
			s := &streamRun{run: r, step: step, table: step.Table, result: newStreamResult(step)}
			if step.Replaces() {
				s.table = step.Now // rows bring the change about, when they come
			}
			results[i] = s.sync(ctx)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return results, err
	}
	for _, f := range r.plan.Failed {
		results = append(results, StreamResult{Source: f.Source, Stream: cmp.Or(f.Stream, "*"), Status: StatusFailed, Err: f.Err, Before: "-", After: "-"})
	}
	return results, ctx.Err()
}

func (r *run) note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}
