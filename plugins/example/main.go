// Command unsilo-plugin-journal is an example of a plugin outside unsilo's repository: a
// module of its own that adds a connector for append-only ledgers in JSON lines.
package main

import "github.com/unsilo/unsilo/plugins/sdk"

func main() { sdk.Serve(Connector()) }
