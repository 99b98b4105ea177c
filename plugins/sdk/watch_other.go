//go:build !unix

package sdk

import "os"

func endSignals() []os.Signal { return []os.Signal{os.Interrupt} }

func endProcess() { os.Exit(1) }
