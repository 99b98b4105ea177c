// Package hubspot is the connector for the HubSpot CRM: contacts, companies, deals,
// tickets and owners. It holds a definition for connectors/rest and no code of its own;
// what it reads and how stands in hubspot.hcl.
package hubspot

import (
	_ "embed"

	"github.com/unsilo/unsilo/connectors/rest"
	"github.com/unsilo/unsilo/core"
)

//go:embed hubspot.hcl
var definition string

// Connector returns the connector "hubspot".
func Connector() core.Connector { return rest.Embedded("hubspot", definition) }
