//go:build unix && !linux

package sqltest

import "syscall"

func endWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }
