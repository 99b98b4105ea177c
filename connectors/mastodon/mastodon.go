// Package mastodon is the connector for Mastodon and servers that speak its API: the
// accounts that the configuration names and their statuses, or a public timeline. It
// holds a definition for connectors/rest and no code of its own; what it reads and how
// stands in mastodon.hcl.
package mastodon

import (
	_ "embed"

	"github.com/unsilo/unsilo/connectors/rest"
	"github.com/unsilo/unsilo/core"
)

//go:embed mastodon.hcl
var definition string

// Connector returns the connector "mastodon".
func Connector() core.Connector { return rest.Embedded("mastodon", definition) }
