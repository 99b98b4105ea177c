package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/config"
	"github.com/unsilo/unsilo/core/engine"
)

// The exit codes of every verb; root's help lists them for people.
const (
	exitDone        = 0
	exitFailed      = 1
	exitPartial     = 2
	exitConfig      = 3
	exitNoProject   = 10
	exitLocked      = 11
	exitAuth        = 12
	exitInterrupted = 130
)

// usageError is a wrong command line.
type usageError struct{ error }

func (u usageError) Unwrap() error { return u.error }

// diagnosed carries diagnostics that have errors among them.
type diagnosed struct{ ds core.Diagnostics }

func (d diagnosed) Error() string {
	for _, x := range d.ds {
		if x.Severity == core.SeverityError {
			return x.Error()
		}
	}
	return "the configuration has errors"
}

// noProject says that a folder holds no *.hcl file.
type noProject struct{ dir string }

func (n noProject) Error() string {
	return fmt.Sprintf("there is no project in %s: no *.hcl file", n.dir)
}

// exited carries a code when everything has been said already.
type exited struct{ code int }

func (e exited) Error() string { return fmt.Sprintf("exit code %d", e.code) }

// exitCode classifies an error; it is the only place that does.
func exitCode(ctx context.Context, err error) int {
	var (
		usage  usageError
		diag   diagnosed
		none   noProject
		locked *engine.LockedError
		said   exited
	)
	switch {
	case err == nil:
		return exitDone
	case ctx.Err() != nil || errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &said):
		return said.code
	case errors.As(err, &none):
		return exitNoProject
	case errors.As(err, &locked):
		return exitLocked
	case errors.As(err, &usage), errors.As(err, &diag):
		return exitConfig
	}
	return failureCode(err)
}

// failureCode is the exit code for what failed: refused credentials come first, and a
// configuration is only to blame when it is for all of it.
func failureCode(errs ...error) int {
	config := 0
	for _, err := range errs {
		switch core.KindOf(err) {
		case core.KindAuth:
			return exitAuth
		case core.KindConfig:
			config++
		}
	}
	if config == len(errs) {
		return exitConfig
	}
	return exitFailed
}

// report writes an error for the reader of the output format.
func (a *app) report(ctx context.Context, cmd *cobra.Command, err error) {
	var said exited
	var diag diagnosed
	switch {
	case errors.As(err, &said):
		return
	case exitCode(ctx, err) == exitInterrupted:
		a.showDiagnostics(core.Diagnostics{{Severity: core.SeverityError, Summary: "interrupted",
			Try: "run it again: what was committed stands, and a run goes on from there"}})
		return
	case errors.As(err, &diag):
		a.showDiagnostics(diag.ds)
		return
	}
	d := core.Diagnostic{Severity: core.SeverityError, Summary: err.Error(), Try: tryFor(cmd, err)}
	var e *core.Error
	if errors.As(err, &e) && e.Try != "" {
		d.Try = e.Try
	}
	a.showDiagnostics(core.Diagnostics{d})
}

func tryFor(cmd *cobra.Command, err error) string {
	var usage usageError
	var none noProject
	var locked *engine.LockedError
	switch {
	case errors.As(err, &none):
		return "make one with `unsilo init`, or name its folder with -C"
	case errors.As(err, &locked):
		return "wait for it to end; a run that was killed holds nothing"
	case errors.As(err, &usage) && cmd != nil:
		return "see `" + cmd.CommandPath() + " --help`"
	}
	return ""
}

// redact takes the secrets of the loaded project out of text.
func (a *app) redact(s string) string {
	if a.hide == nil {
		return s
	}
	return a.hide(s)
}

// redactAll is redact for every text of diagnostics.
func (a *app) redactAll(ds core.Diagnostics) core.Diagnostics {
	ds = slices.Clone(ds)
	for i := range ds {
		for _, text := range []*string{&ds[i].Summary, &ds[i].Detail, &ds[i].Try, &ds[i].Snippet, &ds[i].Context} {
			*text = a.redact(*text)
		}
	}
	return ds
}

// jsonDiagnostics reports whether standard error is JSON.
func (a *app) jsonDiagnostics() bool { return a.output == "json" || a.output == "ndjson" }

// showDiagnostics writes diagnostics to stderr: text, or JSON when the output is JSON.
func (a *app) showDiagnostics(ds core.Diagnostics) {
	ds = a.redactAll(ds)
	if a.jsonDiagnostics() {
		_ = a.writeJSON(a.err, map[string]any{"format_version": formatVersion, "diagnostics": ds})
		return
	}
	config.RenderText(a.err, ds, a.colour(a.err))
}
