// Command unsilo-plugin-rest serves the connectors that are HCL definitions, and the
// generic one that runs a project's own.
package main

import (
	"github.com/unsilo/unsilo/connectors/hubspot"
	"github.com/unsilo/unsilo/connectors/mastodon"
	"github.com/unsilo/unsilo/connectors/rest"
	"github.com/unsilo/unsilo/connectors/zendesk"
	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/plugins/sdk"
)

func main() { sdk.Serve(served()...) }

func served() []core.Connector {
	return []core.Connector{hubspot.Connector(), mastodon.Connector(), rest.Connector(), zendesk.Connector()}
}
