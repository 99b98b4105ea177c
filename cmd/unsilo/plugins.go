package main

import (
	"context"
	"errors"
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

// programDirs is the folder of the program, where the bundled plugins stand. They are
// trusted as the program is.
func programDirs() []string {
	self, err := os.Executable()
	if err != nil {
		return nil
	}
	if real, err := filepath.EvalSymlinks(self); err == nil {
		self = real
	}
	return []string{filepath.Dir(self)}
}

// newHost makes a plugin host that ends with the command.
func (a *app) newHost(opt host.Options) *host.Host {
	if opt.Dirs == nil {
		opt.Dirs = programDirs()
	}
	opt.Redact, opt.Log = a.redact, a.pluginLine
	h := host.New(opt)
	a.hosts = append(a.hosts, h)
	return h
}

func (a *app) closeHosts() error {
	var errs []error
	for _, h := range a.hosts {
		errs = append(errs, h.Close())
	}
	a.hosts = nil
	return errors.Join(errs...)
}

// trust reads which plugins this user has trusted: in the file that UNSILO_TRUST_FILE
// names, or in the folder of the user's settings.
func (a *app) trust() (*host.Trust, error) {
	path := a.getenv("UNSILO_TRUST_FILE")
	if dir, err := os.UserConfigDir(); path == "" && err == nil {
		path = filepath.Join(dir, "unsilo", "trusted-plugins")
	}
	return host.ReadTrust(path)
}

// projectPlugins is where a project has its own plugins.
func projectPlugins(root string) string { return filepath.Join(root, "plugins") }

// hostFor looks for plugins as a run of the project in root does.
func (a *app) hostFor(root string) (*host.Host, *host.Lock, error) {
	lock, err := host.ReadLock(root)
	if err != nil {
		return nil, nil, err
	}
	trust, err := a.trust()
	if err != nil {
		return nil, nil, err
	}
	return a.newHost(host.Options{ProjectDirs: []string{projectPlugins(root)}, Lock: lock, Trust: trust}), lock, nil
}

// host makes the plugin host of the project, once.
func (p *project) host() (*host.Host, error) {
	p.hosting.Lock()
	defer p.hosting.Unlock()
	if p.plugins != nil {
		return p.plugins, nil
	}
	var err error
	p.plugins, p.lock, err = p.hostFor(p.root)
	return p.plugins, err
}

// pluginLine passes on what a plugin says of its troubles.
func (a *app) pluginLine(l host.LogLine) {
	if l.Level < 4 && a.getenv("UNSILO_DEBUG") == "" {
		return
	}
	if a.jsonDiagnostics() {
		a.writeEvent(core.Event{Time: time.Now(), Kind: core.EventLog, Message: "plugin " + l.Family + ": " + l.Message})
		return
	}
	fmt.Fprintf(a.err, "plugin %s: %s\n", l.Family, plain(l.Message))
}

// spec describes a connector: a built-in one, or one that a plugin serves. Why a plugin
// that is there cannot tell is kept for the diagnostics.
func (p *project) spec(kind string) (core.Spec, bool) {
	if c, ok := p.builtin[kind]; ok {
		return c.Spec(), true
	}
	h, err := p.host()
	if err != nil {
		p.refused[kind] = err
		return core.Spec{}, false
	}
	family := p.familyOf(h, kind)
	if _, err := h.Path(family); err != nil {
		return core.Spec{}, false
	}
	c, err := h.Connector(context.Background(), family, kind)
	if err != nil {
		p.refused[kind] = err
		return core.Spec{}, false
	}
	return c.Spec(), true
}

// explain puts why plugins were refused into the diagnostics of the connectors that are
// unknown for it.
func (p *project) explain(ds core.Diagnostics) core.Diagnostics {
	for i := range ds {
		for kind, err := range p.refused {
			if ds[i].Summary != fmt.Sprintf("Unknown connector %q", kind) {
				continue
			}
			ds[i].Summary, ds[i].Detail = fmt.Sprintf("The plugin with connector %q cannot be used", kind), err.Error()
			var e *core.Error
			if errors.As(err, &e) && e.Try != "" {
				ds[i].Try = e.Try
			}
		}
	}
	return ds
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
