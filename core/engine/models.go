package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/plan"
)

// models builds the planned models in order. A model whose definition and inputs are as
// they were is skipped; one that reads from a model that failed is not built.
func (r *run) models(ctx context.Context, streams []StreamResult) ([]ModelResult, error) {
	if len(r.plan.Models) == 0 {
		return nil, nil
	}
	was, err := r.built(ctx, []core.Table{modelsTable()})
	if err != nil {
		return nil, err
	}
	versions, err := r.versions(ctx, was)
	if err != nil {
		return nil, err
	}
	existing, err := r.tableSet(ctx)
	if err != nil {
		return nil, err
	}
	builder := &warehouseView{versions: versions, existing: existing, broken: map[core.TableName]core.Ref{}}
	var out []ModelResult
	for _, step := range r.plan.Models {
		if ctx.Err() != nil {
			return out, ctx.Err()
		}
		res := r.model(ctx, step, was[step.Model.Ref().String()], builder)
		builder.learn(step, res, r.id)
		out = append(out, res)
	}
	return out, ctx.Err()
}

// warehouseView is what the models so far have left in the warehouse.
type warehouseView struct {
	// versions tell, for every table, which run last changed it.
	versions map[core.TableName]string
	existing map[core.TableName]bool
	broken   map[core.TableName]core.Ref
}

func (v *warehouseView) learn(step plan.ModelStep, res ModelResult, runID string) {
	for _, t := range step.Outputs {
		switch res.Status {
		case StatusFailed:
			v.broken[t.Name] = res.Ref
		case StatusDone:
			v.existing[t.Name], v.versions[t.Name] = true, runID
		}
	}
}

// inputs gives the versions of a model's inputs, or says why it cannot be built.
func (v *warehouseView) inputs(m core.Model) (map[string]string, error) {
	out := map[string]string{}
	for _, in := range m.Inputs() {
		if ref, bad := v.broken[in]; bad {
			return nil, fmt.Errorf("%s was not built: %s, which it reads, failed", m.Ref(), ref)
		}
		if !v.existing[in] {
			return nil, fmt.Errorf("%s was not built: %s has not landed", m.Ref(), in)
		}
		out[in.String()] = v.versions[in]
	}
	return out, nil
}

func (r *run) model(ctx context.Context, step plan.ModelStep, was plan.Built, view *warehouseView) ModelResult {
	res := ModelResult{Ref: step.Model.Ref(), Status: StatusDone}
	began := time.Now()
	inputs, err := view.inputs(step.Model)
	if err != nil {
		res.Status, res.Err = StatusFailed, err
		return res
	}
	if !r.opts.Rebuild && step.Action == plan.ActionNone && maps.Equal(was.Inputs, inputs) {
		r.recheck(ctx, step, &res)
		return res
	}
	r.emit(core.Event{Kind: core.EventModelStarted, Model: res.Ref.String()})
	if err := r.build(ctx, step, inputs, &res); err != nil {
		res.Status, res.Err = StatusFailed, err
	}
	res.Seconds = time.Since(began).Seconds()
	r.emit(core.Event{Kind: core.EventModelEnded, Model: res.Ref.String(), Committed: res.Rows, Message: string(res.Status), Err: res.Err})
	return res
}

// recheck skips a model that need not be built, but for its tests that look at the clock:
// that nothing has come is what they are there to tell.
func (r *run) recheck(ctx context.Context, step plan.ModelStep, res *ModelResult) {
	res.Status = StatusSkipped
	m, ok := step.Model.Model.(core.Rechecker)
	if !ok {
		return
	}
	var err error
	if res.Tests, err = m.Recheck(ctx, core.BuildRequest{Warehouse: r.Warehouse, RunID: r.id, At: r.started, Emit: r.emit}); err != nil {
		err = fmt.Errorf("test %s: %w", res.Ref, err)
	} else if res.Failed() {
		err = testFailure(res)
	}
	if err != nil {
		res.Status, res.Err = StatusFailed, err
		r.emit(core.Event{Kind: core.EventModelEnded, Model: res.Ref.String(), Message: string(res.Status), Err: err})
	}
}

func (r *run) build(ctx context.Context, step plan.ModelStep, inputs map[string]string, res *ModelResult) error {
	if err := r.fail("model_before"); err != nil {
		return err
	}
	b, err := step.Model.Build(ctx, core.BuildRequest{Warehouse: r.Warehouse, RunID: r.id, At: r.started, Emit: r.emit})
	res.Rows, res.Tests, res.Notes = b.Rows, b.Tests, b.Notes
	if err != nil {
		return fmt.Errorf("build %s: %w", res.Ref, err)
	}
	if res.Failed() {
		return testFailure(res)
	}
	if err := r.fail("model_built"); err != nil {
		return err
	}
	text, err := json.Marshal(inputs)
	if err != nil {
		return fmt.Errorf("write inputs: %w", err)
	}
	rows := newRows(modelsTable())
	defer rows.release()
	rows.append(res.Ref.String(), step.Model.Fingerprint(), string(text), r.id, r.now().UTC())
	return r.inTx(ctx, func(tx core.Tx) error { return rows.write(ctx, tx, core.WriteMerge, modelsTable().Key) })
}

func testFailure(res *ModelResult) error {
	var all []error
	for _, t := range res.Tests {
		switch {
		case t.Err != nil:
			all = append(all, fmt.Errorf("test %s could not be run: %w", t.Name, t.Err))
		case t.Failures > 0 && t.Severity == core.TestError:
			all = append(all, fmt.Errorf("test %s failed on %d rows", t.Name, t.Failures))
		}
	}
	return &core.Error{Kind: core.KindData, Op: "test " + res.Ref.String(), Err: errors.Join(all...)}
}

// versions tell, for every table, which run last changed it.
func (r *run) versions(ctx context.Context, built map[string]plan.Built) (map[core.TableName]string, error) {
	states, err := r.Warehouse.States(ctx)
	if err != nil {
		return nil, fmt.Errorf("list states: %w", err)
	}
	out := map[core.TableName]string{}
	for _, s := range states {
		out[core.RawTable(s.Source, s.Stream)] = s.RunID
	}
	for _, step := range r.plan.Models {
		for _, t := range step.Outputs {
			out[t.Name] = built[step.Model.Ref().String()].RunID
		}
	}
	return out, nil
}

// Invalidate makes the next run build a model again, though nothing it reads has changed:
// a person decided something about it.
func Invalidate(ctx context.Context, w core.Warehouse, ref core.Ref) error {
	e := &Engine{Warehouse: w}
	rows := newRows(modelsTable())
	defer rows.release()
	rows.append(ref.String(), "", "", "", nil)
	return e.inTx(ctx, func(tx core.Tx) error {
		if err := tx.Define(ctx, modelsTable()); err != nil {
			return fmt.Errorf("define %s: %w", modelsTable().Name, err)
		}
		return rows.write(ctx, tx, core.WriteDelete, modelsTable().Key)
	})
}
