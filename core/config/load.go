package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/unsilo/unsilo/core"
)

// LockFile is the one *.hcl file in a project's folder that is not part of its text.
const LockFile = "unsilo.lock.hcl"

// Options say what Load may know and look at.
type Options struct {
	// Spec gives the spec of a known connector kind; nil knows none.
	Spec func(kind string) (core.Spec, bool)
	// Kinds and WarehouseKinds are all known ones, for suggestions.
	Kinds, WarehouseKinds []string
	// Variables are values given on the command line; they win over VarFiles, those over
	// UNSILO_VAR_<name> in the environment, and those over defaults.
	Variables map[string]string
	// VarFiles hold lines name = value in HCL; later files win.
	VarFiles []string
	// Getenv reads the environment; nil means that it is empty.
	Getenv func(string) string
	// Version of the program, for required_version; empty or "dev" passes every check.
	Version string
	// DeclareConnector gives the spec of a connector block; sources may then use the
	// block's name as their kind. nil: such blocks are errors.
	DeclareConnector func(b Block) (core.Spec, core.Diagnostics)
	// Now enables the function now(); nil leaves it out, so that the same files always
	// mean the same.
	Now func() time.Time
}

// Load reads all *.hcl files of a folder but the lock file, in the order of their names.
// The Project is what could be understood: nil when the files cannot be read or parsed,
// and not to be used when the diagnostics have errors, except for snippets and places.
func Load(dir string, opts Options) (*Project, core.Diagnostics) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, core.Diagnostics{folderProblem(dir, err)}
	}
	if opts.Getenv == nil {
		opts.Getenv = func(string) string { return "" }
	}
	if opts.Spec == nil {
		opts.Spec = func(string) (core.Spec, bool) { return core.Spec{}, false }
	}
	files, err := readFiles(abs)
	if err != nil {
		return nil, core.Diagnostics{folderProblem(dir, err)}
	}
	l := &loader{opts: opts, specs: map[string]core.Spec{}, secretNames: map[string]bool{},
		known: map[string]map[string]bool{"var": {}, "local": {}}, uses: map[string][]use{}}
	l.project = &Project{
		Dir: abs, Isolation: "process", Files: map[string][]byte{},
		bodies: map[string]*hclsyntax.Body{}, blocks: map[string]*hclsyntax.Block{}, held: map[string]string{},
	}
	if !l.parse(files) {
		return nil, l.finish()
	}
	l.decode()
	return l.project, l.finish()
}

func folderProblem(dir string, err error) core.Diagnostic {
	return core.Diagnostic{
		Severity: core.SeverityError,
		Summary:  fmt.Sprintf("No project can be read in %q", dir),
		Detail:   oneLine(visible(err.Error())),
		Try:      "Go to the folder of a project, name it with -C, or make one with unsilo init.",
	}
}

type namedFile struct {
	name string
	src  []byte
}

func readFiles(dir string) ([]namedFile, error) {
	names, err := filepath.Glob(filepath.Join(escapeGlob(dir), "*.hcl"))
	if err != nil {
		return nil, fmt.Errorf("list files: %w", err)
	}
	slices.Sort(names)
	var files []namedFile
	total := int64(0)
	for _, path := range names {
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("look at file: %w", err)
		}
		if !info.Mode().IsRegular() || filepath.Base(path) == LockFile {
			continue
		}
		if total += info.Size(); len(files) == maxFiles || total > maxTotal && len(files) > 0 {
			return nil, fmt.Errorf("the project has more than %d files or %d bytes", maxFiles, maxTotal)
		}
		src, err := readLimited(path, maxFileSize+1)
		if err != nil {
			return nil, fmt.Errorf("read file: %w", err)
		}
		files = append(files, namedFile{filepath.Base(path), src})
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("the folder has no *.hcl files")
	}
	return files, nil
}

