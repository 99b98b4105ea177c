package fault

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Injector stands before an API and carries out a Plan. It is safe for concurrent use.
type Injector struct {
	next http.Handler
	// scope names what a wait is told for: all requests of one API.
	scope func(*http.Request) string
	log   *recorder

	mu       sync.Mutex
	plan     Plan
	progress []progress
	away     map[string]span    // scope to the time to stay away
	memory   map[string]*memory // path to what its last page held
}

// span is a time to stay away: told at since, over at until.
type span struct{ since, until time.Time }

// underWay is how long a request may have been on its way.
const underWay = 20 * time.Millisecond

// New puts an injector without a plan before an API. scope may be nil: then a wait is
// told for everything that shares the first two elements of the path.
func New(next http.Handler, scope func(*http.Request) string) *Injector {
	if scope == nil {
		scope = func(r *http.Request) string {
			parts := strings.SplitN(r.URL.Path, "/", 4)
			return strings.Join(parts[:min(3, len(parts))], "/")
		}
	}
	i := &Injector{next: next, scope: scope}
	i.reset(Plan{})
	return i
}

// SetPlan begins a plan anew and forgets the log.
func (i *Injector) SetPlan(p Plan) error {
	if err := p.Check(); err != nil {
		return err
	}
	i.reset(p)
	return nil
}

func (i *Injector) reset(p Plan) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.plan, i.progress = p, make([]progress, len(p.Rules))
	i.away, i.memory, i.log = map[string]span{}, map[string]*memory{}, &recorder{}
}

// Log tells what happened since the plan was set.
func (i *Injector) Log() Log {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.log.log()
}

// ServeHTTP answers a request, or spoils it.
func (i *Injector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e := Entry{At: time.Now(), Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery}
	hit, log := i.decide(r, &e)
	log.add(e)
	if hit == nil {
		hit = &Hit{memory: i.remember(r.URL.Path)}
	}
	if hit.Kind == "" || !hit.spoil(w, r, i.next) {
		i.next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), hitKey{}, hit)))
	}
}

// decide finds the rule that hits a request, and fills in the entry of the log.
func (i *Injector) decide(r *http.Request, e *Entry) (*Hit, *recorder) {
	i.mu.Lock()
	defer i.mu.Unlock()
	scope := i.scope(r)
	away := i.away[scope]
	soon := e.At.Add(5 * time.Millisecond).Before(away.until) // clocks differ a little
	e.Early = soon && e.At.After(away.since.Add(underWay))
	for n := range i.plan.Rules {
		rule := i.plan.Rules[n]
		if !rule.matches(r.Method, r.URL.Path) || !i.progress[n].fires(i.plan, n) {
			continue
		}
		e.Fault, e.Rule = rule.Fault, n
		hit := &Hit{Kind: rule.Fault, rule: rule, at: e.At, memory: i.memoryOf(r.URL.Path), log: i.log}
		if hit.until = rule.notBefore(e.At); !hit.until.IsZero() {
			i.tell(scope, e, hit.until)
		}
		return hit, i.log
	}
	if soon {
		wait := away.until.Sub(e.At)
		if i.growing() {
			wait += wait/2 + 100*time.Millisecond
		}
		rule := Rule{Fault: Limited, Wait: wait}
		hit := &Hit{Kind: Limited, rule: rule, at: e.At, until: rule.notBefore(e.At)}
		i.tell(scope, e, hit.until)
		return hit, i.log
	}
	return nil, i.log
}

// tell notes that a client is told to stay away. A wait that is told again began when it
// was first told.
func (i *Injector) tell(scope string, e *Entry, until time.Time) {
	since := e.At
	if before := i.away[scope]; before.until.After(e.At) {
		since = before.since
	}
	i.away[scope], e.NotBefore = span{since, until}, until
}

// growing reports whether the plan has a wait that grows.
func (i *Injector) growing() bool {
	for _, r := range i.plan.Rules {
		if r.Fault == LimitedGrowing {
			return true
		}
	}
	return false
}

func (i *Injector) remember(path string) *memory {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.memoryOf(path)
}

func (i *Injector) memoryOf(path string) *memory {
	m := i.memory[path]
	if m == nil {
		m = &memory{}
		i.memory[path] = m
	}
	return m
}

// notBefore is when a client that was told to wait may come again; zero when the fault
// tells no wait.
func (r Rule) notBefore(at time.Time) time.Time {
	switch r.Fault {
	case Limited, LimitedGrowing:
		// The header has whole seconds; the client is told the next one up.
		seconds := (r.wait() + time.Second - 1) / time.Second
		return at.Add(seconds * time.Second)
	case LimitedDate, LimitedEpoch:
		return at.Add(r.wait()).Truncate(time.Second).Add(time.Second)
	}
	return time.Time{}
}

// Hit is the fault that an API has to carry out in one answer.
type Hit struct {
	// Kind is "" when the request is not hit.
	Kind   Kind
	rule   Rule
	at     time.Time
	until  time.Time
	memory *memory
	log    *recorder // nil once the fault is counted, or for none
}

// Fired counts the fault: it had its effect.
func (h *Hit) Fired() {
	if h.log != nil {
		h.log.fire(h.rule.Fault)
		h.log = nil
	}
}

type hitKey struct{}

// Of gives the fault of a request; never nil.
func Of(ctx context.Context) *Hit {
	if h, ok := ctx.Value(hitKey{}).(*Hit); ok {
		return h
	}
	return &Hit{memory: &memory{}}
}

// Wait is the rule's duration.
func (h *Hit) Wait() time.Duration { return h.rule.wait() }
