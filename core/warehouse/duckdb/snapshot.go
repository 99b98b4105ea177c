//go:build duckdb_arrow

package duckdb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/unsilo/unsilo/core"
)

// A snapshot is a copy of the file as of one commit, which other processes may read while
// this one goes on writing. DuckDB keeps a database in blocks that begin with their
// checksum, and never changes a block that the last checkpoint uses. So a snapshot is
// brought up to date by comparing checksums and copying the blocks that differ:
//
//   - cost: one checkpoint, 8 bytes read from either file per 256 KiB, and the changed
//     blocks, written twice to disk in all; commits wait meanwhile. Nothing is done when nothing was committed. Where
//     the file system shares blocks between files (XFS, Btrfs), the copy is free.
//   - room: once more the size of the file, where blocks cannot be shared.
//
// The snapshot's first pages are blank while it is being changed. A reader finds either a
// whole snapshot or none, also after a crash, and keeps what it opened: a snapshot that
// somebody reads is not changed but replaced by a whole new file.

// SnapshotPath is where the snapshot of a database file is kept.
func SnapshotPath(path string) string { return path + ".snapshot" }

const (
	// headerBytes is the part of a database file before its blocks.
	headerBytes = 3 * 4096
	// snapshotShare bounds the time spent on snapshots within a run.
	snapshotShare = 20
	snapshotRest  = 2 * time.Second
)

// A publisher keeps the snapshot of one warehouse.
type publisher struct {
	out *os.File // kept open, as closing it would end the locks of readers in this process
	// commits that the snapshot holds, and when the next may be made.
	commits int64
	fresh   bool
	next    time.Time
}

// PublishSnapshot makes the last committed state readable to other processes at
// SnapshotPath. Transactions may stay open, but it waits for one that is changing a schema
// to end.
func (w *Warehouse) PublishSnapshot(ctx context.Context) error {
	if w.file == nil || w.config.ReadOnly {
		return nil
	}
	return w.settled(ctx, func() error { return w.publish(ctx) })
}

// errBusy says that the log cannot be emptied while a transaction changes a schema.
var errBusy = errors.New("a transaction that changes a schema is open")

// settled runs f while nothing is committed, and again as long as f finds the file busy.
func (w *Warehouse) settled(ctx context.Context, f func() error) error {
	for {
		w.commit.Lock()
		err := f()
		w.commit.Unlock()
		if !errors.Is(err, errBusy) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// publish is PublishSnapshot for those who hold the commit lock.
func (w *Warehouse) publish(ctx context.Context) error {
	p := &w.publisher
	if p.fresh && p.commits == w.commits {
		return nil
	}
	start := time.Now()
	err := w.writeSnapshot(ctx)
	p.next = time.Now().Add(max(snapshotRest, snapshotShare*time.Since(start)))
	if errors.Is(err, errBusy) {
		return err
	}
	if err != nil {
		return &core.Error{Kind: core.KindUnavailable, Op: "publish snapshot", Err: err}
	}
	p.fresh, p.commits = true, w.commits
	return nil
}

func (w *Warehouse) writeSnapshot(ctx context.Context) (err error) {
	block, err := w.settle(ctx)
	if err != nil {
		return err
	}
	path := SnapshotPath(w.config.Path)
	size, err := w.size()
	if err != nil {
		return err
	}
	if done, err := w.cloneTo(path); done || err != nil {
		return err
	}
	if w.publisher.out == nil {
		if w.publisher.out, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
			return err
		}
	}
	out := w.publisher.out
	if info, err := out.Stat(); err != nil {
		return err
	} else if need := size - info.Size(); need > 0 && need > freeBytes(filepath.Dir(path))/2 {
		return fmt.Errorf("the snapshot needs %d MiB more and the disk has %d MiB left", need/mib, freeBytes(filepath.Dir(path))/mib)
	}
	if err := excludeReaders(out); errors.Is(err, ErrLocked) {
		return w.replaceSnapshot(path, size)
	} else if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, admitReaders(out)) }()
	return patch(out, w.file.File, size, block)
}

