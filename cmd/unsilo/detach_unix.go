//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// detach lets a child live on when this process and its terminal are gone.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
