package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unsilo/unsilo/plugins/host"
	"github.com/unsilo/unsilo/plugins/scaffold"
)

func (a *app) pluginCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "plugin", Short: "List, lock, trust, make and test plugins"}
	list := &cobra.Command{
		Use: "list", Short: "List the plugins that are found, and the connectors each serves", Args: noArgs,
		Long: "Looks beside the program and in the project's plugins folder. Plugins that are not trusted are shown and not started.",
		RunE: func(cmd *cobra.Command, _ []string) error { return a.listPlugins(cmd) },
	}
	lock := &cobra.Command{
		Use: "lock", Short: "Write the checksums of the project's plugins to unsilo.lock.hcl", Args: noArgs,
		Long:    "With a lock file a run starts only plugins that are in it, byte for byte. Locking also trusts\nthem, as plugin trust does: it asks each what it serves.",
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
	cmd.AddCommand(list, lock, a.pluginTrustCmd(), create, a.pluginTestCmd())
	return cmd
}

// listPlugins shows what a run here would find. It starts only plugins that a run might.
func (a *app) listPlugins(cmd *cobra.Command) error {
	root, err := filepath.Abs(a.dir)
	if err != nil {
		return fmt.Errorf("find project: %w", err)
	}
	h, _, err := a.hostFor(root)
	if err != nil {
		return err
	}
	g := grid{columns: []string{"plugin", "connectors", "state", "path"}}
	for _, family := range h.Families() {
		path, err := h.Path(family)
		var names []string
		if err == nil {
			names, err = connectorsOf(cmd.Context(), h, family)
		}
		g.add(family, strings.Join(names, " "), a.pluginState(err), path)
	}
	return a.show(g)
}

func connectorsOf(ctx context.Context, h *host.Host, family string) ([]string, error) {
	all, err := h.Connectors(ctx, family)
	var names []string
	for _, c := range all {
		names = append(names, c.Spec().Name)
	}
	slices.Sort(names)
	return names, err
}

func (a *app) pluginState(err error) string {
	switch {
	case err == nil:
		return "ready"
	case errors.Is(err, host.ErrNotTrusted):
		return "not trusted"
	case errors.Is(err, host.ErrNotLocked):
		return "not in the lock"
	}
	return "error: " + a.redact(err.Error())
}

// lockPlugins pins the plugins of the project's sources as they are now. Whoever asks for
// that trusts them.
func (a *app) lockPlugins(cmd *cobra.Command) error {
	p, err := a.newProject()
	if err != nil {
		return err
	}
	lock, err := host.ReadLock(p.root)
	if err != nil {
		return err
	}
	now, err := host.Survey(append(programDirs(), projectPlugins(p.root)), lock)
	if err != nil {
		return err
	}
	trust, err := a.trust()
	if err != nil {
		return err
	}
	p.lock = now
	p.plugins = a.newHost(host.Options{ProjectDirs: []string{projectPlugins(p.root)}, Lock: now})
	if err := p.read(); err != nil {
		return err
	}
	if lock == nil {
		lock = &host.Lock{}
	}
	g := grid{columns: []string{"plugin", "checksum"}}
	for _, family := range p.families() {
		path, err := p.plugins.Path(family)
		if err != nil {
			return err
		}
		locked, _ := now.Plugin(family)
		if locked.Connectors, err = connectorsOf(cmd.Context(), p.plugins, family); err != nil {
			return err
		}
		locked.Version = version
		lock.Put(locked)
		sum := locked.Checksums[host.Platform()]
		if !p.plugins.Own(family, path) {
			if err := trust.Add(family, sum); err != nil {
				return err
			}
		}
		g.add(family, sum)
	}
	if err := lock.Write(p.root); err != nil {
		return err
	}
	return a.show(g)
}

func (a *app) pluginTrustCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "trust NAME...",
		Short: "Allow plugins that came with a project to start",
		Long: `Plugins in a project's plugins folder, or where its lock file points, are programs of
whoever made the project. They start only for users who have said so: by this command, or
by plugin lock. It writes their checksums to a file of this user, outside of the project;
a plugin that changes has to be trusted anew. The variable UNSILO_TRUST_FILE names another
file, for example in tests. Plugins beside unsilo itself need no trust.`,
		Example: "  unsilo plugin trust weather",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{errors.New("NAME is missing")}
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return a.trustPlugins(args) },
	}
}

// trustPlugins starts nothing.
func (a *app) trustPlugins(families []string) error {
	root, err := filepath.Abs(a.dir)
	if err != nil {
		return fmt.Errorf("find project: %w", err)
	}
	lock, err := host.ReadLock(root)
	if err != nil {
		return err
	}
	trust, err := a.trust()
	if err != nil {
		return err
	}
	h := a.newHost(host.Options{ProjectDirs: []string{projectPlugins(root)}, Lock: lock})
	if err := h.Verify(families...); err != nil {
		return err
	}
	g := grid{columns: []string{"plugin", "checksum", "path"}}
	for _, family := range families {
		path, err := h.Path(family)
		if err != nil {
			return err
		}
		sum, err := host.Sum(path)
		if err != nil {
			return err
		}
		if !h.Own(family, path) {
			if err := trust.Add(family, sum); err != nil {
				return err
			}
		}
		g.add(family, sum, path)
	}
	return a.show(g)
}
