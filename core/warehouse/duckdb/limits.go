//go:build duckdb_arrow

package duckdb

import (
	"bufio"
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

const (
	mib = int64(1) << 20
	// leastMemory is what DuckDB needs to sort and join with a spill at all.
	leastMemory = 128 * mib
	// leastRest is what the process needs beside the warehouse to do anything.
	leastRest = 256 * mib
	// leastTemp is granted for spilling however full the disk is.
	leastTemp = 256 * mib
)

// defaultMemory is half of what this process may use: of the control group's limit, or
// of the machine's memory.
func defaultMemory() int64 {
	limit := allowedMemory()
	if limit == 0 {
		return 1024 * mib
	}
	return max(limit/2, leastMemory)
}

// allowedMemory is what this process may use; 0 when nothing tells.
func allowedMemory() int64 {
	limit := machineMemory()
	if group := groupMemory("/proc/self/cgroup", "/sys/fs/cgroup"); group > 0 && (limit == 0 || group < limit) {
		limit = group
	}
	return limit
}

// Rest is the memory in bytes that is left to the process beside the warehouse, less a tenth
// for what nobody counts; 0 when it is not known.
func (c Config) Rest() int64 {
	allowed := allowedMemory()
	own := defaultMemory()
	if c.MemoryLimit != "" {
		own = parseMemory(c.MemoryLimit, machineMemory())
	}
	if allowed == 0 || own == 0 {
		return 0
	}
	return max(allowed*9/10-own, leastRest)
}

// parseMemory reads an amount as DuckDB does: "2GB", "512 MiB" or "80%" of all; 0 when it
// cannot.
func parseMemory(s string, all int64) int64 {
	at := strings.IndexFunc(s, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
	if at < 0 {
		return 0
	}
	n, err := strconv.ParseFloat(s[:at], 64)
	if err != nil {
		return 0
	}
	unit := strings.TrimSpace(s[at:])
	if unit == "%" {
		return int64(n / 100 * float64(all))
	}
	base := 1000.0
	if strings.HasSuffix(unit, "iB") {
		base = 1024
	}
	power := strings.IndexByte("KMGT", unit[0]) + 1
	if power == 0 {
		return 0
	}
	return int64(n * math.Pow(base, float64(power)))
}

// groupMemory reads the lowest memory limit on the way from this process's control group
// to the root; 0 means there is none.
func groupMemory(self, root string) int64 {
	text, err := os.ReadFile(self)
	if err != nil {
		return 0
	}
	lowest := int64(0)
	for line := range bytes.Lines(text) {
		parts := strings.SplitN(strings.TrimSpace(string(line)), ":", 3)
		if len(parts) != 3 || parts[0] != "0" && parts[1] != "memory" {
			continue
		}
		base, file := root, "memory.max"
		if parts[0] != "0" {
			base, file = filepath.Join(root, "memory"), "memory.limit_in_bytes"
		}
		for dir := parts[2]; ; dir = filepath.Dir(dir) {
			if n := readLimit(filepath.Join(base, dir, file)); n > 0 && (lowest == 0 || n < lowest) {
				lowest = n
			}
			if dir == "/" || dir == "." {
				break
			}
		}
	}
	return lowest
}

func readLimit(path string) int64 {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil || n >= 1<<60 { // "max", or version 1's way to say so
		return 0
	}
	return n
}

func machineMemory() int64 {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var kib int64
		if _, err := fmt.Sscanf(lines.Text(), "MemTotal: %d kB", &kib); err == nil {
			return kib << 10
		}
	}
	return 0
}

// defaultThreads follows the processors Go may use, which heed the control group.
func defaultThreads() int { return runtime.GOMAXPROCS(0) }

// defaultTemp is half of what is free where DuckDB will spill.
func defaultTemp(dir string) int64 { return max(freeBytes(dir)/2, leastTemp) }
