//go:build !unix

package config_test

import "time"

var started = time.Now()

// workTime is the time that has passed, where the processor's cannot be had.
func workTime() time.Duration { return time.Since(started) }
