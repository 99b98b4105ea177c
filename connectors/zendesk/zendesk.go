// Package zendesk is the connector for Zendesk Support: tickets and users by the cursor
// export. It holds a definition for connectors/rest and no code of its own; what it
// reads and how stands in zendesk.hcl.
package zendesk

import (
	_ "embed"

	"github.com/unsilo/unsilo/connectors/rest"
	"github.com/unsilo/unsilo/core"
)

//go:embed zendesk.hcl
var definition string

// Connector returns the connector "zendesk".
func Connector() core.Connector { return rest.Embedded("zendesk", definition) }
