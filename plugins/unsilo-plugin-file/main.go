// Command unsilo-plugin-file serves the connector that reads files.
package main

import (
	"github.com/unsilo/unsilo/connectors/file"
	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/plugins/sdk"
)

func main() { sdk.Serve(served()...) }

func served() []core.Connector { return []core.Connector{file.Connector()} }