func escapeGlob(path string) string {
	if filepath.Separator == '\\' {
		return path // there a backslash cannot escape, and names hold no asterisk
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// loader holds what is known while a project is read.
type loader struct {
	opts    Options
	project *Project
	diags   hcl.Diagnostics
	// top are the blocks of all files, in order.
	top []*hclsyntax.Block
	// base has the functions, variables and locals.
	base *hcl.EvalContext
	// specs of the connectors that the project declares.
	specs map[string]core.Spec
	// secretNames are variables and locals with a secret in their value.
	secretNames map[string]bool
	// declared are the diagnostics of connectors that the project declares.
	declared core.Diagnostics
	// known are the names of variables and locals.
	known map[string]map[string]bool
	// uses are the places where blocks refer to tables, by kind and name of the block.
	uses map[string][]use
}

// maxDiags bounds what is reported of a project; who has more mistakes sees the first.
const maxDiags = 200

// full says that enough mistakes are known; checks that take long stop then.
func (l *loader) full() bool { return len(l.diags) > maxDiags }

func (l *loader) fail(at hcl.Range, summary, detail, try string) {
	l.diags = append(l.diags, newDiag(at, summary, detail, try))
}

func (l *loader) warn(at hcl.Range, summary, detail, try string) {
	l.diags = append(l.diags, newWarning(at, summary, detail, try))
}

// finish turns the diagnostics into the project's own, by place.
func (l *loader) finish() core.Diagnostics {
	slices.SortStableFunc(l.diags, func(a, b *hcl.Diagnostic) int {
		if a.Subject == nil || b.Subject == nil {
			return 0
		}
		if c := strings.Compare(a.Subject.Filename, b.Subject.Filename); c != 0 {
			return c
		}
		return a.Subject.Start.Byte - b.Subject.Start.Byte
	})
	if !l.full() {
		return append(l.project.FromHCL(l.diags), l.inPlace(l.declared)...)
	}
	return append(l.project.FromHCL(l.diags[:maxDiags]), core.Diagnostic{
		Severity: core.SeverityError, Summary: "Too many problems",
		Detail: fmt.Sprintf("Only the first %d are shown.", maxDiags), Try: "Correct these first.",
	})
}

// inPlace shows diagnostics of other packages with the lines of the project's files.
func (l *loader) inPlace(ds core.Diagnostics) core.Diagnostics {
	lines := l.project.snippets()
	for i, d := range ds {
		if d.Range != nil && l.project.Files[d.Range.File] != nil {
			ds[i].Snippet, ds[i].Context = lines.text(*d.Range), lines.context(*d.Range)
		}
	}
	return ds
}

// parse reads the files into blocks; false means that one of them cannot be parsed.
func (l *loader) parse(files []namedFile) bool {
	sound := true
	for _, f := range files {
		l.project.Files[f.name] = f.src
		l.project.bodies[f.name] = nil
		if problem := guard(f.name, f.src); problem != nil {
			l.diags = append(l.diags, problem)
			sound = false
			continue
		}
		file, diags := hclsyntax.ParseConfig(f.src, f.name, hcl.InitialPos)
		l.diags = append(l.diags, withoutEchoes(diags)...)
		body, ok := file.Body.(*hclsyntax.Body)
		if ok {
			l.project.bodies[f.name] = body
		}
		if !ok || diags.HasErrors() {
			sound = false
			continue
		}
		l.top = append(l.top, body.Blocks...)
		for _, attr := range inOrder(body.Attributes) {
			l.fail(attr.NameRange, fmt.Sprintf("Attribute %q outside of a block", attr.Name),
				"At the top of a file there are only blocks.",
				fmt.Sprintf("Put it into a block, or write locals { %s = ... } to use it as local.%s.", attr.Name, attr.Name))
		}
	}
	return sound
}

// withoutEchoes drops the parser's further messages about a line it has already
// complained of, and about the next: they come from its search for a place to go on.
func withoutEchoes(diags hcl.Diagnostics) hcl.Diagnostics {
	var out hcl.Diagnostics
	first, last := -1, -1
	for _, d := range diags {
		if d.Subject != nil {
			line := d.Subject.Start.Line
			if first >= 0 && line >= first && line <= last+1 {
				last = max(last, line)
				continue
			}
			first, last = line, line
		}
		out = append(out, d)
	}
	return out
}

// decode goes through the blocks in the order in which they need each other.
func (l *loader) decode() {
	byType := map[string][]*hclsyntax.Block{}
	for _, b := range l.top {
		if l.full() || !l.admit(b) {
			continue
		}
		group := b.Type
		if group == "identity" || group == "insight" {
			group = "model" // they build tables from tables too, and keep their order
		}
		byType[group] = append(byType[group], b)
	}
	l.settings(byType["unsilo"])
	l.base = &hcl.EvalContext{Functions: l.functions(), Variables: map[string]cty.Value{}}
	l.variables(byType["variable"])
	l.locals(byType["locals"])
	l.warehouse(byType["warehouse"])
	l.privacy(byType["privacy"])
	l.connectors(byType["connector"])
	l.sources(byType["source"])
	l.models(byType["model"])
	l.alerts(byType["alert"])
	l.schedules(byType["schedule"])
	l.findCycles()
	l.checkKeys()
}

// inOrder gives attributes as they stand in the file.
func inOrder(attrs hclsyntax.Attributes) []*hclsyntax.Attribute {
	list := make([]*hclsyntax.Attribute, 0, len(attrs))
	for _, a := range attrs {
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b *hclsyntax.Attribute) int { return a.SrcRange.Start.Byte - b.SrcRange.Start.Byte })
	return list
}
