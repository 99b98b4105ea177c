//go:build duckdb_arrow

package duckdb

import (
	"context"
	"errors"
	"strings"
	"time"

	bindings "github.com/duckdb/duckdb-go-bindings"
	"github.com/duckdb/duckdb-go/v2/mapping"
)

// An instance is one DuckDB in this process: a main database in memory, to which the
// warehouse file is attached.
type instance struct {
	db mapping.Database
}

// openInstance starts DuckDB with the given settings.
func openInstance(settings map[string]string) (*instance, error) {
	var config mapping.Config
	if mapping.CreateConfig(&config) == mapping.StateError {
		return nil, errors.New("create DuckDB configuration")
	}
	defer mapping.DestroyConfig(&config)
	for name, value := range settings {
		if mapping.SetConfig(config, name, value) == mapping.StateError {
			return nil, newNativeError("Invalid Input Error: DuckDB refuses the setting " + name + " = " + value)
		}
	}
	in := &instance{}
	var message string
	if mapping.OpenExt(":memory:", &in.db, config, &message) == mapping.StateError {
		return nil, newNativeError(message)
	}
	return in, nil
}

func (in *instance) close() { mapping.Close(&in.db) }

func (in *instance) connect() (*conn, error) {
	c := &conn{}
	if mapping.Connect(in.db, &c.c) == mapping.StateError {
		return nil, errors.New("connect to DuckDB")
	}
	return c, nil
}

// A conn is one connection. It runs one statement at a time, for one goroutine.
type conn struct {
	c mapping.Connection
}

func (c *conn) close() { mapping.Disconnect(&c.c) }

// exec runs statements and gives the number of rows the last one changed.
func (c *conn) exec(ctx context.Context, sql string) (changed int64, err error) {
	err = c.interruptible(ctx, func() error {
		return c.extract(sql, func(list mapping.ExtractedStatements, n mapping.IdxT) error {
			for i := range n {
				var err error
				if changed, err = c.execOne(list, i); err != nil {
					return err
				}
			}
			return nil
		})
	})
	return changed, err
}

func (c *conn) execOne(list mapping.ExtractedStatements, i mapping.IdxT) (int64, error) {
	var stmt mapping.PreparedStatement
	defer mapping.DestroyPrepare(&stmt)
	if mapping.PrepareExtractedStatement(c.c, list, i, &stmt) == mapping.StateError {
		return 0, newNativeError(mapping.PrepareError(stmt))
	}
	var res mapping.Result
	defer mapping.DestroyResult(&res)
	if err := start(stmt, mapping.PendingPrepared, &res); err != nil {
		return 0, err
	}
	return int64(mapping.RowsChanged(&res)), nil
}

// extract parses statements for f.
func (c *conn) extract(sql string, f func(mapping.ExtractedStatements, mapping.IdxT) error) error {
	if strings.IndexByte(sql, 0) >= 0 {
		return errNUL
	}
	var list mapping.ExtractedStatements
	n := mapping.ExtractStatements(c.c, sql, &list)
	defer mapping.DestroyExtracted(&list)
	if message := mapping.ExtractStatementsError(list); n == 0 && message != "" {
		return newNativeError(message)
	}
	return f(list, n)
}

// prepare parses and binds exactly one statement. The caller destroys it.
func (c *conn) prepare(ctx context.Context, sql string) (mapping.PreparedStatement, error) {
	var stmt mapping.PreparedStatement
	err := c.interruptible(ctx, func() error {
		return c.extract(sql, func(list mapping.ExtractedStatements, n mapping.IdxT) error {
			switch {
			case n == 0:
				return errEmptySQL
			case n > 1:
				return errManyStatements
			}
			if mapping.PrepareExtractedStatement(c.c, list, 0, &stmt) == mapping.StateError {
				defer mapping.DestroyPrepare(&stmt)
				return newNativeError(mapping.PrepareError(stmt))
			}
			return nil
		})
	})
	return stmt, err
}

// start runs a statement until it has a result.
func start(stmt mapping.PreparedStatement, begin func(mapping.PreparedStatement, *mapping.PendingResult) mapping.State, res *mapping.Result) error {
	var pending mapping.PendingResult
	defer mapping.DestroyPending(&pending)
	if begin(stmt, &pending) == mapping.StateError {
		return newNativeError(mapping.PendingError(pending))
	}
	if !await(pending) {
		return newNativeError(mapping.PendingError(pending))
	}
	if mapping.ExecutePending(pending, res) == mapping.StateError {
		return newNativeError(mapping.ResultError(res))
	}
	return nil
}

const (
	firstPause = 20 * time.Microsecond
	lastPause  = time.Millisecond
)

// await works on a pending statement until its result is ready; false means that it
// failed. While DuckDB's threads have all the work that is left, it sleeps: DuckDB's own
// way to wait is to ask for more without a pause, which takes a whole processor.
func await(pending mapping.PendingResult) bool {
	pause := firstPause
	for {
		switch mapping.PendingExecuteTask(pending) {
		case mapping.PendingStateResultReady:
			return true
		case mapping.PendingStateResultNotReady:
			pause = firstPause
		case mapping.PendingStateNoTasksAvailable:
			time.Sleep(pause)
			pause = min(2*pause, lastPause)
		default:
			return false
		}
	}
}

// query runs one statement and streams its result. Until the reader is released the
// connection can run nothing else.
func (c *conn) query(ctx context.Context, sql string) (*reader, error) {
	stmt, err := c.prepare(ctx, sql)
	if err != nil {
		return nil, err
	}
	r := &reader{ctx: ctx, conn: c, stmt: stmt}
	r.refs.Store(1)
	err = c.interruptible(ctx, func() error {
		return start(stmt, bindings.PendingPreparedStreaming, &r.res)
	})
	if err == nil {
		err = r.describe()
	}
	if err != nil {
		r.Release()
		return nil, err
	}
	return r, nil
}

// interruptEvery is how often a cancelled statement is told to stop: DuckDB forgets an
// interrupt that comes between two phases of a statement.
const interruptEvery = time.Millisecond

// interruptible calls f and stops the statement it runs when ctx ends.
func (c *conn) interruptible(ctx context.Context, f func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	finished, stopped := make(chan struct{}), make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		for {
			mapping.Interrupt(c.c)
			select {
			case <-finished:
				return
			case <-time.After(interruptEvery):
			}
		}
	})
	err := f()
	close(finished)
	if !stop() {
		<-stopped
		if err != nil {
			return errors.Join(ctx.Err(), err)
		}
	}
	return err
}
