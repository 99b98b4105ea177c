//go:build !unix

package sdk

import "os"

func endSignals() []os.Signal { return []os.Signal{os.Interrupt} }

// brokenPipe must name a signal: none would mean all.
func brokenPipe() []os.Signal { return []os.Signal{os.Kill} }

func endProcess() { os.Exit(1) }
