//go:build !unix

package host

import (
	"os"
	"syscall"
)

func (b *binary) execPath() string { return b.path }

func (b *binary) id() (fileID, bool) { return fileID{}, false }

func childAttr() *syscall.SysProcAttr { return nil }

// canPeek says that the end of a process can be awaited without reaping it.
const canPeek = false

func killGroup(p *os.Process) { _ = p.Kill() }

func waitUnreaped(int) {}

func limitMemory(int, int64) {}
