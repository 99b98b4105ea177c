package coretest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/unsilo/unsilo/core"
)

// resumePoints bounds the states of one stream that are gone on from.
const resumePoints = 12

func stateRules() []connectorRule {
	return []connectorRule{
		{"state.json", "Every state is valid JSON, and small enough to be read by people.", stateJSON},
		{"state.emitted", "A stream with a cursor emits a state by the end of a read, so that the next one need not begin again.", stateEmitted},
		{"state.resume", "Going on from any state gives, with what came before it, the table of an uninterrupted read; without " +
			"a key, not a row more.", stateResume},
		{"state.idle", "A read from the last state of a silo that did not change gives nothing but rows that share the last " +
			"cursor value or lie in the lookback.", stateIdle},
	}
}

func stateJSON(s *connectorSuite) error {
	return s.eachRead(func(_ core.Stream, base *readout) error {
		if len(base.marks) == 0 {
			return skipped("no stream emits a state")
		}
		for i, m := range base.marks {
			if !json.Valid(m.after) {
				return fmt.Errorf("state %d is not JSON", i+1)
			}
			if len(m.after) > 1<<20 {
				return fmt.Errorf("state %d has %d bytes", i+1, len(m.after))
			}
		}
		return nil
	})
}

func stateEmitted(s *connectorSuite) error {
	return s.eachRead(func(stream core.Stream, base *readout) error {
		if !stream.Cursor.Incremental() {
			return skipped("no stream has a cursor")
		}
		if len(base.marks) == 0 && len(base.rows) > 0 {
			return errors.New("no state was emitted")
		}
		return nil
	})
}

func stateResume(s *connectorSuite) error {
	return s.eachRead(func(stream core.Stream, base *readout) error {
		if len(base.marks) == 0 {
			return skipped("no stream emits a state")
		}
		for i := range min(resumePoints, len(base.marks)) {
			m := base.marks[i*len(base.marks)/min(resumePoints, len(base.marks))]
			rest, err := s.read(core.ReadRequest{Stream: stream, After: m.after})
			if err != nil {
				return fmt.Errorf("from the state after row %d: %w", m.rows, err)
			}
			if err := s.together(stream, base.rows[:m.rows], rest.rows, base); err != nil {
				return fmt.Errorf("from the state after row %d: %w", m.rows, err)
			}
		}
		return nil
	})
}

func stateIdle(s *connectorSuite) error {
	return s.eachRead(func(stream core.Stream, base *readout) error {
		if len(base.marks) == 0 {
			return skipped("no stream emits a state")
		}
		out, err := s.read(core.ReadRequest{Stream: stream, After: base.marks[len(base.marks)-1].after})
		if err != nil {
			return err
		}
		if allowed := repeats(stream, base); len(out.rows) > allowed {
			return fmt.Errorf("%d rows came again, %d could be explained", len(out.rows), allowed)
		}
		return s.together(stream, base.rows, out.rows, base)
	})
}

// repeats counts the rows that a read from the end may give again: the last cursor
// value and what is within precision and lookback of it, and rows without a value.
func repeats(stream core.Stream, base *readout) int {
	var last time.Time
	lastText := ""
	for _, row := range base.rows {
		if row.cursor.After(last) {
			last = row.cursor
		}
		lastText = row.value
	}
	if len(stream.PrimaryKey) == 0 {
		return 0
	}
	n := 0
	edge := last.Add(-stream.Cursor.Lookback - stream.Cursor.Precision)
	for _, row := range base.rows {
		switch {
		case !last.IsZero() && !row.cursor.IsZero():
			if !row.cursor.Before(edge) {
				n++
			}
		case row.value == lastText || row.value == "" || stream.Cursor.Lookback > 0:
			n++
		}
	}
	if stream.Cursor.Opaque && stream.Cursor.Field == "" {
		n = len(base.rows) / 2
	}
	return n
}

// changeRules change the silo, and so run last.
func changeRules() []connectorRule {
	return []connectorRule{
		{"change.incremental", "After the silo changed, a read from the last state brings the table to what a full read of the " +
			"changed silo gives, but for deletes the stream does not find.", changeIncremental},
		{"close.memory", "When all is closed, every buffer taken from the allocator was given back.", closeMemory},
	}
}

func changeIncremental(s *connectorSuite) error {
	if s.Mutate == nil {
		return skipped("the case cannot change the silo")
	}
	streams, err := s.list()
	if err != nil {
		return err
	}
	for _, stream := range streams {
		_, _ = s.full(stream) // before the change; an error is another rule's
	}
	if err := s.Mutate(s.ctx); err != nil {
		return fmt.Errorf("change the silo: %w", err)
	}
	return s.eachRead(s.changedRead)
}

func (s *connectorSuite) changedRead(stream core.Stream, base *readout) error {
	if len(base.marks) == 0 || !stream.Cursor.Incremental() {
		return skipped("no stream emits a state")
	}
	news, err := s.read(core.ReadRequest{Stream: stream, After: base.marks[len(base.marks)-1].after})
	if err != nil {
		return err
	}
	whole, err := s.read(core.ReadRequest{Stream: stream})
	if err != nil {
		return err
	}
	got, want := fold(stream, base.rows, news.rows), fold(stream, whole.rows)
	if stream.Deletes != core.DeleteFeed {
		for key := range got {
			if _, ok := want[key]; !ok && len(stream.PrimaryKey) > 0 {
				delete(got, key) // gone at the source; a sweep or nobody finds it
			}
		}
	}
	return differ(got, want)
}

func closeMemory(s *connectorSuite) error {
	if s.Memory == nil {
		return skipped("the case gives the connector no allocator")
	}
	report := &leakReport{}
	s.Memory.AssertSize(report, 0)
	if report.text.Len() > 0 {
		return errors.New(report.text.String())
	}
	return nil
}

// leakReport collects what a checked allocator has to say.
type leakReport struct{ text strings.Builder }

func (r *leakReport) Errorf(format string, args ...any) { fmt.Fprintf(&r.text, format, args...) }
func (r *leakReport) Helper()                           {}
