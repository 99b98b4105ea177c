package fault

import (
	"slices"
	"sync"
	"time"
)

// Entry is one request.
type Entry struct {
	At     time.Time `json:"at"`
	Method string    `json:"method"`
	Path   string    `json:"path"`
	Query  string    `json:"query,omitempty"`
	// Fault that was meant for it, "" for none; Rule is the rule's place in the plan.
	Fault Kind `json:"fault,omitempty"`
	Rule  int  `json:"rule,omitempty"`
	// NotBefore is when the client may send again, as it was told in this answer.
	NotBefore time.Time `json:"not_before,omitzero"`
	// Early says that the client knew that it should stay away until later. Requests that
	// were under way when it was told are refused and not counted.
	Early bool `json:"early,omitempty"`
}

// Log is what happened so far.
type Log struct {
	Entries []Entry `json:"entries"`
	// Requests counts requests; Fired counts, by kind, the faults that had an effect: one
	// that an API has no way to show (an empty page where positions are numbers) does not
	// count.
	Requests int          `json:"requests"`
	Fired    map[Kind]int `json:"fired"`
	// Early counts requests that came sooner than told.
	Early int `json:"early"`
}

// recorder collects entries. It keeps the last ones only, so that a long run cannot fill
// the memory; the counts go on.
type recorder struct {
	mu      sync.Mutex
	entries []Entry
	total   int
	early   int
	fired   map[Kind]int
}

const kept = 1 << 16

func (r *recorder) add(e Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.entries) >= kept {
		r.entries = slices.Delete(r.entries, 0, kept/2)
	}
	r.entries = append(r.entries, e)
	r.total++
	if e.Early {
		r.early++
	}
}

// fire counts a fault that has had its effect.
func (r *recorder) fire(k Kind) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fired == nil {
		r.fired = map[Kind]int{}
	}
	r.fired[k]++
}

func (r *recorder) log() Log {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := Log{Entries: slices.Clone(r.entries), Requests: r.total, Early: r.early, Fired: map[Kind]int{}}
	for k, n := range r.fired {
		l.Fired[k] = n
	}
	return l
}

// Count counts the requests of a path.
func (l Log) Count(path string) int {
	n := 0
	for _, e := range l.Entries {
		if e.Path == path {
			n++
		}
	}
	return n
}