// replaceSnapshot writes a whole new snapshot, beside one that somebody is reading.
func (w *Warehouse) replaceSnapshot(path string, size int64) error {
	fresh, err := os.OpenFile(path+".tmp", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if err := copyRange(fresh, w.file.File, 0, size); err == nil {
		err = os.Rename(path+".tmp", path)
	}
	if err != nil {
		return errors.Join(err, fresh.Close())
	}
	old := w.publisher.out
	w.publisher.out = fresh
	return old.Close()
}

// settle moves what was committed from the log into the file and gives the size of its
// blocks. The caller holds the commit lock.
func (w *Warehouse) settle(ctx context.Context) (block int64, err error) {
	c, err := w.connect(ctx)
	if err != nil {
		return 0, err
	}
	defer w.release(c)
	if err := w.checkpoint(ctx, c); err != nil {
		return 0, err
	}
	if info, err := os.Stat(w.config.Path + ".wal"); err == nil && info.Size() > 0 {
		return 0, fmt.Errorf("the log could not be emptied")
	}
	err = c.each(ctx, "SELECT block_size::BIGINT FROM pragma_database_size() WHERE database_name = "+literal(catalog),
		func(r row) { block = r.int(0) })
	if err == nil && block < 4096 {
		err = fmt.Errorf("the block size is %d", block)
	}
	return block, err
}

func (w *Warehouse) size() (int64, error) {
	info, err := w.file.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// cloneTo replaces path by a copy that shares the file's blocks, if that is possible.
func (w *Warehouse) cloneTo(path string) (done bool, err error) {
	temp, err := os.OpenFile(path+".tmp", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return false, err
	}
	done = cloneFile(temp, w.file.File)
	if err := temp.Close(); err != nil || !done {
		return false, errors.Join(err, os.Remove(temp.Name()))
	}
	return true, os.Rename(temp.Name(), path)
}

// patch makes to a copy of the first size bytes of from, by copying what differs. Until
// it is complete, its first pages are blank.
func patch(to, from *os.File, size, block int64) error {
	header := make([]byte, headerBytes)
	if _, err := from.ReadAt(header, 0); err != nil {
		return err
	}
	old := make([]byte, headerBytes)
	n, err := to.ReadAt(old, 0)
	if err != nil && err != io.EOF {
		return err
	}
	if bytes.Equal(header, old) {
		return nil
	}
	whole := n == headerBytes && !bytes.Equal(old, make([]byte, headerBytes))
	if _, err := to.WriteAt(make([]byte, headerBytes), 0); err != nil {
		return err
	}
	if whole {
		// The blank pages must be on disk before the first block changes.
		if err := to.Sync(); err != nil {
			return err
		}
	}
	info, err := to.Stat()
	if err != nil {
		return err
	}
	for at := int64(headerBytes); at < size; at += block {
		if whole && at+block <= info.Size() && sameBlock(to, from, at) {
			continue
		}
		if err := copyRange(to, from, at, min(block, size-at)); err != nil {
			return err
		}
	}
	if err := to.Truncate(size); err != nil {
		return err
	}
	if err := to.Sync(); err != nil {
		return err
	}
	if _, err := to.WriteAt(header, 0); err != nil {
		return err
	}
	return to.Sync()
}

// sameBlock compares the checksums with which blocks begin.
func sameBlock(a, b *os.File, at int64) bool {
	var x, y [8]byte
	_, err1 := a.ReadAt(x[:], at)
	_, err2 := b.ReadAt(y[:], at)
	return err1 == nil && err2 == nil && x == y
}

func copyRange(to, from *os.File, at, n int64) error {
	if _, err := to.Seek(at, io.SeekStart); err != nil {
		return err
	}
	_, err := io.Copy(to, io.NewSectionReader(from, at, n))
	return err
}
