package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/unsilo/unsilo/core/engine"
)

// failpoints reads UNSILO_FAILPOINT, "name:count:action": at the count-th pass through
// the point the program is killed ("kill", like kill -9), exits with 9 ("exit"), or the
// step fails ("error"). Crash tests set it; an empty one does nothing.
func failpoints(spec string) (func(string) error, error) {
	if spec == "" {
		return nil, nil
	}
	name, rest, _ := strings.Cut(spec, ":")
	countText, action, _ := strings.Cut(rest, ":")
	count, err := strconv.ParseInt(countText, 10, 64)
	if err != nil || !slices.Contains(engine.Failpoints(), name) || !slices.Contains([]string{"kill", "exit", "error"}, action) {
		return nil, usageError{fmt.Errorf("UNSILO_FAILPOINT %q is not name:count:action, with a name of the engine's and the action kill, exit or error", spec)}
	}
	return failAt(name, count, action), nil
}

func failAt(name string, count int64, action string) func(string) error {
	var passed atomic.Int64
	return func(point string) error {
		if point != name || passed.Add(1) != count {
			return nil
		}
		switch action {
		case "kill":
			self, err := os.FindProcess(os.Getpid())
			if err == nil {
				err = self.Signal(syscall.SIGKILL)
			}
			if err == nil {
				select {} // the signal is on its way; nothing may happen after this point
			}
			return fmt.Errorf("kill at failpoint %s: %w", point, err)
		case "exit":
			os.Exit(9)
		}
		return fmt.Errorf("failpoint %s", point)
	}
}
