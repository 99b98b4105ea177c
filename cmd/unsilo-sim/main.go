// Command unsilo-sim serves the simulated company as a server of its own: HTTP APIs, log
// files and a database that connectors can read. All of it is in connectors/sim.
package main

import (
	"context"
	"os"

	"github.com/unsilo/unsilo/connectors/sim"
)

func main() { os.Exit(sim.Run(context.Background(), os.Args[1:], os.Stdout, os.Stderr)) }
