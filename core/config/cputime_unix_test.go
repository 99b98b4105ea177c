//go:build unix

package config_test

import (
	"syscall"
	"time"
)

// workTime is the processor time that this program has taken: unlike the clock it does not
// count what others do at the same time.
func workTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
