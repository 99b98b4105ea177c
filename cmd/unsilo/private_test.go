package main

import (
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// private FOLDER PATTERN... demands that nothing in a folder can be read by others than its
// owner, and that each pattern matches the name of some file in it.
func cmdPrivate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: private FOLDER PATTERN...")
	}
	wanted := map[string]bool{}
	for _, pattern := range args[1:] {
		wanted[pattern] = true
	}
	root := ts.MkAbs(args[0])
	var seen []string
	ts.Check(filepath.WalkDir(root, func(name string, e fs.DirEntry, err error) error {
		if err != nil || name == root {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		seen = append(seen, info.Mode().String()+" "+name)
		if info.Mode().Perm()&0o077 != 0 {
			ts.Fatalf("others can read %s (%v)", name, info.Mode())
		}
		for pattern := range wanted {
			if ok, _ := filepath.Match(pattern, e.Name()); ok {
				delete(wanted, pattern)
			}
		}
		return nil
	}))
	if len(wanted) > 0 {
		ts.Fatalf("nothing is called %v among:\n%s", wanted, strings.Join(seen, "\n"))
	}
}
