//go:build unix

package main

import "syscall"

// keepPrivate makes files and folders of this process and its children readable by their
// owner alone: the warehouse, its log and temporary files hold customer data.
func keepPrivate() { syscall.Umask(0o077) }
