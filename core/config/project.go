// Package config reads the *.hcl files of a folder into a Project.
//
// Every fault is a diagnostic with a place, the lines there, and one thing to try. The
// package checks names, types, references between blocks, and what contradicts itself; it
// opens no source, no warehouse and no network, runs no program before Secrets.Resolve
// asks for one, and holds no value of a secret in anything that is printed or stored.
//
// The way of a file through the package:
//
//	guard -> hclsyntax -> variables, locals -> blocks -> references -> Project
package config

import (
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/unsilo/unsilo/core"
)

// Project is a folder of *.hcl files, read and checked. Secrets in it are references; its
// JSON holds no secret.
type Project struct {
	// Dir is the project's folder, absolute.
	Dir string `json:"dir"`
	// RequiredVersion is a version constraint such as ">= 0.1.0", already checked.
	RequiredVersion string `json:"required_version,omitempty"`
	// Isolation says where built-in connectors run: "process" (default) or "none".
	Isolation string `json:"isolation"`
	// Parallel bounds the streams read at once; 0 means the engine's default.
	Parallel int `json:"parallel,omitempty"`
	// AllowExec lets secret("exec:...") run programs.
	AllowExec bool      `json:"allow_exec,omitempty"`
	Warehouse Warehouse `json:"warehouse"`
	Privacy   Privacy   `json:"privacy"`
	// Sources, in the order of the files' names and then of appearance.
	Sources []Source `json:"sources,omitempty"`
	// Models are the model, identity and insight blocks; transforms decode their bodies.
	Models []Block `json:"models,omitempty"`
	// Connectors are the connector blocks; connectors/rest decodes their bodies.
	Connectors []Block    `json:"connectors,omitempty"`
	Schedules  []Schedule `json:"schedules,omitempty"`
	Alerts     []Alert    `json:"alerts,omitempty"`
	// Files holds what was read, by name relative to Dir, for snippets.
	Files map[string][]byte `json:"-"`

	// bodies are the parsed files, nil for one that was refused.
	bodies map[string]*hclsyntax.Body
	// blocks finds the syntax of a block by "kind.name", for Locate.
	blocks map[string]*hclsyntax.Block
	// held are secrets that stand in the files or came as variables, by reference.
	held map[string]string
	// hidden are the places of secrets in the files, for snippets.
	hidden []hcl.Range
}

// Warehouse is the warehouse block.
type Warehouse struct {
	Kind string `json:"kind"`
	// Path of the database file, absolute.
	Path string `json:"path"`
	// MemoryLimit such as "2GB"; empty means the warehouse's default.
	MemoryLimit string     `json:"memory_limit,omitempty"`
	Threads     int        `json:"threads,omitempty"`
	Range       core.Range `json:"range"`
}

// Privacy is the privacy block: what masks need.
type Privacy struct {
	// Key of the hmac mask; nil when the project has none.
	Key *core.SecretRef `json:"key,omitempty"`
	// KeyID stands before every token, so that keys can be rotated.
	KeyID string `json:"key_id,omitempty"`
	// DefaultRegion reads phone numbers without a country code: "FI".
	DefaultRegion string     `json:"default_region,omitempty"`
	Range         core.Range `json:"range"`
}

// Source is one source block.
type Source struct {
	// Kind is the connector's name, Name the block's own.
	Kind       string `json:"kind"`
	Name       string `json:"name"`
	Department string `json:"department,omitempty"`
	// Disabled sources are checked and left out of plans.
	Disabled bool      `json:"disabled,omitempty"`
	Spec     core.Spec `json:"-"`
	// Values by Spec.Fields, defaults filled in; a core.SecretRef stands for a secret.
	Values map[string]any `json:"values,omitempty"`
	// Streams are the stream blocks; none means every stream the source offers.
	Streams []Stream   `json:"streams,omitempty"`
	Range   core.Range `json:"range"`
}

// Stream is one stream block. Zero values mean that the user said nothing and the
// connector's own answer holds.
type Stream struct {
	Name string `json:"name"`
	// Values by Spec.StreamFields.
	Values map[string]any `json:"values,omitempty"`
	// Mode is "full", "incremental" or "append"; Write is "merge", "append", "replace" or
	// "history".
	Mode       string   `json:"mode,omitempty"`
	Write      string   `json:"write,omitempty"`
	PrimaryKey []string `json:"primary_key,omitempty"`
	Cursor     string   `json:"cursor,omitempty"`
	// Lookback is re-read before the position; Lag keeps away from the present.
	Lookback    time.Duration   `json:"lookback,omitempty"`
	Lag         time.Duration   `json:"lag,omitempty"`
	Deletes     core.DeleteMode `json:"deletes,omitempty"`
	DeleteField string          `json:"delete_field,omitempty"`
	// MaxDeleteShare is the brake of a reconcile sweep; nil means 0.2.
	MaxDeleteShare *float64 `json:"max_delete_share,omitempty"`
	// OnSchemaChange is "evolve" (default), "freeze", "quarantine" or "drop_value".
	OnSchemaChange string `json:"on_schema_change,omitempty"`
	// Columns to take, Exclude to leave out; both empty takes all.
	Columns []string              `json:"columns,omitempty"`
	Exclude []string              `json:"exclude,omitempty"`
	Means   map[string]core.Means `json:"means,omitempty"`
	// Mask names the mask of a column: "hmac", "redact", "partial", "year", "drop", "keep".
	Mask  map[string]string `json:"mask,omitempty"`
	Range core.Range        `json:"range"`
}

// Block is a block whose body another package decodes.
type Block struct {
	// Kind is the block's type: "model", "identity", "insight", "connector". Label is the
	// first of two labels ("rest"), Name the last.
	Kind  string   `json:"kind"`
	Label string   `json:"label,omitempty"`
	Name  string   `json:"name"`
	Body  hcl.Body `json:"-"`
	// Eval has the project's variables, locals, functions, and the references
	// (source.crm.contacts, identity.person.map, model.orders) this block uses. A
	// reference evaluates to the table's quoted SQL name. No secret can be reached from it.
	Eval *hcl.EvalContext `json:"-"`
	// Reads are the tables the block refers to, sorted.
	Reads []core.TableName `json:"reads,omitempty"`
	// Source is the text of the whole block.
	Source []byte     `json:"-"`
	Range  core.Range `json:"range"`
}

// Ref names the block.
func (b Block) Ref() core.Ref { return core.Ref{Kind: b.Kind, Name: b.Name} }

// Schedule is one schedule block.
type Schedule struct {
	Name string `json:"name"`
	// Cron is an expression that gronx accepts.
	Cron string `json:"cron"`
	// Timezone is an IANA name; "UTC" when the block gives none.
	Timezone string `json:"timezone"`
	// Run are selectors: source.crm, source.crm.contacts, model.orders. Empty runs all.
	Run   []string   `json:"run,omitempty"`
	Range core.Range `json:"range"`
}

// Alert is one alert block: it tells someone when a query returns rows.
type Alert struct {
	Name string `json:"name"`
	// When is one SELECT; rows in its answer raise the alert.
	When   string           `json:"when"`
	Notify []Notify         `json:"notify"`
	Reads  []core.TableName `json:"reads,omitempty"`
	Range  core.Range       `json:"range"`
}

// Notify is one receiver of an alert.
type Notify struct {
	// Kind is "webhook".
	Kind string `json:"kind"`
	// URL is a string or a core.SecretRef.
	URL any `json:"url"`
}
