// Command unsilo-plugin-sql serves the connectors that read databases.
package main

import (
	"github.com/unsilo/unsilo/connectors/sql"
	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/plugins/sdk"
)

func main() { sdk.Serve(served()...) }

func served() []core.Connector { return sql.Connectors() }
