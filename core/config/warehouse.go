package config

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/unsilo/unsilo/core"
)

// The warehouse of a project that names none.
const (
	defaultWarehouse = "duckdb"
	defaultPath      = "warehouse.duckdb"
)

var memorySyntax = regexp.MustCompile(`^[1-9][0-9]*(\.[0-9]+)? ?([KMGT]i?B|%)$`)

func (l *loader) warehouse(blocks []*hclsyntax.Block) {
	w := &l.project.Warehouse
	*w = Warehouse{Kind: defaultWarehouse, Path: filepath.Join(l.project.Dir, defaultPath)}
	for _, b := range blocks {
		w.Kind, w.Range = b.Labels[0], rangeOf(b.DefRange())
		if kinds := l.opts.WarehouseKinds; len(kinds) > 0 && !slices.Contains(kinds, w.Kind) {
			l.fail(b.LabelRanges[0], fmt.Sprintf("Unknown warehouse %q", visible(w.Kind)), "This program has no warehouse of this kind.",
				didYouMean(w.Kind, kinds, ""))
		}
		values := l.attributes(b, fieldsOf{owner: "warehouse", shown: []core.Field{
			{Name: "path", Type: core.TypeString, Default: defaultPath, Help: "file of the database"},
			{Name: "memory_limit", Type: core.TypeString, Help: "memory the warehouse may use"},
			{Name: "threads", Type: core.TypeInt, Help: "threads the warehouse may use"},
		}})
		w.Path = absolute(l.project.Dir, text(values, "path"))
		w.MemoryLimit = text(values, "memory_limit")
		w.Threads = l.within(b, values, "threads", 1, 1024)
		if w.MemoryLimit != "" && !memorySyntax.MatchString(w.MemoryLimit) {
			l.fail(valueRange(b, "memory_limit"), `Wrong value for "memory_limit"`,
				fmt.Sprintf("%q is not an amount of memory.", w.MemoryLimit), `Write memory_limit = "2GB"`)
		}
	}
}

// absolute joins a relative path to a folder.
func absolute(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, filepath.FromSlash(path))
}
