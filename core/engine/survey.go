package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"golang.org/x/sync/errgroup"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/config"
	"github.com/unsilo/unsilo/core/plan"
)

const (
	sampleRows     = 200
	sampleAttempts = 3
	surveyTimeout  = 2 * time.Minute
)

// Plan asks the selected sources what they offer, looks at the warehouse, and computes
// the plan. It writes nothing.
func (e *Engine) Plan(ctx context.Context, selected ...string) (*plan.Plan, core.Diagnostics, error) {
	in, release, err := e.survey(ctx, selected)
	defer release()
	if err != nil {
		return nil, nil, err
	}
	p, ds := plan.Make(in)
	return p, ds, nil
}

func (e *Engine) survey(ctx context.Context, selected []string) (plan.Input, func(), error) {
	in := plan.Input{Project: e.Project, Models: e.Models, Mask: e.Mask, Select: selected,
		SQL: e.Warehouse.Info().SQL, Catalogs: map[string]plan.Catalog{}}
	release := func() {
		for _, c := range in.Catalogs {
			for _, batches := range c.Samples {
				for _, b := range batches {
					b.Release()
				}
			}
		}
	}
	var err error
	if in.Tables, err = e.Warehouse.Tables(ctx, ""); err != nil {
		return in, release, fmt.Errorf("list tables: %w", err)
	}
	if in.States, err = e.Warehouse.States(ctx); err != nil {
		return in, release, fmt.Errorf("list states: %w", err)
	}
	if in.Built, err = e.built(ctx, in.Tables); err != nil {
		return in, release, err
	}
	names, _ := plan.Sources(in) // plan.Make reports the same diagnostics
	err = e.askAll(ctx, names, &in)
	return in, release, err
}

func (e *Engine) askAll(ctx context.Context, names []string, in *plan.Input) error {
	landed := map[core.TableName]core.Table{}
	for _, t := range in.Tables {
		landed[t.Name] = t
	}
	var mu sync.Mutex
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(e.Limits.withDefaults(e.Project).Streams * 2)
	for _, src := range e.Project.Sources {
		if !slices.Contains(names, src.Name) {
			continue
		}
		g.Go(func() error {
			cat := e.ask(gctx, src, landed)
			mu.Lock()
			defer mu.Unlock()
			in.Catalogs[src.Name] = cat
			return ctx.Err()
		})
	}
	return g.Wait()
}

// ask asks one source for its streams, and for a few rows of those that have columns
// nobody has looked at yet. An answer that fails is part of the catalog.
func (e *Engine) ask(ctx context.Context, src config.Source, landed map[core.TableName]core.Table) plan.Catalog {
	ctx, cancel := context.WithTimeout(ctx, surveyTimeout)
	defer cancel()
	s, err := e.source(ctx, src)
	if err != nil {
		return plan.Catalog{Err: err}
	}
	streams, err := s.Streams(ctx)
	defer func() { e.giveBack(s, err != nil) }()
	if err != nil {
		return plan.Catalog{Err: err}
	}
	cat := plan.Catalog{Streams: streams, Samples: map[string][]arrow.RecordBatch{}, Broken: map[string]error{}}
	for _, stream := range streams {
		if !wanted(src, stream.Name) || !unseen(stream, landed[core.RawTable(src.Name, stream.Name)]) {
			continue
		}
		batches, err := e.samplePatiently(ctx, s, stream)
		cat.Samples[stream.Name] = batches
		if err != nil {
			// Rows that nobody has looked at do not land.
			cat.Broken[stream.Name] = err
		}
	}
	return cat
}

// samplePatiently tries again, a few times, what a moment later may work.
func (e *Engine) samplePatiently(ctx context.Context, s core.Source, stream core.Stream) ([]arrow.RecordBatch, error) {
	wait := e.Retry.withDefaults().Initial
	for attempt := 1; ; attempt++ {
		batches, err := e.sample(ctx, s, stream)
		if err == nil || !core.KindOf(err).Retryable() || attempt == sampleAttempts {
			return batches, err
		}
		for _, b := range batches {
			b.Release()
		}
		if err := sleep(ctx, max(wait, retryAfter(err))); err != nil {
			return nil, err
		}
		wait *= 2
	}
}

