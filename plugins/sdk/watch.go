package sdk

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"time"

	plugin "github.com/hashicorp/go-plugin"
	"golang.org/x/sync/errgroup"

	"github.com/unsilo/unsilo/plugins/wire"
)

// watchEvery is how often the parent's process id is looked at.
const watchEvery = time.Second

// watchHost ends the process, and the children it started, when the host is gone: its
// end of standard input closes, the parent changes, or the system sends the signal the
// host asked for. Without a host (a plugin run by hand, a debugger) it does nothing.
func watchHost(stderr io.Writer) {
	host, err := strconv.Atoi(os.Getenv(wire.EnvHostPID))
	if err != nil {
		return
	}
	leave := func(why string) error {
		fmt.Fprintf(stderr, "plugin ends: %s\n", why)
		if dir := os.Getenv(plugin.EnvUnixSocketDir); dir != "" {
			_ = os.RemoveAll(dir) // nobody else is left to do it
		}
		endProcess()
		return nil
	}
	// Without this, the first line that is printed when the host is gone would end the
	// process at once, and leave its children behind.
	signal.Notify(make(chan os.Signal, 1), brokenPipe()...)
	// The watchers live as long as the process; nobody waits for them.
	var watchers errgroup.Group
	watchers.Go(func() error {
		_, _ = io.Copy(io.Discard, os.Stdin)
		return leave("the host closed standard input")
	})
	watchers.Go(func() error {
		for os.Getppid() == host {
			time.Sleep(watchEvery)
		}
		return leave("the host is gone")
	})
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, endSignals()...)
	watchers.Go(func() error {
		s := <-ended
		return leave("signal " + s.String())
	})
}
