// Command unsilo-plugin-sim serves the connector that makes rows up.
package main

import (
	"github.com/unsilo/unsilo/connectors/sim/synthetic"
	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/plugins/sdk"
)

func main() { sdk.Serve(served()...) }

func served() []core.Connector { return []core.Connector{synthetic.New()} }
