package config

import (
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/unsilo/unsilo/core"
)

// Project is a folder of *.hcl files, read and checked. Secrets in it are references.
type Project struct {
	// Dir is the project's folder, absolute.
	Dir string
	// RequiredVersion is a version constraint such as ">= 0.1.0", already checked.
	RequiredVersion string
	// Isolation says where built-in connectors run: "process" (default) or "none".
	Isolation string
	// Parallel bounds the streams read at once; 0 means the engine's default.
	Parallel  int
	Warehouse Warehouse
	Privacy   Privacy
	// Sources, in the order of the files' names and then of appearance.
	Sources []Source
	// Models are the model, identity and insight blocks; transforms decode their bodies.
	Models []Block
	// Connectors are the connector blocks; connectors/rest decodes their bodies.
	Connectors []Block
	// Files holds what was read, by name relative to Dir, for snippets.
	Files map[string][]byte
}

// Warehouse is the warehouse block.
type Warehouse struct {
	Kind string
	// Path of the database file, absolute.
	Path string
	// MemoryLimit such as "2GB"; empty means the warehouse's default.
	MemoryLimit string
	Threads     int
	Range       core.Range
}

// Privacy is the privacy block: what masks need.
type Privacy struct {
	// Key of the hmac mask; nil when the project has none.
	Key *core.SecretRef
	// KeyID stands before every token, so that keys can be rotated.
	KeyID string
	// DefaultRegion reads phone numbers without a country code: "FI".
	DefaultRegion string
	Range         core.Range
}

// Source is one source block.
type Source struct {
	// Kind is the connector's name, Name the block's own.
	Kind, Name string
	Department string
	Spec       core.Spec
	// Values by Spec.Fields, defaults filled in; a core.SecretRef stands for a secret.
	Values map[string]any
	// Streams are the stream blocks; none means every stream the source offers.
	Streams []Stream
	Range   core.Range
}

// Stream is one stream block. Zero values mean that the user said nothing and the
// connector's own answer holds.
type Stream struct {
	Name string
	// Values by Spec.StreamFields.
	Values map[string]any
	// Mode is "full", "incremental" or "append"; Write is "merge", "append", "replace" or
	// "history".
	Mode, Write string
	PrimaryKey  []string
	Cursor      string
	// Lookback is re-read before the position; Lag keeps away from the present.
	Lookback, Lag time.Duration
	Deletes       core.DeleteMode
	DeleteField   string
	// MaxDeleteShare is the brake of a reconcile sweep; nil means 0.2.
	MaxDeleteShare *float64
	// OnSchemaChange is "evolve" (default), "freeze", "quarantine" or "drop_value".
	OnSchemaChange string
	// Columns to take, Exclude to leave out; both empty takes all.
	Columns, Exclude []string
	Means            map[string]core.Means
	// Mask names the mask of a column: "hmac", "redact", "partial", "drop", "keep".
	Mask  map[string]string
	Range core.Range
}

// Block is a block whose body another package decodes.
type Block struct {
	// Kind is the block's type: "model", "identity", "insight", "connector". Label is the
	// first of two labels ("rest"), Name the last.
	Kind, Label, Name string
	Body              hcl.Body
	// Eval has the project's variables, locals, functions, and the references
	// (source.crm.contacts, identity.person.map, model.orders) this block uses. A
	// reference evaluates to the table's quoted SQL name.
	Eval *hcl.EvalContext
	// Reads are the tables the block refers to, sorted.
	Reads []core.TableName
	// Source is the text of the whole block.
	Source []byte
	Range  core.Range
}
