package core

import (
	"context"
	"time"
)

// A Model builds tables of the warehouse from other tables: a SQL model, an identity,
// an insight.
type Model interface {
	// Ref names the block: model.orders, identity.person.
	Ref() Ref
	// Inputs are the tables it reads, sorted.
	Inputs() []TableName
	// Fingerprint changes when the definition changes. With unchanged inputs and an
	// unchanged fingerprint a model need not be built again.
	Fingerprint() string
	// Plan checks the definition against the tables as they will be and says what Build
	// will write. It reads no rows. Errors carry Path, an attribute of the block.
	Plan(ctx context.Context, req ModelPlanRequest) (ModelPlan, error)
	// Build writes the outputs. A failed Build leaves the earlier outputs as they were.
	Build(ctx context.Context, req BuildRequest) (BuildResult, error)
}

// A Rechecker is a Model of which some tests can come to fail although nothing it reads has
// changed, because they look at the clock: how fresh the data are.
type Rechecker interface {
	Model
	// Recheck runs those tests on the outputs as they are. It is called in runs that do not
	// build the model, and changes nothing.
	Recheck(ctx context.Context, req BuildRequest) ([]TestResult, error)
}

// Ref names a block of the configuration by kind and name.
type Ref struct {
	Kind, Name string
}

// String gives the reference as it is written in HCL, model.orders.
func (r Ref) String() string { return r.Kind + "." + r.Name }

// ModelPlanRequest is what Plan may look at.
type ModelPlanRequest struct {
	// Tables are all planned tables that the model may read, by name.
	Tables map[TableName]Table
	// SQL checks statements; nil when the warehouse has no SQL.
	SQL SQL
}

// ModelPlan says what a Build will write.
type ModelPlan struct {
	Outputs []Table
	// Notes are shown in the plan, one line each.
	Notes []string
}

// BuildRequest is what Build works with.
type BuildRequest struct {
	Warehouse Warehouse
	RunID     string
	At        time.Time
	// Emit reports progress; never nil.
	Emit func(Event)
}

// BuildResult says what a Build did.
type BuildResult struct {
	// Rows in the main output.
	Rows  int64
	Tests []TestResult
	// Notes are shown at the end of a run, one line each.
	Notes []string
}

// TestResult is the outcome of one test on a model's result.
type TestResult struct {
	Name     string
	Severity TestSeverity
	// Failures is the number of rows that break the test; 0 means it passed.
	Failures int64
	// Sample shows a few keys of failing rows; never personal columns.
	Sample []string
	// Err is set when the test could not be run.
	Err error
}

// TestSeverity says whether a failing test fails the run.
type TestSeverity string

// The severities.
const (
	TestError TestSeverity = "error"
	TestWarn  TestSeverity = "warn"
)
