package sdk_test

import (
	"github.com/unsilo/unsilo/plugins/host/testdata/numbers"
	"github.com/unsilo/unsilo/plugins/sdk"
)

// The main function of a plugin is one call.
func ExampleServe() {
	sdk.Serve(numbers.Connector())
}
