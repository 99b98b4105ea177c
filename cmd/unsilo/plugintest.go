package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unsilo/unsilo/connectors/rest"
	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/config"
	"github.com/unsilo/unsilo/core/coretest"
	"github.com/unsilo/unsilo/plugins/host"
	"github.com/unsilo/unsilo/plugins/wire"
)

// pluginTest is one use of plugin test.
type pluginTest struct {
	*app
	source, stream string
	settings       []string
}

func (a *app) pluginTestCmd() *cobra.Command {
	t := pluginTest{app: a}
	cmd := &cobra.Command{
		Use:   "test NAME|PATH [CONNECTOR]",
		Short: "Hold a plugin to the connector contract and report rule by rule",
		Long: `Starts a plugin, opens it with the settings given, and checks every rule of the contract
over the process border. NAME is found in this folder, in plugins/ or beside the program;
PATH is the program itself, or the folder it was built in. Naming it trusts it for once.

A connector whose streams are declared in the project has none by itself: --source takes
settings, secrets and stream blocks from a source of the project.`,
		Example: `  unsilo plugin test ./unsilo-plugin-weather --set url=https://api.example.com
  unsilo plugin test file --source web --stream rows -o json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{errors.New("NAME is missing: which plugin?")}
			}
			return atMostArgs(2)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error { return t.run(cmd.Context(), args[0], args[1:]) },
	}
	f := cmd.Flags()
	f.StringVar(&t.source, "source", "", "take configuration, secrets and streams from this `source` of the project")
	f.StringArrayVar(&t.settings, "set", nil, "a configuration attribute, `name=value`; may be given several times")
	f.StringVar(&t.stream, "stream", "", "test only this stream")
	// The error is about a flag that does not exist; this one does.
	_ = cmd.RegisterFlagCompletionFunc("source", a.completeNames((*project).sourceNames))
	return cmd
}

func (t *pluginTest) run(ctx context.Context, plugin string, connector []string) error {
	h, family, err := t.namedPlugin(plugin)
	if err != nil {
		return err
	}
	all, err := h.Connectors(ctx, family)
	if err != nil {
		return err
	}
	tested := coretest.ConnectorCase{Connector: all[0]}
	if len(connector) > 0 {
		if tested.Connector, err = h.Connector(ctx, family, connector[0]); err != nil {
			return err
		}
	}
	if t.source != "" {
		err = t.fromSource(ctx, h, family, len(connector) > 0, &tested)
	} else {
		tested.Config, err = t.fromFlags(tested.Connector.Spec())
	}
	if err != nil {
		return err
	}
	if tested.Config.Values, err = parseSettings(tested.Connector.Spec().Fields, t.settings, tested.Config.Values); err != nil {
		return err
	}
	if t.stream != "" {
		tested.Streams = []string{t.stream}
	}
	if err := t.hasStreams(ctx, tested); err != nil {
		return err
	}
	return t.report(coretest.Conformance(ctx, tested))
}

// namedPlugin gives a host that starts the plugin the command line names, and its family.
func (t *pluginTest) namedPlugin(name string) (*host.Host, string, error) {
	root, err := filepath.Abs(t.dir)
	if err != nil {
		return nil, "", fmt.Errorf("find folder: %w", err)
	}
	trust, err := t.trust()
	if err != nil {
		return nil, "", err
	}
	opt := host.Options{ProjectDirs: []string{projectPlugins(root), root}, Trust: trust.Naming(name)}
	if !strings.ContainsAny(name, `/\`) && !strings.HasPrefix(name, ".") {
		return t.newHost(opt), name, nil
	}
	path, err := filepath.Abs(name)
	if err != nil {
		return nil, "", fmt.Errorf("find plugin: %w", err)
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, filepath.Base(path))
	}
	family, ok := strings.CutPrefix(strings.TrimSuffix(filepath.Base(path), ".exe"), wire.BinaryPrefix)
	switch _, err := os.Stat(path); {
	case !ok:
		return nil, "", usageError{fmt.Errorf("%s is no plugin: a plugin is a program called %sNAME", name, wire.BinaryPrefix)}
	case err != nil:
		return nil, "", &core.Error{Kind: core.KindConfig, Op: "find plugin", Err: err, Try: "build it first: go build in its folder"}
	}
	opt.Dirs = []string{filepath.Dir(path)}
	return t.newHost(opt), family, nil
}

// fromFlags is a source block with no more than the connector's defaults.
func (t *pluginTest) fromFlags(spec core.Spec) (core.Config, error) {
	dir, err := filepath.Abs(t.dir)
	if err != nil {
		return core.Config{}, fmt.Errorf("find folder: %w", err)
	}
	values := map[string]any{}
	for _, f := range spec.Fields {
		if f.Default != nil {
			values[f.Name] = f.Default
		}
	}
	return core.Config{Source: "test", Dir: dir, Values: values}, nil
}

// fromSource takes over what a source block of the project says.
func (t *pluginTest) fromSource(ctx context.Context, h *host.Host, family string, named bool, tested *coretest.ConnectorCase) error {
	p, err := t.newProject()
	if err != nil {
		return err
	}
	if p.lock, err = host.ReadLock(p.root); err != nil { // it says which plugin serves what
		return err
	}
	p.plugins = h // a source of the plugin under test is to be read as this plugin describes it
	if err := p.read(); err != nil {
		return err
	}
	at := slices.IndexFunc(p.Sources, func(s config.Source) bool { return s.Name == t.source })
	if at < 0 {
		e := &core.Error{Kind: core.KindConfig, Err: fmt.Errorf("the project has no source %q", t.source), Try: "it has: " + strings.Join(p.sourceNames(), ", ")}
		if near := core.Nearest(t.source, p.sourceNames()); near != "" {
			e.Try = fmt.Sprintf("did you mean %q?", near)
		}
		return e
	}
	src := p.Sources[at]
	name := src.Kind
	tested.Config, err = p.ConnectorConfig(ctx, src, p.secrets)
	if err != nil {
		return err
	}
	if def, ok := p.defined[src.Kind]; ok {
		name, tested.Config = rest.Family, rest.AsGeneric(def, tested.Config)
	}
	if got := tested.Connector.Spec().Name; named && got != name {
		return usageError{fmt.Errorf("source %s is of connector %s, not %s", t.source, name, got)}
	}
	tested.Connector, err = h.Connector(ctx, family, name)
	return err
}

// hasStreams says what to do where there would be nothing to test: with settings that are
// refused, every rule would fail for that one reason. Whatever else is wrong is for the
// report to tell.
func (t *pluginTest) hasStreams(ctx context.Context, tested coretest.ConnectorCase) error {
	refused := func(err error) error {
		kind := core.KindOf(err)
		if kind != core.KindConfig && kind != core.KindAuth {
			return nil
		}
		var e *core.Error
		if t.source == "" && errors.As(err, &e) && e.Try == "" {
			return &core.Error{Kind: kind, Err: err, Try: "the connector takes these, as --set name=value: " + strings.Join(fieldNames(tested.Connector.Spec().Fields), ", ")}
		}
		return err
	}
	src, err := tested.Connector.Open(ctx, tested.Config)
	if err != nil {
		return refused(err)
	}
	defer src.Close()
	streams, err := src.Streams(ctx)
	if err != nil {
		return refused(err)
	}
	var names []string
	for _, s := range streams {
		names = append(names, s.Name)
	}
	connector := tested.Connector.Spec()
	switch {
	case len(streams) == 0 && t.source != "":
		return &core.Error{Kind: core.KindConfig, Op: "test plugin", Err: fmt.Errorf("source %s has no streams, so there is nothing to test", t.source),
			Try: "write a stream block in it: see `unsilo connector docs " + connector.Name + "`"}
	case len(streams) == 0:
		return &core.Error{Kind: core.KindConfig, Op: "test plugin",
			Err: fmt.Errorf("connector %s has no streams by itself, so there is nothing to test: they are declared in a source block", connector.Name),
			Try: "name a source of the project that declares some: `unsilo plugin test " + connector.PluginFamily() + " --source NAME`"}
	case t.stream != "" && !slices.Contains(names, t.stream):
		return usageError{fmt.Errorf("there is no stream %q: the source has %s", t.stream, strings.Join(names, ", "))}
	}
	return nil
}

// report shows rule by rule.
func (t *pluginTest) report(report coretest.Report) error {
	g := grid{columns: []string{"rule", "outcome", "detail"}, extra: map[string]any{"connector": report.Connector, "version": report.Version, "failed": report.Failed()}}
	for _, r := range report.Results {
		detail := r.Detail
		if r.Outcome != coretest.Pass && detail == "" {
			detail = r.Rule
		}
		g.add(r.ID, string(r.Outcome), t.redact(detail))
	}
	if err := t.show(g); err != nil {
		return err
	}
	if report.Failed() > 0 {
		return exited{exitFailed}
	}
	return nil
}

// parseSettings reads name=value pairs by the types of a connector's fields, over what is
// set already.
func parseSettings(fields []core.Field, settings []string, values map[string]any) (map[string]any, error) {
	byName := map[string]core.Field{}
	var names []string
	for _, f := range fields {
		byName[f.Name], names = f, append(names, f.Name)
	}
	values = maps.Clone(values)
	for _, s := range settings {
		name, text, ok := strings.Cut(s, "=")
		f, known := byName[name]
		if !ok || !known {
			return nil, usageError{fmt.Errorf("--set %q is not name=value with a name of: %s", name, strings.Join(names, ", "))}
		}
		v, err := parseSetting(f.Type, text)
		if err != nil {
			return nil, usageError{fmt.Errorf("--set %s: %w", name, err)}
		}
		values[name] = v
	}
	return values, nil
}

func fieldNames(fields []core.Field) []string {
	var names []string
	for _, f := range fields {
		names = append(names, f.Name)
	}
	return names
}

func parseSetting(t core.FieldType, text string) (any, error) {
	switch t {
	case core.TypeInt:
		return strconv.ParseInt(text, 10, 64)
	case core.TypeFloat:
		return strconv.ParseFloat(text, 64)
	case core.TypeBool:
		return strconv.ParseBool(text)
	case core.TypeStrings:
		var list []any
		for _, s := range strings.Split(text, ",") {
			list = append(list, s)
		}
		return list, nil
	}
	return text, nil
}
