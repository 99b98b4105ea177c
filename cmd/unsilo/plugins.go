package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/unsilo/unsilo/connectors/rest"
	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/config"
	"github.com/unsilo/unsilo/plugins/host"
)

// pluginDirs are searched in order: the folder of the program, where the bundled plugins
// stand, then the project's own. A project's plugins run only when its lock file pins
// them: looking at somebody's project must not start what lies in it.
func pluginDirs(project string, locked bool) []string {
	var dirs []string
	if self, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(self); err == nil {
			self = real
		}
		dirs = append(dirs, filepath.Dir(self))
	}
	if locked {
		dirs = append(dirs, filepath.Join(project, "plugins"))
	}
	return dirs
}

// host makes the plugin host of the project, once.
func (p *project) host() (*host.Host, error) {
	if p.plugins != nil {
		return p.plugins, nil
	}
	lock, err := host.ReadLock(p.root)
	if err != nil {
		return nil, err
	}
	p.lock = lock
	p.plugins = host.New(host.Options{Dirs: pluginDirs(p.root, lock != nil), Lock: lock, Redact: p.redact, Log: p.pluginLine})
	return p.plugins, nil
}

// pluginLine passes on what a plugin says of its troubles.
func (p *project) pluginLine(l host.LogLine) {
	if l.Level < 4 && p.getenv("UNSILO_DEBUG") == "" {
		return
	}
	if p.jsonDiagnostics() {
		p.writeEvent(core.Event{Time: time.Now(), Kind: core.EventLog, Message: "plugin " + l.Family + ": " + l.Message})
		return
	}
	fmt.Fprintf(p.err, "plugin %s: %s\n", l.Family, l.Message)
}

// spec describes a connector: a built-in one, or one that a plugin serves.
func (p *project) spec(kind string) (core.Spec, bool) {
	if c, ok := p.builtin[kind]; ok {
		return c.Spec(), true
	}
	h, err := p.host()
	if err != nil {
		return core.Spec{}, false
	}
	c, err := h.Connector(context.Background(), p.familyOf(h, kind), kind)
	if err != nil {
		return core.Spec{}, false
	}
	return c.Spec(), true
}

// familyOf finds the plugin that serves a kind: the lock file says, else the plugin has
// the connector's name.
func (p *project) familyOf(h *host.Host, kind string) string {
	if p.lock != nil {
		for _, l := range p.lock.Plugins {
			if slices.Contains(l.Connectors, kind) {
				return l.Family
			}
		}
	}
	return kind
}

// connect opens a source in a plugin process of its own, or inside this one when the
// project says isolation = "none" or no plugin stands beside the program.
func (p *project) connect(ctx context.Context, src config.Source) (core.Source, error) {
	s, err := p.connectTo(ctx, src)
	if err != nil || p.wrap == nil {
		return s, err
	}
	return p.wrap(s), nil
}

func (p *project) connectTo(ctx context.Context, src config.Source) (core.Source, error) {
	cfg, err := p.ConnectorConfig(ctx, src, p.secrets)
	if err != nil {
		return nil, err
	}
	builtin, isBuiltin := p.builtin[src.Kind]
	if isBuiltin && p.Isolation == "none" {
		return builtin.Open(ctx, cfg)
	}
	h, err := p.host()
	if err != nil {
		return nil, err
	}
	family, name := src.Spec.PluginFamily(), src.Spec.Name
	if !isBuiltin {
		family = p.familyOf(h, src.Kind)
	} else if _, err := h.Path(family); err != nil {
		return builtin.Open(ctx, cfg) // a program without its plugins beside it reads by itself
	}
	if def, ok := p.defined[src.Kind]; ok {
		name, cfg = rest.Family, rest.AsGeneric(def, cfg)
	}
	c, err := h.Connector(ctx, family, name)
	if err != nil {
		return nil, err
	}
	return c.Open(ctx, cfg)
}

// families lists the plugins that the project's sources run in, by name.
func (p *project) families() []string {
	var out []string
	for _, s := range p.Sources {
		family := s.Spec.PluginFamily()
		if !slices.Contains(out, family) {
			out = append(out, family)
		}
	}
	slices.SortFunc(out, strings.Compare)
	return out
}
