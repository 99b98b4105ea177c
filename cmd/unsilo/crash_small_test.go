package main

import (
	"bytes"
	"context"
	"os"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/engine"
)

// smallMain is the program with batches and commits of a few rows, so that small tables
// have many places to be killed at: commits without a position, rows that wait for one,
// shadow tables filled in several steps.
func smallMain() {
	keepPrivate()
	a := &app{in: os.Stdin, out: os.Stdout, err: os.Stderr, getenv: os.Getenv,
		limits: engine.Limits{Rows: 25}, wrap: func(s core.Source) core.Source { return smallSource{s} }}
	os.Exit(a.main(os.Args[1:]))
}

const (
	smallBatch = 9
	smallPage  = 40
)

// smallSource sends what another source sends, in batches of a few rows, and asks it for
// a few rows at a time where it can go on from a position.
type smallSource struct{ core.Source }

func (s smallSource) Read(ctx context.Context, req core.ReadRequest, emit func(core.Batch) error) error {
	paged := req.Stream.Cursor.Field != "" && len(req.Stream.PrimaryKey) > 0 && !req.KeysOnly && req.Limit == 0 && req.From.IsZero()
	if !paged {
		return s.Source.Read(ctx, req, small(emit))
	}
	for {
		var rows int64
		before := req.After
		req.Limit = smallPage
		err := s.Source.Read(ctx, req, small(func(b core.Batch) error {
			if b.Rows != nil {
				rows += b.Rows.NumRows()
			}
			if b.After != nil {
				req.After = bytes.Clone(b.After)
			}
			return emit(b)
		}))
		if err != nil || rows < smallPage || bytes.Equal(before, req.After) {
			return err
		}
	}
}

// small cuts batches; the position goes with the last piece.
func small(emit func(core.Batch) error) func(core.Batch) error {
	return func(b core.Batch) error {
		if b.Rows == nil {
			return emit(b)
		}
		for from, n := int64(0), b.Rows.NumRows(); from < n; from += smallBatch {
			until := min(from+smallBatch, n)
			piece := core.Batch{Op: b.Op, Rows: b.Rows.NewSlice(from, until)}
			if until == n {
				piece.After = b.After
			}
			err := emit(piece)
			piece.Rows.Release()
			if err != nil {
				return err
			}
		}
		return nil
	}
}
