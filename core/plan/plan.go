// Package plan turns a project, what its sources offer and what the warehouse holds
// into ordered steps, and says what each will change before anything is touched.
//
// It computes; it opens nothing, reads no rows and writes nothing. core/engine gathers
// its Input and carries out its Plan.
package plan

import (
	"maps"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/config"
)

// Input is everything a plan depends on.
type Input struct {
	Project *config.Project
	// Catalogs say what each source offers, by source name. A source that is missing was
	// not asked, because it was not selected.
	Catalogs map[string]Catalog
	// Tables are those of the warehouse now.
	Tables []core.Table
	States []core.StateRow
	// Models are the project's models with the blocks they come from.
	Models []Model
	// Built says which models stand in the warehouse, by core.Ref.String.
	Built map[string]Built
	// SQL checks model queries; nil without a SQL warehouse.
	SQL core.SQL
	// Mask makes the masking transform of a stream; nil when there is nothing to mask.
	Mask func(columns map[string]string) (core.Transform, error)
	// Select narrows the plan; empty takes everything.
	Select []string
}

// Catalog is what one source answered.
type Catalog struct {
	Streams []core.Stream
	// Samples hold a few rows of streams that are not in the warehouse yet, by stream
	// name. They are looked at for personal data and then forgotten.
	Samples map[string][]arrow.RecordBatch
	// Broken streams are listed, but their rows could not be looked at.
	Broken map[string]error
	// Err is why the source could not answer; its streams are then left out.
	Err error
}

// Model is a model and the block it was decoded from.
type Model struct {
	core.Model
	Block config.Block
}

// Built records what a model was last built from: a row of unsilo.models.
type Built struct {
	Fingerprint string
	// Inputs maps each input table to the version it had.
	Inputs map[string]string
	RunID  string
}

// Plan is the ordered work of a run.
type Plan struct {
	Streams []StreamStep
	// Removed are streams that landed before and are no longer configured. Their tables
	// stay.
	Removed []StreamName
	// Failed are sources that could not be asked, and streams that could not be looked at.
	Failed []FailedSource
	// Models in the order of their dependencies.
	Models []ModelStep
}

// StreamName names a stream by its source.
type StreamName struct {
	Source, Stream string
}

// String gives source.stream.
func (n StreamName) String() string { return n.Source + "." + n.Stream }

// FailedSource is a source that could not be asked for its streams, or one of its streams
// that could not be looked at.
type FailedSource struct {
	Source string
	// Stream is empty when it is the whole source.
	Stream string
	Err    error
}

// Action is what a step does to the warehouse's tables.
type Action string

// The actions.
const (
	ActionCreate  Action = "create"  // the table is new
	ActionUpdate  Action = "update"  // the table's columns or the definition change
	ActionRebuild Action = "rebuild" // everything is read again, because the position is of another configuration
	ActionSync    Action = "sync"    // nothing changes but rows
	ActionNone    Action = "none"    // a model whose inputs and definition are unchanged so far
)

// StreamStep reads one stream and lands it.
type StreamStep struct {
	Source, Name string
	Department   string
	Action       Action
	// Stream is the source's stream with the user's settings applied.
	Stream core.Stream
	// Columns to ask for; nil means all.
	Columns []string
	// Mask names the mask of each masked column.
	Mask map[string]string
	// Table is the landing table as it will be: after masks, with what it already has.
	Table core.Table
	// Exists tells whether the table is there now; Now is what it is.
	Exists  bool
	Now     core.Table
	Changes []ColumnChange
	// Relabelled are columns that stay as they are and get other labels.
	Relabelled []string
	Mode       Mode
	Write      core.WriteMode
	// Lag keeps the upper bound of a time cursor away from the present.
	Lag            time.Duration
	MaxDeleteShare float64
	OnSchemaChange SchemaPolicy
	// State to go on from, nil for a first read; Fingerprint of the configuration.
	State       core.State
	Fingerprint string
	// LandedBy is the run that last changed the table; empty before the first.
	LandedBy string
	// Notes are shown with the step; Destructive ones are called out.
	Notes       []string
	Destructive []string
}

// Replaces reports whether a column changes so that the table is written anew.
func (s StreamStep) Replaces() bool {
	return slices.ContainsFunc(s.Changes, func(c ColumnChange) bool { return c.Kind == ChangeReplace })
}

// KeyMask is the mask that hmac becomes on a column of the key: normalised alike, different
// keys would become one.
const KeyMask = "hmac_key"

// Masks are the masks that the rows go through: those of Mask, with KeyMask on the key.
func (s StreamStep) Masks() map[string]string {
	masks := maps.Clone(s.Mask)
	for _, column := range s.Stream.PrimaryKey {
		if masks[column] == "hmac" {
			masks[column] = KeyMask
		}
	}
	return masks
}

// ID names the step's stream.
func (s StreamStep) ID() StreamName { return StreamName{s.Source, s.Name} }

// Mode says how a stream is read.
type Mode string

// The modes.
const (
	ModeFull        Mode = "full"
	ModeIncremental Mode = "incremental"
	ModeAppend      Mode = "append"
)

// SchemaPolicy says what happens when rows do not fit the table.
type SchemaPolicy string

// The policies.
const (
	Evolve     SchemaPolicy = "evolve"
	Freeze     SchemaPolicy = "freeze"
	Quarantine SchemaPolicy = "quarantine"
	DropValue  SchemaPolicy = "drop_value"
)

// ColumnChange is one difference between a table now and after the run.
type ColumnChange struct {
	Column string `json:"column"`
	// Kind is ChangeAdd, ChangeWiden, ChangeReplace (the table is written anew) or
	// ChangeRetire (the source no longer has the column; it stays).
	Kind string `json:"kind"`
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
}

// ModelStep builds one model.
type ModelStep struct {
	Model   Model
	Action  Action
	Outputs []core.Table
	Notes   []string
}

// Changes reports whether the run would change tables' definitions: what
// -detailed-exitcode asks.
func (p *Plan) Changes() bool {
	for _, s := range p.Streams {
		if s.Action != ActionSync {
			return true
		}
	}
	for _, m := range p.Models {
		if m.Action == ActionCreate || m.Action == ActionUpdate {
			return true
		}
	}
	return len(p.Removed) > 0
}
