package engine_test

import (
	"context"
	"errors"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/config"
	"github.com/unsilo/unsilo/core/engine"
	"github.com/unsilo/unsilo/core/plan"
)

// counted is a model that reads crm.things and notes when it is built and checked.
type counted struct {
	name           string
	inputs         []core.TableName
	builds, checks int
	stale          bool
	checkErr       error
}

func (m *counted) Ref() core.Ref            { return core.Ref{Kind: "model", Name: m.name} }
func (m *counted) Inputs() []core.TableName { return m.inputs }
func (m *counted) Fingerprint() string      { return "1" }

func (m *counted) output() core.Table {
	return core.Table{Name: core.TableName{Schema: core.SchemaMarts, Name: m.name},
		Schema: arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64}}, nil)}
}

func (m *counted) Plan(context.Context, core.ModelPlanRequest) (core.ModelPlan, error) {
	return core.ModelPlan{Outputs: []core.Table{m.output()}}, nil
}

func (m *counted) Build(ctx context.Context, req core.BuildRequest) (core.BuildResult, error) {
	m.builds++
	tx, err := req.Warehouse.Begin(ctx)
	if err != nil {
		return core.BuildResult{}, err
	}
	return core.BuildResult{Rows: 1}, errors.Join(tx.Define(ctx, m.output()), tx.End(ctx, true))
}

func (m *counted) Recheck(_ context.Context, req core.BuildRequest) ([]core.TestResult, error) {
	if m.checks++; req.At.IsZero() || req.Warehouse == nil {
		return nil, errors.New("the request is not filled in")
	}
	res := core.TestResult{Name: "freshness_at", Severity: core.TestError}
	if m.stale {
		res.Failures = 1
	}
	return []core.TestResult{res}, m.checkErr
}

func modelBench(t *testing.T) (*bench, *silo, *counted, *counted) {
	s := newSilo(10)
	b := newBench(t, config.Stream{}, map[string]*silo{"crm": s})
	first := &counted{name: "first", inputs: []core.TableName{core.RawTable("crm", "things")}}
	second := &counted{name: "second", inputs: []core.TableName{first.output().Name}}
	b.e.Models = []plan.Model{{Model: first}, {Model: second}}
	return b, s, first, second
}

// Models are built when what they read has changed, and only then.
func TestModelsAreBuiltWhenTheirInputsChange(t *testing.T) {
	b, s, first, second := modelBench(t)
	for i, want := range []struct{ builds, checks int }{{1, 0}, {1, 1}, {2, 1}} {
		if i == 2 {
			s.change(1, 99, "changed")
		}
		res := b.run()
		if res.Status != engine.StatusDone || first.builds != want.builds || second.builds != want.builds || first.checks != want.checks {
			t.Errorf("run %d ended %s: built %d and %d times, checked %d; want %+v", i, res.Status, first.builds, second.builds, first.checks, want)
		}
	}
	b.run(engine.Options{Rebuild: true})
	if first.builds != 3 {
		t.Errorf("a rebuild built %d times", first.builds-2)
	}
}

// Identities go by the labels of columns: other labels are a reason to build, once, also when
// no row has changed.
func TestModelsAreBuiltWhenLabelsChange(t *testing.T) {
	b, _, first, _ := modelBench(t)
	b.run()
	b.e.Project.Sources[0].Streams[0].Means = map[string]core.Means{"name": core.PersonNameFull}
	p, _ := b.plan()
	if got := p.Streams[0]; got.Action != plan.ActionUpdate || len(got.Relabelled) != 1 || got.Relabelled[0] != "name" {
		t.Errorf("planned %s, other labels for %v", got.Action, got.Relabelled)
	}
	b.run()
	b.run()
	if first.builds != 2 {
		t.Errorf("built %d times, want 2", first.builds)
	}
	tables, err := b.w.Tables(t.Context(), core.RawTable("crm", "").Schema)
	if err != nil {
		t.Fatal(err)
	}
	f, _ := tables[0].Schema.FieldsByName("name")
	if got := core.MeansOf(f[0]); got != core.PersonNameFull {
		t.Errorf("the column means %q", got)
	}
}

// That nothing comes any more is what a freshness test is there to tell: it is looked at
// also in a run that builds nothing.
func TestFreshnessIsCheckedWhenNothingChanged(t *testing.T) {
	b, _, first, second := modelBench(t)
	b.run()
	first.stale = true
	res := b.run()
	m := res.Models[0]
	if m.Status != engine.StatusFailed || core.KindOf(m.Err) != core.KindData || len(m.Tests) != 1 || res.Status != engine.StatusPartial {
		t.Errorf("a stale source gave %s, model %s with %v", res.Status, m.Status, m.Err)
	}
	if first.builds != 1 || second.builds != 1 {
		t.Errorf("built %d and %d times, want once each", first.builds, second.builds)
	}
	got := b.table(core.TableName{Schema: core.SchemaSystem, Name: "run_models"}, "model", "status", "tests_failed")
	if len(got) != 4 || got[2][1] != "failed" || got[2][2] != int64(1) {
		t.Errorf("recorded %v", got)
	}
	first.stale = false
	if res := b.run(); res.Status != engine.StatusDone || res.Models[0].Status != engine.StatusSkipped {
		t.Errorf("fresh again: %s %s", res.Status, res.Models[0].Status)
	}
	first.checkErr = &core.Error{Kind: core.KindUnavailable, Err: errors.New("no answer")}
	if res := b.run(); core.KindOf(res.Models[0].Err) != core.KindUnavailable {
		t.Errorf("a test that could not be run gave %v", res.Models[0].Err)
	}
}
