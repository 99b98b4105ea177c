//go:build unix && !linux

package host

import (
	"os"
	"syscall"
)

func (b *binary) execPath() string { return b.path }

func (b *binary) id() (fileID, bool) { return fileID{}, false }

// childAttr makes the plugin lead a process group. It learns of the host's death from
// its standard input and its parent's id.
func childAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// canPeek says that the end of a process can be awaited without reaping it.
const canPeek = false

func killGroup(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }

func waitUnreaped(int) {}

func limitMemory(int, int64) {}
