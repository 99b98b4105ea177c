package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/hashicorp/go-plugin/runner"
	"golang.org/x/sync/errgroup"
)

// pipeGrace is how long the pipes of a dead plugin may stay open, held by a process
// that escaped its group.
const pipeGrace = 500 * time.Millisecond

// child runs a plugin for go-plugin. It differs from go-plugin's own runner: the file
// that was checked is what runs, standard input is a pipe whose end tells the plugin that
// the host is gone, the plugin leads a process group that is killed as a whole, and a
// child it leaves behind cannot keep its pipes open.
type child struct {
	bin    *binary
	cmd    *exec.Cmd
	limit  int64 // bytes of memory; negative means none
	stdin  *os.File
	stdout *os.File
	stderr *os.File
	noise  func(line string) // what stands on stdout besides the handshake

	group  errgroup.Group
	exited chan struct{}
	mu     sync.Mutex // guards cmd.Process from Start on
	killed bool
	reaped bool
	err    error
}

var _ runner.Runner = (*child)(nil)

// newChild takes the environment that go-plugin prepared.
func newChild(bin *binary, env []string, limit int64, noise func(string)) *child {
	cmd := exec.Command(bin.execPath())
	cmd.Args = []string{bin.path}
	cmd.Env = env
	cmd.SysProcAttr = childAttr()
	return &child{bin: bin, cmd: cmd, limit: limit, noise: noise, exited: make(chan struct{})}
}

// Start starts the process on a thread that stays with it: on Linux the signal at a
// parent's death is bound to the thread that started the child.
func (c *child) Start(context.Context) error {
	theirs, err := c.openPipes()
	if err != nil {
		return fmt.Errorf("start plugin: %w", err)
	}
	started := make(chan error, 1)
	c.group.Go(func() error {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := c.launch()
		for _, f := range theirs {
			f.Close()
		}
		c.bin.file.Close()
		started <- err
		if err == nil {
			c.await()
		}
		return nil
	})
	if err := <-started; err != nil {
		c.closePipes()
		return fmt.Errorf("start plugin: %w", err)
	}
	return nil
}

// launch starts the process, unless it was killed before.
func (c *child) launch() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.killed {
		return errors.New("it was killed before it started")
	}
	if err := c.cmd.Start(); err != nil {
		return err
	}
	limitMemory(c.cmd.Process.Pid, c.limit)
	return nil
}

// openPipes makes the standard streams and returns the plugin's ends.
func (c *child) openPipes() ([]*os.File, error) {
	var theirs []*os.File
	pipe := func(ours **os.File, write bool) (*os.File, error) {
		r, w, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		*ours = r
		their := w
		if write {
			*ours, their = w, r
		}
		theirs = append(theirs, their)
		return their, nil
	}
	var err error
	if c.cmd.Stdin, err = pipe(&c.stdin, true); err != nil {
		return nil, err
	}
	if c.cmd.Stdout, err = pipe(&c.stdout, false); err != nil {
		return nil, err
	}
	if c.cmd.Stderr, err = pipe(&c.stderr, false); err != nil {
		return nil, err
	}
	return theirs, nil
}

func (c *child) closePipes() {
	c.stdin.Close()
	c.stdout.Close()
	c.stderr.Close()
}

// await waits for the end of the process, and kills what is left of its group: where
// the system allows, while the process is unreaped and its number still its own.
func (c *child) await() {
	var err error
	if canPeek {
		waitUnreaped(c.cmd.Process.Pid)
	} else {
		err = c.cmd.Wait()
	}
	c.mu.Lock()
	killGroup(c.cmd.Process)
	if canPeek {
		err = c.cmd.Wait()
	}
	c.err, c.reaped = err, true
	c.mu.Unlock()
	close(c.exited)
	time.AfterFunc(pipeGrace, c.closePipes)
}

// Wait waits for the end of the process.
func (c *child) Wait(context.Context) error {
	<-c.exited
	return c.err
}

// Kill ends the process and its group.
func (c *child) Kill(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.killed = true
	if c.cmd.Process != nil && !c.reaped {
		killGroup(c.cmd.Process)
	}
	return nil
}

// Stdout gives the handshake line only; anything else goes to noise.
func (c *child) Stdout() io.ReadCloser { return &handshakeReader{src: c.stdout, noise: c.noise} }

// Stderr gives what the plugin writes to standard error.
func (c *child) Stderr() io.ReadCloser { return c.stderr }

// Name is the path of the executable.
func (c *child) Name() string { return c.bin.path }

// ID is the process id.
func (c *child) ID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cmd.Process == nil {
		return ""
	}
	return strconv.Itoa(c.cmd.Process.Pid)
}

// Diagnose adds nothing: the tail of standard error says more.
func (c *child) Diagnose(context.Context) string { return "" }

// PluginToHost and HostToPlugin leave addresses as they are.
func (c *child) PluginToHost(network, addr string) (string, string, error) { return network, addr, nil }

// HostToPlugin leaves addresses as they are.
func (c *child) HostToPlugin(network, addr string) (string, string, error) { return network, addr, nil }
