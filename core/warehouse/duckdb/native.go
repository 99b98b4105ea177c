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
func (c *conn) exec(ctx context.Context, sql string) (int64, error) {
	if strings.IndexByte(sql, 0) >= 0 {
		return 0, errNUL
	}
	var res mapping.Result
	err := c.interruptible(ctx, func() error {
		if mapping.Query(c.c, sql, &res) == mapping.StateError {
			return newNativeError(mapping.ResultError(&res))
		}
		return nil
	})
	defer mapping.DestroyResult(&res)
	if err != nil {
		return 0, err
	}
	return int64(mapping.RowsChanged(&res)), nil
}

// prepare parses and binds exactly one statement. The caller destroys it.
func (c *conn) prepare(ctx context.Context, sql string) (mapping.PreparedStatement, error) {
	var stmt mapping.PreparedStatement
	if strings.IndexByte(sql, 0) >= 0 {
		return stmt, errNUL
	}
	err := c.interruptible(ctx, func() error {
		var list mapping.ExtractedStatements
		n := mapping.ExtractStatements(c.c, sql, &list)
		defer mapping.DestroyExtracted(&list)
		switch {
		case n == 0:
			if message := mapping.ExtractStatementsError(list); message != "" {
				return newNativeError(message)
			}
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
	return stmt, err
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
		var pending mapping.PendingResult
		if bindings.PendingPreparedStreaming(stmt, &pending) == mapping.StateError {
			defer mapping.DestroyPending(&pending)
			return newNativeError(mapping.PendingError(pending))
		}
		defer mapping.DestroyPending(&pending)
		if mapping.ExecutePending(pending, &r.res) == mapping.StateError {
			return newNativeError(mapping.ResultError(&r.res))
		}
		return nil
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
