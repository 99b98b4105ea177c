package sim

import (
	"github.com/unsilo/unsilo/connectors/sim/synthetic"
	"github.com/unsilo/unsilo/core"
)

// Connector gives the connector "sim", which makes up rows for benchmarks and crash
// tests. It has nothing to do with a Company.
func Connector() core.Connector { return synthetic.New() }
