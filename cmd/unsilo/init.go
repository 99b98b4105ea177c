package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

const starter = `unsilo {
  required_version = ">= 0.1.0"
}

warehouse "duckdb" {
  path = "warehouse.duckdb"
}

# Masks that keep joins possible are keyed. Keep the key; without it the tokens of the
# next run would not match those of the last one.
privacy {
  key    = secret("file:.unsilo/privacy.key")
  key_id = "p1"
}

# A first source: every CSV file in the folder data. See what a connector takes with
#   unsilo connector docs file
# source "file" "lists" {
#   department = "sales"
#   stream "customers" {
#     path        = "data/customers*.csv"
#     primary_key = ["id"]
#     means       = { email = "person.email" }
#     mask        = { email = "hmac" }
#   }
# }
`

func (a *app) initCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "init",
		Short: "Make a project in this folder",
		Long:  "Writes project.hcl, a key for masks and a .gitignore. Files that are there already stay as they are.",
		Example: `  unsilo init               in this folder
  unsilo -C shop init       in the folder shop, which is made if it is not there`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := os.MkdirAll(a.dir, 0o755); err != nil {
				return fmt.Errorf("make project folder: %w", err)
			}
			if found, err := filepath.Glob(filepath.Join(a.dir, "*.hcl")); err == nil && len(found) > 0 {
				return usageError{fmt.Errorf("%s is a project already: it has %s", a.dir, filepath.Base(found[0]))}
			}
			if err := writeNew(filepath.Join(a.dir, "project.hcl"), []byte(starter), 0o644); err != nil {
				return err
			}
			if err := writeKey(a.dir); err != nil {
				return err
			}
			if err := writeNew(filepath.Join(a.dir, ".gitignore"), []byte("*.duckdb*\n.unsilo/\n"), 0o644); err != nil {
				return err
			}
			made := filepath.Join(a.dir, "project.hcl")
			return a.say(grid{columns: []string{"file"}, rows: [][]any{{made}}},
				"Made %s. Next: add a source to it (unsilo connector list), then unsilo plan, then unsilo run.\n", made)
		},
	}
}

// writeKey makes the key of the hmac mask, readable by its owner only.
func writeKey(dir string) error {
	if err := os.MkdirAll(filepath.Join(dir, ".unsilo"), 0o700); err != nil {
		return fmt.Errorf("make key folder: %w", err)
	}
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return fmt.Errorf("make key: %w", err)
	}
	return writeNew(filepath.Join(dir, ".unsilo", "privacy.key"), []byte(hex.EncodeToString(key)+"\n"), 0o600)
}

// writeNew writes a file unless it is there.
func writeNew(name string, text []byte, mode os.FileMode) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}
