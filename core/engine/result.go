package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/plan"
)

// Status is how a run, a stream or a model ended.
type Status string

// The statuses.
const (
	StatusRunning     Status = "running"
	StatusDone        Status = "done"
	StatusPartial     Status = "partial"     // some of it failed; what succeeded stands
	StatusFailed      Status = "failed"      // what was committed before stands
	StatusSkipped     Status = "skipped"     // a model whose inputs did not change
	StatusInterrupted Status = "interrupted" // the process ended before the run did
)

// Result is what a run did.
type Result struct {
	RunID   string
	Started time.Time
	Ended   time.Time
	Status  Status
	Streams []StreamResult
	Models  []ModelResult
	// Notes are lines for people, such as columns that were left out.
	Notes []string
}

// StreamResult is what a run did to one stream.
type StreamResult struct {
	Source, Stream string
	Status         Status
	// Read counts rows from the source, what was read again after a failure included.
	Read int64
	core.Counts
	Quarantined int64
	Seconds     float64
	// Before and After are the positions, as people read them.
	Before, After string
	Err           error
}

// ModelResult is what a run did to one model.
type ModelResult struct {
	Ref     core.Ref
	Status  Status
	Rows    int64
	Seconds float64
	Tests   []core.TestResult
	Notes   []string
	Err     error
}

// Failed reports whether a test of error severity failed, or could not be run.
func (m ModelResult) Failed() bool {
	for _, t := range m.Tests {
		if t.Severity == core.TestError && (t.Failures > 0 || t.Err != nil) {
			return true
		}
	}
	return m.Err != nil
}

// settle works out the status of the whole run.
func (r *Result) settle() {
	var done, failed int
	count := func(s Status) {
		switch s {
		case StatusFailed, StatusPartial:
			failed++
		default:
			done++
		}
	}
	for _, s := range r.Streams {
		count(s.Status)
	}
	for _, m := range r.Models {
		count(m.Status)
	}
	switch {
	case failed == 0:
		r.Status = StatusDone
	case done == 0:
		r.Status = StatusFailed
	default:
		r.Status = StatusPartial
	}
}

// Errors lists what failed, streams first.
func (r *Result) Errors() []error {
	var out []error
	for _, s := range r.Streams {
		if s.Err != nil {
			out = append(out, s.Err)
		}
	}
	for _, m := range r.Models {
		if m.Err != nil {
			out = append(out, m.Err)
		}
	}
	return out
}

// Landed is the number of rows of all streams that differ from before.
func (r *Result) Landed() int64 {
	var n int64
	for _, s := range r.Streams {
		n += s.Landed()
	}
	return n
}

// PositionText writes a position for people. A position is opaque, but connectors that
// have a cursor, or keep track of files, name it in a member that is shown.
func PositionText(s core.State) string {
	if len(s) == 0 {
		return "-"
	}
	var named struct {
		Cursor any               `json:"cursor"`
		At     string            `json:"at"`
		Low    string            `json:"low"`
		Token  string            `json:"token"`
		Files  []json.RawMessage `json:"files"`
		Full   *digest           `json:"full"`
	}
	if json.Unmarshal(s, &named) == nil {
		switch {
		case named.Cursor != nil:
			return fmt.Sprint(named.Cursor)
		case named.At != "":
			return withoutTag(named.At)
		case named.Low != "":
			return named.Low
		case named.Token != "":
			return "token " + shortened(named.Token, 12)
		case len(named.Files) > 0:
			if len(named.Files) == 1 {
				return "1 file"
			}
			return fmt.Sprintf("%d files", len(named.Files))
		case named.Full != nil:
			return fmt.Sprintf("%d rows", named.Full.Rows)
		}
	}
	var compact bytes.Buffer
	if json.Compact(&compact, s) != nil {
		return "?"
	}
	return shortened(compact.String(), 36)
}

// shortened cuts a text to so many characters.
func shortened(s string, most int) string {
	text := []rune(s)
	if len(text) > most {
		return string(text[:most-1]) + "…"
	}
	return s
}

// withoutTag drops the letter by which a connector tells numbers from texts: i:8, t:abc.
func withoutTag(s string) string {
	if len(s) > 2 && s[1] == ':' {
		return s[2:]
	}
	return s
}

func newStreamResult(step plan.StreamStep) StreamResult {
	return StreamResult{Source: step.Source, Stream: step.Name, Before: PositionText(step.State), After: PositionText(step.State)}
}
