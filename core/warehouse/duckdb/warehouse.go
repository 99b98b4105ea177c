//go:build duckdb_arrow

package duckdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"github.com/unsilo/unsilo/core"
)

// catalog is the name under which the warehouse file is attached.
const catalog = "warehouse"

var _ core.Warehouse = (*Warehouse)(nil)

// A Warehouse is one DuckDB file, or one database in memory. Its methods may be called
// from several goroutines.
type Warehouse struct {
	config  Config
	file    *databaseFile // nil in memory
	schemas sync.Mutex    // held while a schema is created
	// commit is held for reading while something is committed, and for writing while the
	// file is copied.
	commit    sync.RWMutex
	publisher publisher

	mu     sync.Mutex
	in     *instance // nil when it is to be opened on next use
	broken bool      // DuckDB gave up on in: it must go before the file is opened again
	open   int       // connections of in
	closed bool
	txs    map[*tx]struct{}
	// unsettled says that a schema change is still in the log.
	unsettled atomic.Bool
	// commits counts what changed the file since Open.
	commits int64

	// The filters of tables, by folded name, and what tells whether one may be begun: the
	// clock counts transactions that ended, ended tells when the last one that changed a
	// table did.
	filters      map[core.TableName]*keyFilter
	filterBudget atomic.Int64
	clock        int64
	ended        map[core.TableName]int64
	// writers are the open transactions that write tables by key, written is when a change
	// of a table was last committed.
	writers map[core.TableName]*tx
	written map[core.TableName]int64

	// A write takes rows in chunks of at least chunkRows rows or chunkBytes, whichever comes
	// first. This bounds memory, and is large enough that a statement's fixed cost does not
	// show.
	chunkRows, chunkBytes int64
	// cacheBytes and fewShare are the constants of those names, but in tests.
	cacheBytes, fewShare int64
}

// Open opens the file, or creates it with mode 0600, and brings the system tables up to
// date. A file that another process holds for writing, or that is damaged, is a
// core.Error which says what to do.
func Open(ctx context.Context, config Config) (*Warehouse, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	w := &Warehouse{config: config, txs: map[*tx]struct{}{}, filters: map[core.TableName]*keyFilter{},
		ended: map[core.TableName]int64{}, writers: map[core.TableName]*tx{}, written: map[core.TableName]int64{},
		chunkRows: 1 << 20, chunkBytes: 64 * mib, cacheBytes: cacheBytes, fewShare: fewShare}
	w.filterBudget.Store(filterBytes)
	if config.Path != "" {
		if !config.ReadOnly {
			if err := create(ctx, config); err != nil {
				return nil, err
			}
		}
		if w.file, err = openFile(ctx, config.Path, !config.ReadOnly, config.LockWait); err != nil {
			return nil, err
		}
		if !config.ReadOnly {
			// What a killed process had spilled; nobody else can be using it.
			_ = os.RemoveAll(config.Path + tempSuffix)
		}
	}
	if w.in, err = w.start(ctx); err == nil && w.file != nil && w.file.moved() {
		err = lockedError(config.Path, ErrLocked) // a snapshot was replaced just now
	}
	if err == nil {
		err = w.prepareSystem(ctx)
	}
	if err == nil && !config.NoSnapshot {
		_ = w.PublishSnapshot(ctx) // a run without a snapshot is better than no run
	}
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// start attaches the file, waiting for another process that holds it as long as the
// configuration says.
func (w *Warehouse) start(ctx context.Context) (in *instance, err error) {
	err = retry(ctx, w.config.LockWait, func() error {
		in, err = attach(ctx, w.config)
		return err
	})
	if isLocked(err) {
		return nil, lockedError(w.config.Path, err)
	}
	return in, translate("open warehouse", err)
}

// attach starts DuckDB, attaches the file and locks every setting.
func attach(ctx context.Context, config Config) (*instance, error) {
	in, err := openInstance(config.settings())
	if err != nil {
		return nil, err
	}
	c, err := in.connect()
	if err != nil {
		in.close()
		return nil, err
	}
	defer c.close()
	target, options := ":memory:", ""
	if config.Path != "" {
		target = config.Path
		if config.ReadOnly {
			options = " (READ_ONLY)"
		}
	}
	for _, sql := range []string{
		"SET GLOBAL TimeZone = 'UTC'",
		"ATTACH " + literal(target) + " AS " + catalog + options,
		"SET GLOBAL enable_external_access = false",
		"SET GLOBAL lock_configuration = true",
	} {
		if _, err := c.exec(ctx, sql); err != nil {
			in.close()
			return nil, err
		}
	}
	return in, nil
}

// Info tells what the warehouse is.
func (w *Warehouse) Info() core.WarehouseInfo {
	location := w.config.Path
	if location == "" {
		location = "memory"
	}
	return core.WarehouseInfo{Kind: "duckdb", Location: location, SQL: engine{w}}
}

// connect opens a connection. The caller gives it back with release.
func (w *Warehouse) connect(ctx context.Context) (*conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil, errClosed
	}
	if w.broken {
		if w.open > 0 {
			return nil, &core.Error{Kind: core.KindUnavailable, Op: "reopen warehouse",
				Err: fmt.Errorf("%d readers or transactions of the failed instance are still open", w.open)}
		}
		w.in.close()
		w.in, w.broken = nil, false
		for name := range w.filters {
			w.endFilter(name)
		}
	}
	if w.in == nil {
		in, err := w.start(ctx)
		if err != nil {
			return nil, err
		}
		w.in = in
	}
	c, err := w.in.connect()
	if err != nil {
		return nil, err
	}
	w.open++
	return c, nil
}

// release closes a connection from connect, and the instance with the last one if the
// warehouse has been closed meanwhile.
func (w *Warehouse) release(c *conn) {
	c.close()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open--
	if w.closed && w.open == 0 {
		_ = w.shut()
	}
}

// shut closes the instance and then the file. The caller holds mu.
func (w *Warehouse) shut() error {
	for name := range w.filters {
		w.endFilter(name)
	}
	if w.in != nil {
		w.in.close()
		w.in = nil
	}
	var errs []error
	if w.publisher.out != nil {
		errs = append(errs, w.publisher.out.Close())
		w.publisher.out = nil
	}
	if w.file != nil {
		errs = append(errs, w.file.Close())
		w.file = nil
	}
	return errors.Join(errs...)
}

// fail translates an error and remembers when DuckDB gave up.
func (w *Warehouse) fail(op string, err error) error {
	if fatal(err) {
		w.mu.Lock()
		w.broken = w.in != nil
		w.mu.Unlock()
	}
	return translate(op, err)
}

// Close rolls back what is open and closes the file. Readers that are still in use keep
// it open until they are released.
func (w *Warehouse) Close() error {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return nil
	}
	w.closed = true
	open := make([]*tx, 0, len(w.txs))
	for t := range w.txs {
		open = append(open, t)
	}
	w.mu.Unlock()
	var errs []error
	for _, t := range open {
		errs = append(errs, t.End(context.Background(), false))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.open == 0 {
		errs = append(errs, w.shut())
	}
	return errors.Join(errs...)
}
