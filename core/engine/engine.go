package engine

import (
	"context"
	"sync"
	"time"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/config"
	"github.com/unsilo/unsilo/core/plan"
)

// Engine holds what a run works with. Fill the exported fields, call its methods, and
// Close it. The zero values of Limits and Retry mean the defaults.
type Engine struct {
	Project   *config.Project
	Warehouse core.Warehouse
	// Connect opens a source with its secrets resolved.
	Connect func(ctx context.Context, src config.Source) (core.Source, error)
	// Models are the project's model, identity and insight blocks.
	Models []plan.Model
	// Mask makes the masking transform for columns and the masks named for them.
	Mask func(columns map[string]string) (core.Transform, error)
	// Emit takes progress; it may be nil. It is never called twice at the same time.
	Emit func(core.Event)
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Fail is called at named points and ends the step when it returns an error. It is for
	// tests that stop the program there; nil does nothing. Failpoints lists the names.
	Fail func(point string) error
	// Redact removes secrets from text that is stored, such as the error of a run; nil
	// leaves text as it is.
	Redact func(string) string
	Limits Limits
	Retry  Retry

	emitting sync.Mutex
	opening  sync.Mutex
	opened   map[string]*openSource

	// quarantining is held by the transaction that writes to the quarantine, the one table
	// that streams share.
	quarantining sync.Mutex

	// key tells quarantined records apart that may not be shown.
	keying sync.Mutex
	key    []byte
}

// Limits bound what is held in memory and done at once.
type Limits struct {
	// Streams read at once; default 4.
	Streams int
	// A chunk is committed at Rows (default 122,880), Bytes (default 64 MiB) or Age
	// (default 5 s), whichever comes first.
	Rows  int64
	Bytes int64
	Age   time.Duration
}

// Retry says how often and how patiently a stream is tried again.
type Retry struct {
	// Attempts without progress before a stream is given up; default 5.
	Attempts int
	// Initial wait (default 1 s) doubles, with jitter, up to Max (default 1 min).
	Initial, Max time.Duration
	// MaxWait is the longest wait for a rate limit that a run sits out (default 15 min);
	// a longer one ends the stream for this run.
	MaxWait time.Duration
}

func (l Limits) withDefaults(p *config.Project) Limits {
	if l.Streams == 0 && p != nil {
		l.Streams = p.Parallel
	}
	if l.Streams == 0 {
		l.Streams = 4
	}
	if l.Rows == 0 {
		l.Rows = 122_880
	}
	if l.Bytes == 0 {
		l.Bytes = 64 << 20
	}
	if l.Age == 0 {
		l.Age = 5 * time.Second
	}
	return l
}

func (r Retry) withDefaults() Retry {
	if r.Attempts == 0 {
		r.Attempts = 5
	}
	if r.Initial == 0 {
		r.Initial = time.Second
	}
	if r.Max == 0 {
		r.Max = time.Minute
	}
	if r.MaxWait == 0 {
		r.MaxWait = 15 * time.Minute
	}
	return r
}

func (e *Engine) now() time.Time {
	if e.Now != nil {
		return e.Now()
	}
	return time.Now()
}

func (e *Engine) emit(ev core.Event) {
	if e.Emit == nil {
		return
	}
	if ev.Time.IsZero() {
		ev.Time = e.now()
	}
	e.emitting.Lock()
	defer e.emitting.Unlock()
	e.Emit(ev)
}

func (e *Engine) fail(point string) error {
	if e.Fail == nil {
		return nil
	}
	return e.Fail(point)
}

func (e *Engine) redact(s string) string {
	if e.Redact == nil {
		return s
	}
	return e.Redact(s)
}
