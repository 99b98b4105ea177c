// Package scaffold writes the project of a new plugin: a connector that reads a small
// HTTP API, and tests that hold it to the contract, which pass before a line is changed.
//
// It writes files and nothing else: it runs no tool and asks no registry.
package scaffold

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"
)

//go:embed templates/*.tmpl
var templates embed.FS

// unsiloModule is the module that a plugin builds against.
const unsiloModule = "github.com/unsilo/unsilo"

// goVersion is the oldest Go that builds a plugin.
const goVersion = "1.26.0"

// project is what the templates know.
type project struct {
	Name, Module, Version, Go, Upper string
	// Checkout is the folder of an unsilo checkout to build against, and Requires its
	// require blocks; both empty for a released unsilo.
	Checkout, Requires string
}

var (
	namePattern   = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	modulePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._~/-]*$`)
)

// Write writes a plugin for the connector name into dir, which is made, or is empty.
// When this program, or dir, lies in a checkout of unsilo, the plugin builds against that
// checkout, without any network; else it names the released module.
func Write(dir, name, module string) error {
	if !namePattern.MatchString(name) {
		return fmt.Errorf("write plugin: the name %q is not of the form %s", name, namePattern)
	}
	if !modulePattern.MatchString(module) {
		return fmt.Errorf("write plugin: %q is no module path", module)
	}
	if left, err := os.ReadDir(dir); err == nil && len(left) > 0 {
		return fmt.Errorf("write plugin: the folder %s is not empty", dir)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("write plugin: %w", err)
	}
	p := project{Name: name, Module: module, Version: "v0.1.0", Go: goVersion, Upper: strings.ToUpper(name)}
	files := map[string][]byte{}
	if root := findCheckout(dir); root != "" {
		if err := p.useCheckout(root, files); err != nil {
			return fmt.Errorf("write plugin: %w", err)
		}
	}
	if err := p.render(files); err != nil {
		return fmt.Errorf("write plugin: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write plugin: %w", err)
	}
	for file, content := range files {
		if err := os.WriteFile(filepath.Join(dir, file), content, 0o644); err != nil {
			return fmt.Errorf("write plugin: %w", err)
		}
	}
	return nil
}

// render fills in the templates.
func (p project) render(files map[string][]byte) error {
	all, err := template.New("").Delims("«", "»").ParseFS(templates, "templates/*.tmpl")
	if err != nil {
		return err
	}
	for _, t := range all.Templates() {
		name := strings.TrimSuffix(t.Name(), ".tmpl")
		var b bytes.Buffer
		if err := t.Execute(&b, p); err != nil {
			return err
		}
		content := b.Bytes()
		if strings.HasSuffix(name, ".go") {
			if content, err = format.Source(content); err != nil {
				return fmt.Errorf("format %s: %w", name, err)
			}
		}
		files[name] = content
	}
	return nil
}

// useCheckout takes versions and checksums over from a checkout, so that nothing has to
// be looked up.
func (p *project) useCheckout(root string, files map[string][]byte) error {
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return err
	}
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		return err
	}
	p.Version, p.Checkout, p.Requires = "v0.0.0-00010101000000-000000000000", root, requires(string(mod))
	files["go.sum"] = sum
	return nil
}

// requires gives the require blocks of a go.mod.
func requires(mod string) string {
	var b strings.Builder
	inside := false
	for _, line := range strings.SplitAfter(mod, "\n") {
		inside = inside || strings.HasPrefix(line, "require (")
		if inside || strings.HasPrefix(line, "require ") {
			b.WriteString(line)
		}
		inside = inside && !strings.HasPrefix(line, ")")
	}
	return b.String()
}

// findCheckout looks for a checkout of unsilo above this program and above dir; "" when
// there is none.
func findCheckout(dir string) string {
	var starts []string
	if self, err := os.Executable(); err == nil {
		starts = append(starts, filepath.Dir(self))
	}
	if abs, err := filepath.Abs(dir); err == nil {
		starts = append(starts, abs)
	}
	if wd, err := os.Getwd(); err == nil {
		starts = append(starts, wd)
	}
	for _, start := range starts {
		for at := start; ; at = filepath.Dir(at) {
			mod, err := os.ReadFile(filepath.Join(at, "go.mod"))
			if err == nil && strings.HasPrefix(string(mod), "module "+unsiloModule+"\n") {
				return at
			}
			if at == filepath.Dir(at) {
				break
			}
		}
	}
	return ""
}
