//go:build unix

package sdk

import (
	"os"
	"syscall"
)

func endSignals() []os.Signal { return []os.Signal{syscall.SIGTERM, syscall.SIGHUP} }

func brokenPipe() []os.Signal { return []os.Signal{syscall.SIGPIPE} }

// endProcess takes the whole process group along when it is the plugin's own, so that
// children of the connector do not stay behind.
func endProcess() {
	if syscall.Getpgrp() == os.Getpid() {
		_ = syscall.Kill(0, syscall.SIGKILL)
	}
	os.Exit(1)
}
