// Command unsilo-plugin-chaos is a plugin for tests that can misbehave in many ways.
package main

import (
	"github.com/unsilo/unsilo/plugins/host/testdata/numbers"
	"github.com/unsilo/unsilo/plugins/sdk"
)

func main() { sdk.Serve(numbers.Connector(), numbers.Wide()) }
