package coretest

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/unsilo/unsilo/core"
)

func readRules() []connectorRule {
	return []connectorRule{
		{"read.rows", "A full read ends without an error and gives the number of rows that the silo has.", readRows},
		{"read.keys", "Key columns are never null, and rows with one key are the same row.", readKeys},
		{"read.deterministic", "Two full reads of a silo that did not change give the same table.", readDeterministic},
		{"read.concurrent", "Streams can be read at the same time from one source, each also twice.", readConcurrent},
		{"read.declared", "Streams that are not offered are refused with a typed error, not read as empty.", readUnknown},
	}
}

func readRows(s *connectorSuite) error {
	return s.each(func(stream core.Stream) error {
		base, err := s.full(stream)
		if err != nil {
			return err
		}
		want, known := s.Rows[stream.Name]
		if got := int64(len(fold(stream, base.rows))); known && len(stream.PrimaryKey) > 0 && got != want {
			return fmt.Errorf("%d keys, want %d", got, want)
		}
		if got := int64(len(base.rows)); known && len(stream.PrimaryKey) == 0 && got != want {
			return fmt.Errorf("%d rows, want %d", got, want)
		}
		return nil
	})
}

func readKeys(s *connectorSuite) error {
	return s.eachRead(func(stream core.Stream, base *readout) error {
		if len(stream.PrimaryKey) == 0 {
			return skipped("no stream has a key")
		}
		seen := table{}
		clashes := 0
		for _, row := range base.rows {
			if text, ok := seen[row.key]; ok && text != row.text && !row.deleted {
				clashes++
			}
			seen[row.key] = row.text
		}
		if clashes > 0 {
			return fmt.Errorf("%d rows have the key of a different row", clashes)
		}
		return nil
	})
}

func readDeterministic(s *connectorSuite) error {
	return s.eachRead(func(stream core.Stream, base *readout) error {
		again, err := s.read(core.ReadRequest{Stream: stream})
		if err != nil {
			return err
		}
		return differ(fold(stream, again.rows), fold(stream, base.rows))
	})
}

// readConcurrent reads short streams all at once.
func readConcurrent(s *connectorSuite) error {
	return s.with(func(src core.Source) error {
		streams, err := s.list()
		if err != nil {
			return err
		}
		g, ctx := errgroup.WithContext(s.ctx)
		for _, stream := range streams {
			base, err := s.full(stream)
			if err != nil {
				continue // another rule says so
			}
			for range 2 {
				g.Go(func() error {
					out, err := s.readFrom(ctx, src, core.ReadRequest{Stream: stream})
					if err == nil {
						err = differ(fold(stream, out.rows), fold(stream, base.rows))
					}
					if err != nil {
						return fmt.Errorf("stream %q: %w", stream.Name, err)
					}
					return nil
				})
			}
		}
		return g.Wait()
	})
}

func readUnknown(s *connectorSuite) error {
	return s.with(func(src core.Source) error {
		req := core.ReadRequest{Stream: core.Stream{Name: "no_such_stream_here"}}
		_, err := s.readFrom(s.ctx, src, req)
		var e *core.Error
		switch {
		case err == nil:
			return errors.New("a stream that does not exist was read without an error")
		case !errors.As(err, &e) && !errors.Is(err, context.Canceled):
			return fmt.Errorf("the error %q is no core.Error", err)
		}
		return nil
	})
}
