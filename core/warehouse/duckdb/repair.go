//go:build duckdb_arrow

package duckdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/unsilo/unsilo/core"
)

// A RepairReport says what Repair found and did.
type RepairReport struct {
	// WALQuarantined is the new name of a write-ahead log that could not be replayed. What
	// was committed after the last checkpoint is in it and no longer in the warehouse:
	// rows and positions alike, so that the next run reads those rows again. Empty if
	// there was no such log.
	WALQuarantined string
	// Tables as they are now.
	Tables []TableReport
}

// Repair makes a warehouse usable that Open refuses. It replays the log if that is
// possible, and otherwise puts it aside; it then reads every table. Nothing is deleted.
// An error means that the file itself is damaged: the report tells which tables can still
// be read, and a backup must be restored or the damaged tables built again.
func Repair(ctx context.Context, path string) (report RepairReport, err error) {
	config, err := Config{Path: path, LockWait: -1}.withDefaults()
	if err != nil {
		return report, err
	}
	file, err := openFile(ctx, config.Path, true, config.LockWait)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	in, err := attach(ctx, config)
	if err != nil && !isLocked(err) {
		in, report.WALQuarantined, err = attachWithoutLog(ctx, config, err)
	}
	if err != nil {
		return report, damaged(config.Path, err)
	}
	defer in.close()
	c, err := in.connect()
	if err != nil {
		return report, err
	}
	defer c.close()
	if _, err := c.exec(ctx, "CHECKPOINT "+catalog); err != nil {
		return report, damaged(config.Path, err)
	}
	if report.Tables, err = c.verify(ctx); err != nil {
		return report, damaged(config.Path, err)
	}
	return report, nil
}

// attachWithoutLog puts the log aside, if the file opens without it.
func attachWithoutLog(ctx context.Context, config Config, cause error) (*instance, string, error) {
	log := config.Path + ".wal"
	if _, err := os.Stat(log); err != nil {
		return nil, "", cause
	}
	aside := log + ".corrupt-" + time.Now().UTC().Format("20060102T150405.000Z")
	if err := os.Rename(log, aside); err != nil {
		return nil, "", errors.Join(cause, err)
	}
	in, err := attach(ctx, config)
	if err != nil {
		// The log is not to blame, or not alone: it stays where it was.
		return nil, "", errors.Join(err, os.Rename(aside, log))
	}
	return in, aside, nil
}

func damaged(path string, err error) error {
	if isLocked(err) {
		return lockedError(path, err)
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &core.Error{Kind: core.KindInternal, Op: "repair warehouse", Err: fmt.Errorf("%s is damaged: %w", path, err),
		Try: "restore a backup made by `unsilo db backup`, or move the file away and run again to read everything anew"}
}