func wanted(src config.Source, stream string) bool {
	return len(src.Streams) == 0 || slices.ContainsFunc(src.Streams, func(b config.Stream) bool { return b.Name == stream })
}

// unseen reports whether the stream has a column that is neither landed nor labelled.
func unseen(s core.Stream, landed core.Table) bool {
	for _, f := range s.Schema.Fields() {
		known := landed.Schema != nil && len(landed.Schema.FieldIndices(f.Name)) > 0
		if !known && core.MeansOf(f) == "" {
			return true
		}
	}
	return false
}

// sample reads a few rows to look for unlabelled personal data.
func (e *Engine) sample(ctx context.Context, s core.Source, stream core.Stream) ([]arrow.RecordBatch, error) {
	var out []arrow.RecordBatch
	var rows int64
	err := s.Read(ctx, core.ReadRequest{Stream: stream, Limit: sampleRows}, func(b core.Batch) error {
		if b.Rows == nil || b.Op != core.OpUpsert {
			return nil
		}
		b.Rows.Retain()
		out = append(out, b.Rows)
		rows += b.Rows.NumRows()
		if rows >= sampleRows {
			return errEnough
		}
		return nil
	})
	if err != nil && rows == 0 {
		return out, err
	}
	return out, nil // a read that broke off has shown some rows
}

// Preview reads up to limit rows of one planned stream, masked, and lands nothing. The
// caller releases the batches.
func (e *Engine) Preview(ctx context.Context, step plan.StreamStep, limit int64) ([]arrow.RecordBatch, error) {
	src, err := e.source(ctx, e.sourceConfig(step.Source))
	if err != nil {
		return nil, err
	}
	defer e.giveBack(src, false)
	shape, err := newShaper(step, e.Mask)
	if err != nil {
		return nil, err
	}
	var out []arrow.RecordBatch
	left := limit
	err = src.Read(ctx, core.ReadRequest{Stream: step.Stream, Columns: step.Columns, Limit: limit}, func(b core.Batch) error {
		if b.Op != core.OpUpsert || b.Rows == nil || left <= 0 {
			return nil
		}
		rows := b.Rows.NewSlice(0, min(left, b.Rows.NumRows()))
		defer rows.Release()
		shaped, err := shape.apply(ctx, rows)
		if err != nil {
			return err
		}
		out = append(out, shaped)
		if left -= shaped.NumRows(); left <= 0 {
			return errEnough
		}
		return nil
	})
	if err != nil && left > 0 {
		for _, b := range out {
			b.Release()
		}
		return nil, err
	}
	return out, nil
}

// Check proves that each selected source can be reached and lets us in; nil for those
// that do.
func (e *Engine) Check(ctx context.Context, names ...string) (map[string]error, error) {
	out := map[string]error{}
	for _, src := range e.Project.Sources {
		if len(names) > 0 && !slices.Contains(names, src.Name) {
			continue
		}
		s, err := e.source(ctx, src)
		if err == nil {
			err = s.Check(ctx)
			e.giveBack(s, false)
		}
		out[src.Name] = err
		if ctx.Err() != nil {
			return out, ctx.Err()
		}
	}
	for _, n := range names {
		if _, ok := out[n]; !ok {
			return out, &core.Error{Kind: core.KindConfig, Op: "check", Err: fmt.Errorf("no source is called %q; there are %v", n, slices.Sorted(maps.Keys(out)))}
		}
	}
	return out, nil
}

func (e *Engine) sourceConfig(name string) config.Source {
	for _, s := range e.Project.Sources {
		if s.Name == name {
			return s
		}
	}
	return config.Source{Name: name}
}
