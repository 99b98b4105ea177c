//go:build duckdb_arrow

package duckdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/unsilo/unsilo/core"
)

// Backup writes a copy of the last committed state to dest, verifies it by reading it
// fully, and puts it in place in one step. An existing dest is replaced. The copy is a
// database file like the original, with mode 0600.
func (w *Warehouse) Backup(ctx context.Context, dest string) (err error) {
	fail := func(err error) error {
		return &core.Error{Kind: core.KindUnavailable, Op: "back up warehouse", Err: err}
	}
	if w.file == nil {
		return &core.Error{Kind: core.KindConfig, Op: "back up warehouse", Err: fmt.Errorf("a warehouse in memory has no file")}
	}
	temp, err := os.OpenFile(dest+".tmp", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fail(err)
	}
	defer os.Remove(temp.Name())
	copied := w.settled(ctx, func() error { return w.copyTo(ctx, temp) })
	if err := errors.Join(copied, temp.Sync(), temp.Close()); err != nil {
		return fail(err)
	}
	if err := w.verifyCopy(ctx, temp.Name()); err != nil {
		return err
	}
	if err := os.Rename(temp.Name(), dest); err != nil {
		return fail(err)
	}
	return syncDir(filepath.Dir(dest))
}

func (w *Warehouse) copyTo(ctx context.Context, to *os.File) error {
	if !w.config.ReadOnly {
		if _, err := w.settle(ctx); err != nil {
			return err
		}
	} else if info, err := os.Stat(w.config.Path + ".wal"); err == nil && info.Size() > 0 {
		return fmt.Errorf("the log is not empty; open the warehouse for writing once")
	}
	size, err := w.size()
	if err != nil {
		return err
	}
	if cloneFile(to, w.file.File) {
		return nil
	}
	_, err = io.Copy(to, io.NewSectionReader(w.file, 0, size))
	return err
}

// verifyCopy reads a copy fully.
func (w *Warehouse) verifyCopy(ctx context.Context, path string) (err error) {
	config := w.config
	config.Path, config.ReadOnly, config.TempDir = path, true, path+".tmp"
	copied, err := Open(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, copied.Close(), os.RemoveAll(config.TempDir)) }()
	_, err = copied.Verify(ctx)
	return err
}
