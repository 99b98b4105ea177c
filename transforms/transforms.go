// Package transforms lists what the project can do with data between a source and an
// insight: masks before landing, and models, identities and insights in the warehouse.
// It only lists; each kind lives in a folder of its own.
package transforms

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity"
	"github.com/unsilo/unsilo/transforms/model"
)

// Decoder makes a model of a block's body. eval knows the project's names, reads are the
// tables that the block refers to.
type Decoder func(name string, body hcl.Body, eval *hcl.EvalContext, reads []core.TableName) (core.Model, hcl.Diagnostics)

// All gives the decoder of every kind of block that builds tables, by the block's type.
func All() map[string]Decoder {
	return map[string]Decoder{
		"model":    model.Decode,
		"identity": identity.Decode,
	}
}
