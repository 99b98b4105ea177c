// Package host finds plugins, checks them against the lock file, starts, watches and
// ends their processes, and gives each connector they serve as a core.Connector that
// the engine cannot tell from one of its own.
//
// Every opened source has a process of its own, so what one source's plugin does (crash,
// hang, use too much memory) costs that source and no other. A process that died is
// started again when its source is next used, a few times.
//
// What may start: a plugin beside the program is trusted as the program is. A plugin
// that lies in a project, or where its lock file points, starts only when the user's own
// trust file has its checksum, so that looking at somebody else's project runs nothing of
// theirs. A lock file, where there is one, narrows this further, to the byte.
//
// It reads no HCL but the lock file, knows nothing of warehouses, and retries no read:
// that is the engine's business, which the kind of each error tells.
package host

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/unsilo/unsilo/core"
)

// Options say where plugins are and what they may use. The zero value of a field means
// its default.
type Options struct {
	// Dirs are searched in order for unsilo-plugin-<family>. Plugins there need no trust.
	Dirs []string
	// ProjectDirs are searched after Dirs. They come from others, as does a path in Lock.
	ProjectDirs []string
	// Trust must have the checksum of every plugin that does not stand in Dirs. nil asks
	// for none: for callers that have chosen every folder and path themselves.
	Trust *Trust
	// Lock pins plugins by checksum. nil pins none; with a lock, a plugin that is not in
	// it is refused.
	Lock *Lock
	// Log receives every line a plugin logs or prints, redacted; nil drops them. It is
	// called from several goroutines.
	Log func(LogLine)
	// Redact takes secrets out of text; nil changes nothing.
	Redact func(string) string
	// MemoryLimit of one plugin in bytes: the Go runtime of the plugin aims at it, and
	// on Linux the system refuses what is far beyond. 0 means 1 GiB; -1 means none.
	MemoryLimit int64
	// MaxProcs is GOMAXPROCS of a plugin; 0 means that of the host.
	MaxProcs int
	// Env names variables of the host that plugins see, besides the few that any network
	// program needs.
	Env []string
	// StartTimeout is how long a plugin has from start to handshake; 0 means 15 s.
	StartTimeout time.Duration
	// HangTimeout is how long a plugin may give no sign of life; 0 means 30 s.
	HangTimeout time.Duration
	// CloseGrace is how long a plugin has to close a source and exit; 0 means 5 s.
	CloseGrace time.Duration
	// MaxBody is the longest record batch taken in one piece; 0 means 256 MiB.
	MaxBody uint64
	// MaxRestarts is how often the process of one source is started again; 0 means 3.
	MaxRestarts int
}

// LogLine is one line of a plugin's log or output.
type LogLine struct {
	Time  time.Time
	Level slog.Level
	// Family names the plugin.
	Family  string
	Message string
	Attrs   []slog.Attr
}

// Host starts plugins. Its methods may be called from several goroutines.
type Host struct {
	opt Options

	mu     sync.Mutex
	specs  map[string][]core.Spec // by family
	parked map[string]*process    // started to ask for specs, waiting for a first Open
	live   map[*process]struct{}
	sums   map[fileID]string // checked files
	closed bool
}

// parkTime is how long a process that told its specs waits for a source to open.
const parkTime = 20 * time.Second

// New makes a Host. It touches no file and starts nothing.
func New(opt Options) *Host {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&opt.StartTimeout, 15*time.Second)
	def(&opt.HangTimeout, 30*time.Second)
	def(&opt.CloseGrace, 5*time.Second)
	if opt.Log == nil {
		opt.Log = func(LogLine) {}
	}
	if opt.Redact == nil {
		opt.Redact = func(s string) string { return s }
	}
	if opt.MemoryLimit == 0 {
		opt.MemoryLimit = 1 << 30
	}
	if opt.MaxProcs <= 0 {
		opt.MaxProcs = runtime.GOMAXPROCS(0)
	}
	if opt.MaxRestarts <= 0 {
		opt.MaxRestarts = 3
	}
	return &Host{
		opt: opt, specs: map[string][]core.Spec{}, parked: map[string]*process{}, live: map[*process]struct{}{},
		sums: map[fileID]string{},
	}
}

// Connector gives a connector of a plugin. The plugin is started once to describe its
// connectors; after that the answer comes from memory.
func (h *Host) Connector(ctx context.Context, family, name string) (core.Connector, error) {
	all, err := h.Connectors(ctx, family)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, c := range all {
		if c.Spec().Name == name {
			return c, nil
		}
		names = append(names, c.Spec().Name)
	}
	return nil, &core.Error{Kind: core.KindConfig, Op: "find connector",
		Err: fmt.Errorf("plugin %s serves no connector %q, only %q", family, name, names)}
}

// Connectors gives all connectors of a plugin.
func (h *Host) Connectors(ctx context.Context, family string) ([]core.Connector, error) {
	h.mu.Lock()
	specs, known := h.specs[family]
	h.mu.Unlock()
	if !known {
		var err error
		if specs, err = h.askSpecs(ctx, family); err != nil {
			return nil, err
		}
	}
	out := make([]core.Connector, len(specs))
	for i, s := range specs {
		out[i] = &connector{host: h, family: family, spec: s}
	}
	return out, nil
}

// Close ends every process that is left. Sources should be closed before.
func (h *Host) Close() error {
	h.mu.Lock()
	h.closed = true
	var all []*process
	for p := range h.live {
		all = append(all, p)
	}
	h.parked = map[string]*process{}
	h.mu.Unlock()
	var wait sync.WaitGroup
	for _, p := range all {
		wait.Go(p.stop)
	}
	wait.Wait()
	return nil
}

// askSpecs starts a plugin, asks what it serves and keeps the process for a first Open.
func (h *Host) askSpecs(ctx context.Context, family string) ([]core.Spec, error) {
	p, err := h.start(ctx, family)
	if err != nil {
		return nil, err
	}
	specs, err := p.specs(ctx)
	if err != nil {
		p.stop()
		return nil, err
	}
	h.mu.Lock()
	h.specs[family] = specs
	_, taken := h.parked[family]
	keep := !taken && !h.closed
	if keep {
		h.parked[family] = p
	}
	h.mu.Unlock()
	if !keep {
		p.stop()
		return specs, nil
	}
	time.AfterFunc(parkTime, func() {
		if h.unpark(family, p) {
			p.stop()
		}
	})
	return specs, nil
}

// unpark takes p out of the waiting ones; false when it waits no more.
func (h *Host) unpark(family string, p *process) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if waiting, ok := h.parked[family]; !ok || waiting != p {
		return false
	}
	delete(h.parked, family)
	return true
}

// take gives a process for a source: the waiting one, or a new one.
func (h *Host) take(ctx context.Context, family string) (*process, error) {
	h.mu.Lock()
	p := h.parked[family]
	delete(h.parked, family)
	h.mu.Unlock()
	if p != nil && p.alive() {
		return p, nil
	}
	return h.start(ctx, family)
}

// remember and forget keep the list of processes for Close.
func (h *Host) remember(p *process) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.live[p] = struct{}{}
	}
	return !h.closed
}

func (h *Host) forget(p *process) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.live, p)
}
