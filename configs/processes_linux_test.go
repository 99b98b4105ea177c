package configs_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const canSeeProcesses = true

// addChildren adds the processes that have the parent pid.
func addChildren(seen map[int]string, pid int) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return
	}
	for _, name := range stats {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		_, after, _ := bytes.Cut(text, []byte(") ")) // the name before may hold anything
		fields := strings.Fields(string(after))
		if len(fields) < 2 || fields[1] != strconv.Itoa(pid) {
			continue
		}
		child, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		if program := processName(child); err == nil && program != "" {
			seen[child] = program
		}
	}
}

// processName names the program of a process; "" if there is none.
func processName(pid int) string {
	path, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/exe")
	if err != nil {
		return ""
	}
	return filepath.Base(strings.TrimSuffix(path, " (deleted)"))
}
