package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
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
}

// Main runs one command line and returns the exit code.
func Main(args []string, in io.Reader, out, errw io.Writer, getenv func(string) string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	a := &app{in: in, out: out, err: errw, getenv: getenv}
	root := a.root()
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err != nil {
		a.report(cmd, err)
	}
	return exitCode(ctx, err)
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "unsilo",
		Short:         "Pull every silo into one warehouse, and find out who is who",
		Long:          rootHelp,
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	flags := root.PersistentFlags()
	flags.StringVarP(&a.dir, "chdir", "C", ".", "the project's `folder`")
	flags.StringVarP(&a.output, "output", "o", "table", "`format` of the output: table, json, ndjson or csv")
	flags.StringArrayVar(&a.vars, "var", nil, "set a variable, `name=value`; may be given several times")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(a.demoCmd(), a.initCmd(), a.validateCmd(), a.fmtCmd(), a.checkCmd(), a.previewCmd(), a.planCmd(),
		a.runCmd(), a.statusCmd(), a.historyCmd(), a.queryCmd(), a.identityCmd(), a.pluginCmd(), a.connectorCmd(), a.dbCmd())
	for _, c := range root.Commands() {
		c.DisableFlagsInUseLine = true
	}
	return root
}

const rootHelp = `unsilo pulls every department's data silo into one warehouse, works out which
records belong to the same person, and answers the questions that no single
department can answer alone. A project is a folder of *.hcl files.

EXIT CODES
  0    done
  1    failed
  2    partial: some streams failed; or plan -detailed-exitcode found changes
  3    the configuration, or the command line, is wrong
  10   no project in this folder
  11   another run holds the project
  12   credentials were refused
  130  interrupted`
