package core

import "time"

// Event is one step of progress. The terminal, the run history and the web page all
// read the same events. Fields that do not apply are zero. Events hold no row values
// and no secrets.
type Event struct {
	Time time.Time `json:"time"`
	Kind EventKind `json:"kind"`
	// Source and Stream, or Model, say whose event it is.
	Source string `json:"source,omitempty"`
	Stream string `json:"stream,omitempty"`
	Model  string `json:"model,omitempty"`
	// Read counts rows out of the source so far, Committed rows stored so far.
	Read        int64  `json:"read,omitempty"`
	Committed   int64  `json:"committed,omitempty"`
	Counts      Counts `json:"counts,omitzero"`
	Quarantined int64  `json:"quarantined,omitempty"`
	Bytes       int64  `json:"bytes,omitempty"`
	Estimated   int64  `json:"estimated,omitempty"`
	// Wait is how long a rate limit or a retry holds the stream, from Time on.
	Wait    time.Duration `json:"wait,omitempty"`
	Attempt int           `json:"attempt,omitempty"`
	Message string        `json:"message,omitempty"`
	Err     error         `json:"-"`
}

// EventKind is the kind of an Event.
type EventKind string

// The kinds.
const (
	EventRunStarted    EventKind = "run_started"
	EventRunEnded      EventKind = "run_ended"
	EventStreamStarted EventKind = "stream_started"
	EventProgress      EventKind = "progress"
	EventCommitted     EventKind = "committed"
	EventWaiting       EventKind = "waiting"
	EventRetry         EventKind = "retry"
	EventSchemaChanged EventKind = "schema_changed"
	EventStreamEnded   EventKind = "stream_ended"
	EventModelStarted  EventKind = "model_started"
	EventModelEnded    EventKind = "model_ended"
	EventLog           EventKind = "log"
)
