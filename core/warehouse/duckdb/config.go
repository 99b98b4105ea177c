//go:build duckdb_arrow

package duckdb

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// tempSuffix makes the folder for spilling from the file's name.
const tempSuffix = ".tmp"

// Config says which file to open and what DuckDB may use.
type Config struct {
	// Path of the database file; empty keeps everything in memory.
	Path string
	// MemoryLimit such as "2GB"; empty takes half of what the process may use.
	MemoryLimit string
	// Threads; 0 takes one per processor.
	Threads int
	// TempDir is where big sorts and joins spill; empty takes a folder beside Path.
	TempDir string
	// MaxTemp bounds the spill, such as "10GB"; empty takes half of the free disk.
	MaxTemp string
	// ReadOnly opens the file for reading; others may do the same at the same time.
	ReadOnly bool
	// LockWait is how long to wait for another process that holds the file; 0 is 5 s, and a
	// negative value does not wait.
	LockWait time.Duration
	// NoSnapshot keeps no snapshot for other processes to read. Without it, Open and, from
	// time to time, a commit bring the one at SnapshotPath up to date.
	NoSnapshot bool
}

// settings are DuckDB's options that are fixed before it starts.
func (c Config) settings() map[string]string {
	s := map[string]string{
		"threads":                      strconv.Itoa(c.Threads),
		"memory_limit":                 c.MemoryLimit,
		"temp_directory":               c.TempDir,
		"preserve_insertion_order":     "false",
		"errors_as_json":               "true",
		"allow_community_extensions":   "false",
		"allow_persistent_secrets":     "false",
		"autoinstall_known_extensions": "false",
		"autoload_known_extensions":    "false",
		"allowed_configs":              "[memory_limit]", // for trimCache
	}
	if c.TempDir != "" {
		s["max_temp_directory_size"] = c.MaxTemp
	}
	return s
}

// withDefaults fills in what the caller left open.
func (c Config) withDefaults() (Config, error) {
	if c.Path != "" {
		abs, err := filepath.Abs(c.Path)
		if err != nil {
			return c, fmt.Errorf("find the warehouse file: %w", err)
		}
		c.Path = abs
	}
	if c.MemoryLimit == "" {
		c.MemoryLimit = strconv.FormatInt(defaultMemory()/mib, 10) + "MiB"
	}
	if c.Threads <= 0 {
		c.Threads = defaultThreads()
	}
	if c.TempDir == "" && c.Path != "" {
		c.TempDir = c.Path + tempSuffix
		if c.ReadOnly {
			c.TempDir += strconv.Itoa(os.Getpid()) // readers are many
		}
	}
	if c.LockWait == 0 {
		c.LockWait = 5 * time.Second
	}
	if c.MaxTemp == "" {
		c.MaxTemp = strconv.FormatInt(defaultTemp(c.TempDir)/mib, 10) + "MiB"
	}
	return c, nil
}
