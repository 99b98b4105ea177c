package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"

	"github.com/unsilo/unsilo/connectors"
	"github.com/unsilo/unsilo/connectors/rest"
	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/config"
	"github.com/unsilo/unsilo/core/engine"
	"github.com/unsilo/unsilo/core/plan"
	"github.com/unsilo/unsilo/core/warehouse/duckdb"
	"github.com/unsilo/unsilo/plugins/host"
	"github.com/unsilo/unsilo/transforms"
	"github.com/unsilo/unsilo/transforms/mask"
)

// project is a loaded project with everything a verb may need of it.
type project struct {
	*app
	*config.Project
	root    string // the folder, absolute; known before the files are read
	secrets *config.Secrets
	builtin map[string]core.Connector
	// defined are the connector blocks of the project, by name.
	defined  map[string]*rest.Definition
	models   []plan.Model
	warnings core.Diagnostics
	// plugins and lock are made at first use, under hosting: streams start side by side.
	hosting sync.Mutex
	plugins *host.Host
	lock    *host.Lock
	// refused says of connectors why the plugin that has them could not be asked.
	refused map[string]error
}

// load reads the project in the folder of -C. Warnings are kept; errors are returned as
// diagnosed.
func (a *app) load() (*project, error) {
	p, err := a.newProject()
	if err != nil {
		return nil, err
	}
	return p, p.read()
}

// newProject is the project in the folder of -C before any file is read.
func (a *app) newProject() (*project, error) {
	dir, err := filepath.Abs(a.dir)
	if err != nil {
		return nil, fmt.Errorf("find project: %w", err)
	}
	if files, err := filepath.Glob(filepath.Join(dir, "*.hcl")); err != nil || len(files) == 0 {
		return nil, noProject{dir}
	}
	p := &project{app: a, root: dir, builtin: map[string]core.Connector{}, defined: map[string]*rest.Definition{}, refused: map[string]error{}}
	for _, c := range connectors.All() {
		p.builtin[c.Spec().Name] = c
	}
	return p, nil
}

func (p *project) read() error {
	ds, err := p.parse(p.spec)
	if err != nil {
		return err
	}
	if ds.HasErrors() {
		return diagnosed{p.explain(ds)}
	}
	p.warnings = ds
	p.secrets = config.NewSecrets(p.Project, p.getenv)
	p.hide = p.secrets.Redact
	ds = p.decodeModels()
	p.warnings = append(p.warnings, ds...)
	if ds.HasErrors() {
		return diagnosed{p.warnings}
	}
	return nil
}

// parse reads the files; spec gives what connectors take that the files do not define.
func (p *project) parse(spec func(kind string) (core.Spec, bool)) (ds core.Diagnostics, err error) {
	vars, err := p.variables()
	if err != nil {
		return nil, err
	}
	p.Project, ds = config.Load(p.root, config.Options{
		Spec: spec, Kinds: p.kinds(), WarehouseKinds: []string{"duckdb"}, Variables: vars, Getenv: p.getenv,
		Version: version, DeclareConnector: p.declare,
	})
	return ds, nil
}

func (a *app) variables() (map[string]string, error) {
	vars := map[string]string{}
	for _, v := range a.vars {
		name, value, ok := strings.Cut(v, "=")
		if !ok {
			return nil, usageError{fmt.Errorf("--var %q is not name=value", v)}
		}
		vars[name] = value
	}
	return vars, nil
}

func (p *project) kinds() []string {
	var names []string
	for name := range p.builtin {
		names = append(names, name)
	}
	return names
}

// declare makes a connector of a connector block of the project.
func (p *project) declare(b config.Block) (core.Spec, core.Diagnostics) {
	def, ds := rest.Parse(b.Source, b.Range.File, hcl.Pos{Line: b.Range.Line, Column: b.Range.Column})
	if ds.HasErrors() {
		return core.Spec{}, config.FromHCL(ds, map[string][]byte{b.Range.File: b.Source})
	}
	c := rest.New(def)
	p.builtin[b.Name], p.defined[b.Name] = c, def
	return c.Spec(), nil
}

func (p *project) decodeModels() core.Diagnostics {
	var out core.Diagnostics
	kinds := transforms.All()
	for _, b := range p.Project.Models {
		decode, ok := kinds[b.Kind]
		if !ok {
			continue // core/config has refused block types that nothing decodes
		}
		m, ds := decode(b.Name, b.Body, b.Eval, b.Reads)
		out = append(out, config.FromHCL(ds, p.Files)...)
		if m != nil {
			p.models = append(p.models, plan.Model{Model: m, Block: b})
		}
	}
	return out
}

// open opens the warehouse and an engine on it. With write the project's lock is taken
// and the warehouse made if it is not there; without, nothing is touched. The caller
// calls close whatever happens after.
func (p *project) open(ctx context.Context, write bool, emit func(core.Event)) (_ *engine.Engine, closeAll func() error, err error) {
	var undo []func() error
	closeAll = func() error {
		var errs []error
		for i := len(undo) - 1; i >= 0; i-- {
			errs = append(errs, undo[i]())
		}
		return errors.Join(errs...)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, closeAll())
			closeAll = func() error { return nil }
		}
	}()
	fail, err := failpoints(p.getenv("UNSILO_FAILPOINT"))
	if err != nil {
		return nil, closeAll, err
	}
	if write {
		lock, err := engine.AcquireLock(p.lockPath())
		if err != nil {
			return nil, closeAll, err
		}
		undo = append(undo, lock.Release)
	}
	w, err := p.openWarehouse(ctx, write)
	if err != nil {
		return nil, closeAll, err
	}
	undo = append(undo, w.Close)
	hmac, err := p.maskKey(ctx)
	if err != nil {
		return nil, closeAll, err
	}
	e := &engine.Engine{
		Project: p.Project, Warehouse: w, Connect: p.connect, Models: p.models, Emit: emit, Redact: p.secrets.Redact, Limits: p.limits,
		Mask: func(columns map[string]string) (core.Transform, error) {
			return mask.New(mask.Options{Columns: columns, Key: hmac, KeyID: p.Privacy.KeyID, DefaultRegion: p.Privacy.DefaultRegion})
		},
		Fail: fail,
	}
	undo = append(undo, p.closeHosts, e.Close)
	return e, closeAll, nil
}

func (p *project) lockPath() string { return p.Warehouse.Path + ".lock" }

func (p *project) openWarehouse(ctx context.Context, write bool) (core.Warehouse, error) {
	cfg := p.duckdb()
	if write {
		p.shareMemory(cfg)
		return duckdb.Open(ctx, cfg)
	}
	if _, err := os.Stat(cfg.Path); errors.Is(err, os.ErrNotExist) {
		cfg.Path = "" // an empty one in memory answers like the one that will be made
		return duckdb.Open(ctx, cfg)
	}
	return duckdb.OpenForReading(ctx, cfg)
}

// shareMemory makes the garbage collector work harder before the process, with the
// warehouse in it, needs more memory than it may have. GOMEMLIMIT comes first.
func (p *project) shareMemory(cfg duckdb.Config) {
	if rest := cfg.Rest(); rest > 0 && p.getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(rest)
	}
}

func (p *project) maskKey(ctx context.Context) ([]byte, error) {
	if p.Privacy.Key == nil {
		return nil, nil
	}
	key, err := p.secrets.Resolve(ctx, *p.Privacy.Key)
	return []byte(key), err
}
