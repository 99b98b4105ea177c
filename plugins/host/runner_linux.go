package host

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// execPath names the opened file itself, so that it cannot be swapped after the check.
func (b *binary) execPath() string { return fmt.Sprintf("/proc/self/fd/%d", b.file.Fd()) }

// id names the opened file and its state; the change time is the system's own.
func (b *binary) id() (fileID, bool) {
	var st unix.Stat_t
	if err := unix.Fstat(int(b.file.Fd()), &st); err != nil {
		return fileID{}, false
	}
	return fileID{device: uint64(st.Dev), inode: st.Ino, size: st.Size, changed: st.Ctim.Nano()}, true
}

// childAttr makes the plugin lead a process group and get SIGTERM when the host dies. The
// sdk answers that by ending the whole group; anything else dies of it.
func childAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}

// canPeek says that the end of a process can be awaited without reaping it.
const canPeek = true

// killGroup ends a process and all that belongs to its group.
func killGroup(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }

// waitUnreaped waits until the process ended and leaves it for a later wait.
func waitUnreaped(pid int) {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// limitMemory caps what a plugin can have mapped for writing. The Go runtime keeps to
// GOMEMLIMIT; the cap, with room for its own tables, stops what does not.
func limitMemory(pid int, limit int64) {
	if limit <= 0 {
		return
	}
	hard := uint64(limit) + uint64(limit)/2 + 256<<20
	_ = unix.Prlimit(pid, unix.RLIMIT_DATA, &unix.Rlimit{Cur: hard, Max: hard}, nil)
	_ = unix.Prlimit(pid, unix.RLIMIT_CORE, &unix.Rlimit{}, nil)
}
