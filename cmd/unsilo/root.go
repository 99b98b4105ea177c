package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/engine"
	"github.com/unsilo/unsilo/plugins/host"
)

// version is set by the build; a build without it is a development one.
const version = "0.1.0"

// app is what the verbs share: where to read and write, and the global flags.
type app struct {
	in       io.Reader
	out, err io.Writer
	getenv   func(string) string

	dir    string
	output string
	vars   []string

	// hosts have started plugins for this command; they end with it.
	hosts []*host.Host

	// hide takes secrets out of text; nil before a project is loaded.
	hide func(string) string

	// limits and wrap are for tests: commits of a few rows, and sources that send batches
	// of a few rows. Their zero values change nothing.
	limits engine.Limits
	wrap   func(core.Source) core.Source
}

// Main runs one command line and returns the exit code.
func Main(args []string, in io.Reader, out, errw io.Writer, getenv func(string) string) int {
	return (&app{in: in, out: out, err: errw, getenv: getenv}).main(args)
}

func (a *app) main(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	root := a.root()
	if format := outputIn(args); slices.Contains(formats, format) {
		a.output = format // a command line that cannot be read is reported in its own format too
	}
	root.SetArgs(longFlags(root, args))
	cmd, err := root.ExecuteContextC(ctx)
	err = errors.Join(err, a.closeHosts())
	if err != nil {
		a.report(ctx, cmd, err)
	}
	return exitCode(ctx, err)
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "unsilo",
		Example:       rootExample,
		Short:         "Pull every silo into one warehouse, and find out who is who",
		Long:          rootHelp,
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			if !slices.Contains(formats, a.output) {
				return usageError{fmt.Errorf("unknown output format %q: use %s", a.output, strings.Join(formats, ", "))}
			}
			return nil
		},
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	flags := root.PersistentFlags()
	flags.SortFlags = false
	flags.StringVarP(&a.dir, "chdir", "C", ".", "the project's `folder`")
	flags.StringVarP(&a.output, "output", "o", "table", "the `format` of the output: table, json, ndjson or csv")
	flags.StringArrayVar(&a.vars, "var", nil, "set a variable, `name=value`; may be given several times")
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(a.demoCmd(), a.initCmd(), a.validateCmd(), a.fmtCmd(), a.checkCmd(), a.previewCmd(), a.planCmd(),
		a.runCmd(), a.statusCmd(), a.historyCmd(), a.queryCmd(), a.identityCmd(), a.pluginCmd(), a.connectorCmd(), a.dbCmd())
	// The error is about a flag that does not exist; this one does.
	_ = root.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
	root.InitDefaultCompletionCmd()
	layOut(root)
	return root
}

// layOut gives every command what all share: flags in the order they are declared, and
// for one that only holds others an answer to a name that is not among them.
func layOut(c *cobra.Command) {
	c.DisableFlagsInUseLine = true
	c.Flags().SortFlags = false
	if c.HasSubCommands() {
		c.Args, c.RunE = cobra.ArbitraryArgs, group
	}
	for _, sub := range c.Commands() {
		layOut(sub)
	}
}

// group runs a command that only holds others.
func group(c *cobra.Command, args []string) error {
	if len(args) == 0 && !c.HasParent() {
		return c.Help()
	}
	var names []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	e := &core.Error{Kind: core.KindConfig, Err: fmt.Errorf("the command is missing: %s", strings.Join(names, ", ")), Try: "see `" + c.CommandPath() + " --help`"}
	if len(args) > 0 {
		e.Err = fmt.Errorf("unknown command %q", args[0])
		if near := core.Nearest(args[0], names); near != "" {
			e.Try = "did you mean `" + c.CommandPath() + " " + near + "`?"
		}
	}
	return e
}

// flagError names the flag that was meant, where one is near.
func flagError(c *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return usageError{err}
	}
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	near := core.Nearest(unknown.GetSpecifiedName(), names)
	if near == "" {
		return usageError{err}
	}
	return usageError{&core.Error{Kind: core.KindConfig, Err: err, Try: "did you mean `--" + near + "`?"}}
}

// longFlags takes -detailed-exitcode for --detailed-exitcode, as users of other tools
// write it. Flags of one letter stay as they are.
func longFlags(root *cobra.Command, args []string) []string {
	known := map[string]bool{}
	var learn func(*cobra.Command)
	learn = func(c *cobra.Command) {
		note := func(f *pflag.Flag) { known[f.Name] = len(f.Name) > 1 }
		c.Flags().VisitAll(note)
		c.PersistentFlags().VisitAll(note)
		for _, sub := range c.Commands() {
			learn(sub)
		}
	}
	learn(root)
	out := slices.Clone(args)
	for i, arg := range out {
		if arg == "--" {
			break
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(arg, "-"), "=")
		if strings.HasPrefix(arg, "-") && known[name] {
			out[i] = "-" + arg
		}
	}
	return out
}

// outputIn finds the value of -o in arguments that nobody has parsed.
func outputIn(args []string) string {
	for i, arg := range args {
		switch {
		case (arg == "-o" || arg == "--output") && i+1 < len(args):
			return args[i+1]
		case strings.HasPrefix(arg, "--output="):
			return strings.TrimPrefix(arg, "--output=")
		case strings.HasPrefix(arg, "-o") && len(arg) > 2:
			return strings.TrimPrefix(arg[2:], "=")
		}
	}
	return ""
}

const rootExample = `  unsilo demo                                     a simulated company, eight silos, three answers
  unsilo init                                     make a project in this folder
  unsilo plan                                     see what a run would do
  unsilo run                                      do it
  unsilo query "SELECT * FROM marts.revenue"      look at the result`

const rootHelp = `unsilo pulls every department's data silo into one warehouse, works out which
records belong to the same person, and answers the questions that no single
department can answer alone. A project is a folder of *.hcl files.

Results go to standard output, progress and diagnostics to standard error. With
-o json both are JSON; documents carry format_version.

EXIT CODES
  0    done
  1    failed
  2    partial: some streams failed; or plan -detailed-exitcode found changes
  3    the configuration, or the command line, is wrong
  10   no project in this folder
  11   another run holds the project
  12   credentials were refused
  130  interrupted`
