package coretest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/unsilo/unsilo/core"
)

func requestRules() []connectorRule {
	return []connectorRule{
		{"request.limit", "With a Limit a read ends after about that many rows: not before, and within a batch after.", requestLimit},
		{"request.columns", "Columns narrows the answer: what was asked for is there, with the key, for every row.", requestColumns},
		{"request.keys_only", "KeysOnly gives the key columns of every row that exists, and nothing is missing.", requestKeysOnly},
		{"request.until", "Until is exclusive: no row at or past it comes, every row before it does, and the state goes " +
			"on with the rest.", requestUntil},
		{"request.from", "From gives every row at or past it, whatever After says, and no state.", requestFrom},
	}
}

func requestLimit(s *connectorSuite) error {
	return s.eachRead(func(stream core.Stream, base *readout) error {
		total := int64(len(base.rows))
		if total < 3 {
			return skipped("no stream has three rows")
		}
		limit := max(1, total/3)
		out, err := s.read(core.ReadRequest{Stream: stream, Limit: limit})
		if err != nil {
			return err
		}
		got := int64(len(out.rows))
		if most := max(2*limit, limit+base.largest); got < limit || got > most {
			return fmt.Errorf("%d rows came for a limit of %d", got, limit)
		}
		return nil
	})
}

func requestColumns(s *connectorSuite) error {
	return s.eachRead(func(stream core.Stream, base *readout) error {
		ask := slices.Clone(stream.PrimaryKey)
		if last := stream.Schema.Field(stream.Schema.NumFields() - 1).Name; !slices.Contains(ask, last) {
			ask = append(ask, last)
		}
		out, err := s.read(core.ReadRequest{Stream: stream, Columns: ask})
		if err != nil {
			return err
		}
		for _, schema := range out.schemas {
			for _, name := range stream.PrimaryKey {
				if len(schema.FieldIndices(name)) != 1 {
					return fmt.Errorf("the answer lacks the key column %q", name)
				}
			}
		}
		if len(out.rows) != len(base.rows) && len(stream.PrimaryKey) == 0 {
			return fmt.Errorf("%d rows with some columns, %d with all", len(out.rows), len(base.rows))
		}
		if len(stream.PrimaryKey) > 0 {
			return sameKeys(out.keys(), base.keys())
		}
		return nil
	})
}

func sameKeys(got, want map[string]bool) error {
	if maps.Equal(got, want) {
		return nil
	}
	missing := 0
	for k := range want {
		if !got[k] {
			missing++
		}
	}
	return fmt.Errorf("%d of %d keys are missing, %d are too many", missing, len(want), len(got)+missing-len(want))
}

func requestKeysOnly(s *connectorSuite) error {
	return s.eachRead(func(stream core.Stream, base *readout) error {
		if len(stream.PrimaryKey) == 0 {
			return skipped("no stream has a key")
		}
		out, err := s.read(core.ReadRequest{Stream: stream, KeysOnly: true})
		var e *core.Error
		if errors.As(err, &e) && stream.Deletes != core.DeleteReconcile {
			return skipped("the connector refuses it: " + e.Error())
		}
		if err != nil {
			return err
		}
		return sameKeys(out.keys(), base.keys())
	})
}

// middle gives a time that splits the rows of a time cursor: rows on both sides of it
// and, where the stream has ties, rows on it.
func middle(base *readout) (time.Time, bool) {
	var times []time.Time
	for _, row := range base.rows {
		if row.cursor.IsZero() {
			continue
		}
		times = append(times, row.cursor)
	}
	if len(times) < 2 {
		return time.Time{}, false
	}
	slices.SortFunc(times, time.Time.Compare)
	at := times[len(times)/2]
	if at.Equal(times[0]) {
		at = times[len(times)-1]
	}
	return at, at.After(times[0])
}

// split gives the rows before and from a time; rows without a cursor value are in neither.
func split(base *readout, at time.Time) (before, from []rowSeen) {
	for _, row := range base.rows {
		switch {
		case row.cursor.IsZero():
		case row.cursor.Before(at):
			before = append(before, row)
		default:
			from = append(from, row)
		}
	}
	return before, from
}

func requestUntil(s *connectorSuite) error {
	return s.eachRead(func(stream core.Stream, base *readout) error {
		at, ok := middle(base)
		if !ok {
			return skipped("no stream has a time cursor with two different values")
		}
		first, err := s.read(core.ReadRequest{Stream: stream, Until: at})
		if err != nil {
			return err
		}
		before, _ := split(base, at)
		early, late := split(first, at)
		if len(late) > 0 {
			return fmt.Errorf("%d rows came at or past Until", len(late))
		}
		if err := differ(fold(stream, early), fold(stream, before)); err != nil {
			return fmt.Errorf("before Until: %w", err)
		}
		if len(first.marks) == 0 {
			return nil
		}
		rest, err := s.read(core.ReadRequest{Stream: stream, After: first.marks[len(first.marks)-1].after})
		if err != nil {
			return err
		}
		if err := s.together(stream, first.rows, rest.rows, base); err != nil {
			return fmt.Errorf("the rest after Until: %w", err)
		}
		return nil
	})
}

func requestFrom(s *connectorSuite) error {
	return s.eachRead(func(stream core.Stream, base *readout) error {
		at, ok := middle(base)
		if !ok {
			return skipped("no stream has a time cursor with two different values")
		}
		req := core.ReadRequest{Stream: stream, From: at}
		if len(base.marks) > 0 {
			req.After = base.marks[len(base.marks)-1].after
		}
		out, err := s.read(req)
		if err != nil {
			return err
		}
		if len(out.marks) > 0 {
			return errors.New("a state was emitted in a backfill")
		}
		_, want := split(base, at)
		_, got := split(out, at)
		return differ(fold(stream, got), fold(stream, want))
	})
}

// together compares two reads, one going on from the other, with the whole. Without a
// key nothing that came twice could be removed, so nothing may.
func (s *connectorSuite) together(stream core.Stream, first, rest []rowSeen, whole *readout) error {
	return differ(fold(stream, first, rest), fold(stream, whole.rows))
}
