package model

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/unsilo/unsilo/core"
)

// Build makes the table. With tests, it is made beside the published one, tested, and
// swapped in; a failing test of severity error leaves the published table as it was and
// is told in the result, not as an error.
func (m *SQLModel) Build(ctx context.Context, req core.BuildRequest) (core.BuildResult, error) {
	sql := req.Warehouse.Info().SQL
	if sql == nil {
		return core.BuildResult{}, m.needsSQL()
	}
	if len(m.tests) == 0 {
		rows, err := sql.Materialize(ctx, m.Output(), m.sql)
		return core.BuildResult{Rows: rows}, inStatement(err, "sql")
	}
	made := m.staging()
	rows, err := sql.Materialize(ctx, made, m.sql)
	if err != nil {
		return core.BuildResult{}, inStatement(err, "sql")
	}
	r := m.runner(req, made, rows)
	result := core.BuildResult{Rows: rows}
	for _, t := range m.tests {
		if err := ctx.Err(); err != nil {
			return core.BuildResult{}, errors.Join(err, m.discard(ctx, req.Warehouse))
		}
		result.Tests = append(result.Tests, r.run(ctx, t))
	}
	if slices.ContainsFunc(result.Tests, keepsEarlier) {
		result.Notes = append(result.Notes, fmt.Sprintf("%s was not replaced: a test failed", m.Output()))
		return result, m.discard(ctx, req.Warehouse)
	}
	return result, m.publish(ctx, req.Warehouse)
}

func (m *SQLModel) runner(req core.BuildRequest, table core.TableName, rows int64) runner {
	sql := req.Warehouse.Info().SQL
	return runner{sql: sql, dialect: sql.Dialect(), warehouse: req.Warehouse, table: table, rows: rows, at: req.At, key: m.key(), inputs: m.inputs}
}

// Recheck runs the freshness tests on the published table.
func (m *SQLModel) Recheck(ctx context.Context, req core.BuildRequest) ([]core.TestResult, error) {
	if req.Warehouse.Info().SQL == nil {
		return nil, m.needsSQL()
	}
	r := m.runner(req, m.Output(), 0)
	var results []core.TestResult
	for _, t := range m.tests {
		if t.kind != testFreshness {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		results = append(results, r.run(ctx, t))
	}
	return results, nil
}

// keepsEarlier reports a result for which the new table is not published. A test that
// could not be run has not passed.
func keepsEarlier(t core.TestResult) bool {
	return t.Severity == core.TestError && (t.Failures > 0 || t.Err != nil)
}

// staging is where the table is made and tested.
func (m *SQLModel) staging() core.TableName {
	return core.TableName{Schema: core.SchemaStaging, Name: "model_" + m.name}
}

// publish puts the new table in the place of the earlier one.
func (m *SQLModel) publish(ctx context.Context, w core.Warehouse) error {
	return inTx(ctx, w, func(tx core.Tx) error { return tx.Swap(ctx, m.staging(), m.Output()) })
}

// discard drops the new table, also when the run is being cancelled.
func (m *SQLModel) discard(ctx context.Context, w core.Warehouse) error {
	ctx = context.WithoutCancel(ctx)
	return inTx(ctx, w, func(tx core.Tx) error { return tx.Drop(ctx, m.staging()) })
}

func inTx(ctx context.Context, w core.Warehouse, do func(core.Tx) error) error {
	tx, err := w.Begin(ctx)
	if err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.End(context.WithoutCancel(ctx), false))
	}
	return tx.End(ctx, true)
}
