package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/unsilo/unsilo/core/engine"
	"github.com/unsilo/unsilo/core/warehouse/duckdb"
)

func (a *app) dbCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "db", Short: "Look after the warehouse file"}
	verify := &cobra.Command{
		Use: "verify", Short: "Read every block of every table", Args: noArgs,
		Long:    "Reads the whole warehouse and shows rows and a checksum per table. A damaged block is found and named.",
		Example: "  unsilo db verify",
		RunE: a.withLock(func(cmd *cobra.Command, p *project) error {
			w, err := duckdb.Open(cmd.Context(), p.duckdb())
			if err != nil {
				return err
			}
			defer w.Close()
			report, err := w.Verify(cmd.Context())
			if err != nil {
				return err
			}
			return a.showTables(report)
		}),
	}
	repair := &cobra.Command{
		Use: "repair", Short: "Make a warehouse that does not open usable again", Args: noArgs,
		Long: `Sets a write-ahead log aside that cannot be replayed, and verifies what remains. Nothing
is thrown away: the log keeps its place under another name. The next run reads again
what the log held.`,
		Example: "  unsilo db repair",
		RunE: a.withLock(func(cmd *cobra.Command, p *project) error {
			r, err := duckdb.Repair(cmd.Context(), p.Warehouse.Path)
			if err != nil {
				return err
			}
			if r.WALQuarantined != "" {
				fmt.Fprintf(a.err, "The write-ahead log could not be replayed and was set aside as %s.\n", r.WALQuarantined)
			}
			return a.showTables(r.Tables)
		}),
	}
	backup := &cobra.Command{
		Use: "backup [FILE]", Short: "Write a verified copy of the warehouse", Args: atMostArgs(1),
		Long: "Copies the warehouse to FILE, or to a name with the time beside it, and reads the copy through. FILE must not exist.",
		Example: `  unsilo db backup
  unsilo db backup /mnt/backup/acme.duckdb`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withLock(func(cmd *cobra.Command, p *project) error {
				to := fmt.Sprintf("%s.%s.backup", p.Warehouse.Path, time.Now().UTC().Format("20060102T150405Z"))
				if len(args) == 1 {
					to = args[0]
				}
				if _, err := os.Lstat(to); err == nil {
					return usageError{fmt.Errorf("%s is there already: a backup replaces nothing", to)}
				}
				if err := p.backup(cmd, to); err != nil {
					return err
				}
				to = filepath.ToSlash(to)
				return a.say(grid{columns: []string{"file"}, rows: [][]any{{to}}}, "%s\n", to)
			})(cmd, args)
		},
	}
	cmd.AddCommand(verify, repair, backup)
	return cmd
}

func (p *project) duckdb() duckdb.Config {
	return duckdb.Config{Path: p.Warehouse.Path, MemoryLimit: p.Warehouse.MemoryLimit, Threads: p.Warehouse.Threads}
}

func (p *project) backup(cmd *cobra.Command, to string) error {
	w, err := duckdb.Open(cmd.Context(), p.duckdb())
	if err != nil {
		return err
	}
	return errors.Join(w.Backup(cmd.Context(), to), w.Close())
}

// withLock runs a verb that needs the warehouse to itself.
func (a *app) withLock(do func(*cobra.Command, *project) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) (err error) {
		p, err := a.load()
		if err != nil {
			return err
		}
		lock, err := engine.AcquireLock(p.lockPath())
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, lock.Release()) }()
		return do(cmd, p)
	}
}

func (a *app) showTables(tables []duckdb.TableReport) error {
	g := grid{columns: []string{"table", "rows", "checksum"}, right: []string{"rows"}}
	for _, t := range tables {
		g.add(t.Name.String(), t.Rows, t.Checksum)
	}
	return a.show(g)
}
