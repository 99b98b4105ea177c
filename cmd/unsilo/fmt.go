package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unsilo/unsilo/core/config"
)

func (a *app) fmtCmd() *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use:   "fmt [file...]",
		Short: "Lay out the project's *.hcl files in the standard way",
		Long:  "Rewrites files that are not in the standard layout and prints their names. Without names it takes every *.hcl file of the project.",
		Example: `  unsilo fmt
  unsilo fmt --check        for CI: names the files that would change, and exits with 1`,
		RunE: func(_ *cobra.Command, args []string) error {
			files := args
			if len(files) == 0 {
				var err error
				if files, err = filepath.Glob(filepath.Join(a.dir, "*.hcl")); err != nil || len(files) == 0 {
					return noProject{a.dir}
				}
			}
			g := grid{columns: []string{"file"}}
			var text strings.Builder
			var errs []error
			for _, f := range files {
				did, err := formatFile(f, check)
				if err != nil {
					errs = append(errs, err)
				}
				if did {
					g.add(f)
					fmt.Fprintln(&text, f)
				}
			}
			if err := a.say(g, "%s", text.String()); err != nil {
				return err
			}
			if len(errs) > 0 {
				return usageError{errors.Join(errs...)}
			}
			if check && len(g.rows) > 0 {
				return exited{exitFailed}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "change nothing; exit with 1 when a file is not in the standard layout")
	return cmd
}

// formatFile lays a file out, or with check only says whether it would.
func formatFile(name string, check bool) (changed bool, err error) {
	src, err := os.ReadFile(name)
	if err != nil {
		return false, fmt.Errorf("read %s: %w", name, err)
	}
	formatted, err := config.Format(src)
	if err != nil {
		return false, fmt.Errorf("format %s: %w", name, err)
	}
	if bytes.Equal(src, formatted) {
		return false, nil
	}
	if check {
		return true, nil
	}
	return true, replaceFile(name, formatted)
}

// replaceFile writes a file so that a reader, or a crash, meets the old or the new text.
func replaceFile(name string, text []byte) error {
	mode := os.FileMode(0o644)
	if info, err := os.Stat(name); err == nil {
		mode = info.Mode().Perm()
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".unsilo-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", name, err), os.Remove(f.Name()))
	}
	return nil
}
