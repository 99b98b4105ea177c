package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/unsilo/unsilo/plugins/host"
	"github.com/unsilo/unsilo/plugins/scaffold"
)

func (a *app) pluginCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "plugin", Short: "List, lock, make and test plugins"}
	list := &cobra.Command{
		Use: "list", Short: "List the plugins that are found, and the connectors each serves", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.listPlugins(cmd) },
	}
	lock := &cobra.Command{
		Use: "lock", Short: "Write the checksums of the project's plugins to unsilo.lock.hcl", Args: noArgs,
		Long:    "With a lock file a run starts only plugins that are in it, byte for byte.",
		Example: "  unsilo plugin lock",
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.lockPlugins(cmd) },
	}
	var module string
	create := &cobra.Command{
		Use: "new NAME", Short: "Make a connector project that passes its tests as it is", Args: exactArgs("NAME"),
		Long:    "Writes the folder unsilo-plugin-NAME with a connector that works, its test, and a main of ten lines.",
		Example: "  unsilo plugin new weather --module example.com/acme/unsilo-plugin-weather",
		RunE: func(_ *cobra.Command, args []string) error {
			dir := filepath.Join(a.dir, "unsilo-plugin-"+args[0])
			if module == "" {
				module = "example.com/unsilo-plugin-" + args[0]
			}
			if err := scaffold.Write(dir, args[0], module); err != nil {
				return err
			}
			return a.say(grid{columns: []string{"folder"}, rows: [][]any{{filepath.ToSlash(dir)}}},
				"Made %s. Next: cd %s && go test ./... ; then write connector.go.\n", dir, dir)
		},
	}
	create.Flags().StringVar(&module, "module", "", "the Go module `path`; default example.com/unsilo-plugin-NAME")
	cmd.AddCommand(list, lock, create, a.pluginTestCmd())
	return cmd
}

// bareHost is a host outside any project.
func (a *app) bareHost() *host.Host {
	p := project{app: a}
	return host.New(host.Options{Dirs: append(pluginDirs(a.dir, true), a.dir), Redact: p.redact, Log: p.pluginLine})
}

func (a *app) listPlugins(cmd *cobra.Command) (err error) {
	h := a.bareHost()
	defer func() { err = errors.Join(err, h.Close()) }()
	g := grid{columns: []string{"plugin", "connectors", "path"}}
	for _, family := range h.Families() {
		path, err := h.Path(family)
		if err != nil {
			return err
		}
		all, err := h.Connectors(cmd.Context(), family)
		if err != nil {
			g.add(family, "error: "+err.Error(), path)
			continue
		}
		var names []string
		for _, c := range all {
			names = append(names, c.Spec().Name)
		}
		slices.Sort(names)
		g.add(family, fmt.Sprint(names), path)
	}
	return a.show(g)
}

func (a *app) lockPlugins(cmd *cobra.Command) (err error) {
	p, err := a.load()
	if err != nil {
		return err
	}
	old, err := host.ReadLock(p.Dir)
	if err != nil {
		return err
	}
	if old == nil {
		old = &host.Lock{}
	}
	h := a.projectHost(p)
	defer func() { err = errors.Join(err, h.Close()) }()
	g := grid{columns: []string{"plugin", "checksum"}}
	for _, family := range p.families() {
		path, err := h.Path(family)
		if err != nil {
			return err
		}
		sum, err := host.Sum(path)
		if err != nil {
			return err
		}
		all, err := h.Connectors(cmd.Context(), family)
		if err != nil {
			return err
		}
		locked := host.LockedPlugin{Family: family, Version: version, Checksums: map[string]string{host.Platform(): sum}}
		for _, c := range all {
			locked.Connectors = append(locked.Connectors, c.Spec().Name)
		}
		slices.Sort(locked.Connectors)
		old.Put(locked)
		g.add(family, sum)
	}
	if err := old.Write(p.Dir); err != nil {
		return err
	}
	return a.show(g)
}

// projectHost looks for plugins as the project does, but holds none of them to the lock:
// it is what makes the lock.
func (a *app) projectHost(p *project) *host.Host {
	return host.New(host.Options{Dirs: pluginDirs(p.Dir, true), Redact: p.redact, Log: p.pluginLine})
}

func (a *app) pluginTestCmd() *cobra.Command {
	var settings []string
	var stream string
	cmd := &cobra.Command{
		Use:   "test FAMILY [CONNECTOR]",
		Short: "Hold a plugin to the connector contract and report rule by rule",
		Long:  "Starts unsilo-plugin-FAMILY from this folder, from plugins/ or from beside the program, opens it with the settings given, and checks every rule of the contract over the process border.",
		Example: `  unsilo plugin test weather
  unsilo plugin test file --set timezone=UTC --stream orders -o json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{errors.New("FAMILY is missing")}
			}
			return atMostArgs(2)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			h := a.bareHost()
			defer func() { err = errors.Join(err, h.Close()) }()
			all, err := h.Connectors(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			c := all[0]
			if len(args) == 2 {
				if c, err = h.Connector(cmd.Context(), args[0], args[1]); err != nil {
					return err
				}
			}
			return a.reportConformance(cmd.Context(), c, settings, stream)
		},
	}
	cmd.Flags().StringArrayVar(&settings, "set", nil, "a configuration attribute, `name=value`; may be given several times")
	cmd.Flags().StringVar(&stream, "stream", "", "test only this stream")
	return cmd
}
